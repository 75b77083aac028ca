//! The table and the saved figures.

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
    /// The floor: the primitives that the operation cannot avoid, measured in
    /// the same run, in microseconds.
    pub floor_us: f64,
    /// What the floor is made of.
    pub floor_of: String,
    /// The peer in the same run, and its name.
    pub peer: Option<(String, Figure)>,
    /// The goal, in words.
    pub goal: &'static str,
}

impl Line {
    /// The floor divided by ours: 1 is the limit.
    pub fn limit_fraction(&self) -> f64 {
        self.floor_us / self.ours.median_us
    }

    /// How many times the peer's CPU ours saves.
    pub fn times_peer(&self) -> Option<f64> {
        self.peer
            .as_ref()
            .map(|(_, peer)| peer.median_us / self.ours.median_us)
    }
}

/// Prints the table.
pub fn print(lines: &[Line]) {
    println!(
        "{:<4} {:<46} {:>10} {:>19} {:>9} {:>6} {:>11} {:>7}  goal",
        "", "CPU per operation", "ours us", "min..max", "floor us", "limit", "peer us", "times"
    );
    for line in lines {
        let peer = line
            .peer
            .as_ref()
            .map_or("-".to_owned(), |(_, peer)| format!("{:.1}", peer.median_us));
        let times = line
            .times_peer()
            .map_or("-".to_owned(), |times| format!("{times:.1}x"));
        println!(
            "{:<4} {:<46} {:>10.1} {:>19} {:>9.1} {:>5.0}% {:>11} {:>7}  {}",
            line.name,
            line.what,
            line.ours.median_us,
            format!("{:.1}..{:.1}", line.ours.min_us, line.ours.max_us),
            line.floor_us,
            100.0 * line.limit_fraction(),
            peer,
            times,
            line.goal,
        );
    }
    for line in lines {
        let peer = line
            .peer
            .as_ref()
            .map_or(String::new(), |(name, _)| format!("; peer: {name}"));
        println!("{} floor: {}{peer}", line.name, line.floor_of);
    }
}

/// Saves the figures as JSON.
pub fn save(lines: &[Line], plan: &Plan, path: &Path) -> Result<()> {
    let rows: Vec<_> = lines
        .iter()
        .map(|line| json!({ "line": line, "limit_fraction": line.limit_fraction(), "times_peer": line.times_peer() }))
        .collect();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(
        path,
        serde_json::to_vec_pretty(&json!({ "plan": plan, "rows": rows }))?,
    )
    .with_context(|| format!("cannot write {}", path.display()))?;
    println!("saved: {}", path.display());
    Ok(())
}
