//! `totp`: a code of the authenticator app of whoever is known in the run by another factor.

use super::{RunError, complete, failed};
use crate::app::Parts;
use crate::domain::authenticator::Tried;
use crate::domain::ids::SubjectId;
use crate::domain::reason::{Explanation, Failure};
use crate::domain::transaction::Login;
use crate::journey::{Outcome, Proof, StepKind, StepResult};
use crate::journeys::Loaded;
use crate::login::authenticator;
use crate::numbers::tell;
use crate::totp::Code;

/// Whose code can be asked for: of the account that a card, a passkey, another provider or a session of this
/// run proved. What was only said is not known, and of whoever has no account yet there is no app.
fn known(login: &Login) -> Option<&SubjectId> {
    let run = login.run.as_deref()?;
    let proven = run.person().is_some()
        || run.upstream.is_some()
        || run.session.is_some()
        || login.passkey.is_some();
    run.pinned.as_ref().filter(|_| proven)
}

/// Whether a code can be asked for in this run. Whether the account has an app is not told.
pub(super) fn possible(app: &Parts, login: &Login) -> bool {
    app.settings.totp.is_some() && known(login).is_some()
}

/// Whether the step that waits takes a code.
#[must_use]
pub fn takes_code(login: &Login, loaded: &Loaded) -> bool {
    let step = super::at(login, loaded);
    step.is_some_and(|step| matches!(step.kind, StepKind::Totp))
}

/// Somebody typed a code: `false` where the page is shown once more, because it was wrong. After too many the
/// step ends with `invalid`, for a while whatever is typed.
pub async fn coded(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    typed: &str,
) -> Result<bool, RunError> {
    let subject = known(login).cloned().ok_or(RunError::Gone)?;
    // What cannot be a code is no guess.
    let Some(code) = Code::parse(typed) else {
        return Ok(false);
    };
    match authenticator::try_code(app, &subject, code).await? {
        Tried::Right(coded) => {
            tell::attempted(app, login, ("totp", "success"), "none");
            let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
            run.coded = Some(coded);
            run.failure = None;
            let (outcome, proof) = (Outcome::Ok, Some(Proof::OneTimeCode));
            complete(app, login, loaded, StepResult { outcome, proof })?;
        }
        Tried::Wrong => {
            tell::attempted(app, login, ("totp", "failure"), "code_refused");
            return Ok(false);
        }
        Tried::Wait(_) => {
            tell::attempted(app, login, ("totp", "failure"), "too_many_codes");
            let why = Failure::new("too_many_codes", Explanation::Code);
            failed(app, login, loaded, Outcome::Invalid, why)?;
        }
    }
    Ok(true)
}
