//! `POST /nonce`: a fresh c_nonce (OpenID4VCI 1.0, section 7). Costs no row.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use vouchsafe_protocol::vci::NonceResponse;

use super::wire::json_no_store;
use crate::core::Core;

/// Answers with a nonce; never cached (section 7.2).
pub async fn handler(State(core): State<Core>) -> Response {
    let c_nonce = core.keys.nonces.issue(core.clock.now(), &*core.rng);
    json_no_store(StatusCode::OK, &NonceResponse { c_nonce })
}
