//! Another passphrase for a wallet that has one.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};
use vouchsafe_service::http::{ClientAddress, StrictForm};

use super::first_run::{SHORTEST_PASSPHRASE, unusable};
use super::guard::{Guard, Shut};

/// The form, for a browser that is inside.
pub(super) async fn form(State(guard): State<Arc<Guard>>, headers: HeaderMap) -> Response {
    match guard.is_in(&headers) {
        true => page(&guard, &headers, None),
        false => Redirect::to("/").into_response(),
    }
}

/// Changes it. Other browsers that are inside have to give the new one.
pub(super) async fn change(
    State(guard): State<Arc<Guard>>,
    client: ClientAddress,
    headers: HeaderMap,
    StrictForm(form): StrictForm,
) -> Response {
    let shell = &guard.shell;
    if let Err(problem) = shell.check_form(&headers, &form) {
        return problem.page(shell, &shell.visitor(&headers));
    }
    if !guard.is_in(&headers) {
        return Redirect::to("/").into_response();
    }
    let field = |name| form.get(name).unwrap_or_default();
    if let Some(problem) = unusable(field("passphrase"), field("again")) {
        return page(&guard, &headers, Some(problem));
    }
    let (old, new, who) = (field("old"), field("passphrase"), guard.who(client));
    match guard.change(old, new, who).await {
        Ok(()) => guard.admit("/settings"),
        Err(Shut::Wrong) => page(&guard, &headers, Some("wrong")),
        Err(Shut::Wait(wait)) => {
            let minutes = wait.as_secs().div_ceil(60);
            shown(
                &guard,
                &headers,
                json!({ "problem": "wait", "minutes": minutes }),
            )
        }
        Err(Shut::Broken) => page(&guard, &headers, Some("broken")),
    }
}

fn page(guard: &Guard, headers: &HeaderMap, problem: Option<&str>) -> Response {
    let status = problem.map_or(StatusCode::OK, |_| StatusCode::BAD_REQUEST);
    (status, shown(guard, headers, json!({ "problem": problem }))).into_response()
}

fn shown(guard: &Guard, headers: &HeaderMap, mut context: Value) -> Response {
    context["shortest"] = SHORTEST_PASSPHRASE.into();
    let visitor = guard.shell.visitor(headers);
    guard.shell.page(&visitor, "wallet/passphrase", context)
}
