//! `GET /login/{transaction}/qr`: the QR code for a wallet on another device.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;
use vouchsafe_pages::qr;

use super::login_events::{View, watched};
use super::login_page::LoginPageError;
use super::owned;
use crate::app::App;
use crate::domain::transaction::{Channel, Pending, Transaction};
use crate::login::{ask, link};
use crate::reply::see_other;
use crate::views;

/// The page. A login that is past this stage, or an application that does not allow other
/// devices, leads back to the login's own page.
pub async fn handle(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match page(&app, &headers, &id).await {
        Ok(response) => response,
        Err(error) => error.show(&app, &headers),
    }
}

async fn page(app: &App, headers: &HeaderMap, id: &str) -> Result<Response, LoginPageError> {
    let owned = owned::find(app, headers, id).await?;
    let Transaction::Pending(Pending { login }) = &owned.transaction else {
        return Ok(see_other(&format!("/login/{id}")));
    };
    if !ask::cross_device_allowed(&owned.client, &login.request) {
        return Ok(see_other(&format!("/login/{id}")));
    }
    let asking = ask::query_of(app, login).await?;
    if !asking.allows(Channel::Qr) || !ask::is_shown(app, login).await? {
        return Ok(see_other(&format!("/login/{id}")));
    }
    let question = ask::qr(app, login).await?;
    let state = watched(app, &owned.transaction, View::Qr).await?;
    let link = link::qr_link(app, &question)?;
    let seconds = question.fetch_until.since(app.now()).max(0);
    let more = json!({
        "qr": qr::svg(&link).unwrap_or_default(),
        "wallet_link": link,
        "seconds": seconds,
        "scanned": question.fetched_at.is_some(),
        "here": format!("/login/{id}/qr"),
        "back_link": format!("/login/{id}"),
        "refresh": 5,
    });
    let context = views::with(
        views::asked(
            login,
            (&owned.client, asking.query.as_ref()),
            (View::Qr.name(), &state),
        ),
        views::with(more, views::approval(&asking)),
    );
    Ok(views::page(
        app,
        StatusCode::OK,
        "verifier/qr",
        views::login_locale(login),
        context,
    ))
}
