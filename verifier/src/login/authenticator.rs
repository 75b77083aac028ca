//! Authenticator apps of people (RFC 6238): added to an account on its page, and asked for a code beside
//! another factor. A code never says whose login it is (decision 0059).

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::audit::{self, Event};
use vouchsafe_service::db::{DbError, Tx};

use crate::app::Parts;
use crate::config::{ACCOUNT_CLIENT, TotpSettings};
use crate::domain::account_notice::{Notice, NoticeKind};
use crate::domain::authenticator::{Coded, Tried, wait_s};
use crate::domain::ids::{ClientId, MeansId, SessionId, SubjectId};
use crate::domain::session::EndReason;
use crate::login::end;
use crate::store::authenticators::{self, Stored};
use crate::store::{StoreError, notices, sessions, subjects};
use crate::totp::{Code, Secret};

/// Seconds in which an app that was begun to be added is confirmed.
const CONFIRM_S: i64 = 600;
/// Letters that tell several accounts of one person apart where an app lists them.
const MARK: usize = 4;

/// Why no app is added or removed. The texts hold nothing of it.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticatorError {
    /// There are no codes here.
    #[error("authenticator apps are not offered here")]
    NotOffered,
    /// The code is not that of the app.
    #[error("the code is not right")]
    WrongCode,
    /// What was to be confirmed is not of this session, or its time is over.
    #[error("there is nothing to confirm")]
    Over,
    /// The account has one.
    #[error("the account has an authenticator app")]
    Taken,
    /// Whose session it was is not logged in any more.
    #[error("nobody is logged in")]
    LoggedOut,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbError> for AuthenticatorError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

/// Codes of this service.
pub fn settings(app: &Parts) -> Result<&TotpSettings, AuthenticatorError> {
    let settings = app.settings.totp.as_ref();
    settings.ok_or(AuthenticatorError::NotOffered)
}

/// An app that does not count yet, as the page keeps it, sealed: until it is confirmed nothing is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begun {
    id: MeansId,
    secret: String,
    until: UnixTime,
}

/// What the page shows of it, once.
#[derive(Debug)]
pub struct Shown {
    /// What comes back with the code.
    pub sealed: String,
    /// What a QR code says.
    pub address: zeroize::Zeroizing<String>,
    /// The secret for whoever types it.
    pub secret: zeroize::Zeroizing<String>,
}

/// The place of what a page keeps: one session of one account.
fn place<'a>(session: &'a SessionId, subject: &'a SubjectId) -> [&'a str; 3] {
    ["authenticator", session.as_str(), subject.as_str()]
}

/// A fresh secret for the account of a session.
pub fn begin(
    app: &Parts,
    session: &SessionId,
    subject: &SubjectId,
) -> Result<Shown, AuthenticatorError> {
    settings(app)?;
    let begun = Begun {
        id: MeansId::random(app.rng.as_ref()),
        secret: Secret::random(app.rng.as_ref()).to_text().to_string(),
        until: app.now().plus(CONFIRM_S),
    };
    let sealed = app.vault.seal_text(&place(session, subject), &begun)?;
    shown(app, &begun, sealed)
}

fn shown(app: &Parts, begun: &Begun, sealed: String) -> Result<Shown, AuthenticatorError> {
    let secret = Secret::parse(&begun.secret).ok_or(AuthenticatorError::Over)?;
    let mark = begun.id.as_str().get(..MARK).unwrap_or_default();
    Ok(Shown {
        address: secret.address(&settings(app)?.name, mark),
        secret: secret.to_base32(),
        sealed,
    })
}

fn open(
    app: &Parts,
    session: &SessionId,
    subject: &SubjectId,
    sealed: &str,
) -> Result<Begun, AuthenticatorError> {
    let begun: Option<Begun> = app.vault.open_text(&place(session, subject), sealed);
    let begun = begun.filter(|begun| app.now() < begun.until);
    begun.ok_or(AuthenticatorError::Over)
}

/// What the page shows once more after a wrong code.
pub fn again(
    app: &Parts,
    session: &SessionId,
    subject: &SubjectId,
    sealed: &str,
) -> Result<Shown, AuthenticatorError> {
    let begun = open(app, session, subject, sealed)?;
    shown(app, &begun, sealed.to_owned())
}

