//! The table, what is missed, and the saved figures.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::json;

use crate::slices::{Figure, Plan};

/// One line of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// The metric: `P1`.
    pub name: &'static str,
    /// What is measured.
    pub what: String,
    /// Ours, CPU per operation.
    pub ours: Figure,
    /// What the operation cannot avoid.
    pub floor: Option<Floor>,
    /// The peer in the same run, and its name.
    pub peer: Option<(String, Figure)>,
    /// What is wanted.
    pub goals: &'static [Goal],
}

/// The primitives that an operation cannot avoid, measured in the same run.
#[derive(Clone, Debug, Serialize)]
pub struct Floor {
    /// In microseconds.
    pub us: f64,
    /// What it is made of.
    pub of: String,
}

/// What is wanted of a line.
#[derive(Clone, Copy, Debug, Serialize)]
pub enum Goal {
    /// The floor is at least this part of ours.
    Limit(f64),
    /// Ours is at most so many floors.
    Floors(f64),
    /// The peer takes at least so many times as long as ours.
    Times(f64),
    /// Ours takes at most so many times as long as the peer.
    OfPeer(f64),
    /// Ours takes at most so many microseconds.
    Micros(f64),
}

/// A figure that is no CPU time.
#[derive(Clone, Debug, Serialize)]
pub struct Fact {
    /// The metric: `P10`.
    pub name: &'static str,
    /// What was counted.
    pub what: String,
    /// How much it is.
    pub value: f64,
    /// How much it may be.
    pub most: f64,
}

/// What a measurement returns.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Results {
    /// CPU times.
    pub lines: Vec<Line>,
    /// The rest.
    pub facts: Vec<Fact>,
}

impl Line {
    /// The floor divided by ours: 1 is the limit.
    pub fn limit_fraction(&self) -> Option<f64> {
        let floor = self.floor.as_ref()?;
        Some(floor.us / self.ours.median_us)
    }

    /// How many times the peer's CPU ours saves.
    pub fn times_peer(&self) -> Option<f64> {
        let (_, peer) = self.peer.as_ref()?;
        Some(peer.median_us / self.ours.median_us)
    }

    fn goals(&self) -> String {
        let shown = self.goals.iter().map(|goal| {
            let mark = match goal.is_met(self) {
                Some(true) => "",
                Some(false) => " MISSED",
                None => " ?",
            };
            format!("{}{mark}", goal.words())
        });
        shown.collect::<Vec<_>>().join(", ")
    }
}

impl Goal {
    /// `None`: what it is about was not measured.
    pub fn is_met(self, line: &Line) -> Option<bool> {
        match self {
            Self::Limit(least) => line.limit_fraction().map(|limit| limit >= least),
            Self::Floors(most) => line.limit_fraction().map(|limit| 1.0 / limit <= most),
            Self::Times(least) => line.times_peer().map(|times| times >= least),
            Self::OfPeer(most) => line.times_peer().map(|times| 1.0 / times <= most),
            Self::Micros(most) => Some(line.ours.median_us <= most),
        }
    }

    fn words(self) -> String {
        match self {
            Self::Limit(least) => format!("limit>={:.0}%", 100.0 * least),
            Self::Floors(most) => format!("<={most}x floor"),
            Self::Times(least) => format!("times>={least}"),
            Self::OfPeer(most) => format!("<={most}x peer"),
            Self::Micros(most) => format!("<={most} us"),
        }
    }
}

impl Fact {
    fn is_met(&self) -> bool {
        self.value <= self.most
    }
}

impl Results {
    /// CPU times alone.
    pub fn of(lines: Vec<Line>) -> Self {
        let facts = Vec::new();
        Self { lines, facts }
    }

    /// Adds what another measurement returned.
    pub fn extend(&mut self, other: Self) {
        self.lines.extend(other.lines);
        self.facts.extend(other.facts);
    }

    /// Every goal that is missed, in words.
    fn missed(&self) -> Vec<String> {
        let lines = self.lines.iter().flat_map(|line| {
            let missed = line
                .goals
                .iter()
                .filter(|goal| goal.is_met(line) == Some(false));
            missed.map(move |goal| format!("{} {}: {}", line.name, line.what, goal.words()))
        });
        let facts = self.facts.iter().filter(|fact| !fact.is_met());
        let facts = facts.map(|fact| format!("{} {}: <={}", fact.name, fact.what, fact.most));
        lines.chain(facts).collect()
    }

    /// Goals that nothing could be said about: no peer, no floor.
    fn unknown(&self) -> usize {
        let goals = |line: &Line| {
            line.goals
                .iter()
                .filter(|goal| goal.is_met(line).is_none())
                .count()
        };
        self.lines.iter().map(goals).sum()
    }
}

