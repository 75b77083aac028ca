//! `POST /account/consents/{consent}/withdraw` and `POST /account/sessions/{session}/end`: the two
//! buttons of the account page.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use vouchsafe_protocol::oauth::params::Params;

use super::{form, owned};
use crate::app::App;
use crate::consents::withdraw_own;
use crate::cookies::Cookie;
use crate::domain::ids::{ConsentId, SessionId};
use crate::domain::session::{EndReason, Session};
use crate::login::end;
use crate::reply::see_other;
use crate::store::{StoreError, sessions};

/// Withdraws a consent; the session that rests on it ends, everywhere.
pub async fn withdraw(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let owner = match person(&app, &headers, &body).await {
        Ok(Some(owner)) => owner,
        Ok(None) => return owned::foreign(&app, &headers),
        Err(error) => return owned::store_failure(&app, &headers, &error),
    };
    // Somebody else's consent is not found; the page then simply shows what there is.
    match withdraw_own(&app, &ConsentId::from_text(id), &owner).await {
        Ok(_) => see_other("/account"),
        Err(error) => owned::store_failure(&app, &headers, &error),
    }
}

/// Ends one of the person's own sessions.
pub async fn end(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let owner = match person(&app, &headers, &body).await {
        Ok(Some(owner)) => owner,
        Ok(None) => return owned::foreign(&app, &headers),
        Err(error) => return owned::store_failure(&app, &headers, &error),
    };
    match end_own(&app, &owner, &SessionId::from_text(id)).await {
        Ok(()) => see_other("/account"),
        Err(error) => owned::store_failure(&app, &headers, &error),
    }
}

pub(super) async fn person(
    app: &App,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Option<Session>, StoreError> {
    let Some(cookie) = Cookie::Session.read(app, headers) else {
        return Ok(None);
    };
    if form::own(app, headers, body, &cookie).is_none() {
        return Ok(None);
    }
    owned::session(app, headers).await
}

/// The form of the person's own page.
pub(super) fn own_form(app: &App, headers: &HeaderMap, body: &Bytes) -> Option<Params> {
    form::own(app, headers, body, &Cookie::Session.read(app, headers)?)
}

async fn end_own(app: &App, owner: &Session, id: &SessionId) -> Result<(), StoreError> {
    let own = match &owner.subject {
        // Not by the list on the page, which is the newest alone.
        Some(subject) => sessions::is_of(&app.db, id, subject).await?,
        None => owner.id == *id,
    };
    if own {
        end::end(app, id, EndReason::LoggedOut).await?;
    }
    Ok(())
}
