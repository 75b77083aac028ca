//! Adding a card.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;
use vouchsafe_service::http::{Params, StrictForm};
use vouchsafe_wallet_core::WalletError;
use vouchsafe_wallet_core::issuance::Step;

use super::app::{App, Open};
use super::error::Problem;
use super::later;
use super::shell::Visitor;

/// The ways to give the wallet a link or a code.
pub(super) async fn form(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let mut response = app.page(&app.visitor(&headers), "wallet/add", json!({}));
    // The one page that may look through the camera, when the person starts it there.
    let policy = HeaderValue::from_static(
        "camera=(self), digital-credentials-get=(), geolocation=(), microphone=()",
    );
    response.headers_mut().insert("permissions-policy", policy);
    response
}

/// `/offer?credential_offer=…`: a link that somebody clicked.
pub(super) async fn open(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let link = format!("openid-credential-offer://?{}", query.unwrap_or_default());
    begin(&app, &app.visitor(&headers), &link).await
}

/// The page of an offer again, after a reload.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(session): Path<String>,
) -> Response {
    let visitor = app.visitor(&headers);
    match app.take(&session) {
        Ok(Open::Offer(step)) => page(&app, &visitor, session, step),
        Ok(Open::Request(_) | Open::NoCard(_)) => Problem::gone().page(&app, &visitor),
        Err(problem) => problem.page(&app, &visitor),
    }
}

/// The person's answer.
pub(super) async fn answer(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(session): Path<String>,
    StrictForm(form): StrictForm,
) -> Response {
    let visitor = match app.check_form(&headers, &form) {
        Ok(visitor) => visitor,
        Err(problem) => return problem.page(&app, &app.visitor(&headers)),
    };
    let step = match app.take(&session) {
        Ok(Open::Offer(step)) => step,
        Ok(Open::Request(_) | Open::NoCard(_)) => return Problem::gone().page(&app, &visitor),
        Err(problem) => return problem.page(&app, &visitor),
    };
    let yes = form.get("answer") == Some("yes");
    let next = match (step, yes) {
        (Step::ConfirmIssuer(confirm), true) => confirm.confirm().await,
        (Step::Preview(preview), true) => preview.accept(form.get("code")).await,
        (Step::ConfirmIssuer(confirm), false) => {
            return declined(&app, &visitor, confirm.decline());
        }
        (Step::Preview(preview), false) => return declined(&app, &visitor, preview.decline()),
        (Step::Authorize(authorize), _) => return declined(&app, &visitor, authorize.cancel()),
        (other @ (Step::Send(_) | Step::Done(_)), _) => Ok(other),
    };
    go_on(&app, &visitor, next).await
}

/// Back from the sign-in at an issuer.
pub(super) async fn callback(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let visitor = app.visitor(&headers);
    let query = query.unwrap_or_default();
    let state = Params::parse(query.as_bytes()).ok();
    let state = state
        .as_ref()
        .and_then(|params| params.get("state"))
        .unwrap_or_default();
    match app.take(state) {
        Ok(Open::Offer(Step::Authorize(authorize))) => {
            let next = authorize.complete(&query).await;
            go_on(&app, &visitor, next).await
        }
        Ok(Open::Offer(_) | Open::Request(_) | Open::NoCard(_)) => {
            Problem::gone().page(&app, &visitor)
        }
        Err(problem) => problem.page(&app, &visitor),
    }
}

pub(super) async fn begin(app: &App, visitor: &Visitor, link: &str) -> Response {
    let step = match app.wallet.core().add(link) {
        Ok(step) => step,
        Err(error) => return Problem::of_link(&error).page(app, visitor),
    };
    match app.wallet.drive(step).await {
        Ok(step) => keep(app, visitor, step),
        Err(error) => Problem::from(error).page(app, visitor),
    }
}

async fn go_on(app: &App, visitor: &Visitor, next: Result<Step, WalletError>) -> Response {
    let step = match next {
        Ok(step) => app.wallet.drive(step).await,
        Err(error) => Err(error),
    };
    match step {
        Ok(step) => keep(app, visitor, step),
        Err(error) => Problem::from(error).page(app, visitor),
    }
}

fn keep(app: &App, visitor: &Visitor, step: Step) -> Response {
    match step {
        Step::Done(added) => later::after(&added),
        Step::Authorize(authorize) => {
            let url = authorize.url().to_string();
            app.keep_as(
                authorize.state().to_owned(),
                Open::Offer(Step::Authorize(authorize)),
            );
            Redirect::to(&url).into_response()
        }
        step @ (Step::ConfirmIssuer(_) | Step::Preview(_) | Step::Send(_)) => {
            let session =
                vouchsafe_credentials::random::token(&vouchsafe_service::random::OsRandom);
            page(app, visitor, session, step)
        }
    }
}

fn page(app: &App, visitor: &Visitor, session: String, step: Step) -> Response {
    let response = match &step {
        Step::ConfirmIssuer(confirm) => {
            let context = json!({ "session": session, "host": confirm.host() });
            app.page(visitor, "wallet/confirm_issuer", context)
        }
        Step::Preview(preview) => {
            let offer = preview.data(&visitor.languages());
            app.page(
                visitor,
                "wallet/offer",
                json!({ "session": session, "offer": offer }),
            )
        }
        Step::Send(_) | Step::Authorize(_) | Step::Done(_) => Problem::gone().page(app, visitor),
    };
    app.keep_as(session, Open::Offer(step));
    response
}

fn declined(app: &App, visitor: &Visitor, result: Result<(), WalletError>) -> Response {
    match result {
        Ok(()) => Redirect::to("/").into_response(),
        Err(error) => Problem::from(error).page(app, visitor),
    }
}
