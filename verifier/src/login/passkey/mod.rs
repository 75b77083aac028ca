//! Passkeys of people (WebAuthn Level 3): added to an account on its page, used in place of the card at the
//! next login. A passkey says whose login it is; what the card said is what it stands for, and only as long
//! as that card holds (decision 0048).

mod ceremony;
mod finish;
mod register;
mod standing;

use vouchsafe_protocol::oidc::acr::AcrWish;
use vouchsafe_protocol::oidc::amr::reached;
use vouchsafe_service::db::{DbError, Tx};
use vouchsafe_service::webauthn::WebauthnError;

pub use ceremony::{options, verify};
pub(super) use finish::authentication;
pub use finish::{Came, log_in};
pub(super) use register::{creation, made, until};
pub use register::{creation_options, register};
pub use standing::{Standing, standing};
pub(super) use standing::{holds, put_cards, still_leads, still_stands};

use crate::app::Parts;
use crate::config::{Client, PasskeySettings, Query};
use crate::domain::ids::{QueryId, SubjectId};
use crate::domain::passkey::DONE;
use crate::domain::reason::Failure;
use crate::domain::request::LoginRequest;
use crate::domain::transaction::{Answer, Evidence, Login};
use crate::journeys::Loaded;
use crate::login::finish::FinishError;
use crate::store::{StoreError, account_cards};

/// Seconds that a challenge is good.
pub const CHALLENGE_S: i64 = 300;

/// Why a passkey is not taken. The texts hold nothing of it.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    /// There are no passkeys here.
    #[error("passkeys are not offered here")]
    NotOffered,
    /// Not an answer that can be read, or to another question, or of nobody known here.
    #[error("the passkey does not prove anybody")]
    Refused(#[source] WebauthnError),
    /// It leads to an account already.
    #[error("the passkey leads to an account already")]
    Taken,
    /// As many lead to the account as may.
    #[error("too much leads to the account")]
    TooMany,
    /// Whose session it was is not logged in any more.
    #[error("nobody is logged in")]
    LoggedOut,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbError> for PasskeyError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

impl From<WebauthnError> for PasskeyError {
    fn from(error: WebauthnError) -> Self {
        Self::Refused(error)
    }
}

/// Passkeys of this service.
pub fn settings(app: &Parts) -> Result<&PasskeySettings, PasskeyError> {
    let settings = app.settings.passkeys.as_ref();
    settings.ok_or(PasskeyError::NotOffered)
}

/// Whether a passkey can say whose login this is: there are passkeys, the application takes them, and
/// nobody watches another screen. What a device shows can be relayed (RFC 8628, section 5.4), and what the
/// organisation calls somebody is a fact, which is told with a card alone.
fn may_say_who(app: &Parts, client: &Client, login: &Login) -> bool {
    let request = &login.request;
    app.settings.passkeys.is_some()
        && client.passkeys
        && !client.external_id
        && login.passkey.is_none()
        && request.device().is_none()
        && request.linking().is_none()
}

/// Whether a passkey may be the whole login: nobody wants to know what stands on a card, and nobody wants
/// to be surer than a passkey makes them.
#[must_use]
pub fn offered(app: &Parts, client: &Client, login: &Login, query: &Query) -> bool {
    may_say_who(app, client, login)
        && login.run.is_none()
        // A session or a passkey did not count a moment ago: the card is asked.
        && login.request.risk.is_none()
        && query.subject.claim().is_some()
        // OpenID Connect Core 1.0, section 11: consent to go on while the person is away is given each
        // time, with the card.
        && !wants_card(&login.request)
        && suffices(&login.request)
}

/// Whether a passkey may be used in the run of a journey. How sure the login must be is the business of the
/// journey. What a card alone brings (facts, consent to go on while the person is away) needs a card in
/// this run; and where a session or a passkey did not count a moment ago, the card comes first.
#[must_use]
pub fn offered_in_run(app: &Parts, client: &Client, login: &Login, loaded: &Loaded) -> bool {
    let Some(run) = login.run.as_deref() else {
        return false;
    };
    let (request, shown) = (&login.request, run.person().is_some());
    let counts = shown || (request.risk.is_none() && !run.card_first);
    let brings = shown || loaded.always_asks() || !wants_card(request);
    may_say_who(app, client, login) && counts && brings
}

/// Whether the application wants what a card alone brings.
pub(super) fn wants_card(request: &LoginRequest) -> bool {
    request.needs_card || request.offline()
}

/// Whether what a passkey reaches is what the application wishes for.
fn suffices(request: &LoginRequest) -> bool {
    let asked = request.asked.as_ref();
    let values = asked.map_or(&[][..], |asked| &asked.acr_values);
    let wished = AcrWish::new(values, false).lowest();
    let essential = AcrWish::new(&request.essential_acr, true).lowest();
    let reached = reached(&[DONE]);
    wished.max(essential) <= reached
}

/// An account showed cards: its passkeys stand for them. The card must lead to the account still: it may
/// have been taken away since that was looked up.
pub(super) async fn note_cards(
    tx: &mut Tx,
    app: &Parts,
    subject: Option<&SubjectId>,
    (query, answer): (&QueryId, &Answer),
) -> Result<(), FinishError> {
    let (Some(subject), Some(_)) = (subject, &app.settings.passkeys) else {
        return Ok(());
    };
    let key = match &answer.evidence {
        Evidence::Guest => return Ok(()),
        Evidence::IssuerScoped(key) | Evidence::Bound(key) | Evidence::Asserted { key, .. } => key,
    };
    let shown = (query, answer.cards.as_slice());
    match account_cards::note(tx, subject, key, shown, answer.answered_at).await? {
        true => Ok(()),
        false => Err(FinishError::Failed(Failure::unmatched())),
    }
}
