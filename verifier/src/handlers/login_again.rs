//! `GET /login/{transaction}/again`: a fresh login with the same request, after one that failed.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::owned;
use crate::app::App;
use crate::domain::transaction::Transaction;
use crate::login::start;
use crate::reply::see_other;

/// Starts it. Nothing of the failed one is carried over but the application's request.
pub async fn handle(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let owned = match owned::find_any_age(&app, &headers, &id).await {
        Ok(owned) => owned,
        Err(error) => return error.show(&app, &headers),
    };
    let login = owned.transaction.login();
    let over = matches!(owned.transaction, Transaction::Failed(_)) || app.now() >= login.expires_at;
    if !over || matches!(owned.transaction, Transaction::Finished(_)) {
        return see_other(&format!("/login/{id}"));
    }
    match start::again(&app, login).await {
        Ok(None) => see_other(&format!("/login/{id}")),
        Ok(Some(fresh)) => see_other(&format!("/login/{fresh}")),
        Err(error) => owned::store_failure(&app, &headers, &error),
    }
}