/// Three digits that count, or what stands before the point.
fn digits(value: f64) -> String {
    let after = match value {
        _ if value >= 100.0 => 0,
        _ if value >= 10.0 => 1,
        _ if value >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.after$}")
}

/// Prints the table.
pub fn print(results: &Results) {
    println!(
        "{:<4} {:<44} {:>8} {:>15} {:>7} {:>6} {:>8} {:>6}  goals",
        "", "CPU per operation", "ours us", "min..max", "floor", "limit", "peer us", "times"
    );
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    for line in &results.lines {
        println!(
            "{:<4} {:<44} {:>8} {:>15} {:>7} {:>6} {:>8} {:>6}  {}",
            line.name,
            line.what,
            digits(line.ours.median_us),
            format!("{}..{}", digits(line.ours.min_us), digits(line.ours.max_us)),
            or_dash(line.floor.as_ref().map(|floor| digits(floor.us))),
            or_dash(
                line.limit_fraction()
                    .map(|limit| format!("{:.0}%", 100.0 * limit))
            ),
            or_dash(line.peer.as_ref().map(|(_, peer)| digits(peer.median_us))),
            or_dash(line.times_peer().map(|times| format!("{}x", digits(times)))),
            line.goals(),
        );
    }
    for fact in &results.facts {
        let (value, most) = (digits(fact.value), fact.most);
        let mark = if fact.is_met() { "" } else { " MISSED" };
        println!("{:<4} {}: {value}  <={most}{mark}", fact.name, fact.what);
    }
    print_notes(results);
    let missed = results.missed();
    match missed.len() {
        0 => println!("no goal of these rows is missed"),
        count => println!("goals missed: {count}\n  {}", missed.join("\n  ")),
    }
    if results.unknown() > 0 {
        println!("goals without a figure: {}", results.unknown());
    }
}

/// What the floors are made of and who the peers are, each once.
fn print_notes(results: &Results) {
    let mut notes = Vec::new();
    for line in &results.lines {
        let floor = line
            .floor
            .as_ref()
            .map(|floor| format!("{} floor: {}", line.name, floor.of));
        let peer = line
            .peer
            .as_ref()
            .map(|(name, _)| format!("{} peer: {name}", line.name));
        for note in floor.into_iter().chain(peer) {
            if !notes.contains(&note) {
                println!("{note}");
                notes.push(note);
            }
        }
    }
}

/// Saves the figures as JSON.
pub fn save(results: &Results, plan: &Plan, path: &Path) -> Result<()> {
    let rows: Vec<_> = results
        .lines
        .iter()
        .map(|line| json!({ "line": line, "limit_fraction": line.limit_fraction(), "times_peer": line.times_peer() }))
        .collect();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let saved =
        json!({ "plan": plan, "rows": rows, "facts": results.facts, "missed": results.missed() });
    std::fs::write(path, serde_json::to_vec_pretty(&saved)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("saved: {}", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(peer: Option<f64>, goals: &'static [Goal]) -> Line {
        let figure = |us| Figure::of(vec![us]);
        Line {
            name: "P0",
            what: "nothing".to_owned(),
            ours: figure(10.0),
            floor: Some(Floor {
                us: 6.0,
                of: String::new(),
            }),
            peer: peer.map(|us| ("somebody".to_owned(), figure(us))),
            goals,
        }
    }

    fn missed(line: Line) -> usize {
        let results = Results {
            lines: vec![line],
            facts: Vec::new(),
        };
        results.missed().len()
    }

    #[test]
    fn a_goal_is_met_missed_or_unknown() {
        use Goal::{Floors, Limit, Micros, OfPeer, Times};
        let met = [
            Limit(0.6),
            Floors(1.7),
            Times(2.0),
            OfPeer(0.5),
            Micros(10.0),
        ];
        let not = [
            Limit(0.61),
            Floors(1.6),
            Times(2.1),
            OfPeer(0.49),
            Micros(9.9),
        ];
        let measured = line(Some(20.0), &[]);
        assert!(met.iter().all(|goal| goal.is_met(&measured) == Some(true)));
        assert!(not.iter().all(|goal| goal.is_met(&measured) == Some(false)));
        assert_eq!(missed(line(Some(20.0), &[Limit(0.6), Times(2.1)])), 1);
        let alone = line(None, &[Times(2.0)]);
        assert_eq!(alone.goals[0].is_met(&alone), None);
        assert_eq!(missed(alone), 0);
    }
}
