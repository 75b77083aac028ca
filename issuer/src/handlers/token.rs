//! `POST /token`: codes become access tokens (RFC 6749, OpenID4VCI 1.0, section 6).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use vouchsafe_protocol::oauth::client_auth::{AuthMethod, ClientAuthError};
use vouchsafe_protocol::oauth::params::ParamsError;
use vouchsafe_protocol::oauth::token::{TokenRequestError, TokenResponse, TokenType};
use vouchsafe_protocol::oauth::{ClientCredentials, ErrorCode, OAuthError, Params};
use vouchsafe_protocol::vci::TokenRequest;

use super::wire::{self, ProofError, json_no_store};
use crate::core::Core;
use crate::domain::secret::Secret;
use crate::paths::TOKEN;
use crate::redeem::{self, CodeRedemption, Granted, RedeemError, TokenHolder};

/// Why no token was issued.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Not a form.
    #[error("the body is not a plain form")]
    MediaType,
    /// Parameters in the query (catalogue 115).
    #[error("parameters in the query")]
    Query,
    /// Malformed or repeated parameters.
    #[error("malformed parameters")]
    Params(#[from] ParamsError),
    /// A parameter is missing or does not belong to the grant.
    #[error("not a token request")]
    Request(#[from] TokenRequestError),
    /// The client authentication cannot be read.
    #[error("not a client authentication")]
    ClientAuth(#[from] ClientAuthError),
    /// The client is unknown, sent a secret that it does not have, or none came though one must.
    #[error("the client is not accepted")]
    Client,
    /// The DPoP proof is not acceptable.
    #[error("the proof of possession is not acceptable")]
    Proof(#[from] ProofError),
    /// The code is not accepted.
    #[error("the code is not accepted")]
    Redeem(#[from] RedeemError),
}

impl TokenError {
    fn to_oauth(&self) -> OAuthError {
        match self {
            Self::MediaType => OAuthError::invalid_request("the body must be a form"),
            Self::Query => OAuthError::invalid_request("parameters belong into the body"),
            Self::Params(error) => TokenRequestError::Params(*error).into(),
            Self::Request(error) => (*error).into(),
            Self::ClientAuth(error) => error.to_oauth(),
            Self::Client => ErrorCode::InvalidClient.into(),
            Self::Proof(ProofError::Dpop(error)) => error.into(),
            Self::Proof(ProofError::Replayed) => ErrorCode::InvalidDpopProof.into(),
            Self::Proof(ProofError::Db(_)) | Self::Redeem(RedeemError::Db(_)) => {
                ErrorCode::TemporarilyUnavailable.into()
            }
            Self::Redeem(error) => redeem_error(error),
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

/// OpenID4VCI 1.0, section 6.3. One body for every bad code (catalogue 232).
fn redeem_error(error: &RedeemError) -> OAuthError {
    match error {
        RedeemError::Grant
        | RedeemError::CodeWrong { tries_left: _ }
        | RedeemError::OtherRequest
        | RedeemError::Replayed => ErrorCode::InvalidGrant.into(),
        RedeemError::CodeMissing => OAuthError::invalid_request("tx_code is missing"),
        RedeemError::CodeUnexpected => OAuthError::invalid_request("tx_code is not expected"),
        RedeemError::Db(_) => ErrorCode::TemporarilyUnavailable.into(),
        RedeemError::Sealed(_) => ErrorCode::ServerError.into(),
    }
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        let (status, body) = (self.status(), self.to_oauth());
        if status.is_server_error() {
            tracing::error!(
                error = &self as &dyn std::error::Error,
                "token request failed"
            );
        } else {
            tracing::info!(code = body.code.as_str(), reason = %self, "token request refused");
        }
        let mut response = json_no_store(status, &body);
        if status == StatusCode::UNAUTHORIZED {
            // RFC 6749, section 5.2.
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
        }
        response
    }
}

/// Redeems a code.
pub async fn handler(
    State(core): State<Core>,
    axum::extract::RawQuery(query): axum::extract::RawQuery,
    map: HeaderMap,
    body: Bytes,
) -> Result<Response, TokenError> {
    if query.is_some_and(|query| !query.is_empty()) {
        return Err(TokenError::Query);
    }
    if !wire::is_form(&map) {
        return Err(TokenError::MediaType);
    }
    let headers = wire::headers(&map);
    let params = Params::parse_body(&body)?;
    let client = ClientCredentials::parse(&headers, &params)?;
    let request = TokenRequest::parse(&params)?;
    let client_id = check_client(&core, &client, &request)?;
    let proof = wire::dpop_proof(&core, &headers, TOKEN, None, None).map_err(ProofError::Dpop)?;
    // A code that is not open is refused below; nothing is kept of such a request but the try.
    if let Some(proof) = &proof
        && redeem::is_open(&core, &request).await?
    {
        wire::use_up(&core, proof).await?;
    }
    let dpop_jkt = proof.map(|proof| proof.thumbprint);
    let granted = match request {
        TokenRequest::PreAuthorizedCode { code, tx_code } => {
            let code = Secret::received(code.expose());
            let typed = tx_code.as_ref().map(|typed| typed.expose());
            redeem::pre_authorized(
                &core,
                &code,
                typed,
                TokenHolder {
                    client_id,
                    dpop_jkt,
                },
            )
            .await?
        }
        TokenRequest::AuthorizationCode {
            code,
            redirect_uri,
            code_verifier,
        } => {
            let redemption = CodeRedemption {
                client_id: client_id.as_deref().ok_or(TokenError::Client)?,
                redirect_uri: redirect_uri.as_deref(),
                code_verifier: code_verifier.as_ref().map(|verifier| verifier.expose()),
                dpop_jkt,
            };
            redeem::authorization_code(&core, &Secret::received(code.expose()), redemption).await?
        }
    };
    Ok(answer(granted))
}

fn answer(granted: Granted) -> Response {
    let Granted {
        token,
        expires_in_s,
        bound,
        credential_type: _,
    } = granted;
    let body = TokenResponse {
        access_token: token.expose().to_owned(),
        // RFC 9449, section 5: a bound token says so.
        token_type: if bound {
            TokenType::Dpop
        } else {
            TokenType::Bearer
        },
        expires_in: u64::try_from(expires_in_s).unwrap_or_default(),
        scope: None,
        id_token: None,
        refresh_token: None,
    };
    json_no_store(StatusCode::OK, &body)
}

/// Wallets are public clients. The code flow needs a known one; a pre-authorized code may be
/// redeemed anonymously where that is allowed (catalogue 238).
fn check_client(
    core: &Core,
    client: &ClientCredentials,
    request: &TokenRequest,
) -> Result<Option<String>, TokenError> {
    if client.method() != AuthMethod::None {
        return Err(TokenError::Client);
    }
    let known = |id: &str| core.settings.clients.contains_key(id);
    match (client.client_id(), request) {
        (Some(id), TokenRequest::AuthorizationCode { .. }) if known(id.as_str()) => {
            Ok(Some(id.as_str().to_owned()))
        }
        (_, TokenRequest::AuthorizationCode { .. }) => Err(TokenError::Client),
        (Some(id), TokenRequest::PreAuthorizedCode { .. })
            if core.settings.anonymous_access || known(id.as_str()) =>
        {
            Ok(Some(id.as_str().to_owned()))
        }
        (None, TokenRequest::PreAuthorizedCode { .. }) if core.settings.anonymous_access => {
            Ok(None)
        }
        (_, TokenRequest::PreAuthorizedCode { .. }) => Err(TokenError::Client),
    }
}
