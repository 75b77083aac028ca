//! What the counts say: one tile for each number, with its formula and the two numbers that it is made of.

mod people;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

use super::counts::Key;
use super::what;
pub use people::Now;
use people::{agreed, attempts, looked_up};

/// Rows of the store.
pub type Rows = [(Key, i64)];

/// What a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// So many.
    Count,
    /// From 0 to 1.
    Ratio,
    /// Seconds.
    Seconds,
}

/// A number with its formula.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Tile {
    /// What it is.
    #[schema(example = "success_rate")]
    pub id: &'static str,
    /// The number; nothing where there is nothing to count yet.
    pub value: Option<f64>,
    /// What kind of number.
    pub unit: Unit,
    /// Above the line, of a ratio; how many were measured, of seconds.
    pub of: i64,
    /// Below the line, of a ratio.
    pub among: Option<i64>,
    /// How it is computed, in the names of `parts` and series.
    pub formula: &'static str,
}

/// A step of a journey.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StepNumbers {
    /// The step.
    pub step: String,
    /// How often it was reached.
    pub entered: i64,
    /// How often it ended, by outcome.
    pub finished: BTreeMap<String, i64>,
    /// `1 - finished(ok, reused) / entered`, at least 0.
    pub drop_off: Option<f64>,
    /// `entered(this step) / entered(first step)`.
    pub overall: Option<f64>,
    /// Seconds that half of them took at most.
    pub median_s: Option<i64>,
}

/// Formulas of steps, for those who read them.
pub const STEP_FORMULA: &str = "drop_off = 1 - finished(ok, reused) / entered, of the same step; overall = entered(step) / entered(first step); median of step_finished - step_entered";

/// The sum of the rows of a kind that a condition lets through.
fn sum(rows: &Rows, what: &str, fits: impl Fn(&Key) -> bool) -> i64 {
    let rows = rows.iter().filter(|(key, _)| key.what == what && fits(key));
    rows.map(|(_, n)| n).sum()
}

/// The nearest rank: the smallest number of seconds that a share of them took at most.
fn quantile(rows: &Rows, share: (i64, i64), fits: impl Fn(&Key) -> bool) -> (Option<i64>, i64) {
    let mut by_seconds: BTreeMap<i64, i64> = BTreeMap::new();
    for (key, n) in rows.iter().filter(|(key, _)| fits(key)) {
        *by_seconds.entry(key.seconds).or_default() += n;
    }
    let all: i64 = by_seconds.values().sum();
    let rank = (all * share.0 + share.1 - 1) / share.1;
    let mut passed = 0;
    let at = by_seconds.iter().find(|(_, n)| {
        passed += **n;
        passed >= rank.max(1)
    });
    (at.map(|(seconds, _)| *seconds), all)
}

#[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^53")]
fn float(n: i64) -> f64 {
    n as f64
}

fn ratio(id: &'static str, of: i64, among: i64, formula: &'static str) -> Tile {
    Tile {
        id,
        value: (among > 0).then(|| float(of) / float(among)),
        unit: Unit::Ratio,
        of,
        among: Some(among),
        formula,
    }
}

fn count(id: &'static str, n: i64, formula: &'static str) -> Tile {
    Tile {
        id,
        value: Some(float(n)),
        unit: Unit::Count,
        of: n,
        among: None,
        formula,
    }
}

fn seconds(id: &'static str, rows: &Rows, share: (i64, i64), formula: &'static str) -> Tile {
    let (at, all) = quantile(rows, share, |key| key.what == what::TOOK);
    Tile {
        id,
        value: at.map(float),
        unit: Unit::Seconds,
        of: all,
        among: None,
        formula,
    }
}

