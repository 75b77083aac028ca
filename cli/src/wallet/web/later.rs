//! Cards that their issuers deliver later.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};
use vouchsafe_service::http::StrictForm;
use vouchsafe_wallet_core::WalletError;
use vouchsafe_wallet_core::issuance::{Added, PendingId};

use super::app::App;
use super::error::Problem;

/// The cards that are waited for, for the list of cards.
pub(super) fn waiting(app: &App) -> Result<Vec<Value>, WalletError> {
    let pending = app.wallet.pending()?;
    let rows = pending.iter().map(|card| {
        json!({ "id": card.id.as_str(), "title": card.title, "issuer": card.issuer, "since": card.since })
    });
    Ok(rows.collect())
}

/// Where the person goes after cards were added, or will be.
pub(super) fn after(added: &Added) -> Response {
    let path = match added.cards.is_empty() {
        true => "/?later=1",
        false => "/?added=1",
    };
    Redirect::to(path).into_response()
}

/// Asks the issuer again.
pub(super) async fn resume(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    StrictForm(form): StrictForm,
) -> Response {
    let visitor = match app.check_form(&headers, &form) {
        Ok(visitor) => visitor,
        Err(problem) => return problem.page(&app, &app.visitor(&headers)),
    };
    let resumed = match PendingId::parse(&id) {
        Ok(id) => app.wallet.resume(&id).await,
        Err(error) => Err(error.into()),
    };
    match resumed {
        Ok(added) => after(&added),
        Err(error) => Problem::from(error).page(&app, &visitor),
    }
}

/// Gives a card up.
pub(super) async fn forget(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    StrictForm(form): StrictForm,
) -> Response {
    let visitor = match app.check_form(&headers, &form) {
        Ok(visitor) => visitor,
        Err(problem) => return problem.page(&app, &app.visitor(&headers)),
    };
    let forgotten = match PendingId::parse(&id) {
        Ok(id) => app.wallet.forget(&id).await,
        Err(error) => Err(error.into()),
    };
    match forgotten {
        Ok(()) => Redirect::to("/").into_response(),
        Err(error) => Problem::from(error).page(&app, &visitor),
    }
}
