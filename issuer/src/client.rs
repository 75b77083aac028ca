//! Which wallet asks: client authentication at the pushed authorization request and the token
//! endpoint, by the method that the wallet is registered with and no other.

use vouchsafe_credentials::crypto::Algorithm;
use vouchsafe_protocol::oauth::assertion::{self, AssertionError};
use vouchsafe_protocol::oauth::attestation::{self, AttestationError};
use vouchsafe_protocol::oauth::client_auth::{ClientAuthError, ClientCredentials};
use vouchsafe_protocol::oauth::dpop::VerifiedProof;
use vouchsafe_protocol::oauth::values::ClientId;
use vouchsafe_protocol::oauth::{ErrorCode, OAuthError};
use vouchsafe_service::client_assertion::{self, AssertionRefused, Audience};
use vouchsafe_service::db::DbError;
use vouchsafe_service::jti::{self, IdentifierKind};

use crate::core::Core;
use crate::profile::Use;
use crate::settings::{ClientAuth, WalletClient};

/// Who asks, authenticated as its registration says.
#[derive(Debug, Clone)]
pub enum Caller<'a> {
    /// A wallet that says no name, or one that is not registered (anonymous access).
    Anonymous {
        /// The name that it says, if any. Nothing follows from it.
        claimed: Option<ClientId>,
    },
    /// A registered wallet.
    Known {
        /// Its `client_id`.
        id: ClientId,
        /// Its registration.
        client: &'a WalletClient,
        /// Thumbprint of the attested key of the instance, where the wallet is attested.
        instance: Option<String>,
    },
}

impl Caller<'_> {
    /// Whether it proved who it is: a confidential client (RFC 6749, section 2.1).
    pub fn is_confidential(&self) -> bool {
        match self {
            Self::Anonymous { claimed: _ } => false,
            Self::Known { client, .. } => match client.auth {
                ClientAuth::None => false,
                ClientAuth::PrivateKeyJwt(_) | ClientAuth::Attested { .. } => true,
            },
        }
    }

    /// Thumbprint of the attested key of the wallet's instance.
    pub fn instance(&self) -> Option<&str> {
        match self {
            Self::Anonymous { claimed: _ } => None,
            Self::Known { instance, .. } => instance.as_deref(),
        }
    }
}

/// Why nobody is known to ask.
#[derive(Debug, thiserror::Error)]
pub enum CallerError {
    /// The authentication cannot be read.
    #[error("not a client authentication")]
    Unreadable(#[from] ClientAuthError),
    /// Unknown, or authenticated in another way than registered.
    #[error("the client is not known or uses another method than registered")]
    Client,
    /// The assertion.
    #[error("the client assertion is not acceptable")]
    Assertion(#[from] AssertionError),
    /// The attestation or its proof.
    #[error("the client attestation is not acceptable")]
    Attestation(#[from] AttestationError),
    /// The assertion or proof was used before.
    #[error("the client assertion or proof was used before")]
    Replayed,
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

impl From<AssertionRefused> for CallerError {
    fn from(refused: AssertionRefused) -> Self {
        match refused {
            AssertionRefused::Assertion(error) => Self::Assertion(error),
            AssertionRefused::Replayed => Self::Replayed,
            AssertionRefused::Db(error) => Self::Db(error),
        }
    }
}

impl CallerError {
    /// What the wallet is told.
    pub fn to_oauth(&self) -> OAuthError {
        match self {
            Self::Unreadable(error) => error.to_oauth(),
            Self::Attestation(error) => error.into(),
            Self::Client | Self::Assertion(_) | Self::Replayed => ErrorCode::InvalidClient.into(),
            Self::Db(_) => ErrorCode::TemporarilyUnavailable.into(),
        }
    }
}

/// Authenticates. `proof` is the DPoP proof of the request, verified: it may be the proof of the
/// attested key.
pub async fn authenticate<'a>(
    core: &'a Core,
    credentials: &ClientCredentials,
    proof: Option<&VerifiedProof>,
) -> Result<Caller<'a>, CallerError> {
    match credentials {
        ClientCredentials::Anonymous => anonymous(core, None),
        ClientCredentials::None { client_id } => public(core, client_id),
        // No wallet is registered with a secret.
        ClientCredentials::Basic { .. } | ClientCredentials::Post { .. } => {
            Err(CallerError::Client)
        }
        ClientCredentials::Assertion {
            client_id,
            assertion,
        } => by_assertion(core, client_id.as_ref(), assertion.expose()).await,
        ClientCredentials::Attestation {
            client_id,
            attestation,
            pop,
        } => {
            let pop = pop.as_ref().map(|pop| pop.expose());
            by_attestation(core, client_id.as_ref(), attestation.expose(), pop, proof).await
        }
    }
}

fn public<'a>(core: &'a Core, id: &ClientId) -> Result<Caller<'a>, CallerError> {
    match core.settings.clients.get(id.as_str()) {
        Some(client) if matches!(client.auth, ClientAuth::None) => Ok(Caller::Known {
            id: id.clone(),
            client,
            instance: None,
        }),
        Some(_) => Err(CallerError::Client),
        None => anonymous(core, Some(id)),
    }
}

