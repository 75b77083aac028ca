//! The door of `/admin`: a key is shown once, and its cookie opens the pages for a working day.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::api_keys;

use super::overview::OVERVIEW;
use crate::access::Scope;
use crate::app::App;
use crate::cookies::Cookie;
use crate::handlers::{form, owned};
use crate::reply::{see_other, with_cookie};
use crate::store::StoreError;
use crate::views;

/// A key is shown here.
pub const SIGN_IN: &str = "/admin/sign-in";
/// And put away.
pub const SIGN_OUT: &str = "/admin/sign-out";

/// What forms of somebody without a cookie are bound to, and where the cookie is sealed for.
const PLACE: &str = "numbers";
/// A browser is trusted with a key for a working day.
const LIVES_S: i64 = 8 * 3600;

/// The cookie of a browser whose key opens the numbers. It is asked each time: a key that was revoked
/// opens nothing.
pub(super) async fn opened(app: &App, headers: &HeaderMap) -> Result<Option<String>, StoreError> {
    let Some(cookie) = Cookie::Numbers.read(app, headers) else {
        return Ok(None);
    };
    let Some((key, until)) = app.cookies.open_text::<(String, i64)>(&[PLACE], &cookie) else {
        return Ok(None);
    };
    let good = app.now() < UnixTime(until) && may(app, &key).await?;
    Ok(good.then_some(cookie))
}

async fn may(app: &App, key: &str) -> Result<bool, StoreError> {
    let key = api_keys::authenticate(&app.db, key, app.now()).await?;
    Ok(key.is_some_and(|key| key.may(Scope::Numbers.as_str())))
}

/// The page that asks for the key.
pub(super) fn page(app: &App, headers: &HeaderMap, wrong: bool) -> Response {
    let status = if wrong {
        StatusCode::FORBIDDEN
    } else {
        StatusCode::OK
    };
    let context = json!({ "wrong": wrong, "csrf": app.csrf.token(PLACE) });
    let locale = views::browser_locale(headers);
    views::page(app, status, "numbers/sign_in", locale, context)
}

/// Somebody shows a key.
pub async fn sign_in(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(form) = form::own(&app, &headers, &body, PLACE) else {
        return owned::foreign(&app, &headers);
    };
    let key = form.get("key").unwrap_or_default().trim();
    match may(&app, key).await {
        Ok(true) => {}
        Ok(false) => return page(&app, &headers, true),
        Err(error) => return owned::store_failure(&app, &headers, &error),
    }
    let sealed = (key, app.now().plus(LIVES_S).0);
    match app.cookies.seal_text(&[PLACE], &sealed) {
        Ok(value) => with_cookie(see_other(OVERVIEW), Cookie::Numbers.set(&app, &value)),
        Err(error) => owned::store_failure(&app, &headers, &error),
    }
}

/// Puts it away.
pub async fn sign_out(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let cookie = Cookie::Numbers.read(&app, &headers).unwrap_or_default();
    if form::own(&app, &headers, &body, &cookie).is_none() {
        return owned::foreign(&app, &headers);
    }
    with_cookie(see_other(OVERVIEW), Cookie::Numbers.remove(&app))
}
