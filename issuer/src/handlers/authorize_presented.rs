//! `GET /authorize/presented`: the wallet sends the browser back after it answered. It must be the
//! browser that asked: otherwise somebody would get a card with another person's answer (OpenID4VP
//! 1.0, section 13.3).

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use vouchsafe_protocol::oauth::response::Outcome;
use vouchsafe_protocol::oauth::{ErrorCode, Params};

use super::authorize::redirect;
use super::authorize_confirm::{ConfirmError, accepted_locale, registered, target};
use super::presentation_row::{self, Ended};
use super::{code_page, consent_page};
use crate::core::Core;
use crate::domain::secret::Secret;

/// Shows the page that asks, or sends the browser back to the wallet with an error.
pub async fn handler(
    State(core): State<Core>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match back(&core, query.as_deref().unwrap_or_default(), &headers).await {
        Ok(response) => response,
        Err(error) => error.respond(&core, accepted_locale(&headers)),
    }
}

async fn back(core: &Core, query: &str, headers: &HeaderMap) -> Result<Response, ConfirmError> {
    let params = Params::parse(query)?;
    let code = Secret::received(params.required("response_code")?);
    let ended = presentation_row::ended(core, &code).await?;
    let ended = ended.ok_or(ConfirmError::Flow)?;
    let flow = match &ended {
        Ended::Known(consent) => &consent.flow,
        Ended::Declined(flow) => flow,
    };
    let browser = code_page::browser(core, headers).ok_or(ConfirmError::Flow)?;
    if code_page::browser_digest(&browser) != flow.browser {
        return Err(ConfirmError::Flow);
    }
    if !presentation_row::use_up(core, &code).await? {
        return Err(ConfirmError::Flow);
    }
    let client = registered(core, flow)?;
    match ended {
        Ended::Known(consent) => consent_page::ask(core, &consent, client, &browser).await,
        Ended::Declined(flow) => {
            let denied = Outcome::Error(ErrorCode::AccessDenied.into());
            Ok(redirect(core, &target(&flow, client)?, &denied))
        }
    }
}
