//! Name, language, and whom the wallet believes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;
use vouchsafe_pages::Locale;
use vouchsafe_service::http::StrictForm;

use super::app::App;
use super::error::Problem;

pub(super) async fn show(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let issuers = app.wallet.listed_issuers();
    app.page(
        &app.visitor(&headers),
        "wallet/settings",
        json!({ "issuers": issuers, "asks_statuses": app.wallet.core().asks_statuses() }),
    )
}

pub(super) async fn save(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    StrictForm(form): StrictForm,
) -> Response {
    let visitor = match app.check_form(&headers, &form) {
        Ok(visitor) => visitor,
        Err(problem) => return problem.page(&app, &app.visitor(&headers)),
    };
    let locale = form.get("locale").and_then(Locale::from_tag);
    let named = form
        .get("name")
        .map_or(Ok(()), |name| app.profile.set_name(name));
    let kept = named.and_then(|()| locale.map_or(Ok(()), |one| app.profile.set_locale(one)));
    if let Err(error) = kept {
        tracing::error!(%error, "the settings cannot be kept");
        return Problem::settings().page(&app, &visitor);
    }
    let mut response = Redirect::to("/settings").into_response();
    if let Some(locale) = locale {
        let cookie = app.locale_cookie(locale);
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
