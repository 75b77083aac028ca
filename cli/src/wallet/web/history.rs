//! Who saw what, and taking it back.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;
use vouchsafe_service::http::StrictForm;
use vouchsafe_wallet_core::WalletError;
use vouchsafe_wallet_core::history::{EventKind, HistoryEntry, HistoryId, Outcome};
use vouchsafe_wallet_core::text::PlainText;

use super::app::App;
use super::error::Problem;

#[derive(Deserialize)]
pub(super) struct ListQuery {
    party: Option<String>,
}

/// All entries, or those with one party.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(query): Query<ListQuery>,
) -> Response {
    let visitor = app.visitor(&headers);
    let read = app.wallet.history();
    match read.and_then(|read| Ok((read, app.wallet.core().unreadable_history()?))) {
        Ok((entries, unreadable)) => {
            let wanted = query.party.filter(|host| !host.is_empty());
            let with = |entry: &&HistoryEntry| {
                wanted.as_ref().is_none_or(|host| *host == entry.party.host)
            };
            let context = json!({
                "entries": entries.iter().filter(with).map(shown).collect::<Vec<_>>(),
                "parties": parties(&entries),
                "party": wanted,
                "export": export_link(wanted.as_deref()),
                "unreadable": unreadable,
            });
            app.page(&visitor, "wallet/history", context)
        }
        Err(error) => Problem::from(error).page(&app, &visitor),
    }
}

/// Everything as a file, for the person: names of facts, never their values.
pub(super) async fn export(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(query): Query<ListQuery>,
) -> Response {
    let wanted = query.party.filter(|party| !party.is_empty());
    match app.wallet.core().export_history(wanted.as_deref()) {
        Ok(export) => {
            let file = "attachment; filename=\"wallet-history.json\"";
            ([(header::CONTENT_DISPOSITION, file)], axum::Json(export)).into_response()
        }
        Err(error) => Problem::from(error).page(&app, &app.visitor(&headers)),
    }
}

fn export_link(party: Option<&str>) -> String {
    match party {
        Some(party) => {
            let party: String = byte_serialize(party.as_bytes()).collect();
            format!("/history.json?party={party}")
        }
        None => "/history.json".to_owned(),
    }
}

/// One entry: what happened, and what can be done about it. After a card was shown it is the receipt.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let visitor = app.visitor(&headers);
    match entry(&app, &id) {
        Ok(entry) => {
            let context = json!({ "entry": shown(&entry) });
            app.page(&visitor, "wallet/entry", context)
        }
        Err(error) => Problem::from(error).page(&app, &visitor),
    }
}

/// Deletes an entry that cannot be read.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    StrictForm(form): StrictForm,
) -> Response {
    let visitor = match app.check_form(&headers, &form) {
        Ok(visitor) => visitor,
        Err(problem) => return problem.page(&app, &app.visitor(&headers)),
    };
    let deleted = match HistoryId::parse(&id) {
        Ok(id) => app.wallet.core().delete_unreadable_entry(&id),
        Err(error) => Err(error.into()),
    };
    match deleted {
        Ok(()) => Redirect::to("/history").into_response(),
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
        Ok(entry) => Redirect::to(&format!("/history/{}", entry.id.as_str())).into_response(),
        Err(error) => Problem::from(error).page(&app, &visitor),
    }
}

pub(super) fn entry(app: &App, id: &str) -> Result<HistoryEntry, WalletError> {
    app.wallet.history_entry(&HistoryId::parse(id)?)
}

/// What the party is called: by its verified name, else by its host.
pub(super) fn party(entry: &HistoryEntry) -> &str {
    let name = entry.party.name.as_ref().map(PlainText::as_str);
    name.unwrap_or(&entry.party.host)
}

/// Everybody in the history, once, in the order of their names.
fn parties(entries: &[HistoryEntry]) -> Vec<Value> {
    let mut all: Vec<(&str, &str)> = entries
        .iter()
        .map(|entry| (party(entry), entry.party.host.as_str()))
        .collect();
    all.sort_unstable();
    // A host has one name here: whoever is looked for is looked for by address.
    all.dedup_by(|a, b| a.1 == b.1);
    all.iter()
        .map(|(name, host)| json!({ "name": name, "host": host }))
        .collect()
}

pub(super) fn shown(entry: &HistoryEntry) -> Value {
    let (result, code) = match &entry.outcome {
        Outcome::Unknown => ("unknown", None),
        Outcome::Completed => ("completed", None),
        Outcome::Declined => ("declined", None),
        Outcome::Failed { code } => ("failed", Some(code)),
    };
    json!({
        "id": entry.id,
        "at": entry.at,
        "kind": entry.kind,
        "party": party(entry),
        "host": entry.party.host,
        "purpose": entry.purpose,
        "cards": texts(&entry.cards),
        "facts": texts(&entry.facts),
        "result": result,
        "code": code,
        "stopped": result != "completed",
        "can_withdraw": entry.can_withdraw(),
        "withdrawn_at": entry.withdrawn_at,
        "can_erase": entry.erasure().is_ok(),
        "can_report": entry.kind != EventKind::Deleted,
    })
}

fn texts(texts: &[PlainText]) -> Vec<&str> {
    texts.iter().map(PlainText::as_str).collect()
}