/// Adds the app whose code was typed to the account of a session that still is one. That code is used up.
pub async fn confirm(
    app: &Parts,
    session: &SessionId,
    subject: &SubjectId,
    (sealed, typed): (&str, &str),
) -> Result<(), AuthenticatorError> {
    settings(app)?;
    let begun = open(app, session, subject, sealed)?;
    let secret = Secret::parse(&begun.secret).ok_or(AuthenticatorError::Over)?;
    let now = app.now();
    let step = Code::parse(typed).and_then(|code| secret.accepts(code, now, i64::MIN));
    let step = step.ok_or(AuthenticatorError::WrongCode)?;
    let kept = authenticators::seal(&app.vault, subject, &secret)?;
    let notice = notice(app, subject, &begun.id, NoticeKind::AuthenticatorAdded);
    let event = event(subject, &begun.id, "means.add", now);
    let (session, subject, key) = (session.clone(), subject.clone(), app.audit_key.clone());
    let id = begun.id;
    app.db
        .write(async move |tx: &mut Tx| {
            subjects::hold(tx, &subject).await?;
            // Whoever is shut out at this moment leaves none behind.
            if sessions::hold(tx, &session, now).await?.is_none() {
                return Err(AuthenticatorError::LoggedOut);
            }
            let new = (&id, &subject, kept.as_slice());
            if !authenticators::insert(tx, new, step, now).await? {
                return Err(AuthenticatorError::Taken);
            }
            notices::insert(tx, &notice).await?;
            audit::append(tx, &key, &event).await?;
            Ok(())
        })
        .await?;
    tracing::info!("an authenticator app was added to an account");
    Ok(())
}

/// Removes the app of an account, and ends every other session of it: one of them may rest on a code of an
/// app that is in other hands.
pub async fn remove(
    app: &crate::app::App,
    session: &SessionId,
    subject: &SubjectId,
) -> Result<(), AuthenticatorError> {
    let (parts, now) = (app.clone(), app.now());
    let (session, subject) = (session.clone(), subject.clone());
    let removed = app
        .db
        .write(async move |tx| {
            if !subjects::hold(tx, &subject).await? {
                return Ok::<_, AuthenticatorError>(false);
            }
            let Some(id) = authenticators::remove(tx, &subject).await? else {
                return Ok(false);
            };
            let with = (&parts.settings, parts.rng.as_ref());
            let reason = EndReason::MeansRemoved;
            end::end_of_account(tx, with, (&subject, Some(&session)), reason, now).await?;
            let notice = notice(&parts, &subject, &id, NoticeKind::AuthenticatorRemoved);
            notices::insert(tx, &notice).await?;
            let event = event(&subject, &id, "means.remove", now);
            audit::append(tx, &parts.audit_key, &event).await?;
            Ok(true)
        })
        .await?;
    if removed {
        tracing::info!("an authenticator app was removed from its account");
    }
    Ok(())
}

fn notice(app: &Parts, subject: &SubjectId, id: &MeansId, kind: NoticeKind) -> Notice {
    Notice {
        id: app.ids.next_text(),
        subject: subject.clone(),
        kind,
        client: ClientId::from_text(ACCOUNT_CLIENT),
        // The audit log names the app.
        reference: id.as_str().get(..8).unwrap_or_default().to_owned(),
        told_at: app.now(),
    }
}

fn event(subject: &SubjectId, id: &MeansId, action: &'static str, now: UnixTime) -> Event {
    Event {
        at: now,
        actor: format!("subject:{}", subject.as_str()),
        action,
        target: id.to_string(),
        detail: "totp".to_owned(),
    }
}

/// Whether a code is that of the app of an account. It is looked at, counted and used up in one transaction
/// that holds the account; an account without an app answers as one with it.
pub async fn try_code(app: &Parts, subject: &SubjectId, code: Code) -> Result<Tried, StoreError> {
    let (vault, rng, now) = (app.vault.clone(), app.rng.clone(), app.now());
    let subject = subject.clone();
    app.db
        .write(async move |tx| {
            if !subjects::hold(tx, &subject).await? {
                return Ok(Tried::Wrong);
            }
            // RFC 4226, section 7.3: guesses of one account are limited, whichever login they come from.
            let (wrong, until) = authenticators::guesses(tx, &subject).await?;
            if now < until {
                return Ok(Tried::Wait(until.since(now)));
            }
            let stored = authenticators::find(tx, &vault, &subject).await?;
            let nobodys = Secret::random(rng.as_ref());
            let (secret, after) = match &stored {
                Some(stored) => (&stored.secret, stored.last_step),
                None => (&nobodys, i64::MIN),
            };
            let step = secret.accepts(code, now, after);
            if let (Some(Stored { id, .. }), Some(step)) = (&stored, step)
                // RFC 6238, section 5.2: no code is accepted twice.
                && authenticators::used(tx, (&subject, id), step, now).await?
            {
                authenticators::forget_guesses(tx, &subject).await?;
                return Ok(Tried::Right(Coded {
                    settled: false,
                    authenticator: id.clone(),
                    at: now,
                }));
            }
            let wrong = wrong.saturating_add(1);
            let until = now.plus(wait_s(wrong));
            authenticators::guessed(tx, &subject, (wrong, until), now).await?;
            Ok::<_, StoreError>(Tried::Wrong)
        })
        .await
}
