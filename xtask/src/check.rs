//! `cargo xtask check`: the rules of the house that a program can see.

mod catalogue;
mod concepts;
mod conformance;
mod directions;
mod examples;
mod oidf;
mod packaging;
mod sources;
mod supply;
mod typescript;

use anyhow::{Result, bail};

use crate::run::{cargo, succeed};
use crate::setup::on_path;

/// Format, lints, documentation, advisories and architecture.
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
    documentation()?;
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

/// Every public item is explained, and every link leads somewhere.
fn documentation() -> Result<()> {
    let flags = "-D warnings -D missing_docs -D rustdoc::broken_intra_doc_links";
    let mut command = cargo(&["doc", "--workspace", "--no-deps", "--quiet"]);
    succeed(command.env("RUSTDOCFLAGS", flags))
}

/// Only what reads the workspace: quick enough to run before every test.
pub fn architecture() -> Result<()> {
    let mut findings = directions::findings()?;
    findings.extend(sources::findings()?);
    findings.extend(conformance::findings()?);
    findings.extend(catalogue::findings()?);
    findings.extend(oidf::findings()?);
    findings.extend(concepts::findings()?);
    findings.extend(examples::findings()?);
    findings.extend(supply::findings()?);
    findings.extend(supply::parsers()?);
    findings.extend(packaging::findings()?);
    findings.extend(typescript::findings()?);
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} findings against the architecture", findings.len());
    }
    println!(
        "architecture: directions, pure crates, file sizes, the conformance table, the attack catalogue, the modules of the OpenID Foundation, the concepts, the examples, the supply chain, the packages and the TypeScript client hold"
    );
    Ok(())
}
