//! `POST /ssf/poll/{stream}` (RFC 8936).

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use vouchsafe_protocol::ssf::poll::{PollMalformed, PollRequest};
use vouchsafe_protocol::ssf::stream::StreamRefused;

use super::oauth::answer;
use crate::app::App;
use crate::signals::access::{Need, receiver};
use crate::signals::poll;

/// The address.
pub(super) const PATH: &str = "/ssf/poll/{stream}";

/// Gives what waits, and takes back what the application has.
pub async fn handle(
    State(app): State<App>,
    Path(stream): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let polled = async {
        let client = receiver(&app, &headers, Need::Manage).await?;
        let request =
            PollRequest::parse(&body).map_err(|PollMalformed| StreamRefused::Malformed)?;
        poll::poll(&app, client, &stream, request).await
    };
    match polled.await {
        Ok(sets) => answer(&sets),
        Err(error) => error.into_response(),
    }
}
