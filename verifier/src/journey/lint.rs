//! What the ways of a journey say without running it.

use std::collections::BTreeSet;

use toml::Spanned;
use vouchsafe_protocol::oidc::acr::Acr;
use vouchsafe_protocol::oidc::amr::{Done, reached};

use super::file::{StepFile, Text};
use super::mistake::{Code, Findings};
use super::model::{Channel, Journey, Outcome, Step, StepKind, Target};

/// Checks the ways (rule 4).
pub(super) fn lint(
    journey: &Journey,
    files: &[Spanned<StepFile>],
    require_acr: Option<&Text>,
    findings: &mut Findings<'_>,
) {
    let id = |at: usize| {
        let file = files.get(at);
        file.map_or(0, |file| file.get_ref().id.span().start)
    };
    let seen = reachable(journey);
    for (at, step) in journey.steps.iter().enumerate() {
        if !seen.contains(&at) {
            let message = format!("no way leads to the step `{}`", step.id);
            let hint = "name it in `on` of a step before it, or remove it";
            findings.at(id(at), Code::UnreachableStep, message, hint);
        } else if !ends(journey, at) {
            let message = format!("no way leads from `{}` to an end", step.id);
            let hint = "the last step is a `finish` or a `deny` without `when`";
            findings.at(id(at), Code::NoEnd, message, hint);
        }
    }
    if journey.limits.max_visits.is_none()
        && let Some((from, to)) = circle(journey)
    {
        let (from_id, to_id) = (&journey.steps[from].id, &journey.steps[to].id);
        let message = format!("`{from_id}` leads back to `{to_id}`, without end");
        let hint = "write `[limits]` `max_visits = 3`, or lead to a later step";
        findings.at(
            route_to(files, from, to_id).unwrap_or_else(|| id(from)),
            Code::EndlessLoop,
            message,
            hint,
        );
    }
    if let (Some(least), Some(text)) = (journey.require_acr, require_acr) {
        let best = best_level(journey);
        if best.is_none_or(|best| best < least) {
            let message = match best {
                Some(best) => format!("no way reaches {least}; the best is {best}"),
                None => format!("no way reaches {least}: nothing is proven on any"),
            };
            let hint = "add a step that proves more (`present` on this device, `passkey`), or lower `require_acr`";
            findings.at(text.span().start, Code::UnmetRequireAcr, message, hint);
        }
    }
}

/// The place of the route that closes a circle.
fn route_to(files: &[Spanned<StepFile>], from: usize, to: &str) -> Option<usize> {
    let file = files.get(from)?.get_ref();
    let cases = file.case.iter().flat_map(|cases| cases.get_ref());
    let targets = file.on.values().chain(cases.map(|case| &case.to));
    let found = targets.into_iter().find(|target| target.get_ref() == to);
    found.map(|target| target.span().start)
}

/// Where a step may lead.
pub(super) fn successors(journey: &Journey, at: usize) -> BTreeSet<usize> {
    let Some(step) = journey.steps.get(at) else {
        return BTreeSet::new();
    };
    let mut after = BTreeSet::new();
    let runs = step.when.as_ref().and_then(|when| when.constant()) != Some(false);
    if may_be_skipped(step) {
        after.insert(at + 1);
    }
    if runs {
        after.extend(
            run_edges(step, at)
                .into_iter()
                .filter_map(|(_, to)| match to {
                    Target::Step(to) => Some(to),
                    Target::Deny(_) => None,
                }),
        );
    }
    after
}

/// Whether the following step may come without this one.
pub(super) fn may_be_skipped(step: &Step) -> bool {
    let when = step.when.as_ref();
    when.is_some_and(|when| when.constant() != Some(true))
}

/// The ways out of a step that runs, with what they are called.
pub(super) fn run_edges(step: &Step, at: usize) -> Vec<(String, Target)> {
    let mut edges = Vec::new();
    if step.kind.ends() {
        // A condition or a claim without a value leads here.
        if let Some(target) = step.on.get(&Outcome::Error) {
            edges.push((Outcome::Error.as_str().to_owned(), target.clone()));
        }
        return edges;
    }
    if let StepKind::Decide { cases } = &step.kind {
        let cases = cases.iter().enumerate();
        edges.extend(cases.map(|(number, case)| (format!("case {}", number + 1), case.to.clone())));
    }
    let next = step.route(Outcome::Ok).unwrap_or(Target::Step(at + 1));
    edges.push((Outcome::Ok.as_str().to_owned(), next));
    for (outcome, target) in &step.on {
        if *outcome != Outcome::Ok {
            edges.push((outcome.as_str().to_owned(), target.clone()));
        }
    }
    edges
}

