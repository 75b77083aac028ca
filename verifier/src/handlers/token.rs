//! `POST /token` (RFC 6749, section 3.2; OpenID Connect Core 1.0, section 3.1.3).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use vouchsafe_protocol::oauth::device::DeviceRequest;
use vouchsafe_protocol::oauth::dpop::DpopError;
use vouchsafe_protocol::oauth::error::{ErrorCode, OAuthError};
use vouchsafe_protocol::oauth::params::{Params, ParamsError};
use vouchsafe_protocol::oauth::token::{RefreshRequest, TokenRequest, TokenRequestError};
use vouchsafe_service::http::is_form;

use super::{DETAILS, TOKEN, oauth, proof};
use crate::app::App;
use crate::caller::{CallerError, application};
use crate::domain::ids::Secret;
use crate::login::device::{TakeError, take};
use crate::login::redeem::{LoginTokens, RedeemError, Redemption, redeem};
use crate::login::refresh::{RefreshError, refresh};
use crate::signals::access::{self, CredentialsError};
use crate::store::device_grants::Heard;
use crate::views::chain;

/// RFC 6749, section 4.4: an application that asks for itself, of which only streams of security events
/// know something.
pub(super) const CLIENT_CREDENTIALS: &str = "client_credentials";

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
enum TokenRefusal {
    /// Another content type.
    #[error("the body is not a plain form")]
    MediaType,
    /// The body is not a form.
    #[error("the body is not acceptable")]
    Body(#[from] ParamsError),
    /// Nobody is known to ask.
    #[error(transparent)]
    Caller(#[from] CallerError),
    /// The request.
    #[error("the token request is not acceptable")]
    Request(#[from] TokenRequestError),
    /// The DPoP proof.
    #[error("the proof of possession is not acceptable")]
    Proof(#[from] DpopError),
    /// A grant that is not served here.
    #[error("the grant is not served")]
    GrantType,
    /// The code.
    #[error("the code was not redeemed")]
    Redeem(#[from] RedeemError),
    /// The refresh token.
    #[error("the refresh token was not exchanged")]
    Refresh(#[from] RefreshError),
    /// The device code.
    #[error("a device gets no tokens")]
    Device(#[from] TakeError),
    /// The client's own credentials.
    #[error("no token for the client itself")]
    Own(#[from] CredentialsError),
}

impl TokenRefusal {
    fn oauth(&self) -> OAuthError {
        match self {
            Self::MediaType => OAuthError::invalid_request("the body must be a form"),
            Self::Body(_) => OAuthError::invalid_request("malformed parameters"),
            Self::Caller(error) => error.to_oauth(),
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
            Self::Proof(error) => error.into(),
            Self::GrantType => ErrorCode::UnsupportedGrantType.into(),
            Self::Redeem(RedeemError::ProofUsed) => ErrorCode::InvalidDpopProof.into(),
            Self::Redeem(RedeemError::Grant(_)) => ErrorCode::InvalidGrant.into(),
            Self::Redeem(RedeemError::Store(error)) => error.to_oauth(),
            Self::Redeem(RedeemError::Token(_)) => ErrorCode::ServerError.into(),
            Self::Refresh(error) => refused_refresh(error),
            Self::Device(error) => refused_device(error),
            Self::Own(CredentialsError::Client) => ErrorCode::UnauthorizedClient.into(),
            Self::Own(CredentialsError::Scope) => ErrorCode::InvalidScope.into(),
            Self::Own(CredentialsError::Db(error)) if error.is_temporary() => {
                ErrorCode::TemporarilyUnavailable.into()
            }
            Self::Own(CredentialsError::Db(_)) => ErrorCode::ServerError.into(),
        }
    }

    fn log(&self) {
        match self {
            Self::Redeem(RedeemError::Grant(reason)) => tracing::info!(reason, "code not redeemed"),
            Self::Refresh(RefreshError::Grant(reason)) => {
                tracing::info!(reason, "refresh token not exchanged");
            }
            Self::Refresh(error @ (RefreshError::Token(_) | RefreshError::Store(_))) => {
                tracing::error!(error = %chain(error), "refresh token not exchanged");
            }
            Self::Refresh(error) => {
                tracing::info!(reason = %error, "refresh token not exchanged");
            }
            Self::Redeem(RedeemError::ProofUsed) => {
                tracing::info!(reason = "proof used", "code not redeemed");
            }
            Self::Device(error @ TakeError::Store(_)) => {
                tracing::error!(error = %chain(error), "a device gets no tokens");
            }
            Self::Device(TakeError::Heard(Heard::Pending)) => {
                tracing::debug!("a device waits");
            }
            Self::Device(error) => tracing::info!(reason = %error, "a device gets no tokens"),
            Self::Redeem(error) => tracing::error!(error = %chain(error), "code not redeemed"),
            Self::Own(error @ CredentialsError::Db(_)) => {
                tracing::error!(error = %chain(error), "no token for the client itself");
            }
            Self::MediaType
            | Self::Body(_)
            | Self::Own(_)
            | Self::Caller(_)
            | Self::Request(_)
            | Self::Proof(_)
            | Self::GrantType => {
                tracing::info!(reason = %self, "token request refused");
            }
        }
    }
}

/// RFC 6749, sections 5.2 and 6.
fn refused_refresh(error: &RefreshError) -> OAuthError {
    match error {
        RefreshError::Grant(_) => ErrorCode::InvalidGrant.into(),
        RefreshError::Client => ErrorCode::UnauthorizedClient.into(),
        // RFC 9449, section 5.
        RefreshError::Unproven | RefreshError::ProofUsed => ErrorCode::InvalidDpopProof.into(),
        RefreshError::Scope => ErrorCode::InvalidScope.into(),
        RefreshError::Token(_) => ErrorCode::ServerError.into(),
        RefreshError::Store(error) => error.to_oauth(),
    }
}

/// RFC 8628, section 3.5.
fn refused_device(error: &TakeError) -> OAuthError {
    match error {
        TakeError::Client => ErrorCode::UnauthorizedClient.into(),
        TakeError::Heard(Heard::Pending) => ErrorCode::AuthorizationPending.into(),
        TakeError::Heard(Heard::SlowDown) => ErrorCode::SlowDown.into(),
        TakeError::Heard(Heard::Denied) => ErrorCode::AccessDenied.into(),
        TakeError::Heard(Heard::Expired) => ErrorCode::ExpiredToken.into(),
        TakeError::Heard(Heard::Unknown) => ErrorCode::InvalidGrant.into(),
        TakeError::Store(error) => error.to_oauth(),
    }
}

impl IntoResponse for TokenRefusal {
    fn into_response(self) -> Response {
        self.log();
        let by_header = matches!(&self, Self::Caller(error) if error.by_header());
        oauth::refusal(&self.oauth(), by_header)
    }
}

/// Redeems a code or exchanges a refresh token.
pub async fn handle(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    match token(&app, &headers, &body).await {
        Ok(tokens) => oauth::answer(&tokens),
        Err(error) => error.into_response(),
    }
}

async fn token(app: &App, headers: &HeaderMap, body: &Bytes) -> Result<LoginTokens, TokenRefusal> {
    // RFC 6749, sections 3.2 and 4.1.3, appendix B: the parameters are a form.
    if !is_form(headers) {
        return Err(TokenRefusal::MediaType);
    }
    let params = Params::parse_body(body)?;
    let client = application(app, headers, &params).await?;
    let client = client.as_ref();
    // RFC 9396, sections 5 and 6: what a person approved is neither widened nor narrowed here, whatever the
    // grant, and nothing that was asked for is passed over.
    if params.was_sent(DETAILS) {
        return Err(TokenRequestError::AuthorizationDetails.into());
    }
    if app.settings.serves_receivers() && params.get("grant_type") == Some(CLIENT_CREDENTIALS) {
        return Ok(access::grant(app, client, params.get("scope"))
            .await?
            .into());
    }
    let proof = proof::of_token_request(app, client, headers, TOKEN)?;
    if let Some(RefreshRequest { token, scopes }) = RefreshRequest::parse(&params)? {
        let tokens = refresh(app, client, token.expose(), &scopes, proof.as_ref()).await?;
        return Ok(tokens.into());
    }
    if app.settings.serves_devices()
        && let Some(DeviceRequest { device_code }) = DeviceRequest::parse(&params)?
    {
        let (code, device) = take(app, client, device_code.expose()).await?;
        let redemption = Redemption {
            code,
            device: Some(device),
            redirect_uri: Some(""),
            code_verifier: None,
            proof: proof.as_ref(),
        };
        return Ok(redeem(app, client, redemption).await?);
    }
    match TokenRequest::parse(&params)? {
        TokenRequest::AuthorizationCode {
            code,
            redirect_uri,
            code_verifier,
        } => {
            let code = Secret::parse(code.expose()).ok_or(RedeemError::Grant("malformed"))?;
            let redemption = Redemption {
                code,
                device: None,
                redirect_uri: redirect_uri.as_deref(),
                code_verifier: code_verifier.as_ref().map(|verifier| verifier.expose()),
                proof: proof.as_ref(),
            };
            Ok(redeem(app, client, redemption).await?)
        }
        TokenRequest::PreAuthorizedCode {
            code: _,
            tx_code: _,
        } => Err(TokenRefusal::GrantType),
    }
}
