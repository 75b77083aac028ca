//! Steps that ask somebody outside: `webhook`, and `risk` where another engine has a say.

use super::call::{self, Question};
use super::{RunError, Visit, facts};
use crate::app::{App, Parts};
use crate::domain::transaction::Login;
use crate::journey::{Outcome, Proof, Step, StepKind};

/// Seconds that an engine of risk has.
const RISK_S: u32 = 3;

/// A `webhook` step.
pub(super) async fn webhook(
    app: &App,
    login: &mut Login,
    step: &Step,
) -> Result<(Outcome, Option<Proof>), RunError> {
    let StepKind::Webhook {
        url,
        timeout_s,
        sms,
    } = &step.kind
    else {
        return Ok((Outcome::Error, None));
    };
    // A run goes on with its text; the configuration may have changed.
    let Some(hook) = app.settings.hook(url) else {
        return Ok((Outcome::Error, None));
    };
    let question = Question::Step { sms: *sms };
    let said = call::ask(app, login, step, (hook, *timeout_s), question).await?;
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    run.raise(said.level);
    Ok((said.outcome, said.proof()))
}

/// A `risk` step: how it ends, or `None` where it must wait until somebody may be asked. Our own
/// assessment holds whatever the other engine says; it may only be raised.
pub(super) async fn risk(
    app: &Parts,
    login: &mut Login,
    step: &Step,
    visit: &Visit,
) -> Result<Option<Outcome>, RunError> {
    let settings = app.settings.risk.as_ref();
    let hook = settings.and_then(|settings| settings.webhook.as_ref());
    let asks = match (hook, &visit.asks) {
        (None, _) => None,
        (Some(_), None) => return Ok(None),
        (Some(hook), Some(app)) => Some((hook, app)),
    };
    let risk = facts::risk(app, login, visit).await?;
    let outcome = risk.as_ref().map_or(Outcome::Error, |_| Outcome::Ok);
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    run.assessed(risk);
    let (Some((hook, app)), Some(risk)) = (asks, run.facts.risk.clone()) else {
        return Ok(Some(outcome));
    };
    let question = Question::Risk {
        level: risk.level,
        reasons: &risk.reasons,
    };
    let said = call::ask(app, login, step, (hook, RISK_S), question).await?;
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    run.raise(said.level);
    Ok(Some(said.outcome))
}
