//! `POST /challenge`: a fresh challenge for the proof of a client attestation (attestation-based
//! client authentication, section 8). Costs no row.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::wire::json_no_store;
use crate::core::Core;

/// The answer.
#[derive(Serialize)]
struct Challenge {
    attestation_challenge: String,
}

/// Answers with a challenge; never cached.
pub async fn handler(State(core): State<Core>) -> Response {
    let nonces = &core.keys.server_nonces;
    let attestation_challenge = nonces.issue(core.clock.now(), &*core.rng);
    json_no_store(
        StatusCode::OK,
        &Challenge {
            attestation_challenge,
        },
    )
}
