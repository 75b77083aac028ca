//! Applications that register by themselves (RFC 7591) and look after their registration (RFC
//! 7592). Their secrets and tokens are kept as digests, so nothing shows a secret a second time.

use serde_json::{Map, Value};
use vouchsafe_credentials::random::token;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oauth::registration::{ClientMetadata, MetadataError};
use vouchsafe_service::db::{DbError, Table, Tx};

use super::build;
use crate::app::Parts;
use crate::config::{Allowed, Client, Registration, Standing};
use crate::domain::ids::{ClientId, Secret, SecretDigest};
use crate::outbound::OutboundError;
use crate::store::clients::{self, NewClient, Registered};

/// What an id that we made begins with: no operator's id, and no address
/// (draft-ietf-oauth-client-id-metadata-document-02, section 7.1).
const PREFIX: &str = "reg-";

/// Why nothing is registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The metadata.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The list at the `sector_identifier_uri` cannot be had.
    #[error("the sector_identifier_uri cannot be had")]
    Sector(#[source] OutboundError),
    /// An address that is never asked (catalogue 377).
    #[error("{0} is an address that is not asked")]
    Address(&'static str),
    /// The initial access token was used up meanwhile.
    #[error("the initial access token is not good")]
    Token,
    /// As many as are kept came without a token.
    #[error("too many applications registered without a token")]
    Full,
    /// The registration is gone, or was never there for this token.
    #[error("there is no such registration for this token")]
    Unknown,
    /// The secret beside the metadata is another one (RFC 7592, section 2.2).
    #[error("the client secret is another one")]
    Secret,
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A registration, and what is shown once.
#[derive(Debug)]
pub struct Fresh {
    /// `client_id`.
    pub id: ClientId,
    /// Its secret, where it has one.
    pub secret: Option<Secret>,
    /// Its registration access token.
    pub token: Secret,
    /// What holds.
    pub metadata: Map<String, Value>,
    /// When.
    pub created_at: UnixTime,
}

/// Registers an application. `initial` is the initial access token; without one the registration
/// is open. Nothing is fetched for metadata that are refused anyway.
pub async fn register(
    app: &Parts,
    registration: &Registration,
    initial: Option<SecretDigest>,
    asked: &Map<String, Value>,
) -> Result<Fresh, RegisterError> {
    let id = ClientId::from_text(format!("{PREFIX}{}", token(app.rng.as_ref())));
    let metadata = checked(app, registration, &id, asked).await?;
    let secret = (metadata.authentication.is_secret()).then(|| Secret::random(app.rng.as_ref()));
    let token = Secret::random(app.rng.as_ref());
    let holds = metadata.to_json();
    let row = NewClient {
        id: id.clone(),
        metadata: Value::Object(holds.clone()).to_string(),
        secret: secret.as_ref().map(Secret::digest),
        token: token.digest(),
    };
    let (now, most) = (app.now(), registration.most_open);
    let standing = match initial {
        Some(_) => "token",
        None => "open",
    };
    app.db
        .write(async move |tx: &mut Tx| {
            let used = match &initial {
                Some(initial) => {
                    let used = clients::use_token(tx, initial, now).await?;
                    Some(used.ok_or(RegisterError::Token)?)
                }
                None => {
                    tx.lock("open registrations").await?;
                    if clients::count_open(tx).await? >= most {
                        return Err(RegisterError::Full);
                    }
                    None
                }
            };
            clients::insert(tx, &row, used.as_deref(), now).await?;
            Ok(())
        })
        .await?;
    metrics::counter!("vouchsafe_clients_registered_total", "by" => standing).increment(1);
    tracing::info!(client = %id, by = standing, "an application registered");
    Ok(Fresh {
        id,
        secret,
        token,
        metadata: holds,
        created_at: now,
    })
}

/// Reads metadata, and looks at the addresses in them.
async fn checked(
    app: &Parts,
    registration: &Registration,
    id: &ClientId,
    asked: &Map<String, Value>,
) -> Result<ClientMetadata, RegisterError> {
    use vouchsafe_protocol::oauth::registration::ClientAuthentication;
    let metadata = ClientMetadata::parse(asked, &registration.allowed.offered)?;
    // Several hosts without a list are refused before anything is fetched.
    metadata.sector(id.as_str())?;
    // Catalogue 377: what is fetched later is refused now, as far as that can be seen.
    let keys = match &metadata.authentication {
        ClientAuthentication::KeysAt(uri) => Some(uri),
        _ => None,
    };
    let addresses = [
        ("jwks_uri", keys),
        (
            "backchannel_logout_uri",
            metadata.backchannel_logout_uri.as_ref(),
        ),
        (
            "sector_identifier_uri",
            metadata.sector_identifier_uri.as_ref(),
        ),
    ];
    for (name, uri) in addresses {
        if uri.is_some_and(|uri| !app.outbound.may_ask(uri)) {
            return Err(RegisterError::Address(name));
        }
    }
    if let Some(uri) = &metadata.sector_identifier_uri {
        let list = app.outbound.sector_list(uri).await;
        metadata.check_sector_list(&list.map_err(RegisterError::Sector)?)?;
    }
    Ok(metadata)
}

/// A registration for the holder of its token.
#[derive(Debug)]
pub struct Found {
    /// `client_id`.
    pub id: ClientId,
    /// What holds now.
    pub metadata: Map<String, Value>,
    /// When it came.
    pub created_at: UnixTime,
    secret: Option<String>,
}

impl Found {
    fn read(row: Registered, allowed: &Allowed) -> Result<Self, RegisterError> {
        Ok(Self {
            metadata: parsed(&row, allowed)?.to_json(),
            id: ClientId::from_text(row.id),
            created_at: UnixTime(row.created_at),
            secret: row.secret_hash,
        })
    }
}

/// The registration of an id, for the holder of its registration access token.
pub async fn found(
    app: &Parts,
    registration: &Registration,
    id: &ClientId,
    token: &Secret,
) -> Result<Found, RegisterError> {
    let row = clients::of_token(&app.db, id, &token.digest()).await?;
    Found::read(row.ok_or(RegisterError::Unknown)?, &registration.allowed)
}

/// The id of a registration for the holder of its token, whatever is allowed now: who wants to go
/// may go.
pub async fn of_holder(
    app: &Parts,
    token: &Secret,
    id: ClientId,
) -> Result<ClientId, RegisterError> {
    let row = clients::of_token(&app.db, &id, &token.digest()).await?;
    row.map(|_| id).ok_or(RegisterError::Unknown)
}

/// What a registration becomes.
#[derive(Debug)]
pub struct Change {
    /// `client_secret` beside the metadata: the same as before, or none.
    pub secret: Option<String>,
    /// The metadata, all of them.
    pub metadata: Map<String, Value>,
}

/// Replaces a registration (RFC 7592, section 2.2): what is left out is gone. Its id, its token
/// and, where it still needs one, its secret stay. A new secret is told where it had none before.
pub async fn change(
    app: &Parts,
    registration: &Registration,
    found: Found,
    asked: Change,
) -> Result<(Found, Option<Secret>), RegisterError> {
    if let Some(shown) = &asked.secret {
        let known = Secret::parse(shown).map(|secret| secret.digest());
        if known.as_ref().map(SecretDigest::as_str) != found.secret.as_deref() {
            return Err(RegisterError::Secret);
        }
    }
    let metadata = checked(app, registration, &found.id, &asked.metadata).await?;
    let needs = metadata.authentication.is_secret();
    let fresh = (needs && found.secret.is_none()).then(|| Secret::random(app.rng.as_ref()));
    let secret = match &fresh {
        Some(fresh) => Some(fresh.digest().as_str().to_owned()),
        None => found.secret.clone().filter(|_| needs),
    };
    let holds = metadata.to_json();
    let (id, kept, now) = (found.id.clone(), secret.clone(), app.now());
    let text = Value::Object(holds.clone()).to_string();
    let replaced = app
        .db
        .write(async move |tx: &mut Tx| {
            clients::replace(tx, &id, &text, kept.as_deref(), now).await
        })
        .await?;
    if !replaced {
        return Err(RegisterError::Unknown);
    }
    tracing::info!(client = %found.id, "an application changed its registration");
    let changed = Found {
        metadata: holds,
        secret,
        ..found
    };
    Ok((changed, fresh))
}

/// Removes a registration and ends what it was given; `false` if there is none.
pub async fn remove(app: &Parts, id: &ClientId) -> Result<bool, DbError> {
    let (gone, now) = (id.clone(), app.now());
    let removed = app
        .db
        .write(async move |tx: &mut Tx| clients::remove(tx, &gone, now).await)
        .await?;
    if removed {
        tracing::info!(client = %id, "an application was removed");
    }
    Ok(removed)
}

/// The application of a stored registration, as far as it is allowed now.
pub(super) fn client(row: &Registered, allowed: &Allowed) -> Result<Client, RegisterError> {
    let standing = match row.initial_token {
        Some(_) => Standing::Registered,
        None => Standing::Open,
    };
    let id = ClientId::from_text(row.id.as_str());
    let metadata = parsed(row, allowed)?;
    let secret = row.secret_hash.as_deref();
    Ok(build(&id, metadata, secret, standing, allowed)?)
}

fn parsed(row: &Registered, allowed: &Allowed) -> Result<ClientMetadata, RegisterError> {
    let object = serde_json::from_str(&row.metadata).map_err(|_| {
        let broken = Table("registered_clients").invalid("metadata", "not an object");
        DbError::from(broken)
    })?;
    Ok(ClientMetadata::parse(&object, &allowed.offered)?)
}