/// Every tile. Of one journey or application nothing is looked up.
#[must_use]
pub fn tiles(rows: &Rows, now: Option<&Now>) -> Vec<Tile> {
    let all = |_: &Key| true;
    let ended = |outcome: &'static str| {
        sum(rows, what::FINISHED, move |key: &Key| {
            key.outcome == outcome
        })
    };
    let accounts = |outcome: &'static str| {
        sum(rows, what::REGISTRATION, move |key: &Key| {
            key.outcome == outcome
        })
    };
    let cards = |outcome: &'static str| {
        sum(rows, what::PRESENTATION, move |key: &Key| {
            key.outcome == outcome
        })
    };
    let raised = |outcome: &'static str, reason: Option<&'static str>| {
        sum(rows, what::STEP_UP, move |key: &Key| {
            key.outcome == outcome && reason.is_none_or(|reason| key.method == reason)
        })
    };
    let (started, finished) = (
        sum(rows, what::STARTED, all),
        sum(rows, what::FINISHED, all),
    );
    let untouched = ended("untouched");
    let passed = raised("success", None);
    let mut tiles = vec![
        count(
            "registrations",
            accounts("completed"),
            "registrations completed",
        ),
        ratio(
            "registration_conversion",
            accounts("completed"),
            accounts("started") - accounts("returned"),
            "registrations completed / (registrations started - those that led to an account that was there). Started: the first login of a browser, at a question that makes accounts, and each login that made one; a login is over within the hour",
        ),
        ratio(
            "success_rate",
            ended("success"),
            started - untouched,
            "logins that succeeded / (logins started - logins abandoned before the first input)",
        ),
        ratio(
            "abandonment",
            untouched + ended("abandoned"),
            started,
            "logins abandoned / logins started",
        ),
        seconds(
            "time_to_login_p50",
            rows,
            (1, 2),
            "median of the seconds from the request to the code, of logins that succeeded, without those that a session answered",
        ),
        seconds(
            "time_to_login_p90",
            rows,
            (9, 10),
            "nine of ten logins that succeeded, without those that a session answered, took so many seconds at most",
        ),
        ratio(
            "step_up_rate",
            raised("required", None),
            finished,
            "step-ups required / logins finished",
        ),
        ratio(
            "unnecessary_step_up_rate",
            raised("success", Some("risk")),
            finished,
            "step-ups for risk that the person passed / logins finished",
        ),
        ratio(
            "step_up_passed",
            passed,
            passed + raised("failure", None),
            "step-ups passed / step-ups finished",
        ),
        ratio(
            "credential_acceptance",
            cards("accepted"),
            cards("accepted") + cards("rejected"),
            "cards accepted / (cards accepted + cards rejected)",
        ),
        ratio(
            "wallet_readiness",
            cards("asked") - cards("no_match"),
            cards("asked"),
            "1 - wallets without a card that fits / questions to wallets",
        ),
        ratio(
            "decline_rate",
            cards("declined"),
            cards("asked"),
            "questions that people said no to in the wallet / questions to wallets",
        ),
    ];
    tiles.extend([
        attempts(
            "success_vp",
            rows,
            "vp",
            "cards that were shown and led in / (those + cards that were shown and did not, and people who said no)",
        ),
        attempts(
            "success_passkey",
            rows,
            "passkey",
            "passkeys that led in alone / (those + passkeys that were refused, or after which more was asked)",
        ),
        attempts(
            "success_session",
            rows,
            "session",
            "logins that a session answered alone / (those + logins for which a session was there and more was asked)",
        ),
    ]);
    tiles.extend(agreed(rows));
    tiles.extend(now.map(|now| looked_up(rows, now)).into_iter().flatten());
    tiles
}

/// What is known where logins are told apart by how the wallet was reached: that shows at the end, and
/// what is divided by beginnings or questions says nothing.
const OF_CHANNEL: [&str; 4] = [
    "registrations",
    "time_to_login_p50",
    "time_to_login_p90",
    "credential_acceptance",
];

/// The tiles of logins that reached the wallet in one way.
#[must_use]
pub fn tiles_of_channel(rows: &Rows) -> Vec<Tile> {
    let known = |tile: Tile| match OF_CHANNEL.contains(&tile.id) {
        true => tile,
        false => unknown(tile),
    };
    tiles(rows, None).into_iter().map(known).collect()
}

/// The tiles of one journey or stage: in which of them a consent was given that is withdrawn is not kept.
#[must_use]
pub fn tiles_of_journey(rows: &Rows) -> Vec<Tile> {
    let known = |tile: Tile| match tile.id {
        "consent_withdrawn" => unknown(tile),
        _ => tile,
    };
    tiles(rows, None).into_iter().map(known).collect()
}

fn unknown(tile: Tile) -> Tile {
    Tile {
        value: None,
        of: 0,
        among: None,
        ..tile
    }
}