/// Catalogue 238: only where a wallet may go without a name.
fn anonymous<'a>(core: &Core, claimed: Option<&ClientId>) -> Result<Caller<'a>, CallerError> {
    let demanded = core.settings.rules().client_authentication == Use::Required;
    if demanded || !core.settings.anonymous_access {
        return Err(CallerError::Client);
    }
    Ok(Caller::Anonymous {
        claimed: claimed.cloned(),
    })
}

/// For whom client assertions are.
pub fn audience(core: &Core) -> Audience<'_> {
    Audience {
        issuer: &core.settings.issuer,
        algorithms: &Algorithm::ALL,
        db: &core.db,
        crypto: &*core.crypto,
        now: core.clock.now(),
    }
}

async fn by_assertion<'a>(
    core: &'a Core,
    named: Option<&ClientId>,
    assertion: &str,
) -> Result<Caller<'a>, CallerError> {
    let id = assertion::named_client(assertion)?;
    if named.is_some_and(|named| *named != id) {
        return Err(CallerError::Client);
    }
    let client = core.settings.clients.get(id.as_str());
    let client = client.ok_or(CallerError::Client)?;
    let ClientAuth::PrivateKeyJwt(keys) = &client.auth else {
        return Err(CallerError::Client);
    };
    client_assertion::accept(audience(core), (&id, id.as_str()), keys, assertion).await?;
    Ok(Caller::Known {
        id,
        client,
        instance: None,
    })
}

async fn by_attestation<'a>(
    core: &'a Core,
    named: Option<&ClientId>,
    attestation: &str,
    pop: Option<&str>,
    proof: Option<&VerifiedProof>,
) -> Result<Caller<'a>, CallerError> {
    let (settings, now) = (&core.settings, core.clock.now());
    let providers = &settings.wallet_providers;
    let attested = attestation::verify(attestation, providers, now, &*core.crypto)?;
    let id = attested.client_id.clone();
    // OpenID4VCI 1.0, appendix E; HAIP 1.0, section 4.4.1: `client_id` is the `sub`.
    if named.is_some_and(|named| *named != id) {
        return Err(CallerError::Client);
    }
    let client = settings.clients.get(id.as_str());
    let client = client.ok_or(CallerError::Client)?;
    let ClientAuth::Attested { provider, combined } = &client.auth else {
        return Err(CallerError::Client);
    };
    // A provider speaks for its own wallets alone.
    if *provider != attested.provider || *combined != pop.is_none() {
        return Err(CallerError::Client);
    }
    let instance = attested.instance.thumbprint();
    match pop {
        None => attestation::verify_combined(&attested, proof)?,
        Some(pop) => {
            let expected = attestation::Expected {
                issuer: &settings.issuer,
                challenges: settings
                    .attestation_challenges
                    .then_some(&core.keys.server_nonces),
                now,
            };
            let verified = attestation::verify_pop(pop, &attested, &expected, &*core.crypto)?;
            let kind = IdentifierKind::AttestationProof;
            let (jti, ends) = (verified.jti, verified.valid_until);
            use_up(core, kind, instance.clone(), jti, ends).await?;
        }
    }
    Ok(Caller::Known {
        id,
        client,
        instance: Some(instance),
    })
}

async fn use_up(
    core: &Core,
    kind: IdentifierKind,
    scope: String,
    jti: String,
    ends: vouchsafe_credentials::time::UnixTime,
) -> Result<(), CallerError> {
    let write = async move |tx: &mut vouchsafe_service::db::Tx| {
        jti::first_use(tx, kind, &scope, &jti, ends).await
    };
    let fresh = core.db.write(write).await?;
    fresh.then_some(()).ok_or(CallerError::Replayed)
}
