//! `POST /oauth2/token`: access tokens for clients of the administration API (RFC 6749, section 4.4).
//!
//! It has nothing to do with the token endpoint of the wallets: other clients, other tokens, other
//! scopes.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use vouchsafe_protocol::oauth::assertion::{self, AssertionError};
use vouchsafe_protocol::oauth::client_auth::ClientAuthError;
use vouchsafe_protocol::oauth::params::ParamsError;
use vouchsafe_protocol::oauth::{ClientCredentials, ErrorCode, OAuthError, Params};
use vouchsafe_service::api_clients::{self, ApiClient, ClientMethod, Shown, TOKEN_S};
use vouchsafe_service::audit;
use vouchsafe_service::client_assertion::{self, AssertionRefused};
use vouchsafe_service::db::{DbError, Tx};

use crate::client::audience;
use crate::core::Core;
use crate::handlers::wire::{self, json_no_store};
use crate::paths::ADMIN_TOKEN;

/// The only grant.
const GRANT: &str = "client_credentials";

/// Why no token was issued.
#[derive(Debug, thiserror::Error)]
pub enum ApiTokenError {
    /// Not a form.
    #[error("the body is not a plain form")]
    MediaType,
    /// Parameters in the query (catalogue 115).
    #[error("parameters in the query")]
    Query,
    /// Malformed or repeated parameters.
    #[error("malformed parameters")]
    Params(#[from] ParamsError),
    /// Another grant.
    #[error("another grant than client_credentials")]
    Grant,
    /// A scope that the client may not have.
    #[error("a scope that the client may not have")]
    Scope,
    /// The authentication cannot be read.
    #[error("not a client authentication")]
    Unreadable(#[from] ClientAuthError),
    /// Unknown, revoked, a wrong secret, or another method than registered.
    #[error("the client is not known or did not authenticate as registered")]
    Client,
    /// The assertion.
    #[error("the client assertion is not acceptable")]
    Assertion(#[from] AssertionError),
    /// The assertion was used before.
    #[error("the client assertion was used before")]
    Replayed,
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

impl From<AssertionRefused> for ApiTokenError {
    fn from(refused: AssertionRefused) -> Self {
        match refused {
            AssertionRefused::Assertion(error) => Self::Assertion(error),
            AssertionRefused::Replayed => Self::Replayed,
            AssertionRefused::Db(error) => Self::Db(error),
        }
    }
}

impl ApiTokenError {
    fn to_oauth(&self) -> OAuthError {
        match self {
            Self::MediaType => OAuthError::invalid_request("the body must be a form"),
            Self::Query => OAuthError::invalid_request("parameters belong into the body"),
            Self::Params(_) => OAuthError::invalid_request("malformed or missing parameters"),
            Self::Grant => ErrorCode::UnsupportedGrantType.into(),
            Self::Scope => ErrorCode::InvalidScope.into(),
            Self::Unreadable(error) => error.to_oauth(),
            Self::Client | Self::Assertion(_) | Self::Replayed => ErrorCode::InvalidClient.into(),
            Self::Db(_) => ErrorCode::TemporarilyUnavailable.into(),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            other => StatusCode::from_u16(other.to_oauth().status())
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

impl IntoResponse for ApiTokenError {
    fn into_response(self) -> Response {
        wire::refused("api token request", self.status(), &self.to_oauth(), &self)
    }
}

/// An access token.
#[derive(Serialize, ToSchema)]
pub struct ApiToken {
    /// Send it as `Authorization: Bearer …`.
    #[schema(example = "vst_mQ2…")]
    access_token: String,
    /// `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds.
    #[schema(example = 600)]
    expires_in: i64,
    /// What it allows, separated by spaces.
    #[schema(example = "offers:write")]
    scope: String,
}

/// An error of OAuth 2.0 (RFC 6749, section 5.2).
#[derive(Serialize, ToSchema)]
pub struct ApiTokenProblem {
    /// The code.
    #[schema(example = "invalid_client")]
    error: String,
    /// More about it.
    error_description: Option<String>,
}

/// What a client sends, besides its authentication.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes the form")]
pub struct ApiTokenRequest {
    /// `client_credentials`.
    #[schema(example = "client_credentials")]
    grant_type: String,
    /// Scopes separated by spaces, some of those that the client may have. Absent: all of them.
    #[schema(example = "offers:write")]
    scope: Option<String>,
    /// With `private_key_jwt`: `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    client_assertion_type: Option<String>,
    /// With `private_key_jwt`: a JWT signed by the client. Its `aud` is the issuer identifier of this
    /// service and nothing else, `iss` and `sub` are the `client_id`; it has `exp` and `jti`.
    client_assertion: Option<String>,
}

/// Fetch an access token for this interface.
///
/// For clients that `vouchsafe issuer api-client` made. They authenticate with
/// `client_secret_basic` or `private_key_jwt`, as they are registered. A token works for ten minutes.
#[utoipa::path(
    post, path = ADMIN_TOKEN, tag = "access", operation_id = "create_access_token",
    request_body(content = ApiTokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The token", body = ApiToken),
        (status = 400, description = "Not a token request, or a scope that the client may not have", body = ApiTokenProblem),
        (status = 401, description = "The client did not authenticate", body = ApiTokenProblem),
        (status = 415, description = "Not a form", body = ApiTokenProblem),
        (status = 503, description = "The database is not there", body = ApiTokenProblem),
    ),
    security(("client_basic" = []))
)]
pub async fn handler(
    State(core): State<Core>,
    RawQuery(query): RawQuery,
    map: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiTokenError> {
    if query.is_some_and(|query| !query.is_empty()) {
        return Err(ApiTokenError::Query);
    }
    if !wire::is_form(&map) {
        return Err(ApiTokenError::MediaType);
    }
    let params = Params::parse_body(&body)?;
    if params.required("grant_type")? != GRANT {
        return Err(ApiTokenError::Grant);
    }
    let credentials = ClientCredentials::parse(&wire::headers(&map), &params)?;
    let client = authenticate(&core, &credentials).await?;
    let scopes = narrow(&client, params.get("scope"))?;
    let token = Shown::token(&*core.rng);
    let answer = ApiToken {
        access_token: token.expose().to_owned(),
        token_type: "Bearer",
        expires_in: TOKEN_S,
        scope: scopes.join(" "),
    };
    store(&core, client, token, scopes).await?;
    Ok(json_no_store(StatusCode::OK, &answer))
}

/// By the method of the registration and no other.
async fn authenticate(
    core: &Core,
    credentials: &ClientCredentials,
) -> Result<ApiClient, ApiTokenError> {
    match credentials {
        ClientCredentials::Basic { client_id, secret } => {
            let client = api_clients::find(&core.db, client_id.as_str()).await?;
            client
                .filter(|client| client.method.is_secret(secret.expose()))
                .ok_or(ApiTokenError::Client)
        }
        ClientCredentials::Assertion {
            client_id,
            assertion,
        } => by_assertion(core, client_id.as_ref(), assertion.expose()).await,
        ClientCredentials::Anonymous
        | ClientCredentials::None { .. }
        | ClientCredentials::Post { .. }
        | ClientCredentials::Attestation { .. } => Err(ApiTokenError::Client),
    }
}

async fn by_assertion(
    core: &Core,
    named: Option<&vouchsafe_protocol::oauth::values::ClientId>,
    assertion: &str,
) -> Result<ApiClient, ApiTokenError> {
    let id = assertion::named_client(assertion)?;
    if named.is_some_and(|named| *named != id) {
        return Err(ApiTokenError::Client);
    }
    let client = api_clients::find(&core.db, id.as_str()).await?;
    let client = client.ok_or(ApiTokenError::Client)?;
    let ClientMethod::Keys(keys) = &client.method else {
        return Err(ApiTokenError::Client);
    };
    // RFC 7523, section 3, rule 3, as narrow as its successor: `aud` is the issuer and nothing else.
    let scope = format!("api {}", client.id);
    client_assertion::accept(audience(core), (&id, &scope), keys, assertion).await?;
    Ok(client)
}

/// RFC 6749, section 3.3: some of what the client may have; all of it where nothing is said.
fn narrow(client: &ApiClient, asked: Option<&str>) -> Result<Vec<String>, ApiTokenError> {
    let Some(asked) = asked else {
        return Ok(client.scopes.clone());
    };
    let mut asked: Vec<String> = asked.split(' ').map(str::to_owned).collect();
    asked.sort();
    asked.dedup();
    if asked.iter().all(|scope| client.scopes.contains(scope)) {
        Ok(asked)
    } else {
        Err(ApiTokenError::Scope)
    }
}

async fn store(
    core: &Core,
    client: ApiClient,
    token: Shown,
    scopes: Vec<String>,
) -> Result<(), ApiTokenError> {
    let (now, key) = (core.clock.now(), core.keys.audit.clone());
    let event = audit::Event {
        at: now,
        actor: format!("client:{}", client.id),
        action: "api_token.create",
        target: client.id.clone(),
        detail: scopes.join(" "),
    };
    let write = async move |tx: &mut Tx| {
        if !api_clients::grant(tx, &client.id, &token, &scopes, now).await? {
            return Ok(false);
        }
        audit::append(tx, &key, &event).await?;
        Ok::<_, DbError>(true)
    };
    let granted = core.db.write(write).await?;
    granted.then_some(()).ok_or(ApiTokenError::Client)
}
