//! `GET /login/{transaction}/again`: a fresh login with the same request, after one that failed or
//! whose way back broke off.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use vouchsafe_service::http::ClientAddress;

use super::authorize_journey;
use super::owned::{self, too_many};
use crate::app::App;
use crate::domain::reason::Failure;
use crate::domain::transaction::{Channel, Finished, Transaction};
use crate::journeys::Unclear;
use crate::login::finish::{self, FinishError};
use crate::login::start::{self, Again, Start};
use crate::reply::see_other;
use crate::store::StoreError;

/// Starts it. Nothing of the failed one is carried over but the application's request.
pub async fn handle(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(address): Extension<ClientAddress>,
    headers: HeaderMap,
) -> Response {
    let owned = match owned::find_any_age(&app, &headers, &id).await {
        Ok(owned) => owned,
        Err(error) => return error.show(&app, &headers),
    };
    let login = owned.transaction.login().clone();
    match end(&app, owned.transaction).await {
        Ok(true) => {}
        Ok(false) => return see_other(&format!("/login/{id}")),
        Err(error) => return owned::store_failure(&app, &headers, &error),
    }
    match authorize_journey::of(&app, &login.request) {
        Ok(Some(journey)) => {
            return authorize_journey::again(&app, &headers, address, &login, &journey).await;
        }
        Ok(None) => {}
        Err(Unclear) => return owned::refused(&app, &headers),
    }
    match start::again(&app, &login).await {
        Ok(Again::Start(Start::Started(fresh))) => see_other(&format!("/login/{fresh}")),
        Ok(Again::Start(Start::TooMany(wait))) => too_many(&app, &headers, wait),
        Ok(Again::Unawaited) => see_other(&format!("/login/{id}")),
        Err(error) => owned::store_failure(&app, &headers, &error),
    }
}

/// Whether the login is over, so that another may follow. An answer that waits for its browser is
/// given up: of two logins with one request only one goes on.
async fn end(app: &App, transaction: Transaction) -> Result<bool, StoreError> {
    let expired = app.now() >= transaction.login().expires_at;
    match transaction {
        Transaction::Failed(_) => Ok(true),
        // One pushed request brings one code (RFC 9126, section 7.3).
        Transaction::Finished(Finished { login }) => Ok(login.request.pushed.is_none()),
        Transaction::Answered(answered) if answered.answer.channel == Channel::SameDevice => {
            match finish::fail::<()>(app, answered, Failure::restarted()).await {
                Err(FinishError::Store(error)) => Err(error),
                Ok(()) | Err(_) => Ok(true),
            }
        }
        Transaction::Pending(_) | Transaction::Answered(_) => Ok(expired),
    }
}
