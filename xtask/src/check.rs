//! `cargo xtask check`: the rules of the house that a program can see.

mod catalogue;
mod conformance;
mod directions;
mod sources;
mod supply;

use anyhow::{Result, bail};

use crate::run::{cargo, succeed};
use crate::setup::on_path;

/// Format, lints, advisories and architecture.
pub fn run() -> Result<()> {
    succeed(&mut cargo(&["fmt", "--all", "--check"]))?;
    succeed(&mut cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ]))?;
    if on_path("cargo-deny") {
        succeed(&mut cargo(&[
            "deny", "check", "bans", "licenses", "sources",
        ]))?;
        if let Some(said) = supply::advisories()? {
            println!("{said}");
        }
    } else {
        println!("skipped: cargo deny (install it with `cargo install --locked cargo-deny`)");
    }
    architecture()
}

/// Only what reads the workspace: quick enough to run before every test.
pub fn architecture() -> Result<()> {
    let mut findings = directions::findings()?;
    findings.extend(sources::findings()?);
    findings.extend(conformance::findings()?);
    findings.extend(catalogue::findings()?);
    findings.extend(supply::findings()?);
    findings.extend(supply::parsers()?);
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} findings against the architecture", findings.len());
    }
    println!(
        "architecture: directions, pure crates, file sizes, the conformance table, the attack catalogue and the supply chain hold"
    );
    Ok(())
}
