//! Between axum and the protocol crate.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use url::Url;
use vouchsafe_credentials::crypto::Algorithm;
use vouchsafe_protocol::http::{Headers, Method};
use vouchsafe_protocol::oauth::OAuthError;
use vouchsafe_protocol::oauth::dpop::{DpopError, VerifiedProof};
use vouchsafe_service::dpop::Endpoint;
pub use vouchsafe_service::http::{headers, is_form};

use crate::core::Core;

/// Lets pages of any origin read what is public.
pub const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// Algorithms of DPoP proofs and key proofs that are verified here.
pub const PROOF_ALGORITHMS: [&str; 5] = Algorithm::ALL_NAMES;

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

/// An error with what caused it, in one line. No error of ours repeats what was sent.
pub(super) struct Chain<'a>(pub &'a (dyn std::error::Error + 'static));

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
        // RFC 6749, section 5.2; RFC 7617, section 2: `realm` is required.
        let challenge = HeaderValue::from_static("Basic realm=\"vouchsafe\"");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// Where DPoP proofs are taken; `None` where the profile has none.
pub fn dpop_endpoint<'a>(core: &'a Core, path: &str) -> Result<Option<Endpoint<'a>>, DpopError> {
    let rules = core.settings.rules();
    if !rules.dpop.on() {
        return Ok(None);
    }
    Ok(Some(Endpoint {
        method: Method::Post,
        url: Url::parse(&core.settings.url(path)).map_err(|_| DpopError::Url)?,
        nonces: rules.nonces.then_some(&core.keys.server_nonces),
        algorithms: &Algorithm::ALL,
        crypto: &*core.crypto,
        now: core.clock.now(),
    }))
}

/// The DPoP proof of a request, if there is one, verified. See [`Endpoint::proof`].
pub fn dpop_proof(
    core: &Core,
    headers: &Headers,
    path: &str,
) -> Result<Option<VerifiedProof>, DpopError> {
    match dpop_endpoint(core, path)? {
        Some(endpoint) => endpoint.proof(headers),
        None => Ok(None),
    }
}
