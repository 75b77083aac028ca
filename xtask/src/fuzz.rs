//! `cargo xtask fuzz`: every target of `fuzz/` for some minutes.
//!
//! The workspace has no `unsafe` code, so no memory sanitizer runs along: what is looked for is panics,
//! overflows, broken properties, inputs that take longer than a second and memory without bound.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::run::{output, root, succeed};
use crate::setup::on_path;

/// Which targets run, and how long.
#[derive(Debug, clap::Args)]
pub struct Wanted {
    /// Minutes for each target.
    #[arg(default_value_t = 1)]
    minutes: u64,
    /// Only one target.
    #[arg(long)]
    target: Option<String>,
    /// How many targets run at the same time.
    #[arg(long, default_value_t = 2)]
    at_once: usize,
}

/// One target at work, and where it writes what it says.
struct Running {
    target: String,
    child: Child,
    log: PathBuf,
}

/// Builds the targets and runs them in groups; a finding ends in an error that names its file.
pub fn run(wanted: &Wanted) -> Result<()> {
    if !on_path("cargo-fuzz") {
        succeed(Command::new("cargo").args(["install", "--locked", "cargo-fuzz"]))?;
    }
    let seconds = wanted.minutes.checked_mul(60).context("too many minutes")?;
    let list = output(fuzz("list").current_dir(root()))?;
    let targets: Vec<&str> = list
        .lines()
        .filter(|target| wanted.target.as_deref().is_none_or(|only| only == *target))
        .collect();
    if targets.is_empty() {
        bail!("no such target; there are:\n{list}");
    }
    succeed(
        fuzz("build")
            .args(["--sanitizer", "none"])
            .args(wanted.target.as_deref())
            .current_dir(root()),
    )?;
    let mut findings = Vec::new();
    for group in targets.chunks(wanted.at_once.max(1)) {
        let started: Vec<Running> = group
            .iter()
            .map(|target| start(target, seconds))
            .collect::<Result<_>>()?;
        for running in started {
            findings.extend(finish(running)?);
        }
    }
    for finding in &findings {
        println!("found: {finding}");
    }
    if !findings.is_empty() {
        bail!("{} targets have a finding", findings.len());
    }
    println!(
        "{} targets, {} min each, no finding",
        targets.len(),
        wanted.minutes
    );
    Ok(())
}

fn fuzz(command: &str) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(["+nightly", "fuzz", command]);
    cargo
}

/// Where cargo-fuzz puts a program; the folder of the platform is the only one with a release below it.
fn program(target: &str) -> Result<PathBuf> {
    let folder = root().join("fuzz/target");
    let platforms = std::fs::read_dir(&folder).context("fuzz/target")?;
    let mut programs = platforms
        .flatten()
        .map(|platform| platform.path().join("release").join(target));
    programs
        .find(|program| program.is_file())
        .with_context(|| format!("{target} was not built"))
}

fn start(target: &str, seconds: u64) -> Result<Running> {
    let fuzz = root().join("fuzz");
    let (corpus, artifacts) = (
        fuzz.join("corpus").join(target),
        fuzz.join("artifacts").join(target),
    );
    std::fs::create_dir_all(&corpus)?;
    std::fs::create_dir_all(&artifacts)?;
    let log = artifacts.join("log.txt");
    let child = Command::new(program(target)?)
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg(format!("-max_total_time={seconds}"))
        .args(["-timeout=1", "-rss_limit_mb=2048", "-max_len=65536"])
        .arg("-print_final_stats=1")
        .arg(corpus)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&log)?)
        .spawn()
        .with_context(|| format!("{target} does not start"))?;
    Ok(Running {
        target: target.to_owned(),
        child,
        log,
    })
}

/// Waits; says how many inputs were tried, or where the finding is.
fn finish(mut running: Running) -> Result<Option<String>> {
    let status = running.child.wait()?;
    let said = String::from_utf8_lossy(&std::fs::read(&running.log)?).into_owned();
    let Running { target, log, .. } = running;
    if !status.success() {
        return Ok(Some(finding(&target, &said, &log)));
    }
    let inputs = executed(&said).context("the target did not say what it ran")?;
    println!("{target:28} {inputs:>12} inputs, no finding");
    Ok(None)
}

fn finding(target: &str, said: &str, log: &Path) -> String {
    let place = said
        .lines()
        .find_map(|line| line.split_once("Test unit written to "))
        .map_or_else(|| log.display().to_string(), |(_, file)| file.to_owned());
    format!("{target}: {place}")
}

/// The count in libFuzzer's closing statistics.
fn executed(said: &str) -> Option<u64> {
    said.lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .and_then(|count| count.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_fuzzer_says() {
        let good =
            "Done 7 runs in 1 second(s)\nstat::number_of_executed_units: 7\nstat::peak_rss_mb: 40";
        assert_eq!(executed(good), Some(7));
        assert_eq!(executed("stat::peak_rss_mb: 40"), None);
        let bad = "panicked at x\nartifact_prefix='a/'; Test unit written to a/crash-1";
        assert_eq!(finding("dcql", bad, Path::new("l")), "dcql: a/crash-1");
        assert_eq!(finding("dcql", "killed", Path::new("l")), "dcql: l");
    }
}
