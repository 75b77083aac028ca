//! `GET /events`: tells the open page that its session has ended.

use std::convert::Infallible;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use tokio_stream::{Stream, StreamExt, wrappers::BroadcastStream};

use super::{SESSION_COOKIE, cookie};
use crate::Shop;

/// A stream of server-sent events: `ended` when the provider ends the session.
/// (An event without data is never dispatched by a browser.)
pub async fn handle(
    State(shop): State<Shop>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let session = cookie(&headers, SESSION_COOKIE)
        .unwrap_or_default()
        .to_owned();
    let endings = shop.parts.visitors.endings();
    // It may have ended between the page and this request.
    let gone = shop
        .parts
        .visitors
        .get(&session)
        .is_none()
        .then(|| session.clone());
    let stream = tokio_stream::iter(gone)
        .chain(BroadcastStream::new(endings).filter_map(Result::ok))
        .filter(move |ended| *ended == session)
        .map(|_| Ok(Event::default().event("ended").data("signed out")));
    Sse::new(stream).keep_alive(KeepAlive::default())
}
