//! `GET /login/{transaction}/events`: server-sent events for the pages that wait. They carry one
//! word, the state; the page asks for itself again when it differs.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use vouchsafe_service::http::Problem;

use super::PathText;
use super::owned::{self, OwnedError};
use crate::app::App;
use crate::domain::ids::TransactionId;
use crate::domain::transaction::{Channel, Transaction};
use crate::event_streams::told::Word;
use crate::event_streams::{FULL_WAIT_S, Following, Full};
use crate::login::ask;
use crate::store::{StoreError, requests, transactions};

pub use crate::event_streams::told::View;

/// Query of the address.
#[derive(Debug, Deserialize)]
pub struct Watch {
    view: View,
}

/// The stream.
pub async fn handle(
    State(app): State<App>,
    id: PathText,
    watch: Result<Query<Watch>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let Ok(Path(id)) = id else {
        return OwnedError::Unknown.show(&app, &headers);
    };
    if let Err(error) = owned::find(&app, &headers, &id).await {
        return error.show(&app, &headers);
    }
    let Ok(Query(Watch { view })) = watch else {
        let detail = "Say which page waits: view is choose, qr or number.";
        return Problem::new(StatusCode::BAD_REQUEST, "invalid_parameters", detail).into_response();
    };
    match follow(&app, TransactionId::from_text(id), view) {
        Ok(following) => {
            let events = following.events(|Word(word)| Event::default().event("state").data(word));
            Sse::new(events)
                .keep_alive(KeepAlive::default())
                .into_response()
        }
        // The page asks for itself from time to time, as it does without a script.
        Err(Full) => Problem::unavailable()
            .retry_after(FULL_WAIT_S)
            .into_response(),
    }
}

fn follow(
    app: &App,
    id: TransactionId,
    view: View,
) -> Result<Following<TransactionId, View, Word>, Full> {
    let parts = App::clone(app);
    let changed = app.changes.listen(&id);
    let asked = id.clone();
    let look = move || {
        let (app, id) = (App::clone(&parts), asked.clone());
        async move { current(&app, &id, view).await }
    };
    app.login_streams.open(id, view, changed, look)
}

/// The word now; `None` while the database does not say.
async fn current(app: &App, id: &TransactionId, view: View) -> Option<Word> {
    let found = transactions::find(&app.db, &app.vault, id).await.ok()?;
    match found {
        Some(transaction) => watched(app, &transaction, view).await.ok().map(Word),
        None => Some(Word("expired".to_owned())),
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
