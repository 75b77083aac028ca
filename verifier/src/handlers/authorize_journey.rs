//! A request that a journey serves: its run begins, and is often over at once where a session stands for
//! every step.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::response::Response;
use vouchsafe_protocol::oauth::error::{ErrorCode, OAuthError};
use vouchsafe_protocol::oidc::subject::pairwise_sub;
use vouchsafe_service::http::ClientAddress;

use super::authorize_session::{Verdict, browser, judge, place};
use super::login_run::{self, TurnError};
use super::owned;
use crate::app::{App, Parts};
use crate::config::Client;
use crate::cookies::Cookie;
use crate::domain::ids::{DeviceGrantId, Secret};
use crate::domain::place::Place;
use crate::domain::request::{LoginRequest, StepUp};
use crate::domain::session::Session;
use crate::domain::transaction::Login;
use crate::journey::StepKind;
use crate::journeys::{Loaded, Served, Unclear};
use crate::login::run::{self, Arrived, Begin, Done, RunError, Was};
use crate::numbers::tell;
use crate::reply::{error_of, with_cookie};
use crate::store::{StoreError, device_grants};

/// The journey that serves a request; nothing says so of one that only adds a card to an account.
pub(super) fn of(app: &Parts, login: &LoginRequest) -> Result<Served, Unclear> {
    match &login.asked {
        None => Ok(None),
        Some(asked) => app.journeys.current().choose(asked, &app.binding_key),
    }
}

/// What comes of a request.
pub(super) enum Led {
    /// This goes to the browser.
    Shown(Response),
    /// Nothing may be shown; this goes to the application.
    Told(OAuthError),
}

/// Begins the run of a request.
pub(super) async fn lead(
    app: &App,
    headers: &HeaderMap,
    address: ClientAddress,
    (client, login): (&Client, LoginRequest),
    loaded: &Arc<Loaded>,
) -> Result<Led, StoreError> {
    let current = owned::session(app, headers).await?;
    let counted = current.clone();
    let mut session = counted.filter(|session| counts(app, client, &login, loaded, session));
    let mut login = login;
    let mut risky = None;
    // A journey that assesses no risk is no way around `[risk]`.
    if let Some(known) = session.as_ref().filter(|_| !loaded.assesses())
        && let Verdict::AskAgain(signs) = judge(app, headers, address, known).await?
    {
        risky = (!asked(&login, "none")).then_some(StepUp::Risk);
        login.risk = Some(signs);
        session = None;
    }
    let silent = asked(&login, "none");
    // A session never stands for a card, and nothing may be shown to ask for one.
    if silent && login.needs_card {
        return Ok(Led::Told(ErrorCode::LoginRequired.into()));
    }
    let request = login.clone();
    let (browser, is_new) = browser(app, headers);
    let begin = Begin {
        request: login,
        browser: browser.digest(),
        place: place(app, headers, address, &browser),
        until: None,
        session: session.as_ref(),
    };
    let visit = login_run::visit(headers);
    let done = async {
        let (mut login, arrived) = run::begin(app, loaded, begin, &visit).await?;
        if silent && matches!(arrived, Arrived::Page | Arrived::Browser) {
            let step = run::at(&login, loaded).map(|step| &step.kind);
            return Ok(Err(match step {
                Some(StepKind::Consent { .. }) => ErrorCode::ConsentRequired,
                _ => ErrorCode::LoginRequired,
            }));
        }
        let reason = session.as_ref().and_then(|_| why(&login, &arrived));
        login.place.step_up = login.place.step_up.or(risky).or(reason);
        let done = run::settle(app, loaded, (Was::New(None), login), arrived, current).await?;
        Ok::<_, TurnError>(Ok(done))
    };
    let done = match done.await {
        // OpenID Connect Core 1.0, section 3.1.2.6: nothing may be shown.
        Ok(Err(code)) => return Ok(Led::Told(code.into())),
        Ok(Ok(Done::Refused(_, failure))) if silent => return Ok(Led::Told(error_of(&failure))),
        Ok(Ok(Done::TooMany(_) | Done::Lost(_))) if silent => {
            return Ok(Led::Told(ErrorCode::TemporarilyUnavailable.into()));
        }
        Ok(Ok(done)) => Ok(done),
        Err(error) => Err(error),
    };
    let response = login_run::respond(app, headers, &request, done).await;
    Ok(Led::Shown(match is_new {
        true => with_cookie(response, Cookie::Browser.set(app, browser.reveal())),
        false => response,
    }))
}

