//! `cargo xtask fuzz`: every target of `fuzz/` for some minutes.

use std::process::Command;

use anyhow::{Context, Result};

use crate::run::{output, root, succeed};
use crate::setup::on_path;

/// Runs the targets one after another; a finding ends the run with an error.
pub fn run(minutes: u64, only: Option<&str>) -> Result<()> {
    if !on_path("cargo-fuzz") {
        succeed(Command::new("cargo").args(["install", "--locked", "cargo-fuzz"]))?;
    }
    let folder = root();
    let list = output(fuzz("list").current_dir(&folder))?;
    let targets: Vec<&str> = list
        .lines()
        .filter(|target| only.is_none_or(|only| only == *target))
        .collect();
    for target in &targets {
        let seconds = minutes.checked_mul(60).context("too many minutes")?;
        succeed(
            fuzz("run")
                .arg(target)
                .arg("--")
                .arg(format!("-max_total_time={seconds}"))
                .args(["-timeout=1", "-rss_limit_mb=2048", "-max_len=65536"])
                .current_dir(&folder),
        )?;
    }
    println!("{} targets, {minutes} min each, no finding", targets.len());
    Ok(())
}

fn fuzz(command: &str) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(["+nightly", "fuzz", command]);
    cargo
}