fn reachable(journey: &Journey) -> BTreeSet<usize> {
    let mut seen = BTreeSet::new();
    let mut open = vec![0];
    while let Some(at) = open.pop() {
        if at < journey.steps.len() && seen.insert(at) {
            open.extend(successors(journey, at));
        }
    }
    seen
}

/// Whether a way leads from a step to an end, and none over the end of the file.
fn ends(journey: &Journey, from: usize) -> bool {
    if successors(journey, from).contains(&journey.steps.len()) {
        return false;
    }
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        let Some(step) = journey.steps.get(at).filter(|_| seen.insert(at)) else {
            continue;
        };
        let denies = run_edges(step, at)
            .iter()
            .any(|(_, to)| matches!(to, Target::Deny(_)));
        if step.kind.ends() || denies {
            return true;
        }
        open.extend(successors(journey, at));
    }
    false
}

/// A step and a step before it to which it leads back.
fn circle(journey: &Journey) -> Option<(usize, usize)> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Closed,
    }
    let mut marks = vec![Mark::New; journey.steps.len()];
    let mut stack = vec![(0, successors(journey, 0))];
    marks[0] = Mark::Open;
    while let Some((at, rest)) = stack.last_mut() {
        let at = *at;
        match rest.pop_first() {
            None => {
                marks[at] = Mark::Closed;
                stack.pop();
            }
            Some(next) => match marks.get(next) {
                Some(Mark::Open) => return Some((at, next)),
                Some(Mark::New) => {
                    marks[next] = Mark::Open;
                    stack.push((next, successors(journey, next)));
                }
                Some(Mark::Closed) | None => {}
            },
        }
    }
    None
}

/// What steps of a kind prove at best.
fn best_proof(kind: &StepKind) -> Option<(u8, Done)> {
    Some(match kind {
        StepKind::Present(present) => {
            let qr_alone = present.channels.iter().eq([&Channel::Qr]);
            let done = Done::Presentation {
                cross_device: qr_alone,
                hardware_key: !qr_alone,
                user_verified: true,
            };
            (if qr_alone { 1 } else { 2 }, done)
        }
        StepKind::Passkey { register: false } => {
            let done = Done::Passkey {
                hardware_key: true,
                user_verified: true,
            };
            (4, done)
        }
        StepKind::Totp => (8, Done::OneTimeCode),
        StepKind::Webhook { sms: true, .. } => (16, Done::Sms),
        StepKind::Upstream { .. } => (32, Done::Upstream),
        _ => return None,
    })
}

/// The highest level with which a `finish` can be reached.
fn best_level(journey: &Journey) -> Option<Acr> {
    let mut seen = BTreeSet::new();
    let mut open = vec![(0_usize, 0_u8)];
    let mut best = None;
    while let Some((at, proven)) = open.pop() {
        let Some(step) = journey.steps.get(at).filter(|_| seen.insert((at, proven))) else {
            continue;
        };
        if matches!(step.kind, StepKind::Finish { .. }) {
            best = best.max(level_of(journey, proven));
        }
        if may_be_skipped(step) {
            open.push((at + 1, proven));
        }
        let proof = best_proof(&step.kind).map_or(0, |(bit, _)| bit);
        for (name, target) in run_edges(step, at) {
            if let Target::Step(to) = target {
                let proven_there = if name == "ok" { proven | proof } else { proven };
                open.push((to, proven_there));
            }
        }
    }
    best
}

fn level_of(journey: &Journey, proven: u8) -> Option<Acr> {
    let proofs = journey
        .steps
        .iter()
        .filter_map(|step| best_proof(&step.kind));
    let done: Vec<Done> = proofs
        .filter(|(bit, _)| proven & bit != 0)
        .map(|(_, done)| done)
        .collect();
    reached(&done)
}
