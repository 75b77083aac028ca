//! `passkey` with `mode = "register"`: a person whose card was shown in this run makes a passkey. It is
//! written with the end of the login, or not at all.

use serde_json::Value;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::audit::{self, Event};
use vouchsafe_service::db::{DbError, Table, Tx};
use vouchsafe_service::keys::SymmetricKey;
use vouchsafe_service::webauthn::RegistrationResponse;

use super::{RunError, complete};
use crate::app::Parts;
use crate::domain::ids::SubjectId;
use crate::domain::reason::{Explanation, Failure};
use crate::domain::transaction::{Channel, Evidence, Login};
use crate::journey::{Outcome, StepKind, StepResult};
use crate::journeys::Loaded;
use crate::login::accept::log_id;
use crate::login::passkey::{self, PasskeyError};
use crate::login::resolve;
use crate::store::passkeys::{self, Fresh};
use crate::store::{notices, subjects};

/// Whether a passkey may be made in this run: a card of this run proved whose account it is, and what was
/// proven reaches the level that the journey requires. What a device shows can be relayed (RFC 8628, section
/// 5.4), and so can a code that is scanned (RFC 10027): nobody makes a passkey there.
pub(super) fn possible(app: &Parts, login: &Login, loaded: &Loaded) -> bool {
    let Some(run) = login.run.as_deref() else {
        return false;
    };
    app.settings.passkeys.is_some()
        && login.request.device().is_none()
        && run
            .person()
            .is_some_and(|person| person.answer.channel != Channel::Qr)
        && run.pinned.is_some()
        && run.instance.is_sure_enough(&loaded.journey)
}

/// Whose passkey the step that waits makes.
#[must_use]
pub fn makes_passkey(login: &Login, loaded: &Loaded) -> Option<SubjectId> {
    let step = super::at(login, loaded)?;
    let makes = matches!(step.kind, StepKind::Passkey { register: true });
    login.run.as_deref()?.pinned.clone().filter(|_| makes)
}

/// What the browser needs to make it.
pub async fn creation_options(
    app: &Parts,
    login: &Login,
    subject: &SubjectId,
) -> Result<Value, PasskeyError> {
    let until = passkey::until(app).min(login.expires_at);
    passkey::creation(app, owner(login), subject, until).await
}

/// The passkey that the device made (WebAuthn Level 3, section 7.1).
pub async fn made(
    app: &Parts,
    login: &Login,
    (name, response): (&str, &RegistrationResponse),
) -> Result<Fresh, PasskeyError> {
    passkey::made(app, owner(login), (name, response)).await
}

fn owner(login: &Login) -> String {
    format!("register {}", login.id)
}

/// The step ends: the passkey is kept until the login is over.
pub fn registered(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    fresh: Fresh,
) -> Result<(), RunError> {
    let (outcome, proof) = (Outcome::Ok, None);
    complete(app, login, loaded, StepResult { outcome, proof })?;
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    run.registered = Some(fresh.means.clone());
    run.fresh = Some(Box::new(fresh));
    Ok(())
}

/// A passkey that is written with the end of its login.
#[derive(Debug)]
pub(super) struct Registers {
    fresh: Fresh,
    subject: SubjectId,
    /// The card that says so, which must lead there still.
    evidence: Evidence,
    /// When the run began, and its reference.
    began: (UnixTime, String),
    audit_key: SymmetricKey,
}

impl Registers {
    /// Takes what this run made.
    pub(super) fn of(app: &Parts, login: &mut Login) -> Option<Self> {
        let began = (login.started_at, log_id(&login.id).to_owned());
        let run = login.run.as_deref_mut()?;
        let fresh = run.fresh.take()?;
        Some(Self {
            began,
            fresh: *fresh,
            subject: run.pinned.clone()?,
            evidence: run.person()?.answer.evidence.clone(),
            audit_key: app.audit_key.clone(),
        })
    }

    /// Why it may not be written. Holds the account, and what leads to it, until the transaction is over.
    pub(super) async fn refused(
        &self,
        tx: &mut Tx,
        (goes, now): (bool, UnixTime),
    ) -> Result<Option<Failure>, DbError> {
        let Self {
            fresh,
            subject,
            evidence,
            began: (began, reference),
            audit_key: _,
        } = self;
        if !subjects::hold(tx, subject).await? {
            return Ok(Some(Failure::other_account()));
        }
        tx.lock("subject_means").await?;
        if resolve::leads(tx, evidence).await?.as_ref() != Some(subject) {
            return Ok(Some(Failure::other_account()));
        }
        // Somebody got the account back meanwhile: what began before that is over with the old means.
        if notices::ended_since(tx, subject, (*began, reference), now).await? {
            return Ok(Some(ended()));
        }
        let room = goes || subjects::count(tx, subject).await? < subjects::MOST;
        let taken = subjects::has_passkey(tx, &fresh.mac).await?;
        let kept = room && !taken;
        Ok((!kept).then(|| Failure::new("passkey_not_kept", Explanation::NotProven)))
    }

    /// Writes it.
    pub(super) async fn put(&self, tx: &mut Tx, now: UnixTime) -> Result<(), DbError> {
        let Self {
            fresh,
            subject,
            evidence: _,
            began: _,
            audit_key: _,
        } = self;
        if !passkeys::insert(tx, fresh, subject, now).await? {
            // It was looked at a moment ago, in this very transaction.
            return Err(Table("passkeys")
                .invalid("credential_id", "there already")
                .into());
        }
        Ok(())
    }

    /// Notes it in the audit chain, which everybody writes one after the other: last.
    pub(super) async fn audit(&self, tx: &mut Tx, now: UnixTime) -> Result<(), DbError> {
        let Self {
            fresh,
            subject,
            evidence: _,
            began: _,
            audit_key,
        } = self;
        let event = Event {
            at: now,
            actor: format!("subject:{}", subject.as_str()),
            action: "means.add",
            target: fresh.means.to_string(),
            detail: "passkey".to_owned(),
        };
        audit::append(tx, audit_key, &event).await.map(drop)
    }
}

/// The means that led to it ended while it went on.
pub(super) fn ended() -> Failure {
    Failure::new("old_means_ended", Explanation::Cancelled)
}
