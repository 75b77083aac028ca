//! `POST /account/holds/{login}/cancel`: whoever has the account stops a login that waits.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::account_change::person;
use super::owned;
use crate::app::App;
use crate::domain::ids::TransactionId;
use crate::reply::see_other;
use crate::store::{StoreError, journey_holds};

/// Cancels it, if it is about the person's own account and still waits.
pub async fn cancel(
    State(app): State<App>,
    Path(login): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let owner = match person(&app, &headers, &body).await {
        Ok(Some(owner)) => owner,
        Ok(None) => return owned::refused(&app, &headers),
        Err(error) => return owned::store_failure(&app, &headers, &error),
    };
    let Some(subject) = owner.subject else {
        return owned::refused(&app, &headers);
    };
    let (login, now) = (TransactionId::from_text(login), app.now());
    let cancelled = app
        .db
        .write(async move |tx| journey_holds::cancel(tx, &login, &subject, now).await);
    match cancelled.await {
        // Of somebody else nothing is found; the page then simply shows what there is.
        Ok(_) => see_other("/account"),
        Err(error) => owned::store_failure(&app, &headers, &StoreError::Db(error)),
    }
}
