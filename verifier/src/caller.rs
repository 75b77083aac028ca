//! Who calls an endpoint for applications: client authentication by the method that the client is
//! registered with and no other (RFC 6749, section 2.3).

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use url::Url;
use vouchsafe_credentials::crypto::Algorithm;
use vouchsafe_credentials::jwks::JwkSet;
use vouchsafe_credentials::jws::JwsError;
use vouchsafe_protocol::http::Headers;
use vouchsafe_protocol::oauth::assertion::{self, AssertionError};
use vouchsafe_protocol::oauth::client_auth::{AuthMethod, ClientAuthError, ClientCredentials};
use vouchsafe_protocol::oauth::error::{ErrorCode, OAuthError};
use vouchsafe_protocol::oauth::params::Params;
use vouchsafe_protocol::oauth::values::ClientId as OAuthClientId;
use vouchsafe_service::client_assertion::{self, AssertionRefused, Audience};

use crate::app::Parts;
use crate::client_keys::KeySetError;
use crate::config::{Authentication, Client, ClientKeys, ResourceServer};
use crate::domain::ids::ClientId;
use crate::store::StoreError;

/// Somebody whose authentication fits the registration.
#[derive(Debug, Clone)]
pub enum Caller<'a> {
    /// An application. A public one has only said its name.
    Client(Arc<Client>),
    /// A resource server.
    ResourceServer(&'a ResourceServer),
}

impl Caller<'_> {
    /// Whether none of those who run the service chose its addresses.
    fn is_stranger(&self) -> bool {
        match self {
            Self::Client(client) => !client.standing.is_of_operator(),
            Self::ResourceServer(_) => false,
        }
    }

    /// Algorithms of its assertions.
    fn algorithms(&self) -> &'static [Algorithm] {
        match self {
            Self::Client(client) => client.profile.algorithms(),
            Self::ResourceServer(_) => &Algorithm::ALL,
        }
    }

    /// How it is registered to prove who it is.
    fn registered(&self) -> &Authentication {
        match self {
            Self::Client(client) => &client.authentication,
            Self::ResourceServer(server) => &server.authentication,
        }
    }
}

