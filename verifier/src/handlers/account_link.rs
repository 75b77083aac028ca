//! `GET /account/link?code=…` and `POST /account/link`: the organisation knows somebody, and lets them
//! add a card to their account, once.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;
use vouchsafe_protocol::oauth::params::Params;
use vouchsafe_service::http::ClientAddress;

use super::account::choices;
use super::{authorize, form, owned};
use crate::app::App;
use crate::cookies::Cookie;
use crate::domain::ids::Secret;
use crate::domain::request::Linking;
use crate::login::linking;
use crate::reply::with_cookie;
use crate::store::{StoreError, accounts};
use crate::views;

/// Where the link of an invitation leads.
pub const PATH: &str = "/account/link";

/// Says what the link is for. To open it uses nothing up.
pub async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let params = Params::parse(query.as_deref().unwrap_or_default()).ok();
    let code = params.and_then(|params| Secret::parse(params.get("code")?));
    let code = match open(&app, code).await {
        Ok(code) => code,
        Err(error) => return owned::store_failure(&app, &headers, &error),
    };
    let locale = views::browser_locale(&headers);
    let Some(code) = code else {
        return views::message(&app, StatusCode::NOT_FOUND, locale, "link-over");
    };
    let known = Cookie::Browser
        .read(&app, &headers)
        .filter(|value| Secret::parse(value).is_some());
    let fresh = known.is_none().then(|| Secret::random(app.rng.as_ref()));
    let cookie = known.or_else(|| fresh.as_ref().map(|fresh| fresh.reveal().to_owned()));
    let context = json!({
        "csrf": app.csrf.token(&cookie.unwrap_or_default()),
        "code": code.reveal(),
        "link": PATH,
        "choices": choices(&app, locale.tag()),
    });
    let page = views::page(&app, StatusCode::OK, "verifier/link", locale, context);
    match fresh {
        Some(fresh) => with_cookie(page, Cookie::Browser.set(&app, fresh.reveal())),
        None => page,
    }
}

async fn open(app: &App, code: Option<Secret>) -> Result<Option<Secret>, StoreError> {
    let Some(code) = code else { return Ok(None) };
    let open = accounts::is_open(&app.db, &code.digest(), app.now()).await?;
    Ok(open.then_some(code))
}

/// Begins to add a card.
pub async fn post(
    State(app): State<App>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let cookie = Cookie::Browser.read(&app, &headers).unwrap_or_default();
    let Some(form) = form::own(&app, &headers, &body, &cookie) else {
        return owned::foreign(&app, &headers);
    };
    let code = form.get("code").and_then(Secret::parse);
    let query = form.get("query").and_then(|id| linking::question(&app, id));
    let (Some(code), Some(query)) = (code, query) else {
        return owned::foreign(&app, &headers);
    };
    let locale = views::browser_locale(&headers);
    let request = linking::request(query, Linking::Invitation(code.digest()), locale.tag());
    authorize::begin_at(&app, &headers, address, request).await
}
