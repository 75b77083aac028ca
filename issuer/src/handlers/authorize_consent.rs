//! `POST /authorize/consent`: the person who signed in says yes or no.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use vouchsafe_protocol::oauth::response::Outcome;
use vouchsafe_protocol::oauth::values::Secret as WireSecret;
use vouchsafe_protocol::oauth::{ErrorCode, Params};
use vouchsafe_service::single_use::{self, Kind};

use super::authorize::redirect;
use super::authorize_confirm::{ConfirmError, accepted_locale, order, registered, target};
use super::{code_page, consent_page, wire};
use crate::core::Core;
use crate::domain::secret::Secret;
use crate::prepare;
use crate::redeem::{self, Confirmation, RedeemError};

/// Sends the browser back to the wallet, with a code or without.
pub async fn handler(State(core): State<Core>, headers: HeaderMap, body: Bytes) -> Response {
    match decide(&core, &headers, &body).await {
        Ok(response) => response,
        Err(error) => error.respond(&core, accepted_locale(&headers)),
    }
}

async fn decide(core: &Core, headers: &HeaderMap, body: &Bytes) -> Result<Response, ConfirmError> {
    if !wire::is_form(headers) {
        return Err(ConfirmError::Form);
    }
    let params = Params::parse_body(body)?;
    let page = Secret::received(params.required("consent")?);
    let browser = code_page::browser(core, headers);
    let consent = consent_page::open(core, &page, browser.as_ref()).await;
    let consent = consent
        .map_err(RedeemError::Db)?
        .ok_or(ConfirmError::Flow)?;
    let client = registered(core, &consent.flow)?;
    let target = target(&consent.flow, client)?;
    if params.get("step") != Some("confirm") {
        let (kind, now) = (Kind::BrowserReturn, core.clock.now());
        let used = single_use::consume_now(&core.db, kind, page.expose(), now).await;
        // Of two clicks at once one counts; this one is no.
        let _ = used.map_err(RedeemError::Db)?;
        let denied = Outcome::Error(ErrorCode::AccessDenied.into());
        return Ok(redirect(core, &target, &denied));
    }
    let claims = consent.origin()?;
    let (record_id, kind) = (&consent.record_id, consent.credential_type());
    let confirmation = Confirmation {
        prepared: prepare::prepare_signed_in(core, record_id, kind, &claims)?,
        claims,
        page: Some(page),
    };
    let order = order(&consent.flow);
    let code = redeem::authorize_signed_in(core, confirmation, order).await?;
    let code = Outcome::Code(WireSecret::new(code.expose()));
    Ok(redirect(core, &target, &code))
}
