//! `POST /authorize`: the person typed the one-time code. No code is issued without it.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use vouchsafe_pages::{Locale, PagesError};
use vouchsafe_protocol::oauth::params::ParamsError;
use vouchsafe_protocol::oauth::response::{Outcome, ResponseMode, ResponseTarget};
use vouchsafe_protocol::oauth::values::Secret as WireSecret;
use vouchsafe_protocol::oauth::{ErrorCode, Params};
use vouchsafe_service::db::DbError;
use vouchsafe_service::http::ClientAddress;

use super::authorize::{page_of, redirect};
use super::code_page::{self, Failure, Flow};
use super::wire;
use crate::authentication::Method;
use crate::core::Core;
use crate::domain::offer::GrantKind;
use crate::domain::secret::{MAX_TRIES, Secret, is_long, normalise_one_time_code};
use crate::prepare::PrepareError;
use crate::redeem::{self, CodeOrder, RedeemError};
use crate::settings::WalletClient;
use crate::tries::Tries;

/// Why the browser is not sent on with a code.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// Not a form of ours.
    #[error("not a form")]
    Form,
    /// Malformed or repeated parameters.
    #[error("malformed parameters")]
    Params(#[from] ParamsError),
    /// The state does not open, is too old, or belongs to another browser.
    #[error("the page is too old or of another browser")]
    Flow,
    /// The wallet or its redirect URI is not registered any more.
    #[error("the client is not known")]
    Client,
    /// Too many wrong answers.
    #[error("there were too many wrong answers")]
    Locked,
    /// The offer cannot be made: the configuration changed in between.
    #[error("the offer cannot be made")]
    Prepare(#[from] PrepareError),
    /// The offer did not open.
    #[error("the offer did not open")]
    Redeem(#[from] RedeemError),
    /// A page cannot be rendered.
    #[error("the page cannot be rendered")]
    Page(#[from] PagesError),
}

impl ConfirmError {
    fn failure(&self) -> Failure {
        match self {
            Self::Form | Self::Params(_) | Self::Client => Failure::Request,
            Self::Flow => Failure::Browser,
            Self::Locked => Failure::Pause,
            Self::Redeem(RedeemError::CodeWrong { tries_left: _ }) => Failure::Locked,
            Self::Redeem(
                RedeemError::Grant
                | RedeemError::CodeMissing
                | RedeemError::CodeUnexpected
                | RedeemError::OtherRequest
                | RedeemError::Details
                | RedeemError::Scope
                | RedeemError::Replayed
                | RedeemError::ProofUsed,
            ) => Failure::Offer,
            Self::Prepare(_)
            | Self::Redeem(RedeemError::Sealed(_) | RedeemError::Db(_))
            | Self::Page(_) => Failure::Server,
        }
    }

    /// The page that says so.
    pub(super) fn respond(&self, core: &Core, locale: Locale) -> Response {
        let failure = self.failure();
        if failure == Failure::Server {
            tracing::error!(error = self as &dyn std::error::Error, "authorize failed");
        }
        code_page::render_failure(core, locale, failure)
    }
}

impl From<DbError> for ConfirmError {
    fn from(error: DbError) -> Self {
        Self::Redeem(error.into())
    }
}

/// The language that the browser asks for.
pub(super) fn accepted_locale(headers: &HeaderMap) -> Locale {
    let accepted = headers
        .get(axum::http::header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    Locale::negotiate(None, accepted)
}

/// Checks the code and sends the browser back to the wallet.
pub async fn handler(
    State(core): State<Core>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match confirm(&core, address, &headers, &body).await {
        Ok(response) => response,
        Err(error) => error.respond(&core, accepted_locale(&headers)),
    }
}

/// What was typed on a page of ours, in the browser that it was shown to, and its flow.
pub(super) fn posted(
    core: &Core,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<(Params, Secret, Flow), ConfirmError> {
    if !wire::is_form(headers) {
        return Err(ConfirmError::Form);
    }
    let params = Params::parse_body(body)?;
    let browser = code_page::browser(core, headers).ok_or(ConfirmError::Flow)?;
    let flow = Flow::open(core, params.required("flow")?, Some(&browser));
    let flow = flow.ok_or(ConfirmError::Flow)?;
    Ok((params, browser, flow))
}

async fn confirm(
    core: &Core,
    address: ClientAddress,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Response, ConfirmError> {
    let (params, browser, flow) = posted(core, headers, body)?;
    let client = registered(core, &flow)?;
    // Whoever is known in another way types no code.
    let by_code = |kind: &String| matches!(core.settings.authentication(kind), Method::Code);
    if flow.issuer_state.is_none() && !flow.types.iter().all(by_code) {
        return Err(ConfirmError::Flow);
    }
    let target = target(&flow, client)?;
    if params.get("step") == Some("cancel") {
        return Ok(redirect(
            core,
            &target,
            &Outcome::Error(ErrorCode::AccessDenied.into()),
        ));
    }
    let typed = params.get("code").and_then(normalise_one_time_code);
    let outcome = match &flow.issuer_state {
        Some(issuer_state) => {
            let done = of_offer(core, issuer_state, typed.as_deref(), &flow).await;
            done.map_err(ConfirmError::from)
        }
        None => {
            let tries = Tries::of_codes(core, &browser);
            of_code(core, address, typed.as_deref(), &flow, &tries).await
        }
    };
    match outcome {
        Ok(code) => Ok(redirect(
            core,
            &target,
            &Outcome::Code(WireSecret::new(code.expose())),
        )),
        Err(ConfirmError::Redeem(RedeemError::CodeWrong { tries_left })) if tries_left > 0 => {
            let kind = shown_type(core, &flow).await?;
            let mut page = page_of(core, &kind, client, flow.locale());
            page.tries_left = Some(tries_left);
            Ok(code_page::render(core, &flow, &browser, page)?)
        }
        Err(error) => Err(error),
    }
}

/// The person came with the link of an offer, which counts the tries.
async fn of_offer(
    core: &Core,
    issuer_state: &str,
    typed: Option<&str>,
    flow: &Flow,
) -> Result<Secret, RedeemError> {
    let issuer_state = Secret::received(issuer_state);
    let Some(typed) = typed else {
        // What cannot be a code is not compared and does not count.
        let found = redeem::pending(core, GrantKind::AuthorizationCode, &issuer_state).await?;
        return Err(RedeemError::CodeWrong {
            tries_left: MAX_TRIES - found.offer.tries,
        });
    };
    redeem::authorize(core, &issuer_state, typed, order(flow)).await
}

/// The person began in the wallet. A long code cannot be guessed; how many are tried is limited
/// for each browser and each network all the same, and counted before it is looked up.
async fn of_code(
    core: &Core,
    address: ClientAddress,
    typed: Option<&str>,
    flow: &Flow,
    tries: &Tries,
) -> Result<Secret, ConfirmError> {
    let wrong = |left| match left {
        ..=0 => ConfirmError::Locked,
        tries_left => RedeemError::CodeWrong { tries_left }.into(),
    };
    let Some(typed) = typed.filter(|typed| is_long(typed)) else {
        // What cannot be a code is not looked up and does not count.
        return Err(wrong(tries.left(core).await?));
    };
    if core.typed_codes.check(address).is_err() {
        return Err(ConfirmError::Locked);
    }
    let left = tries.count(core).await?.ok_or(ConfirmError::Locked)?;
    match redeem::authorize_by_code(core, typed, &flow.types, order(flow)).await {
        Ok(code) => {
            tries.forget(core).await?;
            Ok(code)
        }
        // Unknown, used, over, or of another type: nobody is told which.
        Err(RedeemError::Grant) => Err(wrong(left)),
        Err(other) => Err(other.into()),
    }
}

/// The type of the card that the page names.
async fn shown_type(core: &Core, flow: &Flow) -> Result<String, RedeemError> {
    match &flow.issuer_state {
        Some(state) => {
            let state = Secret::received(state);
            let found = redeem::pending(core, GrantKind::AuthorizationCode, &state).await?;
            Ok(found.offer.credential_type)
        }
        None => Ok(flow.types.first().cloned().unwrap_or_default()),
    }
}

/// The wallet, looked up again: the registration may have changed since the page was shown.
pub(super) fn registered<'a>(
    core: &'a Core,
    flow: &Flow,
) -> Result<&'a WalletClient, ConfirmError> {
    let client = core.settings.clients.get(&flow.client_id);
    client.ok_or(ConfirmError::Client)
}

/// Where the answer goes.
pub(super) fn target(flow: &Flow, client: &WalletClient) -> Result<ResponseTarget, ConfirmError> {
    // Looked up again: the registration may have changed since the page was shown.
    let redirect_uri = client.redirect_uris.find(&flow.redirect_uri);
    Ok(ResponseTarget {
        redirect_uri: redirect_uri.ok_or(ConfirmError::Client)?,
        state: flow.state.clone(),
        mode: ResponseMode::Query,
    })
}

/// What the code is made for.
pub(super) fn order(flow: &Flow) -> CodeOrder {
    CodeOrder {
        client_id: flow.client_id.clone(),
        redirect_uri: flow.redirect_uri.clone(),
        code_challenge: flow.code_challenge.clone(),
        dpop_jkt: flow.dpop_jkt.clone(),
        instance: flow.instance.clone(),
        details: flow.details.clone(),
        scopes: flow.scopes.clone(),
        pushed: flow.pushed.as_deref().map(Secret::received),
    }
}
