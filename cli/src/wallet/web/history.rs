//! Who saw what, and taking it back.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};
use vouchsafe_service::http::StrictForm;
use vouchsafe_wallet_core::history::{HistoryEntry, HistoryId, Outcome};
use vouchsafe_wallet_core::text::PlainText;

use super::app::App;
use super::error::Problem;

pub(super) async fn list(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let visitor = app.visitor(&headers);
    match app.wallet.history() {
        Ok(entries) => {
            let entries: Vec<Value> = entries.iter().map(shown).collect();
            app.page(&visitor, "wallet/history", json!({ "entries": entries }))
        }
        Err(error) => Problem::from(error).page(&app, &visitor),
    }
}

pub(super) async fn withdraw(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    StrictForm(form): StrictForm,
) -> Response {
    let visitor = match app.check_form(&headers, &form) {
        Ok(visitor) => visitor,
        Err(problem) => return problem.page(&app, &app.visitor(&headers)),
    };
    let withdrawn = match HistoryId::parse(&id) {
        Ok(id) => app.wallet.withdraw(&id).await,
        Err(error) => Err(error.into()),
    };
    match withdrawn {
        Ok(_) => Redirect::to("/history").into_response(),
        Err(error) => Problem::from(error).page(&app, &visitor),
    }
}

fn shown(entry: &HistoryEntry) -> Value {
    let (result, code) = match &entry.outcome {
        Outcome::Unknown => ("unknown", None),
        Outcome::Completed => ("completed", None),
        Outcome::Declined => ("declined", None),
        Outcome::Failed { code } => ("failed", Some(code)),
    };
    let party = entry
        .party
        .name
        .as_ref()
        .map_or(entry.party.host.as_str(), PlainText::as_str);
    json!({
        "id": entry.id,
        "at": entry.at,
        "kind": entry.kind,
        "party": party,
        "host": entry.party.host,
        "cards": texts(&entry.cards),
        "facts": texts(&entry.facts),
        "result": result,
        "code": code,
        "stopped": result != "completed",
        "can_withdraw": entry.can_withdraw(),
        "withdrawn_at": entry.withdrawn_at,
    })
}

fn texts(texts: &[PlainText]) -> Vec<&str> {
    texts.iter().map(PlainText::as_str).collect()
}
