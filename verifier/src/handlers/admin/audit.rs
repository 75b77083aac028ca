//! What operators and systems did here, and whether the chain of that log is whole. Who it was done to is
//! not on the page: the log has opaque ids, and those who may read numbers need none.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};
use vouchsafe_service::audit::{self, Broken, Entry};
use vouchsafe_service::db::DbError;

use super::{open, show};
use crate::app::App;
use crate::handlers::{form, owned};

/// Where it is.
pub const AUDIT: &str = "/admin/audit";
/// Entries of a page.
const MOST: u32 = 50;
/// The page before an entry.
const BEFORE: &str = "before";
/// Who is told apart.
const ACTORS: [&str; 6] = ["key", "client", "system", "command", "subject", "anonymous"];

/// The page.
pub async fn handle(
    State(app): State<App>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let own = [BEFORE];
    let opened = match open(&app, &headers, query.as_deref(), (AUDIT, &own)).await {
        Ok(opened) => opened,
        Err(response) => return *response,
    };
    let before = opened.text(BEFORE).and_then(|text| text.parse().ok());
    let context = all(&app, before, false).await;
    show(
        &app,
        &headers,
        &opened,
        "audit",
        context.map_err(Into::into),
    )
}

/// The page, with the chain read: a form asks for it, since the whole log takes its time.
pub async fn check(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let opened = match open(&app, &headers, None, (AUDIT, &[])).await {
        Ok(opened) => opened,
        Err(response) => return *response,
    };
    if form::own(&app, &headers, &body, &opened.cookie).is_none() {
        return owned::foreign(&app, &headers);
    }
    let context = all(&app, None, true).await;
    show(
        &app,
        &headers,
        &opened,
        "audit",
        context.map_err(Into::into),
    )
}

async fn all(app: &App, before: Option<i64>, check: bool) -> Result<Value, DbError> {
    let entries = audit::page(&app.db, before, None, MOST).await?;
    let more = entries.len() == MOST as usize;
    let older = entries.last().filter(|last| more && last.seq > 1);
    let older = older.map(|last| last.seq);
    let shown: Vec<_> = entries.iter().map(row).collect();
    let chain = if check { Some(chain(app).await?) } else { None };
    Ok(json!({ "entries": shown, "older": older, "chain": chain }))
}

fn row(entry: &Entry) -> Value {
    let kind = entry.actor.split(':').next().unwrap_or_default();
    let kind = ACTORS.iter().find(|known| **known == kind);
    json!({
        "seq": entry.seq,
        "at": entry.at.0,
        "actor": kind.unwrap_or(&"other"),
        "action": entry.action,
    })
}

/// Reads the whole log; one reader at a time.
async fn chain(app: &App) -> Result<Value, DbError> {
    let _turn = app.numbers.checking.lock().await;
    let checked = audit::verify(&app.db, &app.audit_key, None).await?;
    // Whoever reads this has a key, and that it was made is in the log: an empty one was emptied.
    let checked = checked.and_then(|head| match head.seq {
        0 => Err(Broken::Missing(1)),
        _ => Ok(head),
    });
    Ok(match checked {
        Ok(head) => json!({ "whole": true, "entries": head.seq, "head": head.to_string() }),
        Err(broken) => {
            tracing::error!(seq = broken.seq(), "the audit log is not as it was written");
            let missing = matches!(broken, Broken::Missing(_));
            json!({ "whole": false, "missing": missing, "seq": broken.seq() })
        }
    })
}
