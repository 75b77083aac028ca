//! `/ssf/stream`: the stream of an application (Shared Signals Framework 1.0, section 8.1.1).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use vouchsafe_protocol::ssf::stream::{StreamRefused, StreamRequest};
use vouchsafe_service::http::StrictQuery;

use super::oauth::answer;
use crate::app::App;
use crate::signals::access::{Need, receiver};
use crate::signals::manage::{self, Change, ManageError, view};
use crate::store::streams;

/// The address.
pub(super) const PATH: &str = "/ssf/stream";

/// Section 8.1.1.1.
pub async fn create(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let created = async {
        let client = receiver(&app, &headers, Need::Manage).await?;
        let request = StreamRequest::parse(&body, manage::rule(&app))?;
        manage::create(&app, client, request).await
    };
    match created.await {
        Ok(stream) => (StatusCode::CREATED, answer(&view(&app, &stream))).into_response(),
        Err(error) => error.into_response(),
    }
}

/// Section 8.1.1.2: one, or the list of all.
pub async fn read(
    State(app): State<App>,
    headers: HeaderMap,
    StrictQuery(query): StrictQuery,
) -> Response {
    let found = async {
        let client = receiver(&app, &headers, Need::Read).await?;
        if let Some(id) = query.get("stream_id") {
            let stream = manage::read(&app, client, id).await?;
            return Ok::<_, ManageError>(answer(&view(&app, &stream)));
        }
        let stream = streams::of_client(&app.db, &app.vault, &client.id).await?;
        let all: Vec<_> = stream.iter().map(|stream| view(&app, stream)).collect();
        Ok(answer(&all))
    };
    found.await.unwrap_or_else(IntoResponse::into_response)
}

/// Section 8.1.1.3.
pub async fn update(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    change(&app, &headers, &body, Change::Update).await
}

/// Section 8.1.1.4.
pub async fn replace(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    change(&app, &headers, &body, Change::Replace).await
}

async fn change(app: &App, headers: &HeaderMap, body: &[u8], change: Change) -> Response {
    let changed = async {
        let client = receiver(app, headers, Need::Manage).await?;
        let request = StreamRequest::parse(body, manage::rule(app))?;
        manage::change(app, client, request, change).await
    };
    match changed.await {
        Ok(stream) => answer(&view(app, &stream)),
        Err(error) => error.into_response(),
    }
}

/// Section 8.1.1.5.
pub async fn delete(
    State(app): State<App>,
    headers: HeaderMap,
    StrictQuery(query): StrictQuery,
) -> Response {
    let deleted = async {
        let client = receiver(&app, &headers, Need::Manage).await?;
        let id = query.get("stream_id").ok_or(StreamRefused::NoStream)?;
        manage::delete(&app, client, id.to_owned()).await
    };
    match deleted.await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => error.into_response(),
    }
}