/// Why a session that counted did not do: the run waits for the person all the same.
fn why(login: &Login, arrived: &Arrived) -> Option<StepUp> {
    let run = login.run.as_deref()?;
    // What the risk of the whole login turned into a question was counted there.
    if !matches!(arrived, Arrived::Page) || login.request.risk.is_some() {
        return None;
    }
    let risky = run.facts.risk.as_ref();
    let risky = risky.is_some_and(|risk| !risk.reasons.is_empty());
    let level = !run.facts.request.acr_values.is_empty();
    Some(match (risky, level) {
        (true, _) => StepUp::Risk,
        (false, true) => StepUp::Acr,
        (false, false) => StepUp::Policy,
    })
}

fn asked(login: &LoginRequest, prompt: &str) -> bool {
    let asked = login.asked.as_ref();
    asked.is_some_and(|asked| asked.prompt.iter().any(|one| one == prompt))
}

/// Whether a session counts for a journey: it answered one of the journey's questions, it is of
/// somebody whom the application expects, and nobody wants the person to act again.
fn counts(
    app: &Parts,
    client: &Client,
    login: &LoginRequest,
    loaded: &Loaded,
    session: &Session,
) -> bool {
    let subject = session.subject.as_ref();
    let sub = subject.map(|subject| pairwise_sub(&app.pairwise_key, &client.sector, subject));
    let again = ["login", "consent", "select_account"];
    let again = again.iter().any(|prompt| asked(login, prompt));
    let age = app.now().since(session.authentication.auth_time);
    let max_age = login.asked.as_ref().and_then(|asked| asked.max_age);
    // To whom nobody vouches for people go with open eyes; and what the organisation calls them is
    // a fact.
    let open = client.standing.is_unvouched() || client.external_id;
    sub.is_some_and(|sub| login.expects(&sub))
        && loaded.knows(session.query.as_str())
        && login.device().is_none()
        && !again
        && !open
        && max_age.is_none_or(|most| most > 0 && age <= most)
}

/// Begins the run again with nothing but the request of an earlier one. Beginning again always asks:
/// no session is judged here, so none counts.
pub(super) async fn again(
    app: &App,
    headers: &HeaderMap,
    address: ClientAddress,
    failed: &Login,
    loaded: &Arc<Loaded>,
) -> Response {
    let request = LoginRequest {
        asserted: None,
        ..failed.request.clone()
    };
    let done = async {
        let until = match request.device() {
            None => None,
            Some(device) => {
                let until = device_grants::claimed_until(&app.db, device, app.now()).await;
                match until.map_err(RunError::from)? {
                    Some(until) => Some(until),
                    None => return Ok(Done::Lost(failed.id.clone())),
                }
            }
        };
        let current = owned::session(app, headers).await.map_err(RunError::from)?;
        let (cookie, _) = browser(app, headers);
        let here = place(app, headers, address, &cookie);
        let begin = Begin {
            browser: failed.browser.clone(),
            place: Place {
                // Where a device is used says nothing about where its owner logs in.
                seen: here.seen.filter(|_| request.device().is_none()),
                first: false,
                registers: tell::registers(app, failed),
                ..here
            },
            request: request.clone(),
            until,
            session: None,
        };
        let (login, arrived) = run::begin(app, loaded, begin, &login_run::visit(headers)).await?;
        Ok::<_, TurnError>(
            run::settle(app, loaded, (Was::New(None), login), arrived, current).await?,
        )
    };
    let done = done.await;
    login_run::respond(app, headers, &request, done).await
}

/// Begins the run of a login that a device waits for; `None` where somebody else has done so.
pub(super) async fn for_device(
    app: &App,
    headers: &HeaderMap,
    address: ClientAddress,
    (device, asked, browser): (DeviceGrantId, device_grants::Asked, &Secret),
    loaded: &Arc<Loaded>,
) -> Option<Response> {
    let request = asked.request;
    let begin = Begin {
        request: request.clone(),
        browser: browser.digest(),
        // Where a device is used says nothing about where its owner logs in.
        place: Place {
            seen: None,
            ..place(app, headers, address, browser)
        },
        // The login is over with the code of the device.
        until: Some(asked.expires_at),
        session: None,
    };
    let done = async {
        let visit = login_run::visit(headers);
        let (login, arrived) = run::begin(app, loaded, begin, &visit).await?;
        let turn = (Was::New(Some(device)), login);
        Ok::<_, TurnError>(run::settle(app, loaded, turn, arrived, None).await?)
    };
    match done.await {
        Ok(Done::Lost(_)) => None,
        done => Some(login_run::respond(app, headers, &request, done).await),
    }
}
