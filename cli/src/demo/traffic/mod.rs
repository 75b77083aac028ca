//! `vouchsafe demo traffic`: logins from a seed whose outcomes are known, and every number of the login
//! service beside what it must be.
//!
//! The services, the wallets and the traffic share one clock, which stands still unless the traffic moves
//! it: so seconds are as exact as counts, and a login that nobody ends is over at once.

mod clock;
mod compare;
mod expected;
mod plan;
mod play;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::played::WRITTEN;
use super::reach::Reach;
use super::services::Running;
use clock::HeldClock;
use compare::{Line, differing, print};
use expected::Expected;

/// What is played.
#[derive(Debug, clap::Args)]
pub struct TrafficOptions {
    /// The same seed makes the same logins.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many logins.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=2000))]
    n: u16,
    /// One JSON object per line on standard output.
    #[arg(long)]
    json: bool,
    /// What is written to standard error while it runs: `warn`, `info`, `debug`.
    #[arg(long, default_value = "error")]
    log: String,
}

/// Plays and compares; an error names the numbers that differ.
pub async fn run(options: &TrafficOptions) -> Result<()> {
    let TrafficOptions { seed, n, json, log } = options;
    let clock = Arc::new(HeldClock::now());
    let reach = Reach::parse(None, None)?;
    let addresses = reach.addresses(0)?;
    let shared = Arc::clone(&clock);
    let running = Running::start(reach, addresses, log, shared).await?;
    let plans = plan::plans(*seed, usize::from(*n));
    let expected = expected::of(&plans, clock.time());
    let started = Instant::now();
    let lines = match play::all(&running, &clock, &plans).await {
        Ok(()) => read(&running, &expected).await,
        Err(error) => Err(error),
    };
    running.stop().await?;
    let lines = lines?;
    print(&lines, *json);
    let differing = differing(&lines);
    if !differing.is_empty() {
        bail!("these numbers differ: {}", differing.join(", "));
    }
    let took = started.elapsed().as_secs_f32();
    eprintln!("{n} logins in {took:.1} s: every number is as it must be");
    Ok(())
}

/// What the business reads, beside what it must be. A job may still be writing the last counts.
async fn read(running: &Running, expected: &BTreeMap<&'static str, Expected>) -> Result<Vec<Line>> {
    let started = Instant::now();
    loop {
        let lines = compare::lines(expected, &running.numbers().await?);
        if differing(&lines).is_empty() || started.elapsed() > WRITTEN {
            return Ok(lines);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
