//! `POST /ssf/verify` (Shared Signals Framework 1.0, section 8.1.4.2).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use vouchsafe_protocol::ssf::stream::VerificationRequest;

use crate::app::App;
use crate::signals::access::{Need, receiver};
use crate::signals::manage;

/// The address.
pub(super) const PATH: &str = "/ssf/verify";

/// Puts a verification event into the stream.
pub async fn handle(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let asked = async {
        let client = receiver(&app, &headers, Need::Manage).await?;
        manage::verify(&app, client, VerificationRequest::parse(&body)?).await
    };
    match asked.await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => error.into_response(),
    }
}
