//! Passkeys in a run: one tap says whose login it is, and is the passkey step.

use super::{RunError, Visit, complete, facts, failed};
use crate::app::Parts;
use crate::domain::passkey::Tapped;
use crate::domain::reason::Failure;
use crate::domain::request::{LoginRequest, StepUp};
use crate::domain::transaction::Login;
use crate::journey::{Outcome, Proof, StepKind, StepResult};
use crate::journeys::Loaded;
use crate::login::passkey::{self, PasskeyError, Standing};
use crate::numbers::tell;

/// What a tap proves: nothing attests where the key lies, and the device verified the person.
pub(super) const PROOF: Proof = Proof::Passkey {
    hardware_key: false,
    user_verified: true,
};

impl From<PasskeyError> for RunError {
    fn from(error: PasskeyError) -> Self {
        match error {
            PasskeyError::Store(error) => Self::Store(error),
            // Nothing else comes of looking at what a passkey stands for.
            _ => Self::Gone,
        }
    }
}

/// Whether a passkey can be asked for in this run.
pub(super) async fn possible(app: &Parts, login: &Login) -> Result<bool, RunError> {
    let client = app.asker(&login.request).await?;
    Ok(client.is_some_and(|client| passkey::offered_in_run(app, &client, login)))
}

/// Whether the step that waits takes a passkey.
#[must_use]
pub fn takes_passkey(login: &Login, loaded: &Loaded) -> bool {
    match super::at(login, loaded).map(|step| &step.kind) {
        Some(StepKind::Identify { accept }) => accept.contains("passkey_autofill"),
        Some(StepKind::Passkey { register }) => !register,
        _ => false,
    }
}

/// What the passkeys of an account stand for in this journey.
pub(super) async fn standing(
    app: &Parts,
    loaded: &Loaded,
    tapped: &Tapped,
) -> Result<Option<Standing>, RunError> {
    let knows = |query: &str| loaded.knows(query);
    Ok(passkey::standing(app, &tapped.subject, knows).await?)
}

/// Somebody's passkey was right. It must be that of whoever logs in here, stand for a card that holds, and
/// look usual where no step judges that; else the step ends with `error`.
pub async fn tapped(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    (tapped, visit): (Tapped, &Visit),
) -> Result<(), RunError> {
    let step = super::at(login, loaded).ok_or(RunError::Gone)?;
    let identifies = matches!(step.kind, StepKind::Identify { .. });
    let run = login.run.as_deref().ok_or(RunError::Gone)?;
    let pinned = run.pinned.as_ref();
    // Login.md, section 2, point 5: another account is an error, never a switch.
    if pinned.is_some_and(|pinned| *pinned != tapped.subject) {
        let why = Failure::other_account();
        return failed(app, login, loaded, Outcome::Error, why);
    }
    if !loaded.assesses() {
        let agent = visit.agent.as_deref();
        let signs = facts::unusual(app, login, &tapped.subject, agent).await?;
        if signs.is_some() {
            let journey = Some(loaded.journey.id.as_str());
            tell::step_up_required(app, &login.request, journey, StepUp::Risk);
            login.request = LoginRequest {
                risk: signs,
                ..login.request.clone()
            };
            return not_now(app, login, loaded, identifies);
        }
    }
    if standing(app, loaded, &tapped).await?.is_none() {
        return not_now(app, login, loaded, identifies);
    }
    facts::pin(app, login, tapped.subject.clone()).await?;
    login.passkey = Some(tapped);
    let proof = (!identifies).then_some(PROOF);
    let outcome = Outcome::Ok;
    complete(app, login, loaded, StepResult { outcome, proof }).map(drop)
}

/// The passkey was right and does not stand: the journey goes on as if there were none. Who says who they
/// are has said nothing.
fn not_now(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    identifies: bool,
) -> Result<(), RunError> {
    if identifies {
        return super::skipped(app, login, loaded);
    }
    failed(app, login, loaded, Outcome::Error, Failure::unmatched())
}
