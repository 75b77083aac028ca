//! A session that could answer a request by itself: whether it does, or the person shows the card
//! again because the login looks unusual for the account.

use axum::http::{HeaderMap, header};
use vouchsafe_service::http::ClientAddress;

use crate::app::App;
use crate::cookies::Cookie;
use crate::domain::ids::Secret;
use crate::domain::place::Place;
use crate::domain::session::Session;
use crate::numbers::tell;
use crate::risk::{self, Look, Seen};
use crate::store::StoreError;

/// What becomes of a session.
pub(super) enum Verdict {
    /// It answers; what was seen of the login counts for later ones.
    Answers(Option<Seen>),
    /// It does not, for these signs.
    AskAgain(Vec<String>),
}

/// The cookie that this browser is known by, or a new one; the flag says that it is new.
pub(super) fn browser(app: &App, headers: &HeaderMap) -> (Secret, bool) {
    let known = Cookie::Browser
        .read(app, headers)
        .and_then(|value| Secret::parse(&value));
    match known {
        Some(known) => (known, false),
        None => (Secret::random(app.rng.as_ref()), true),
    }
}

fn agent(headers: &HeaderMap) -> Option<&str> {
    let agent = headers.get(header::USER_AGENT)?;
    agent.to_str().ok()
}

/// Looks at the login, where that is configured.
fn look(app: &App, headers: &HeaderMap, address: ClientAddress, browser: &Secret) -> Option<Look> {
    let settings = app.settings.risk.as_ref()?;
    let address = (!address.0.is_unspecified()).then_some(address.0);
    let digest = browser.digest();
    Some(Look::new(app, settings, address, agent(headers), &digest))
}

/// Where a login begins.
pub(super) fn place(
    app: &App,
    headers: &HeaderMap,
    address: ClientAddress,
    browser: &Secret,
) -> Place {
    let text = (!address.0.is_unspecified()).then(|| address.0.to_string());
    let seen = look(app, headers, address, browser).map(|look| look.seen);
    let known = [Cookie::Browser, Cookie::Session];
    let known = known.iter().any(|one| one.read(app, headers).is_some());
    Place {
        seen,
        first: !known,
        ..Place::from_request(agent(headers), text)
    }
}

/// Judges the login that a session would answer.
pub(super) async fn judge(
    app: &App,
    headers: &HeaderMap,
    address: ClientAddress,
    session: &Session,
) -> Result<Verdict, StoreError> {
    let (browser, _) = browser(app, headers);
    let look = look(app, headers, address, &browser);
    let (Some(settings), Some(subject), Some(look)) = (&app.settings.risk, &session.subject, look)
    else {
        return Ok(Verdict::Answers(None));
    };
    let assessment = risk::check::assess(app, settings, Some(subject), &look).await?;
    let asks = assessment.level >= settings.ask_again_at;
    let decision = if asks { "ask_again" } else { "answer" };
    tell::assessed(app, &assessment, decision);
    if !asks {
        return Ok(Verdict::Answers(Some(look.seen)));
    }
    let signs = assessment.reasons.iter().map(|sign| sign.code().to_owned());
    let signs: Vec<String> = signs.collect();
    tracing::info!(
        level = assessment.level.name(),
        signs = signs.join(" "),
        "a session does not answer: the login is unusual for the account"
    );
    Ok(Verdict::AskAgain(signs))
}
