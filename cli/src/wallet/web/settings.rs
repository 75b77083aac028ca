//! Language, and whom the wallet believes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;
use vouchsafe_pages::Locale;
use vouchsafe_service::http::StrictForm;

use super::app::App;

pub(super) async fn show(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let issuers = app.wallet.listed_issuers();
    app.page(
        &app.visitor(&headers),
        "wallet/settings",
        json!({ "issuers": issuers }),
    )
}

pub(super) async fn save(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    StrictForm(form): StrictForm,
) -> Response {
    if let Err(problem) = app.check_form(&headers, &form) {
        return problem.page(&app, &app.visitor(&headers));
    }
    let locale = form
        .get("locale")
        .and_then(Locale::from_tag)
        .unwrap_or_default();
    let mut response = Redirect::to("/settings").into_response();
    response
        .headers_mut()
        .append(header::SET_COOKIE, app.locale_cookie(locale));
    response
}
