//! What every answer to a wallet brings along: the nonce for its next DPoP proof (RFC 9449,
//! sections 8.2 and 9), the challenge for its next client attestation.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use vouchsafe_service::dpop;

use crate::core::Core;
use crate::paths;
use crate::profile::Use;

const CHALLENGE: HeaderName = HeaderName::from_static("oauth-client-attestation-challenge");

/// The middleware of the endpoints for wallets.
pub async fn layer(State(core): State<Core>, request: Request, next: Next) -> Response {
    let rules = core.settings.rules();
    let authenticates = core.settings.attestation_challenges
        && [paths::TOKEN, paths::PAR].contains(&request.uri().path());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if rules.dpop == Use::Required {
        only_dpop(headers);
    }
    if rules.nonces {
        let (now, rng) = (core.clock.now(), &*core.rng);
        let nonce = dpop::put_nonce(headers, &core.keys.server_nonces, now, rng);
        if let Some(nonce) = nonce.filter(|_| authenticates) {
            headers.insert(CHALLENGE, nonce);
        }
    }
    response
}

/// Where every token is bound, no challenge names another scheme.
fn only_dpop(headers: &mut HeaderMap) {
    let kept: Vec<HeaderValue> = headers
        .get_all(header::WWW_AUTHENTICATE)
        .iter()
        .filter(|value| !value.as_bytes().starts_with(b"Bearer"))
        .cloned()
        .collect();
    if headers.remove(header::WWW_AUTHENTICATE).is_some() {
        for value in kept {
            headers.append(header::WWW_AUTHENTICATE, value);
        }
    }
}
