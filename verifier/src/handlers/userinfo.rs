//! `GET|POST /userinfo` (OpenID Connect Core 1.0, section 5.3).

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use vouchsafe_protocol::oauth::access_token::{PresentationError, PresentedToken, challenge};
use vouchsafe_protocol::oauth::error::{ErrorCode, OAuthError};
use vouchsafe_protocol::oauth::token::TokenType;
use vouchsafe_protocol::oidc::userinfo::UserInfo;
use vouchsafe_service::db::DbError;
use vouchsafe_service::http::Problem;

use super::token::authorization;
use crate::app::App;
use crate::domain::ids::{ClientId, Secret};
use crate::login::grant;
use crate::store::{StoreError, tokens};

/// Why nothing is said.
#[derive(Debug, thiserror::Error)]
enum UserInfoError {
    /// No token, or none that can be read.
    #[error("no access token")]
    Presentation(#[from] PresentationError),
    /// Not one of ours, expired, or ended with its session.
    #[error("the access token is not valid")]
    Invalid,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbError> for UserInfoError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

impl IntoResponse for UserInfoError {
    fn into_response(self) -> Response {
        let error: Option<OAuthError> = match self {
            Self::Presentation(error) => error.into(),
            Self::Invalid => Some(ErrorCode::InvalidToken.into()),
            Self::Store(StoreError::Db(error)) => return Problem::from(error).into_response(),
            Self::Store(StoreError::Serialise(_)) => return Problem::internal().into_response(),
        };
        let text = challenge(TokenType::Bearer, error.as_ref(), &[]);
        let value =
            HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("Bearer"));
        let headers = [
            (header::WWW_AUTHENTICATE, value),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        (StatusCode::UNAUTHORIZED, headers).into_response()
    }
}

/// Says what the person agreed to.
pub async fn handle(State(app): State<App>, headers: HeaderMap) -> Response {
    match claims(&app, &headers).await {
        Ok(claims) => ([(header::CACHE_CONTROL, "no-store")], Json(claims)).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn claims(app: &App, headers: &HeaderMap) -> Result<UserInfo, UserInfoError> {
    let PresentedToken { token_type, token } = PresentedToken::parse(&authorization(headers))?;
    if token_type != TokenType::Bearer {
        return Err(UserInfoError::Invalid);
    }
    // Catalogue 370: an ID token, or anything else that is not shaped like an access token of
    // ours, is never looked up.
    let token = Secret::parse(token.expose()).ok_or(UserInfoError::Invalid)?;
    let live = tokens::find(&app.db, &token.digest(), app.now())
        .await?
        .ok_or(UserInfoError::Invalid)?;
    // Catalogue 388: an application that is not registered any more learns nothing.
    let client = ClientId::from_text(live.client_id.as_str());
    app.settings.client(&client).ok_or(UserInfoError::Invalid)?;
    let grant::TokenClaims { sub, claims } = grant::open_token(app, token.reveal(), &live.claims)?;
    Ok(UserInfo::new(&sub, claims))
}
