//! `POST /login/{transaction}/cancel`: "Not now".

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use vouchsafe_protocol::oauth::error::ErrorCode;

use super::{form, login_run, owned};
use crate::app::App;
use crate::domain::reason::Failure;
use crate::domain::transaction::Transaction;
use crate::numbers::tell::{self, End};
use crate::reply::see_other;
use crate::store::{StoreError, transactions};

/// Ends the login and tells the application. A session that was there before stays as it was
/// (catalogue 374).
pub async fn handle(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let owned = match owned::find(&app, &headers, &id).await {
        Ok(owned) => owned,
        Err(error) => return error.show(&app, &headers),
    };
    if form::own(&app, &headers, &body, &owned.cookie).is_none() {
        return owned::refused(&app, &headers);
    }
    let login = owned.transaction.login();
    if login.run.is_some() {
        return login_run::declined(&app, &headers, &owned.transaction).await;
    }
    let request = login.request.clone();
    match cancel(&app, owned.transaction).await {
        Ok(true) => owned::leave(&app, &headers, &request, ErrorCode::AccessDenied.into()).await,
        Ok(false) => see_other(&format!("/login/{id}")),
        Err(error) => owned::store_failure(&app, &headers, &error),
    }
}

async fn cancel(app: &App, transaction: Transaction) -> Result<bool, StoreError> {
    let from = transaction.state();
    let failed = match transaction {
        Transaction::Pending(pending) => pending.fail(Failure::declined()),
        Transaction::Answered(answered) => answered.fail(Failure::declined()),
        Transaction::Finished(_) | Transaction::Failed(_) => return Ok(false),
    };
    let login = failed.login.clone();
    let row = transactions::seal(&app.vault, &Transaction::Failed(failed))?;
    let now = app.now();
    let done = app
        .db
        .write(async move |tx| transactions::advance(tx, from, &row, now).await)
        .await?;
    if done {
        tell::over(app, &login, "declined", &End::default());
        tell::attempted(app, &login, ("vp", "failure"), "declined");
        app.changes.announce(&login.id);
    }
    Ok(done)
}
