//! The page of a login that waits: when it goes on, and that this browser is needed then.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::owned::Owned;
use crate::app::App;
use crate::cookies::Cookie;
use crate::domain::transaction::Login;
use crate::reply::with_cookie;
use crate::views;

/// The page. The cookie lives as long as the login now.
pub(super) fn page(app: &App, login: &Login, owned: &Owned) -> Response {
    let waiting = login.run.as_deref().and_then(|run| run.waiting);
    let until = waiting.map_or(login.expires_at, |waiting| waiting.until);
    let more = json!({
        "until": until.seconds(),
        "last": login.expires_at.seconds(),
        "link": app.url(&format!("/login/{}", login.id)).to_string(),
        "cancel_link": format!("/login/{}/cancel", login.id),
        "csrf": app.csrf.token(&owned.cookie),
    });
    let context = views::with(views::who(&owned.client, &login.request.locale), more);
    let locale = views::login_locale(login);
    let page = views::page(app, StatusCode::OK, "verifier/wait", locale, context);
    let left = login.expires_at.since(app.now()).max(1);
    let left = Duration::from_secs(left.unsigned_abs());
    with_cookie(page, Cookie::Browser.set_for(app, &owned.cookie, left))
}
