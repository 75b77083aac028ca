//! Between axum and the protocol crate.

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use url::Url;
use vouchsafe_credentials::crypto::Algorithm;
use vouchsafe_protocol::http::{Headers, Method};
use vouchsafe_protocol::oauth::dpop::{self, DpopError, VerifiedProof};
use vouchsafe_protocol::oauth::{ErrorCode, OAuthError};
use vouchsafe_service::db::DbError;
use vouchsafe_service::jti::{self, IdentifierKind};

use crate::core::Core;

/// Lets pages of any origin read what is public.
pub const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// Algorithms of DPoP proofs and key proofs that are verified here.
pub const PROOF_ALGORITHMS: [&str; 5] = Algorithm::ALL_NAMES;

/// The headers as the protocol crate reads them. A value that is no text becomes one that no
/// parser accepts, never an absent one.
pub fn headers(map: &HeaderMap) -> Headers {
    map.iter()
        .map(|(name, value)| {
            (
                name.as_str(),
                value.to_str().unwrap_or("\u{fffd}").to_owned(),
            )
        })
        .collect()
}

/// A JSON answer that no cache keeps.
pub fn json_no_store(status: StatusCode, body: &impl Serialize) -> Response {
    let mut response = (status, Json(body)).into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A JSON answer for everybody: metadata.
pub fn json_public(body: &impl Serialize) -> Response {
    public(Json(body).into_response())
}

/// An answer that everybody may read and keep for five minutes.
pub fn public(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300"),
    );
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    headers.insert(
        CROSS_ORIGIN_RESOURCE_POLICY,
        HeaderValue::from_static("cross-origin"),
    );
    response
}

/// Whether the body is a form, plain (catalogue 112, 113).
pub fn is_form(headers: &HeaderMap) -> bool {
    let plain = !headers.contains_key(header::CONTENT_ENCODING);
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let form = match (types.next(), types.next()) {
        (Some(value), None) => value.to_str().is_ok_and(|value| {
            let essence = value.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        }),
        _ => false,
    };
    plain && form
}

/// Why a DPoP proof was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The proof is bad.
    #[error("the DPoP proof is not acceptable")]
    Dpop(#[from] DpopError),
    /// The proof was used before.
    #[error("the DPoP proof was used before")]
    Replayed,
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

impl ProofError {
    /// What the wallet is told at the token and the pushed authorization request endpoint.
    pub fn to_oauth(&self) -> OAuthError {
        match self {
            Self::Dpop(error) => error.into(),
            Self::Replayed => ErrorCode::InvalidDpopProof.into(),
            Self::Db(_) => ErrorCode::TemporarilyUnavailable.into(),
        }
    }
}

/// An error with what caused it, in one line. No error of ours repeats what was sent.
struct Chain<'a>(&'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(error) = next {
            write!(f, ": {error}")?;
            next = error.source();
        }
        Ok(())
    }
}

/// An error of the token or the pushed authorization request endpoint, logged once.
pub fn refused(
    what: &'static str,
    status: StatusCode,
    body: &OAuthError,
    error: &(dyn std::error::Error + 'static),
) -> Response {
    if status.is_server_error() {
        tracing::error!(error, what, "request failed");
    } else {
        tracing::info!(
            code = body.code.as_str(),
            reason = %Chain(error),
            what,
            "request refused"
        );
    }
    let mut response = json_no_store(status, body);
    if status == StatusCode::UNAUTHORIZED {
        // RFC 6749, section 5.2.
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
    }
    response
}

/// The DPoP proof of a request, if there is one, verified. It is good for one request: whoever
/// acts on it calls [`use_up`] first.
///
/// `access_token` is the token presented with it, `bound_to` the thumbprint that it is bound to.
pub fn dpop_proof(
    core: &Core,
    headers: &Headers,
    path: &str,
    access_token: Option<&str>,
    bound_to: Option<&str>,
) -> Result<Option<VerifiedProof>, DpopError> {
    let rules = core.settings.rules();
    if !rules.dpop.on() {
        return Ok(None);
    }
    let Some(proof) = dpop::from_headers(headers)? else {
        return Ok(None);
    };
    // The URL comes from configuration, never from the Host header (catalogue 119).
    let url = Url::parse(&core.settings.url(path)).map_err(|_| DpopError::Url)?;
    let expected = dpop::Expected {
        method: Method::Post,
        url: &url,
        access_token,
        bound_to,
        nonce: rules.nonces.then_some(&core.keys.server_nonces),
        now: core.clock.now(),
    };
    dpop::verify(proof, &expected, &*core.crypto).map(Some)
}

/// Remembers that a proof was used. Only for a request whose token or code is known: anybody can
/// make proofs, and each would cost a row.
pub async fn use_up(core: &Core, proof: &VerifiedProof) -> Result<(), ProofError> {
    // Catalogue 250: the store is the database, so a restart or a second process changes nothing.
    let kind = IdentifierKind::DpopProof;
    let (key, id, ends) = (
        proof.thumbprint.clone(),
        proof.jti.clone(),
        proof.valid_until,
    );
    let fresh = core
        .db
        .write(async move |tx| jti::first_use(tx, kind, &key, &id, ends).await)
        .await?;
    if fresh {
        Ok(())
    } else {
        Err(ProofError::Replayed)
    }
}