/// Why nobody is known to call.
#[derive(Debug, thiserror::Error)]
pub enum CallerError {
    /// The authentication cannot be read.
    #[error("client authentication is malformed")]
    Shape(#[from] ClientAuthError),
    /// Unknown, authenticated in another way than registered, or not allowed at this endpoint.
    #[error("the client is not authenticated")]
    Client {
        /// It tried the `Authorization` header.
        by_header: bool,
    },
    /// The assertion names nobody.
    #[error("the client assertion is not acceptable")]
    Assertion(#[from] AssertionError),
    /// The assertion does not count.
    #[error("the client assertion is not accepted")]
    Refused(#[from] AssertionRefused),
    /// The keys of the client cannot be had.
    #[error(transparent)]
    Keys(#[from] KeySetError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CallerError {
    /// What the caller is told.
    pub fn to_oauth(&self) -> OAuthError {
        match self {
            Self::Shape(error) => error.to_oauth(),
            Self::Refused(AssertionRefused::Db(error)) if !error.is_temporary() => {
                ErrorCode::ServerError.into()
            }
            Self::Refused(AssertionRefused::Db(_)) | Self::Keys(KeySetError::NoAnswer) => {
                ErrorCode::TemporarilyUnavailable.into()
            }
            Self::Store(error) => error.to_oauth(),
            Self::Client { by_header: _ }
            | Self::Assertion(_)
            | Self::Refused(AssertionRefused::Assertion(_) | AssertionRefused::Replayed)
            | Self::Keys(KeySetError::Malformed) => ErrorCode::InvalidClient.into(),
        }
    }

    /// RFC 6749, section 5.2: who tried the header is told the scheme.
    pub fn by_header(&self) -> bool {
        match self {
            // Who sent a header that cannot be read tried it, too.
            Self::Shape(error) => *error == ClientAuthError::Header,
            Self::Assertion(_) | Self::Refused(_) | Self::Keys(_) | Self::Store(_) => false,
            Self::Client { by_header } => *by_header,
        }
    }
}

/// Authenticates an application or a resource server.
pub async fn authenticate<'a>(
    app: &'a Parts,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Caller<'a>, CallerError> {
    let credentials = ClientCredentials::parse(&authorization(headers), params)?;
    if let ClientCredentials::Assertion {
        client_id,
        assertion,
    } = &credentials
    {
        return by_assertion(app, client_id.as_ref(), assertion.expose()).await;
    }
    let refused = || CallerError::Client {
        by_header: credentials.method() == AuthMethod::ClientSecretBasic,
    };
    let id = credentials.client_id().ok_or_else(refused)?;
    let caller = find(app, id.as_str()).await?.ok_or_else(refused)?;
    if caller.registered().accepts(&credentials) {
        Ok(caller)
    } else {
        Err(refused())
    }
}

/// Authenticates an application.
pub async fn application(
    app: &Parts,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Arc<Client>, CallerError> {
    match authenticate(app, headers, params).await? {
        Caller::Client(client) => Ok(client),
        Caller::ResourceServer(_) => Err(CallerError::Client { by_header: false }),
    }
}

/// `private_key_jwt` (RFC 7523, section 2.2).
async fn by_assertion<'a>(
    app: &'a Parts,
    named: Option<&OAuthClientId>,
    assertion: &str,
) -> Result<Caller<'a>, CallerError> {
    let refused = || CallerError::Client { by_header: false };
    let id = assertion::named_client(assertion)?;
    if named.is_some_and(|named| *named != id) {
        return Err(refused());
    }
    let caller = find(app, id.as_str()).await?.ok_or_else(refused)?;
    let Authentication::PrivateKeyJwt(keys) = caller.registered() else {
        return Err(refused());
    };
    match keys {
        ClientKeys::Listed(keys) => accept(app, (&id, &caller), keys, assertion).await?,
        // The exceptions of `[fetch]` were made for addresses that the operator chose.
        ClientKeys::At(uri) if caller.is_stranger() && !app.outbound.may_ask(uri) => {
            return Err(refused());
        }
        ClientKeys::At(uri) => accept_published(app, (&id, &caller), uri, assertion).await?,
    }
    Ok(caller)
}

/// With the keys that the client publishes. A signature of none of them may be of a new one.
async fn accept_published(
    app: &Parts,
    who: (&OAuthClientId, &Caller<'_>),
    uri: &Url,
    assertion: &str,
) -> Result<(), CallerError> {
    let keys = app.client_keys.keys(uri, app.now()).await?;
    let first = accept(app, who, &keys, assertion).await;
    let Err(AssertionRefused::Assertion(AssertionError::Jws(
        JwsError::NoKey | JwsError::Signature,
    ))) = &first
    else {
        return Ok(first?);
    };
    match app.client_keys.newer(uri, &keys, app.now()).await? {
        Some(newer) => Ok(accept(app, who, &newer, assertion).await?),
        None => Ok(first?),
    }
}

async fn accept(
    app: &Parts,
    (id, caller): (&OAuthClientId, &Caller<'_>),
    keys: &JwkSet,
    assertion: &str,
) -> Result<(), AssertionRefused> {
    let audience = Audience {
        issuer: app.issuer(),
        algorithms: caller.algorithms(),
        db: &app.db,
        crypto: app.crypto.as_ref(),
        now: app.now(),
    };
    client_assertion::accept(audience, (id, id.as_str()), keys, assertion).await
}

async fn find<'a>(app: &'a Parts, id: &str) -> Result<Option<Caller<'a>>, StoreError> {
    let id = ClientId::from_text(id);
    if let Some(client) = app.client(&id).await? {
        return Ok(Some(Caller::Client(client)));
    }
    let server = app.settings.resource_server(&id);
    Ok(server.map(Caller::ResourceServer))
}

/// The `Authorization` headers, however many there are.
pub fn authorization(headers: &HeaderMap) -> Headers {
    headers
        .get_all(header::AUTHORIZATION)
        .iter()
        // What is not text is none of ours; it still counts as a header.
        .map(|value| ("authorization", value.to_str().unwrap_or_default()))
        .collect()
}
