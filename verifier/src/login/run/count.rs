//! What is kept of each run: rules and outcomes, no values.

use crate::app::Parts;
use crate::domain::run::Run;
use crate::domain::transaction::Login;
use crate::journey::Line;
use crate::login::accept::log_id;
use crate::store::journeys::Trace;

/// What is kept of a run that ends with this code, `success` or that of the refusal.
pub fn ended(app: &Parts, login: &Login, code: &str) -> Option<Trace> {
    let run = login.run.as_deref()?;
    Some(Trace {
        login: login.id.clone(),
        reference: log_id(&login.id).to_owned(),
        journey: run.instance.journey().to_owned(),
        hash: run.instance.hash().to_owned(),
        outcome: code.to_owned(),
        lines: lines(run),
        ended_at: app.now(),
    })
}

/// The rules of a run, and of those that followed it.
fn lines(run: &Run) -> Vec<Line> {
    let followed = run.followed.iter().map(|one| one.instance.trace());
    let all = std::iter::once(run.instance.trace()).chain(followed);
    all.flatten().cloned().collect()
}
