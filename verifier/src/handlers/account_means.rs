//! `POST /account/means` and `POST /account/means/{means}/remove`: a card more, or a card less, that
//! leads to the account of this session.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use vouchsafe_service::audit::{self, Event};
use vouchsafe_service::http::ClientAddress;

use super::account_change::{own_form, person};
use super::authorize_session::{Verdict, judge};
use super::{authorize, owned};
use crate::app::App;
use crate::domain::ids::MeansId;
use crate::domain::means::MeansKind;
use crate::domain::request::Linking;
use crate::domain::session::{EndReason, Session};
use crate::login::{end, linking};
use crate::reply::see_other;
use crate::store::{StoreError, subjects};
use crate::views;

/// Longest time since a card was shown, or without cards since the last sign-in, in seconds, for which a session may change what leads to
/// its account.
const FRESH_S: i64 = 600;

/// Whether this session may change what leads to its account. A stolen one must not take the
/// account over for good: a card was shown, or where there is none another
/// provider vouched for them, a moment ago, and nothing is unusual.
pub(super) async fn may_change(
    app: &App,
    headers: &HeaderMap,
    address: ClientAddress,
    session: &Session,
) -> Result<bool, StoreError> {
    // A passkey or another provider is no card: whoever has it must not make more of it. An account
    // without a card was made at another provider, and nothing else opens a session of it.
    let by_card = session.authentication.amr.iter().any(|way| way == "vp");
    let by_best = by_card || !has_card(app, session).await?;
    if !by_best || app.now().since(session.authentication.auth_time) > FRESH_S {
        return Ok(false);
    }
    Ok(match judge(app, headers, address, session).await? {
        Verdict::Answers(_) => true,
        Verdict::AskAgain(_) => false,
    })
}

async fn has_card(app: &App, session: &Session) -> Result<bool, StoreError> {
    let Some(subject) = &session.subject else {
        return Ok(true);
    };
    let means = subjects::means_of(&app.db, subject).await?;
    Ok(means.iter().any(|one| one.kind == MeansKind::Credential))
}

pub(super) fn stale(app: &App, headers: &HeaderMap) -> Response {
    let locale = views::browser_locale(headers);
    views::message(app, StatusCode::FORBIDDEN, locale, "account-stale")
}

/// Begins to add a card.
pub async fn add(
    State(app): State<App>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let owner = match person(&app, &headers, &body).await {
        Ok(owner) => owner.filter(|owner| owner.subject.is_some()),
        Err(error) => return owned::store_failure(&app, &headers, &error),
    };
    let form = own_form(&app, &headers, &body);
    let query = form.and_then(|form| linking::question(&app, form.get("query")?));
    let (Some(owner), Some(query)) = (owner, query) else {
        return owned::foreign(&app, &headers);
    };
    match may_change(&app, &headers, address, &owner).await {
        Ok(true) => {}
        Ok(false) => return stale(&app, &headers),
        Err(error) => return owned::store_failure(&app, &headers, &error),
    }
    let locale = views::browser_locale(&headers);
    let request = linking::request(query, Linking::Session(owner.id), locale.tag());
    authorize::begin_at(&app, &headers, address, request).await
}

/// Removes a means, unless it is the last one; passkeys do not count.
pub async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let owner = match person(&app, &headers, &body).await {
        Ok(owner) => owner.filter(|owner| owner.subject.is_some()),
        Err(error) => return owned::store_failure(&app, &headers, &error),
    };
    let Some(owner) = owner else {
        return owned::foreign(&app, &headers);
    };
    match may_change(&app, &headers, address, &owner).await {
        Ok(true) => {}
        Ok(false) => return stale(&app, &headers),
        Err(error) => return owned::store_failure(&app, &headers, &error),
    }
    match unlink(&app, owner, MeansId::from_text(id)).await {
        Ok(()) => see_other("/account"),
        Err(error) => owned::store_failure(&app, &headers, &error),
    }
}

/// Takes a card, or what else leads there, from the account and ends every other session of it: one of them may rest on the
/// card, and a card is removed because it was lost or was somebody else's.
async fn unlink(app: &App, owner: Session, id: MeansId) -> Result<(), StoreError> {
    let Some(subject) = owner.subject else {
        return Ok(());
    };
    let (parts, current, now) = (app.clone(), owner.id, app.now());
    let event = Event {
        at: now,
        actor: format!("subject:{}", subject.as_str()),
        action: "means.remove",
        target: id.to_string(),
        detail: String::new(),
    };
    let removed = app
        .db
        .write(async move |tx| {
            if subjects::unlink(tx, &subject, &id).await?.is_none() {
                return Ok::<_, vouchsafe_service::db::DbError>(false);
            }
            let with = (&parts.settings, parts.rng.as_ref());
            let reason = EndReason::MeansRemoved;
            end::end_of_account(tx, with, (&subject, Some(&current)), reason, now).await?;
            audit::append(tx, &parts.audit_key, &event).await?;
            Ok(true)
        })
        .await?;
    if removed {
        tracing::info!("something leads to its account no longer");
    }
    Ok(())
}
