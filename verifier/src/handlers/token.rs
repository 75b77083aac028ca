//! `POST /token` (RFC 6749, section 3.2; OpenID Connect Core 1.0, section 3.1.3).

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use vouchsafe_protocol::http::Headers;
use vouchsafe_protocol::oauth::client_auth::{AuthMethod, ClientAuthError, ClientCredentials};
use vouchsafe_protocol::oauth::error::{ErrorCode, OAuthError};
use vouchsafe_protocol::oauth::params::{Params, ParamsError};
use vouchsafe_protocol::oauth::token::{TokenRequest, TokenRequestError, TokenResponse};

use crate::app::App;
use crate::config::Client;
use crate::domain::ids::{ClientId, Secret};
use crate::login::redeem::{RedeemError, Redemption, redeem};
use crate::store::StoreError;
use crate::views::chain;

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
enum TokenRefusal {
    /// The body is not a form.
    #[error("the body is not acceptable")]
    Body(#[from] ParamsError),
    /// Client authentication is malformed.
    #[error("client authentication is malformed")]
    ClientShape(#[from] ClientAuthError),
    /// The client is unknown or did not show its secret.
    #[error("the client is not authenticated")]
    Client {
        /// It tried the `Authorization` header.
        by_header: bool,
    },
    /// The request.
    #[error("the token request is not acceptable")]
    Request(#[from] TokenRequestError),
    /// A grant that is not served here.
    #[error("the grant is not served")]
    GrantType,
    /// The code.
    #[error("the code was not redeemed")]
    Redeem(#[from] RedeemError),
}

impl TokenRefusal {
    fn oauth(&self) -> OAuthError {
        match self {
            Self::Body(_) => OAuthError::invalid_request("malformed parameters"),
            Self::ClientShape(error) => error.to_oauth(),
            Self::Client { by_header: _ } => ErrorCode::InvalidClient.into(),
            Self::Request(error) => match error {
                TokenRequestError::GrantType => ErrorCode::UnsupportedGrantType.into(),
                TokenRequestError::Params(_) => {
                    OAuthError::invalid_request("a required parameter is missing")
                }
                TokenRequestError::TxCode => {
                    OAuthError::invalid_request("tx_code belongs to another grant")
                }
                TokenRequestError::AuthorizationDetails => {
                    ErrorCode::InvalidAuthorizationDetails.into()
                }
            },
            Self::GrantType => ErrorCode::UnsupportedGrantType.into(),
            Self::Redeem(RedeemError::Grant(_)) => ErrorCode::InvalidGrant.into(),
            Self::Redeem(RedeemError::Store(StoreError::Db(error))) if error.is_temporary() => {
                ErrorCode::TemporarilyUnavailable.into()
            }
            Self::Redeem(RedeemError::Store(_) | RedeemError::Token(_)) => {
                ErrorCode::ServerError.into()
            }
        }
    }

    fn log(&self) {
        match self {
            Self::Redeem(RedeemError::Grant(reason)) => tracing::info!(reason, "code not redeemed"),
            Self::Redeem(error) => tracing::error!(error = %chain(error), "code not redeemed"),
            Self::Body(_)
            | Self::ClientShape(_)
            | Self::Client { .. }
            | Self::Request(_)
            | Self::GrantType => {
                tracing::info!(reason = %self, "token request refused");
            }
        }
    }
}

impl IntoResponse for TokenRefusal {
    fn into_response(self) -> Response {
        self.log();
        let error = self.oauth();
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response =
            (status, [(header::CACHE_CONTROL, "no-store")], Json(&error)).into_response();
        let headers = response.headers_mut();
        // RFC 6749, section 5.2: who tried the header is told the scheme.
        if let Self::Client { by_header: true } = self {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"token\""),
            );
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

/// Redeems a code.
pub async fn handle(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    match token(&app, &headers, &body).await {
        Ok(tokens) => (
            [
                (header::CACHE_CONTROL, "no-store"),
                (header::PRAGMA, "no-cache"),
            ],
            Json(tokens),
        )
            .into_response(),
        Err(error) => error.into_response(),
    }
}

async fn token(
    app: &App,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<TokenResponse, TokenRefusal> {
    let params = Params::parse_body(body)?;
    let client = authenticate(app, headers, &params)?;
    match TokenRequest::parse(&params)? {
        TokenRequest::AuthorizationCode {
            code,
            redirect_uri,
            code_verifier,
        } => {
            let code = Secret::parse(code.expose()).ok_or(RedeemError::Grant("malformed"))?;
            let redemption = Redemption {
                code,
                redirect_uri: redirect_uri.as_deref(),
                code_verifier: code_verifier.as_ref().map(|verifier| verifier.expose()),
            };
            Ok(redeem(app, client, redemption).await?)
        }
        TokenRequest::PreAuthorizedCode {
            code: _,
            tx_code: _,
        } => Err(TokenRefusal::GrantType),
    }
}

fn authenticate<'a>(
    app: &'a App,
    headers: &HeaderMap,
    params: &Params,
) -> Result<&'a Client, TokenRefusal> {
    let credentials = ClientCredentials::parse(&authorization(headers), params)?;
    let refused = || TokenRefusal::Client {
        by_header: credentials.method() == AuthMethod::ClientSecretBasic,
    };
    let id = credentials.client_id().ok_or_else(refused)?;
    let client = app
        .settings
        .client(&ClientId::from_text(id.as_str()))
        .ok_or_else(refused)?;
    if client.accepts(&credentials) {
        Ok(client)
    } else {
        Err(refused())
    }
}

/// The `Authorization` headers, however many there are.
pub(super) fn authorization(headers: &HeaderMap) -> Headers {
    headers
        .get_all(header::AUTHORIZATION)
        .iter()
        // What is not text is none of ours; it still counts as a header.
        .map(|value| ("authorization", value.to_str().unwrap_or_default()))
        .collect()
}
