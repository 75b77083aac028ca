//! Passkeys in a run: one tap says whose login it is, and is the passkey step.

use super::{RunError, Visit, complete, facts, failed};
use crate::app::Parts;
use crate::domain::ids::SubjectId;
use crate::domain::passkey::Tapped;
use crate::domain::reason::Failure;
use crate::domain::request::{LoginRequest, StepUp};
use crate::domain::transaction::Login;
use crate::journey::{Outcome, Proof, StepKind, StepResult};
use crate::journeys::Loaded;
use crate::login::passkey::{self, PasskeyError, Standing};

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
pub(super) async fn possible(
    app: &Parts,
    login: &Login,
    loaded: &Loaded,
) -> Result<bool, RunError> {
    let client = app.asker(&login.request).await?;
    Ok(client.is_some_and(|client| passkey::offered_in_run(app, &client, login, loaded)))
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

/// Somebody's passkey was right. It must be that of whoever logs in here and, where no card was shown in
/// this run, stand for one that holds and look usual where no step judges that; else the step ends with
/// `error`.
pub async fn tapped(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    (tapped, visit): (Tapped, &Visit),
) -> Result<(), RunError> {
    let step = super::at(login, loaded).ok_or(RunError::Gone)?;
    let identifies = matches!(step.kind, StepKind::Identify { .. });
    let run = login.run.as_deref().ok_or(RunError::Gone)?;
    let shown = run.person().is_some();
    // Login.md, section 2, point 5: another account is an error, never a switch.
    // A card that leads to nobody yet is nobody's whose passkey there is.
    let other = match &run.pinned {
        Some(pinned) => *pinned != tapped.subject,
        None => shown,
    };
    if other {
        login.missed.push("other_account");
        let why = Failure::other_account();
        return failed(app, login, loaded, Outcome::Error, why);
    }
    if !shown && !loaded.assesses() {
        let agent = visit.agent.as_deref();
        let signs = facts::unusual(app, login, &tapped.subject, agent).await?;
        if signs.is_some() {
            // A step-up keeps the reason that it was counted with.
            login.place.step_up = login.place.step_up.or(Some(StepUp::Risk));
            login.request = LoginRequest {
                risk: signs,
                ..login.request.clone()
            };
            return not_now(app, login, loaded, (tapped.subject, identifies)).await;
        }
    }
    if !shown && standing(app, loaded, &tapped).await?.is_none() {
        return not_now(app, login, loaded, (tapped.subject, identifies)).await;
    }
    facts::pin(app, login, tapped.subject.clone(), loaded).await?;
    login.passkey = Some(tapped);
    let proof = (!identifies).then_some(PROOF);
    let outcome = Outcome::Ok;
    complete(app, login, loaded, StepResult { outcome, proof }).map(drop)
}

/// The passkey was right and does not stand: it proves nothing here, but the card is that of its person, and
/// comes before any other tap.
async fn not_now(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    (subject, identifies): (SubjectId, bool),
) -> Result<(), RunError> {
    facts::pin(app, login, subject, loaded).await?;
    login.missed.push("asked_again");
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    run.card_first = true;
    if identifies {
        return super::skipped(app, login, loaded);
    }
    failed(app, login, loaded, Outcome::Error, Failure::unmatched())
}
