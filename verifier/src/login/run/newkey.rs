//! `passkey` with `mode = "register"`: a person whose card was shown in this run makes a passkey. It is
//! written with the turn, or not at all.

use serde_json::Value;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::audit::{self, Event};
use vouchsafe_service::db::{DbError, Table, Tx};
use vouchsafe_service::keys::SymmetricKey;
use vouchsafe_service::webauthn::RegistrationResponse;

use super::{RunError, complete};
use crate::app::Parts;
use crate::domain::ids::SubjectId;
use crate::domain::transaction::{Evidence, Login};
use crate::journey::{Outcome, StepKind, StepResult};
use crate::journeys::Loaded;
use crate::login::passkey::{self, PasskeyError};
use crate::login::resolve;
use crate::store::passkeys::{self, Fresh};
use crate::store::subjects;

/// Whether a passkey may be made in this run: a card of this run proved whose account it is, and what was
/// proven reaches the level that the journey requires. What a device shows can be relayed (RFC 8628, section
/// 5.4): nobody makes a passkey there.
pub(super) fn possible(app: &Parts, login: &Login, loaded: &Loaded) -> bool {
    let Some(run) = login.run.as_deref() else {
        return false;
    };
    app.settings.passkeys.is_some()
        && login.request.device().is_none()
        && run.person().is_some()
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

/// The step ends: the passkey is written with this turn.
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

/// A passkey that is written with a turn.
#[derive(Debug)]
pub(super) struct Registers {
    fresh: Fresh,
    subject: SubjectId,
    /// The card that says so, which must lead there still.
    evidence: Evidence,
    audit_key: SymmetricKey,
}

impl Registers {
    /// Takes what this turn made.
    pub(super) fn of(app: &Parts, login: &mut Login) -> Option<Self> {
        let run = login.run.as_deref_mut()?;
        let fresh = run.fresh.take()?;
        Some(Self {
            fresh: *fresh,
            subject: run.pinned.clone()?,
            evidence: run.person()?.answer.evidence.clone(),
            audit_key: app.audit_key.clone(),
        })
    }

    /// Whether it may be written. Holds the account, and what leads to it, until the transaction is over.
    pub(super) async fn may(&self, tx: &mut Tx, goes: bool) -> Result<bool, DbError> {
        let Self {
            fresh,
            subject,
            evidence,
            audit_key: _,
        } = self;
        if !subjects::hold(tx, subject).await? {
            return Ok(false);
        }
        tx.lock("subject_means").await?;
        let leads = resolve::leads(tx, evidence).await?;
        let room = goes || subjects::count(tx, subject).await? < subjects::MOST;
        let taken = subjects::has_passkey(tx, &fresh.mac).await?;
        Ok(leads.as_ref() == Some(subject) && room && !taken)
    }

    /// Writes it.
    pub(super) async fn put(&self, tx: &mut Tx, now: UnixTime) -> Result<(), DbError> {
        let Self {
            fresh,
            subject,
            evidence: _,
            audit_key,
        } = self;
        if !passkeys::insert(tx, fresh, subject, now).await? {
            // It was looked at a moment ago, in this very transaction.
            return Err(Table("passkeys")
                .invalid("credential_id", "there already")
                .into());
        }
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
