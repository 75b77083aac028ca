//! `/console/audit`: what was done, by whom, and whether the log is whole.

use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};
use vouchsafe_service::audit::{self, Broken, Entry};
use vouchsafe_service::http::Params;

use super::{Failure, Visitor, paths, query};
use crate::domain::page::{DEFAULT_LIMIT, Page};

/// The list.
pub async fn page(visitor: Visitor, RawQuery(raw): RawQuery) -> Result<Response, Failure> {
    let params = query::params(raw.as_deref())?;
    show(&visitor, &params, &Value::Null).await
}

/// Recomputes the chain.
pub async fn check(visitor: Visitor, headers: HeaderMap, body: Bytes) -> Result<Response, Failure> {
    visitor.form(&headers, &body).await?;
    let core = &visitor.console.core;
    let checked = audit::verify(&core.db, &core.keys.audit, None).await?;
    let outcome = match checked {
        Ok(head) => json!({ "whole": true, "events": head.seq, "head": head.to_string() }),
        Err(Broken::Changed(seq)) => json!({ "whole": false, "kind": "changed", "event": seq }),
        Err(Broken::Missing(seq)) => json!({ "whole": false, "kind": "missing", "event": seq }),
    };
    show(&visitor, &Params::default(), &outcome).await
}

async fn show(visitor: &Visitor, params: &Params, outcome: &Value) -> Result<Response, Failure> {
    let number = |text: &str| text.parse::<i64>().ok().filter(|seq| *seq > 0);
    let request = query::page(params, number)?;
    let target = query::filter(params, "target");
    // PostgreSQL has no text with a NUL, so no object is called so.
    if target.is_some_and(|id| id.chars().any(char::is_control)) {
        return Err(Failure::Malformed);
    }
    let console = &visitor.console;
    let rows = audit::page(&console.core.db, request.before, target, DEFAULT_LIMIT + 1).await?;
    let page = Page::from_overfetch(rows, DEFAULT_LIMIT);
    let next = page.items.last().filter(|_| page.more);
    let next = next.map(|last| query::next(paths::AUDIT, params, &last.seq.to_string()));
    let operators = console.operators.all().await?;
    let who = |actor: &str| {
        let id = actor.strip_prefix("operator:");
        let found = operators.iter().find(|one| id == Some(one.id.as_str()));
        found.map(|one| one.name.clone())
    };
    let row = |entry: &Entry| {
        json!({
            "seq": entry.seq,
            "at": entry.at.0,
            "actor": entry.actor,
            "who": who(&entry.actor),
            "action": entry.action,
            "target": entry.target,
            "detail": entry.detail,
        })
    };
    let context = json!({
        "events": page.items.iter().map(row).collect::<Vec<_>>(),
        "next": next,
        "target": params.get("target").unwrap_or_default(),
        "outcome": outcome,
    });
    visitor.page("console/audit", context)
}
