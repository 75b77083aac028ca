//! `cargo xtask bench`: CPU per operation of ours and of a peer, as a fraction
//! of the primitives that nobody can avoid.
//!
//! Ours, the peer and the primitives run in short slices that take turns, so
//! that a noisy machine treats them alike; every figure is a median of slices
//! with its spread. CPU time comes from the process accounting of the kernel,
//! not from the wall clock. A new measurement is a new file in `rows/`.

#![allow(
    clippy::print_stdout,
    reason = "a command-line tool: results go to stdout"
)]

mod cpu;
mod floor;
mod load;
mod peer;
mod rba;
mod report;
mod rows;
mod services;
mod slices;
mod wallet;
mod web;

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;

#[derive(Debug, Parser)]
#[command(about = "CPU per operation: ours, a peer, and the limit")]
struct Arguments {
    /// Only the rows whose name contains this: `P1`, `issue`.
    #[arg(long)]
    only: Option<String>,
    /// Names the rows and ends.
    #[arg(long)]
    list: bool,
    /// Slices of each contender; the medians are taken over them.
    #[arg(long, default_value_t = 7)]
    slices: usize,
    /// Length of a slice in milliseconds.
    #[arg(long, default_value_t = 500)]
    slice_ms: u64,
    /// Samples of each kind where times are compared (T1): 10000 for a figure to publish.
    #[arg(long, default_value_t = 100)]
    samples: usize,
    /// Where the figures are saved as JSON; `bench.json` in cargo's target
    /// folder by default.
    #[arg(long)]
    output: Option<PathBuf>,
    #[command(subcommand)]
    experiment: Option<Experiment>,
}

/// Measurements that are not of time.
#[derive(Debug, clap::Subcommand)]
enum Experiment {
    /// What thresholds of the risk score catch and what they cost.
    Rba(rba::Arguments),
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(Experiment::Rba(arguments)) = &arguments.experiment {
        return rba::run(arguments);
    }
    let rows = rows::all();
    if arguments.list {
        for row in &rows {
            println!("{}  {}", row.name, row.what);
        }
        return Ok(());
    }
    let plan = slices::Plan {
        slices: arguments.slices,
        slice_ms: arguments.slice_ms,
        samples: arguments.samples,
    };
    let wanted = |name: &str| {
        arguments
            .only
            .as_deref()
            .is_none_or(|only| name.contains(only))
    };
    let mut results = report::Results::default();
    for row in rows.iter().filter(|row| wanted(row.name)) {
        eprintln!("{} {} …", row.name, row.what);
        results.extend((row.measure)(&plan)?);
    }
    report::print(&results);
    let target = || std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    let output = arguments
        .output
        .unwrap_or_else(|| target().join("bench.json"));
    report::save(&results, &plan, &output)
}
