//! `POST /token`: codes become access tokens (RFC 6749, OpenID4VCI 1.0, section 6).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use vouchsafe_protocol::oauth::authorization_details::{self, DetailsError};
use vouchsafe_protocol::oauth::dpop::DpopError;
use vouchsafe_protocol::oauth::params::ParamsError;
use vouchsafe_protocol::oauth::token::{
    IssuanceTokenResponse, RefreshRequest, TokenRequestError, TokenResponse, TokenType,
};
use vouchsafe_protocol::oauth::values::Scopes;
use vouchsafe_protocol::oauth::{ClientCredentials, ErrorCode, OAuthError, Params};
use vouchsafe_protocol::vci::TokenRequest;
use vouchsafe_service::dpop::{self, ProofError};
use vouchsafe_service::jti::Identifier;

use super::wire::{self, json_no_store};
use crate::client::{self, Caller, CallerError};
use crate::core::Core;
use crate::domain::secret::Secret;
use crate::paths::TOKEN;
use crate::profile::Use;
use crate::redeem::{self, CodeRedemption, Granted, RedeemError, Refresh, TokenHolder};

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
    /// `authorization_details` are malformed, or the profile has none.
    #[error("the authorization details are not acceptable")]
    Details(#[from] DetailsError),
    /// Nobody is known to ask, or the grant needs a registered wallet.
    #[error("the client is not accepted")]
    Caller(#[from] CallerError),
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
            Self::Details(error) => (*error).into(),
            Self::Caller(error) => error.to_oauth(),
            Self::Proof(error) => error.to_oauth(),
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
        RedeemError::ProofUsed => ErrorCode::InvalidDpopProof.into(),
        RedeemError::Details => ErrorCode::InvalidAuthorizationDetails.into(),
        RedeemError::Scope => ErrorCode::InvalidScope.into(),
        RedeemError::CodeMissing => OAuthError::invalid_request("tx_code is missing"),
        RedeemError::CodeUnexpected => OAuthError::invalid_request("tx_code is not expected"),
        RedeemError::Db(_) => ErrorCode::TemporarilyUnavailable.into(),
        RedeemError::Sealed(_) => ErrorCode::ServerError.into(),
    }
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        wire::refused("token request", self.status(), &self.to_oauth(), &self)
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
    let credentials = ClientCredentials::parse(&headers, &params).map_err(CallerError::from)?;
    let grant = Grant::parse(&core, &params)?;
    let details = details(&core, &params)?;
    let proof = wire::dpop_proof(&core, &headers, TOKEN).map_err(ProofError::Dpop)?;
    let caller = client::authenticate(&core, &credentials, proof.as_ref()).await?;
    let client_id = holder(&caller, &grant)?;
    if proof.is_none() && core.settings.rules().dpop == Use::Required {
        return Err(ProofError::Dpop(DpopError::Missing).into());
    }
    let used = proof.as_ref().map(dpop::identifier);
    let holder = TokenHolder {
        client_id,
        dpop_jkt: proof.map(|proof| proof.thumbprint),
        instance: caller.instance().map(str::to_owned),
        proof: used.clone(),
    };
    let confidential = caller.is_confidential();
    let granted = match redeem(&core, &grant, holder, confidential, details.as_deref()).await {
        Ok(granted) => granted,
        Err(error) => return Err(refuse(&core, used, error).await),
    };
    metrics::counter!("vouchsafe_tokens_issued_total", "grant" => grant.name()).increment(1);
    Ok(answer(granted))
}

/// What is redeemed.
enum Grant {
    /// With the scopes of the request, of which a pre-authorized code has none before.
    Code(TokenRequest, Scopes),
    Refresh(RefreshRequest),
}

impl Grant {
    fn parse(core: &Core, params: &Params) -> Result<Self, TokenError> {
        match RefreshRequest::parse(params)? {
            Some(request) if core.settings.refresh_tokens => Ok(Self::Refresh(request)),
            Some(_) => Err(TokenRequestError::GrantType.into()),
            None => {
                let request = TokenRequest::parse_beside_details(params)?;
                let scopes = Scopes::parse(params.get("scope").unwrap_or_default());
                let malformed = |_| RedeemError::Scope;
                Ok(Self::Code(request, scopes.map_err(malformed)?))
            }
        }
    }

