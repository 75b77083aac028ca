//! How a step ended is told to the run.

use super::RunError;
use crate::app::Parts;
use crate::domain::ids::SubjectId;
use crate::domain::run::Run;
use crate::domain::transaction::Login;
use crate::journey::{Outcome, StepResult};
use crate::journeys::{self, Loaded};

/// Tells the run how its step ended.
pub(super) fn complete(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    result: StepResult,
) -> Result<Outcome, RunError> {
    let account = login.run.as_deref().and_then(|run| run.pinned.clone());
    complete_for(app, login, loaded, (result, account.as_ref()))
}

/// The same, where the facts of the account are those of this one.
pub(super) fn complete_for(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    (result, account): (StepResult, Option<&SubjectId>),
) -> Result<Outcome, RunError> {
    let bindings = journeys::Bindings(&app.binding_key, account);
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    run.at(app.now());
    let Run {
        instance, facts, ..
    } = run;
    Ok(instance.complete(&loaded.journey, facts, &bindings, result)?)
}
