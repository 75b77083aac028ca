//! `GET /login/{transaction}/events`: server-sent events for the pages that wait. They carry one
//! word, the state; the page asks for itself again when it differs.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use serde::Deserialize;

use super::owned;
use crate::app::App;
use crate::domain::ids::TransactionId;
use crate::domain::transaction::{Channel, Transaction};
use crate::login::ask;
use crate::store::{StoreError, requests, transactions};

/// How often the database is asked, for changes made by another process.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// Which page waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// The page with the button.
    Choose,
    /// The page with the QR code.
    Qr,
    /// The page with the field for the number.
    Number,
}

impl View {
    /// Its name in the address.
    pub fn name(self) -> &'static str {
        match self {
            Self::Choose => "choose",
            Self::Qr => "qr",
            Self::Number => "number",
        }
    }
}

/// Query of the address.
#[derive(Debug, Deserialize)]
pub struct Watch {
    view: View,
}

/// The stream.
pub async fn handle(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(Watch { view }): Query<Watch>,
    headers: HeaderMap,
) -> Response {
    match owned::find(&app, &headers, &id).await {
        Ok(_) => Sse::new(stream(app, TransactionId::from_text(id), view))
            .keep_alive(KeepAlive::default())
            .into_response(),
        Err(error) => error.show(&app, &headers),
    }
}

fn stream(
    app: App,
    id: TransactionId,
    view: View,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let listener = app.changes.listen(&id);
    futures::stream::unfold(
        Some((app, id, listener, None::<String>)),
        move |waiting| async move {
            let (app, id, mut listener, mut last) = waiting?;
            loop {
                let state = current(&app, &id, view).await;
                if last.as_ref() != Some(&state) {
                    let event = Event::default().event("state").data(&state);
                    let over = matches!(state.as_str(), "finished" | "failed" | "expired");
                    last = Some(state);
                    let next = (!over).then_some((app, id, listener, last));
                    return Some((Ok(event), next));
                }
                tokio::select! {
                    () = listener.changed() => {}
                    () = tokio::time::sleep(ASK_EVERY) => {}
                }
            }
        },
    )
}

async fn current(app: &App, id: &TransactionId, view: View) -> String {
    match transactions::find(&app.db, &app.vault, id).await {
        Ok(Some(transaction)) => watched(app, &transaction, view)
            .await
            .unwrap_or_else(|_| "unavailable".to_owned()),
        Ok(None) => "expired".to_owned(),
        Err(_) => "unavailable".to_owned(),
    }
}

/// What a waiting page shows, in one word.
pub async fn watched(
    app: &App,
    transaction: &Transaction,
    view: View,
) -> Result<String, StoreError> {
    let login = match transaction {
        Transaction::Pending(pending) => &pending.login,
        Transaction::Answered(_) | Transaction::Finished(_) | Transaction::Failed(_) => {
            return Ok(transaction.state().to_owned());
        }
    };
    if app.now() >= login.expires_at {
        return Ok("expired".to_owned());
    }
    match view {
        View::Choose if requests::any_fetched(&app.db, &login.id).await? => Ok("opened".to_owned()),
        View::Choose | View::Number => Ok("pending".to_owned()),
        View::Qr => match requests::newest(&app.db, &app.vault, &login.id, Channel::Qr).await? {
            Some(question) if !ask::may_be_fetched(app, &question) => Ok("rotate".to_owned()),
            Some(question) if question.fetched_at.is_some() => Ok("scanned".to_owned()),
            Some(question) => Ok(format!("code-{}", question.created_at.seconds())),
            None => Ok("rotate".to_owned()),
        },
    }
}
