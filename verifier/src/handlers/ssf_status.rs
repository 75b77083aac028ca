//! `/ssf/status`: the state of a stream (Shared Signals Framework 1.0, section 8.1.2).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use vouchsafe_protocol::ssf::stream::{StatusRequest, StreamRefused};
use vouchsafe_service::http::StrictQuery;

use super::oauth::answer;
use crate::app::App;
use crate::signals::access::{Need, receiver};
use crate::signals::manage;
use crate::store::streams::Stream;

/// The address.
pub(super) const PATH: &str = "/ssf/status";

#[derive(Serialize)]
struct Status<'a> {
    stream_id: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

fn show(stream: &Stream) -> Response {
    answer(&Status {
        stream_id: &stream.id,
        status: stream.status.as_str(),
        reason: stream.reason.as_deref(),
    })
}

/// Section 8.1.2.1.
pub async fn read(
    State(app): State<App>,
    headers: HeaderMap,
    StrictQuery(query): StrictQuery,
) -> Response {
    let found = async {
        let client = receiver(&app, &headers, Need::Read).await?;
        let id = query.get("stream_id").ok_or(StreamRefused::NoStream)?;
        manage::read(&app, client, id).await
    };
    match found.await {
        Ok(stream) => show(&stream),
        Err(error) => error.into_response(),
    }
}

/// Section 8.1.2.2.
pub async fn update(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let changed = async {
        let client = receiver(&app, &headers, Need::Manage).await?;
        manage::set_status(&app, client, StatusRequest::parse(&body)?).await
    };
    match changed.await {
        Ok(stream) => show(&stream),
        Err(error) => error.into_response(),
    }
}