    /// For the count of tokens.
    fn name(&self) -> &'static str {
        match self {
            Self::Refresh(_) => "refresh_token",
            Self::Code(TokenRequest::PreAuthorizedCode { .. }, _) => "pre_authorized_code",
            Self::Code(TokenRequest::AuthorizationCode { .. }, _) => "authorization_code",
        }
    }
}

/// What was refused of a grant that is open uses the proof up all the same. Where it is not open,
/// nothing is kept of the request but the try.
async fn refuse(core: &Core, proof: Option<Identifier>, error: TokenError) -> TokenError {
    let is_left = match &error {
        TokenError::Redeem(error) => error.leaves_proof(),
        _ => false,
    };
    match proof {
        Some(proof) if is_left => match dpop::use_up(&core.db, proof).await {
            Ok(()) => error,
            Err(used) => used.into(),
        },
        _ => error,
    }
}

/// Configurations of `authorization_details`, where the profile has them.
fn details(core: &Core, params: &Params) -> Result<Option<Vec<String>>, TokenError> {
    let Some(text) = params.get("authorization_details") else {
        return Ok(None);
    };
    if !core.settings.rules().authorization_details {
        return Err(DetailsError::Type.into());
    }
    Ok(Some(authorization_details::parse(
        text,
        &core.settings.issuer,
    )?))
}

async fn redeem(
    core: &Core,
    grant: &Grant,
    holder: TokenHolder,
    confidential: bool,
    details: Option<&[String]>,
) -> Result<Granted, TokenError> {
    let granted = match grant {
        Grant::Refresh(request) => {
            let token = Secret::received(request.token.expose());
            let request = Refresh {
                holder,
                confidential,
                scopes: &request.scopes,
                details,
            };
            redeem::refresh(core, &token, request).await?
        }
        Grant::Code(TokenRequest::PreAuthorizedCode { code, tx_code }, scopes) => {
            let code = Secret::received(code.expose());
            let typed = tx_code.as_ref().map(|typed| typed.expose());
            redeem::pre_authorized(core, &code, typed, holder, scopes, details).await?
        }
        Grant::Code(
            TokenRequest::AuthorizationCode {
                code,
                redirect_uri,
                code_verifier,
            },
            _,
        ) => {
            let redemption = CodeRedemption {
                client_id: holder.client_id.as_deref().ok_or(CallerError::Client)?,
                redirect_uri: redirect_uri.as_deref(),
                code_verifier: code_verifier.as_ref().map(|verifier| verifier.expose()),
                dpop_jkt: holder.dpop_jkt,
                instance: holder.instance.as_deref(),
                proof: holder.proof,
                details,
            };
            redeem::authorization_code(core, &Secret::received(code.expose()), redemption).await?
        }
    };
    Ok(granted)
}

fn answer(granted: Granted) -> Response {
    let Granted {
        token,
        expires_in_s,
        bound,
        refresh,
        details,
        scope,
    } = granted;
    let tokens = TokenResponse {
        access_token: token.expose().to_owned(),
        token_type: TokenType::of(bound),
        expires_in: u64::try_from(expires_in_s).unwrap_or_default(),
        scope,
        id_token: None,
        refresh_token: refresh.map(|token| token.expose().to_owned()),
    };
    let body = IssuanceTokenResponse {
        tokens,
        authorization_details: details,
    };
    json_no_store(StatusCode::OK, &body)
}

/// The code flow needs a registered wallet; a pre-authorized code may be redeemed anonymously
/// where that is allowed (catalogue 238).
fn holder(caller: &Caller<'_>, grant: &Grant) -> Result<Option<String>, TokenError> {
    match (caller, grant) {
        (Caller::Known { id, .. }, _) => Ok(Some(id.as_str().to_owned())),
        (
            Caller::Anonymous { claimed: _ },
            Grant::Code(TokenRequest::AuthorizationCode { .. }, _),
        ) => Err(CallerError::Client.into()),
        (Caller::Anonymous { claimed }, _) => Ok(claimed.as_ref().map(|id| id.as_str().to_owned())),
    }
}
