//! Authorization codes, and what they say about how somebody was authenticated.

use serde_json::{Map, Value};
use vouchsafe_credentials::random::token;
use vouchsafe_credentials::sd_jwt_vc::CLOCK_SKEW_S;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oidc::acr::{Acr, AcrLadder, AcrWish};
use vouchsafe_protocol::oidc::amr::{Amr, Done, reached};
use vouchsafe_service::db::Tx;
use vouchsafe_service::pushed;
use vouchsafe_service::single_use::{self, Kind, NewObject};

use super::finish::FinishError;
use super::grant::{self, Grant};
use super::{CODE_S, DEVICE_S};
use crate::app::Parts;
use crate::domain::approval::Approved;
use crate::domain::ids::{Secret, Sid};
use crate::domain::passkey::{self, Tapped};
use crate::domain::reason::Failure;
use crate::domain::request::{Back, Fact, LoginRequest};
use crate::domain::session::{Authentication, CardRef, Session, SessionClient};
use crate::domain::transaction::{Answer, Channel};
use crate::store::{device_grants, sessions};

/// What a login says to the application beside who it is.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) id_token_claims: Map<String, Value>,
    pub(super) userinfo_claims: Map<String, Value>,
    /// Attributes of the account that UserInfo looks up.
    pub(super) attributes: Vec<Fact>,
    /// The transaction that was approved.
    pub(super) approved: Option<Approved>,
    /// When the cards end that it was read from.
    pub(super) cards_end: Option<UnixTime>,
}

/// Puts an authorization code for a session into the database.
pub(super) async fn issue_code(
    tx: &mut Tx,
    app: &Parts,
    request: &LoginRequest,
    session: &Session,
    sub: String,
    told: Told,
) -> Result<Secret, FinishError> {
    // Whoever asked for an approval gets no code without one: no session and no passkey gives it.
    if request.approval.is_some() && told.approved.is_none() {
        return Err(FinishError::Failed(Failure::not_approved()));
    }
    // RFC 9126, section 7.3: one pushed request brings one code. A run that waited has used it up.
    if let Some(pushed) = &request.pushed
        && !pushed::use_up(tx, pushed, app.now()).await?
    {
        return Err(FinishError::Failed(Failure::request_used()));
    }
    let member = SessionClient {
        sid: Sid::random(app.rng.as_ref()),
        session: session.id.clone(),
        client: request.client.clone(),
        sub: sub.clone(),
    };
    let sid = sessions::attach_client(tx, &member, app.now()).await?;
    let code = Secret::random(app.rng.as_ref());
    let family = token(app.rng.as_ref());
    let grant = Grant {
        family: family.clone(),
        client: request.client.clone(),
        redirect_uri: match &request.back {
            Back::Application(address) => address.redirect_uri.clone(),
            // Nobody can name it: an empty parameter counts as absent.
            Back::Device { device: _ } | Back::Account { linking: _ } => String::new(),
        },
        code_challenge: request.code_challenge.clone(),
        dpop_jkt: request.dpop_jkt.clone(),
        nonce: request.nonce.clone(),
        scope: request.scope.clone(),
        sub,
        session: session.id.clone(),
        sid,
        authentication: reported(request, &session.authentication),
        cards_end: told.cards_end,
        id_token_claims: told.id_token_claims,
        userinfo_claims: told.userinfo_claims,
        attributes: told.attributes,
        approved: told.approved,
    };
    // The code of a device waits here until the device asks again.
    let lives_s = match &request.back {
        Back::Application(_) | Back::Account { linking: _ } => CODE_S,
        Back::Device { device: _ } => DEVICE_S,
    };
    let object = NewObject {
        payload: grant::seal(app, code.reveal(), &grant)?,
        family,
        expires_at: app.now().plus(lives_s),
    };
    if let Some(device) = request.device()
        && !device_grants::approve(tx, &app.vault, device, &code, app.now()).await?
    {
        // It waited too long, or somebody said no in between.
        return Err(FinishError::Failed(Failure::device_over()));
    }
    single_use::put(tx, Kind::AuthorizationCode, code.reveal(), &object).await?;
    Ok(code)
}

/// How a person was authenticated by an answer. What a device shows can be relayed as a QR code
/// can, so its logins never count for more (RFC 8628, section 5.4; RFC 10027).
pub(super) fn authentication(
    request: &LoginRequest,
    answer: &Answer,
    tapped: Option<&Tapped>,
) -> Authentication {
    let mut done = vec![Done::Presentation {
        cross_device: answer.channel == Channel::Qr || request.device().is_some(),
        hardware_key: false,
        user_verified: false,
    }];
    done.extend(tapped.map(|_| passkey::DONE));
    done.extend(request.risk.is_some().then_some(Done::RiskAssessed));
    Authentication {
        auth_time: answer.answered_at,
        acr: reached(&done).map_or_else(String::new, |acr| acr.as_str().to_owned()),
        amr: Amr::compute(&done).iter().map(str::to_owned).collect(),
    }
}

/// When the first of the cards of an answer ends, by the clock that lets them in, or the consent that
/// was given with it.
pub(super) fn cards_end(answer: &Answer) -> Option<UnixTime> {
    let cards = cards_end_of(&answer.cards, answer.answered_at);
    cards.into_iter().chain(answer.consent_until).min()
}

/// The same for cards that are looked at `now`.
pub(super) fn cards_end_of(cards: &[CardRef], now: UnixTime) -> Option<UnixTime> {
    let ends = cards.iter().filter_map(|card| card.expires_at);
    let end = ends.min()?.plus(CLOCK_SKEW_S);
    Some(coarse(end, now))
}

/// Two applications learn when what they hold ends. The very second in which a card ends could tell
/// them that they hold what one card brought, so it is said to the hour, and on the last day to the minute.
fn coarse(end: UnixTime, now: UnixTime) -> UnixTime {
    let step = match end.since(now) {
        ..=600 => 1,
        601..=86_400 => 60,
        86_401.. => 3600,
    };
    UnixTime(end.0 - end.0.rem_euclid(step))
}

/// What the application is told of an authentication: where it named essential values of `acr`, one of
/// those (OpenID Connect Core 1.0, section 5.5.1.1).
fn reported(request: &LoginRequest, authentication: &Authentication) -> Authentication {
    let wish = AcrWish::new(&request.essential_acr, !request.essential_acr.is_empty());
    let reached = Acr::from_wire(&authentication.acr);
    let acr = reached.map(|acr| wish.reported(acr).as_str().to_owned());
    Authentication {
        acr: acr.unwrap_or_else(|| authentication.acr.clone()),
        ..authentication.clone()
    }
}

/// OpenID Connect Core 1.0, section 5.5.1.1: an essential `acr` that was not reached fails the
/// request; a wish does not.
pub(super) fn acr_permits(request: &LoginRequest, authentication: &Authentication) -> bool {
    if request.essential_acr.is_empty() {
        return true;
    }
    let wish = AcrWish::new(&request.essential_acr, true);
    Acr::from_wire(&authentication.acr).is_some_and(|acr| wish.permits(acr))
}

/// What an earlier login still counts for: a class that has run out is not claimed again.
pub(super) fn still_counts(authentication: Authentication, now: UnixTime) -> Authentication {
    let reached = Acr::from_wire(&authentication.acr);
    let current =
        reached.and_then(|acr| AcrLadder::default().current(acr, authentication.auth_time, now));
    Authentication {
        acr: current.map_or_else(String::new, |acr| acr.as_str().to_owned()),
        ..authentication
    }
}
