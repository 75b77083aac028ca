//! Applications that administrators keep in the database (`[administration]`). They are checked by the
//! parser of the configuration, and read anew with each request.

use std::sync::Arc;

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{DbError, RowError, Table};

use super::settings::{ClientSettings, Proof};
use crate::app::Parts;
use crate::config::{Client, ClientSecret, ConfigError, Pkce};
use crate::domain::ids::ClientId;
use crate::store::StoreError;
use crate::store::managed_clients::{self as store, Managed};

/// Why an application is not changed.
#[derive(Debug, thiserror::Error)]
pub enum ManageError {
    /// There is none.
    #[error("there is no application with this id")]
    Unknown,
    /// It stands in the configuration.
    #[error("the application is in the configuration file, and is changed there alone")]
    Configured,
    /// The id cannot be one.
    #[error(
        "an id has 1 to 128 letters, digits and . _ -, and begins with a letter or a digit; `reg-…` and \
         the names of the configuration are taken"
    )]
    Id,
    /// Two ways to authenticate.
    #[error("choose public or keys, not both")]
    Proof,
    /// The parser of the configuration refuses it.
    #[error(transparent)]
    Refused(ConfigError),
    /// It exists, and nobody said in which state.
    #[error("the application exists: name the entity tag that you read, in If-Match")]
    TagMissing,
    /// It is in another state.
    #[error("the application is in another state than the one that was named")]
    Tag,
    /// One with its id was removed a moment ago, or is still to be told of its sessions.
    #[error(
        "an application with this id was removed: the id is free ten minutes later, and not before its logout \
         tokens are sent or given up"
    )]
    Removed,
    /// There is no secret to change.
    #[error("the application has no secret")]
    NoSecret,
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<RowError> for ManageError {
    fn from(error: RowError) -> Self {
        Self::Db(error.into())
    }
}

/// An application, as administrators see it.
#[derive(Debug, Clone)]
pub struct Known {
    /// `client_id`.
    pub id: ClientId,
    /// How it proves who it is.
    pub proof: Proof,
    /// What holds.
    pub settings: ClientSettings,
    /// Whether people can log in to it now.
    pub served: bool,
    /// Where an administrator keeps it; `None`: it is in the configuration.
    pub kept: Option<Kept>,
}

/// What the database knows of an application beside.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The state it is in.
    pub revision: String,
    /// When it came.
    pub created_at: UnixTime,
    /// When it was changed last.
    pub updated_at: UnixTime,
    /// Until when the secret of before counts, too.
    pub previous_until: Option<UnixTime>,
}

fn settings_of(text: &str) -> Result<ClientSettings, RowError> {
    serde_json::from_str(text)
        .map_err(|_| Table("managed_clients").invalid("settings", "not those of an application"))
}

fn previous(row: &Managed, now: UnixTime) -> Option<(&str, UnixTime)> {
    let until = UnixTime(row.previous_until?);
    let counts = now < until;
    let hash = row.previous_hash.as_deref().filter(|_| counts)?;
    Some((hash, until))
}

/// The application of a row; the inner error: it does not fit the configuration any more.
fn build(app: &Parts, row: &Managed) -> Result<Result<Client, ConfigError>, RowError> {
    let settings = settings_of(&row.settings)?;
    let id = ClientId::from_text(row.id.as_str());
    let secret = match row.secret_hash.as_deref() {
        None => None,
        Some(hash) => {
            let before = previous(row, app.now()).map(|(hash, _)| hash);
            let known = ClientSecret::of_digests(hash, before);
            let table = Table("managed_clients");
            Some(known.ok_or_else(|| table.invalid("secret_hash", "not a digest"))?)
        }
    };
    Ok(app.settings.managed(&settings.to_config(&id), secret))
}

/// The application of an id, if it is served now.
pub(super) async fn client(app: &Parts, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
    if app.settings.administration.is_none() {
        return Ok(None);
    }
    let Some(row) = store::find(&app.db, id).await? else {
        return Ok(None);
    };
    if row.disabled_at.is_some() {
        return Ok(None);
    }
    match build(app, &row).map_err(DbError::from)? {
        Ok(client) => Ok(Some(Arc::new(client))),
        Err(error) => {
            // The configuration offers less than when it was written.
            tracing::info!(client = %id, reason = %error, "a managed application is not served");
            Ok(None)
        }
    }
}

/// An application as it was last: one that was removed is still told of sessions that ended.
pub(crate) async fn last(app: &Parts, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
    if app.settings.administration.is_none() || app.settings.is_taken(id) {
        return Ok(None);
    }
    let Some(text) = store::last_settings(&app.db, id).await? else {
        return Ok(None);
    };
    // Whoever is only told shows no secret, and needs none for anything.
    let settings = ClientSettings {
        pkce: Pkce::Required,
        ..settings_of(&text).map_err(DbError::from)?
    };
    let built = app.settings.managed(&settings.to_config(id), None);
    Ok(built.ok().map(Arc::new))
}

fn known(app: &Parts, row: &Managed) -> Result<Known, ManageError> {
    let built = build(app, row)?;
    let settings = settings_of(&row.settings)?;
    Ok(Known {
        id: ClientId::from_text(row.id.as_str()),
        proof: settings.proof().unwrap_or(Proof::Public),
        served: built.is_ok() && row.disabled_at.is_none(),
        settings,
        kept: Some(Kept {
            revision: row.revision.clone(),
            created_at: UnixTime(row.created_at),
            updated_at: UnixTime(row.updated_at),
            previous_until: previous(row, app.now()).map(|(_, until)| until),
        }),
    })
}

fn configured(client: &Client) -> Known {
    Known {
        id: client.id.clone(),
        proof: Proof::from(&client.authentication),
        settings: ClientSettings::of(client),
        served: true,
        kept: None,
    }
}

/// Applications behind the one of the id `after` (all without it), `limit` at most, and whether there are
/// more: those of the configuration as they stand there, then those of administrators by their ids.
pub async fn list(app: &Parts, after: &str, limit: u32) -> Result<(Vec<Known>, bool), ManageError> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let own = app.settings.clients();
    let begun = match after {
        "" => Some(0),
        id => own
            .iter()
            .position(|one| one.id.as_str() == id)
            .map(|at| at + 1),
    };
    let rest = begun.and_then(|from| own.get(from..)).unwrap_or_default();
    let mut all: Vec<Known> = rest.iter().map(|client| configured(client)).collect();
    let mut from = match begun {
        Some(_) => String::new(),
        None => after.to_owned(),
    };
    let step = i64::from(limit) + 1;
    while all.len() <= most {
        let rows = store::page(&app.db, &from, step).await?;
        let Some(last) = rows.last() else { break };
        from.clone_from(&last.id);
        for row in &rows {
            // The configuration wins.
            if !app.settings.is_taken(&ClientId::from_text(row.id.as_str())) {
                all.push(known(app, row)?);
            }
        }
    }
    let more = all.len() > most;
    all.truncate(most);
    Ok((all, more))
}

/// The application of an id.
pub async fn find(app: &Parts, id: &ClientId) -> Result<Option<Known>, ManageError> {
    if let Some(client) = app.settings.configured(id) {
        return Ok(Some(configured(client)));
    }
    if app.settings.is_taken(id) {
        return Ok(None);
    }
    let row = store::find(&app.db, id).await?;
    row.map(|row| known(app, &row)).transpose()
}
