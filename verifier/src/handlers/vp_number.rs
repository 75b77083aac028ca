//! `GET /vp/number`: in the wallet's browser, the number to type on the other screen.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::vp_return::{SHOWN_PLACE, Shown, shown_locale};
use crate::app::App;
use crate::cookies::Cookie;
use crate::domain::reason::Explanation;
use crate::views::{self, PageFailure};

/// The page; it can be reloaded until the login is over.
pub async fn handle(State(app): State<App>, headers: HeaderMap) -> Response {
    let sealed = Cookie::Number.read(&app, &headers);
    let Some(shown) =
        sealed.and_then(|sealed| app.cookies.open_text::<Shown>(&SHOWN_PLACE, &sealed))
    else {
        return PageFailure::unknown(views::browser_locale(&headers)).show(&app);
    };
    let locale = shown_locale(&shown);
    if app.now().seconds() >= shown.expires_at {
        let failure = PageFailure {
            status: StatusCode::GONE,
            explanation: Explanation::ExpiredLogin,
            code: "login_expired".to_owned(),
            locale,
        };
        return failure.show(&app);
    }
    let Shown {
        number,
        app: name,
        app_host,
        place,
        started_at,
        expires_at: _,
        locale: _,
    } = shown;
    let context = json!({
        "number": format!("{number:02}"),
        "app": name,
        "app_host": app_host,
        "browser": place.browser,
        "system": place.system,
        "address": place.address,
        "started_at": started_at,
    });
    views::page(
        &app,
        StatusCode::OK,
        "verifier/number_shown",
        locale,
        context,
    )
}