/// The steps of a journey, those of its file in their order and then those of earlier files.
#[must_use]
pub fn steps(rows: &Rows, journey: &str, order: &[&str]) -> Vec<StepNumbers> {
    let own = |key: &Key| key.journey == journey;
    let mut names: Vec<&str> = order.to_vec();
    let counted = rows.iter().map(|(key, _)| key);
    let older: BTreeSet<&str> = counted
        .filter(|key| own(key) && !key.step.is_empty() && !names.contains(&key.step.as_str()))
        .map(|key| key.step.as_str())
        .collect();
    names.extend(older);
    let reached = |step: &str| sum(rows, what::ENTERED, |key| own(key) && key.step == step);
    let first = names.first().map_or(0, |step| reached(step));
    let numbers = names.iter().map(|step| {
        let entered = reached(step);
        let mut finished = BTreeMap::new();
        for (key, n) in rows {
            if key.what == what::LEFT && own(key) && key.step == *step {
                *finished.entry(key.outcome.clone()).or_default() += n;
            }
        }
        let well = ["ok", "reused"].iter();
        let well: i64 = well.filter_map(|one| finished.get(*one)).sum();
        let took = |key: &Key| key.what == what::STEP_TOOK && own(key) && key.step == *step;
        StepNumbers {
            step: (*step).to_owned(),
            entered,
            finished,
            drop_off: (entered > 0).then(|| (1.0 - float(well) / float(entered)).max(0.0)),
            overall: (first > 0).then(|| float(entered) / float(first)),
            median_s: quantile(rows, (1, 2), took).0,
        }
    });
    numbers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(what: &str, outcome: &str, seconds: i64, n: i64) -> (Key, i64) {
        let key = Key {
            what: what.to_owned(),
            outcome: outcome.to_owned(),
            seconds,
            ..Key::default()
        };
        (key, n)
    }

    fn value(tiles: &[Tile], id: &str) -> Option<f64> {
        tiles.iter().find(|tile| tile.id == id).unwrap().value
    }

    #[test]
    fn two_hundred_registrations_with_37_abandoned_are_81_5_per_cent() {
        let rows = [
            row(what::REGISTRATION, "started", 0, 205),
            row(what::REGISTRATION, "returned", 0, 5),
            row(what::REGISTRATION, "completed", 0, 163),
        ];
        let now = Now {
            sessions: 3,
            ..Now::default()
        };
        let tiles = tiles(&rows, Some(&now));
        assert_eq!(value(&tiles, "registration_conversion"), Some(0.815));
        assert_eq!(value(&tiles, "registrations"), Some(163.0));
        assert_eq!(value(&tiles, "sessions_active"), Some(3.0));
        assert_eq!(value(&tiles, "success_rate"), None, "nothing to divide by");
    }

    #[test]
    fn logins_that_nobody_touched_are_no_failures_and_are_shown_apart() {
        let rows = [
            row(what::STARTED, "", 0, 100),
            row(what::FINISHED, "success", 0, 72),
            row(what::FINISHED, "untouched", 0, 20),
            row(what::FINISHED, "abandoned", 0, 4),
            row(what::FINISHED, "failed", 0, 4),
        ];
        let tiles = tiles(&rows, None);
        assert_eq!(value(&tiles, "success_rate"), Some(0.9));
        assert_eq!(value(&tiles, "abandonment"), Some(0.24));
    }

    #[test]
    fn quantiles_are_of_the_nearest_rank() {
        let rows = [
            row(what::TOOK, "", 2, 5),
            row(what::TOOK, "", 9, 4),
            row(what::TOOK, "", 40, 1),
        ];
        let tiles = tiles(&rows, None);
        assert_eq!(value(&tiles, "time_to_login_p50"), Some(2.0));
        assert_eq!(value(&tiles, "time_to_login_p90"), Some(9.0));
    }

    #[test]
    fn a_step_loses_those_with_whom_it_does_not_go_well_wherever_they_go_then() {
        let of = |what: &str, step: &str, outcome: &str, n: i64| {
            let (key, n) = row(what, outcome, 0, n);
            let key = Key {
                journey: "j".to_owned(),
                step: step.to_owned(),
                ..key
            };
            (key, n)
        };
        let rows = [
            of(what::ENTERED, "ask", "", 10),
            of(what::ENTERED, "branch", "", 2),
            of(what::ENTERED, "done", "", 5),
            of(what::ENTERED, "older", "", 1),
            of(what::LEFT, "ask", "ok", 6),
            of(what::LEFT, "ask", "reused", 1),
            of(what::LEFT, "branch", "ok", 2),
            of(what::LEFT, "done", "ok", 5),
            of(what::LEFT, "ask", "declined", 3),
        ];
        let steps = steps(&rows, "j", &["ask", "branch", "skipped", "done"]);
        let names: Vec<_> = steps.iter().map(|one| one.step.as_str()).collect();
        assert_eq!(names, ["ask", "branch", "skipped", "done", "older"]);
        assert!((steps[0].drop_off.unwrap() - 0.3).abs() < 1e-9);
        assert_eq!(
            (steps[1].drop_off, steps[1].overall),
            (Some(0.0), Some(0.2))
        );
        assert_eq!((steps[2].drop_off, steps[2].overall), (None, Some(0.0)));
        assert_eq!(
            (steps[3].drop_off, steps[3].overall),
            (Some(0.0), Some(0.5))
        );
        assert_eq!(steps[0].finished["declined"], 3);
    }
}
