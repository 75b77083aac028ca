//! DPoP proofs (RFC 9449) at the endpoints for applications.

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use vouchsafe_protocol::http::Method;
use vouchsafe_protocol::oauth::dpop::{DpopError, VerifiedProof};
use vouchsafe_service::dpop::{self, Endpoint};
use vouchsafe_service::http;

use crate::app::{App, Parts};
use crate::config::Client;

/// Where proofs of an application are taken; `path` is the endpoint's.
pub(super) fn endpoint<'a>(
    app: &'a Parts,
    client: &Client,
    method: Method,
    path: &str,
) -> Endpoint<'a> {
    let profile = client.profile;
    Endpoint {
        method,
        url: app.url(path),
        nonces: profile.nonces().then_some(&app.server_nonces),
        algorithms: profile.algorithms(),
        crypto: app.crypto.as_ref(),
        now: app.now(),
    }
}

/// The proof of a POST, verified and not used up, where there is one.
pub(super) fn of_request(
    app: &Parts,
    client: &Client,
    headers: &HeaderMap,
    path: &str,
) -> Result<Option<VerifiedProof>, DpopError> {
    endpoint(app, client, Method::Post, path).proof(&http::headers(headers))
}

/// [`of_request`] for tokens: a client that is registered for bound tokens gets no others (RFC 9449,
/// section 5.2).
pub(super) fn of_token_request(
    app: &Parts,
    client: &Client,
    headers: &HeaderMap,
    path: &str,
) -> Result<Option<VerifiedProof>, DpopError> {
    let proof = of_request(app, client, headers, path)?;
    if proof.is_none() && client.only_bound {
        return Err(DpopError::Missing);
    }
    Ok(proof)
}

/// The middleware of endpoints that take proofs: each answer brings the nonce of the next one (RFC
/// 9449, sections 8.2 and 9), where an application must show it.
pub(super) async fn nonces(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if app.settings.nonces() {
        let headers = response.headers_mut();
        dpop::put_nonce(headers, &app.server_nonces, app.now(), app.rng.as_ref());
    }
    response
}
