//! `GET /login/{transaction}/again`: a fresh login with the same request, after one that failed or
//! whose way back broke off. A link ends nothing: what was answered goes on until it is over.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use vouchsafe_service::http::ClientAddress;

use super::authorize_journey;
use super::owned::{self, too_many};
use crate::app::App;
use crate::domain::transaction::{Channel, Transaction};
use crate::journeys::Unclear;
use crate::login::start::{self, Again, Start};
use crate::reply::see_other;

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
    if !may_follow(&app, &owned.transaction) {
        return see_other(&format!("/login/{id}"));
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

/// Whether another login may follow: this one is over, or its answer waits for a browser that may
/// never come. That one still goes on, like any two logins that one address begins.
fn may_follow(app: &App, transaction: &Transaction) -> bool {
    let expired = app.now() >= transaction.login().expires_at;
    let request = &transaction.login().request;
    // RFC 9126, section 7.3: one pushed request brings one code. Where this login has used it up, another one
    // would be let in without.
    if request.spent {
        return false;
    }
    let pushed = request.was_pushed();
    match transaction {
        Transaction::Failed(_) => true,
        Transaction::Finished(_) => !pushed,
        Transaction::Answered(answered) if answered.answer.channel == Channel::SameDevice => {
            expired || !pushed
        }
        Transaction::Pending(_) | Transaction::Answered(_) => expired,
    }
}
