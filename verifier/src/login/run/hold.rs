//! `wait`: the run is kept until a time, and whoever has the account can cancel it until then.

use super::{RunError, beside};
use crate::app::Parts;
use crate::domain::notice::NoticeKind;
use crate::domain::reason::{Explanation, Failure};
use crate::domain::run::Waiting;
use crate::domain::transaction::Login;
use crate::journey::{Outcome, Step, StepKind};
use crate::journeys::Loaded;
use crate::store::journey_holds as holds;

/// So long after its time a run can be gone on with, in seconds.
pub(crate) const RESUME_S: i64 = 86_400;

/// Where a run is that waits: how the step ends, or `None` while it does not.
pub(super) async fn at(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    step: &Step,
) -> Result<Option<Outcome>, RunError> {
    let StepKind::Wait {
        seconds, notify, ..
    } = &step.kind
    else {
        return Ok(Some(Outcome::Error));
    };
    let now = app.now();
    let run = login.run.as_deref_mut().ok_or(RunError::Gone)?;
    let Some(waiting) = run.waiting else {
        // Nobody could cancel what is about nobody.
        if run.pinned.is_none() {
            return Ok(Some(Outcome::Error));
        }
        let until = now.plus(i64::from(*seconds));
        run.waiting = Some(Waiting {
            until,
            begins: true,
        });
        run.effects.push(beside::effect(
            &step.id,
            (NoticeKind::Waiting, notify),
            (&[], &[]),
        ));
        login.expires_at = until.plus(RESUME_S);
        return Ok(None);
    };
    if now < waiting.until {
        return Ok(None);
    }
    if !holds::is_open(&app.db, &login.id).await? {
        run.failure = Some(cancelled());
        run.waiting = None;
        return Ok(Some(Outcome::Declined));
    }
    run.waiting = None;
    run.resumes = true;
    login.expires_at = now.plus(i64::from(loaded.journey.timeout_s));
    Ok(Some(Outcome::Ok))
}

/// Whoever has the account said no.
fn cancelled() -> Failure {
    Failure::new("cancelled", Explanation::Cancelled)
}
