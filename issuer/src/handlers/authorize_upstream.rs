//! `GET /authorize/upstream/{provider}`: the provider sends the browser back, each to an address of
//! its own. Who signed in is asked once more whether this card may go to this wallet.

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use vouchsafe_protocol::oauth::response::Outcome;
use vouchsafe_protocol::oauth::{ErrorCode, OAuthError};
use vouchsafe_service::db::DbError;
use vouchsafe_service::upstream::{Callback, UpstreamError, flows};

use super::authorize::redirect;
use super::authorize_confirm::{ConfirmError, accepted_locale, registered, target};
use super::code_page::{self, Flow};
use super::consent_page::{self, Consent};
use super::sign_in::{PURPOSE, told};
use crate::core::Core;
use crate::paths::AUTHORIZE_UPSTREAM;
use crate::prepare;

/// Shows the page that asks, or sends the browser back to the wallet with an error.
pub async fn handler(
    State(core): State<Core>,
    Path(provider): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let path = AUTHORIZE_UPSTREAM.replace("{provider}", &provider);
    let at = format!("{}{path}", core.settings.issuer);
    match back(&core, &at, query.as_deref().unwrap_or_default(), &headers).await {
        Ok(response) => response,
        Err(error) => error.respond(&core, accepted_locale(&headers)),
    }
}

async fn back(
    core: &Core,
    at: &str,
    query: &str,
    headers: &HeaderMap,
) -> Result<Response, ConfirmError> {
    let callback = Callback::parse(at, query).map_err(|_| ConfirmError::Flow)?;
    let flow = take(core, &callback, headers).await?;
    let (pending, flow) = flow.ok_or(ConfirmError::Flow)?;
    let client = registered(core, &flow)?;
    let target = target(&flow, client)?;
    let kind = flow.types.first().cloned().unwrap_or_default();
    let Some((method, upstream)) = core.provider(&kind) else {
        return Ok(redirect(core, &target, &refused(ErrorCode::ServerError)));
    };
    let identity = match upstream.finish(pending, callback).await {
        Ok(identity) => identity,
        Err(error) => {
            log(&error);
            return Ok(redirect(core, &target, &refused(told(&error))));
        }
    };
    let person = match method.person(core, &identity) {
        Ok(person) => person,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "nobody is known");
            return Ok(redirect(core, &target, &refused(ErrorCode::ServerError)));
        }
    };
    // What cannot become a card is said to the wallet now, not behind the page.
    if let Err(error) = prepare::prepare_signed_in(core, &person.record_id, &kind, &person.claims) {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "what the provider says does not fit the credential type"
        );
        return Ok(redirect(core, &target, &refused(ErrorCode::ServerError)));
    }
    let browser = code_page::browser(core, headers).ok_or(ConfirmError::Flow)?;
    let consent = Consent::new(flow, person);
    consent_page::ask(core, &consent, client, &browser).await
}

async fn take(
    core: &Core,
    callback: &Callback,
    headers: &HeaderMap,
) -> Result<Option<(vouchsafe_service::upstream::Pending, Flow)>, DbError> {
    let Some(browser) = code_page::browser(core, headers) else {
        return Ok(None);
    };
    let now = core.clock.now();
    flows::take(&core.db, PURPOSE, browser.expose(), callback.state(), now).await
}

fn refused(code: ErrorCode) -> Outcome {
    Outcome::Error(OAuthError::from(code))
}

fn log(error: &UpstreamError) {
    let code = error.code();
    match error {
        UpstreamError::Denied(reason) => {
            tracing::info!(code, reason, "the provider signs nobody in");
        }
        other => {
            tracing::error!(
                code,
                error = other as &dyn std::error::Error,
                "the provider signs nobody in"
            );
        }
    }
}
