//! Who may manage a stream: access tokens of the client credentials grant (RFC 6749, section 4.4;
//! CAEP Interoperability Profile 1.0, section 2.7).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use vouchsafe_protocol::oauth::access_token::{PresentationError, PresentedToken, challenge};
use vouchsafe_protocol::oauth::error::{ErrorCode, OAuthError};
use vouchsafe_protocol::oauth::token::{TokenResponse, TokenType};
use vouchsafe_protocol::oauth::values::Scopes;
use vouchsafe_protocol::ssf::{SCOPE_MANAGE, SCOPE_READ};
use vouchsafe_service::db::DbError;
use vouchsafe_service::http::{self, Problem};

use crate::app::{App, Parts};
use crate::config::Client;
use crate::domain::ids::Secret;
use crate::store::receiver_tokens::{self, ReceiverToken};

/// Seconds that such a token lasts.
const TOKEN_S: i64 = 600;

/// Why an application gets no token of its own.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// Its registration does not say that it takes security events.
    #[error("the client takes no security events")]
    Client,
    /// Another scope than the two of streams.
    #[error("the scope is unknown")]
    Scope,
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A token for an application that has authenticated.
pub async fn grant(
    app: &App,
    client: &Client,
    scope: Option<&str>,
) -> Result<TokenResponse, CredentialsError> {
    if !client.security_events {
        return Err(CredentialsError::Client);
    }
    let asked = Scopes::parse(scope.unwrap_or_default()).map_err(|_| CredentialsError::Scope)?;
    let known = |scope: &str| scope == SCOPE_READ || scope == SCOPE_MANAGE;
    if !asked.iter().all(known) {
        return Err(CredentialsError::Scope);
    }
    // RFC 6749, section 3.3: without a scope it is what the client may do.
    let manage = asked.is_empty() || asked.contains(SCOPE_MANAGE);
    let scope = if manage { SCOPE_MANAGE } else { SCOPE_READ };
    let token = Secret::random(app.rng.as_ref());
    let new = ReceiverToken {
        token: token.digest(),
        client: client.id.clone(),
        manage,
        expires_at: app.now().plus(TOKEN_S),
    };
    app.db
        .write(async move |tx| receiver_tokens::insert(tx, &new).await)
        .await?;
    Ok(TokenResponse {
        access_token: token.reveal().to_owned(),
        token_type: TokenType::Bearer,
        expires_in: TOKEN_S.unsigned_abs(),
        scope: Some(scope.to_owned()),
        id_token: None,
        // RFC 6749, section 4.4.3.
        refresh_token: None,
    })
}

/// What a call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// To see.
    Read,
    /// To change.
    Manage,
}

/// Why a call is refused.
#[derive(Debug, thiserror::Error)]
pub enum AccessRefused {
    /// No token, or none that can be read.
    #[error("no access token")]
    Presentation(#[from] PresentationError),
    /// Not one of ours, or expired, or of an application that takes no events any more.
    #[error("the access token is not valid")]
    Invalid,
    /// It allows to read alone.
    #[error("the access token allows to read alone")]
    ReadOnly,
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl IntoResponse for AccessRefused {
    fn into_response(self) -> Response {
        let (status, error): (_, Option<OAuthError>) = match self {
            Self::Presentation(error) => (StatusCode::UNAUTHORIZED, error.into()),
            Self::Invalid => (
                StatusCode::UNAUTHORIZED,
                Some(ErrorCode::InvalidToken.into()),
            ),
            Self::ReadOnly => (
                StatusCode::FORBIDDEN,
                Some(ErrorCode::InsufficientScope.into()),
            ),
            Self::Db(error) => return Problem::from(error).into_response(),
        };
        // RFC 6750, section 3.
        let told = challenge(TokenType::Bearer, error.as_ref(), &[]);
        let mut response = (status, [(header::CACHE_CONTROL, "no-store")]).into_response();
        if let Ok(value) = HeaderValue::from_str(&told) {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}

/// The application that calls.
pub async fn receiver<'a>(
    app: &'a Parts,
    headers: &HeaderMap,
    need: Need,
) -> Result<&'a Client, AccessRefused> {
    // CAEP Interoperability Profile 1.0, section 2.7.3: never in the query.
    let presented = PresentedToken::parse(&http::headers(headers))?;
    if presented.token_type != TokenType::Bearer {
        return Err(AccessRefused::Invalid);
    }
    let token = Secret::parse(presented.token.expose()).ok_or(AccessRefused::Invalid)?;
    let (client, manage) = receiver_tokens::find(&app.db, &token.digest(), app.now())
        .await?
        .ok_or(AccessRefused::Invalid)?;
    // Only the operator lets an application have a stream.
    let client = app.settings.configured(&client);
    let client = client
        .map(AsRef::as_ref)
        .filter(|client| client.security_events)
        .ok_or(AccessRefused::Invalid)?;
    match need == Need::Manage && !manage {
        true => Err(AccessRefused::ReadOnly),
        false => Ok(client),
    }
}
