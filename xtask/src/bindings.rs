//! `cargo xtask bindings`: the Kotlin and the Swift side of `mobile-bindings`, generated, compiled
//! and driven. What is generated stays below `target` and is not committed: the same library gives
//! the same files.

mod kotlin;
mod size;
mod swift;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::run::{cargo, root, succeed, target};

#[derive(Debug, Args)]
pub struct Wanted {
    /// Records the vectors anew against the services of this build; then commit them.
    #[arg(long)]
    record: bool,
    /// Measures the library as a phone gets it, and fails where it is above its budget.
    #[arg(long)]
    size: bool,
    /// Fetches a Swift toolchain where there is none: Debian's, with debootstrap, as root.
    #[arg(long)]
    fetch_swift: bool,
}

/// What is built for the bindings, beside the programs of the system tests: with them in one call
/// of cargo, so that nothing is built twice.
pub const PACKAGES: [&str; 4] = ["-p", "vouchsafe-mobile-bindings", "-p", "vouchsafe-bindgen"];

pub fn run(wanted: &Wanted) -> Result<()> {
    if wanted.size {
        return size::run();
    }
    crate::suite::build_programs()?;
    if wanted.record {
        let recorded = "the_scenario_of_the_vectors_holds_against_the_services";
        let mut record = cargo(&["test", "-p", "vouchsafe-tests", "--test", "it", recorded]);
        succeed(record.env("VOUCHSAFE_RECORD_VECTORS", "1"))?;
    }
    if wanted.fetch_swift {
        swift::fetch()?;
    }
    crate::setup::maven()?;
    let made = [("Kotlin", kotlin::make()?), ("Swift", swift::make()?)];
    // What was left out says so above; the rest must hold.
    succeed(&mut cargo(&["test", "-p", "vouchsafe-mobile-bindings"]))?;
    succeed(&mut cargo(&[
        "test",
        "-p",
        "vouchsafe-tests",
        "--test",
        "it",
        "mobile::",
    ]))?;
    for (language, made) in made {
        println!("{language}: {}", if made { "held" } else { "left out" });
    }
    Ok(())
}

/// Makes what the system tests drive. They leave out what is not there.
pub fn make() -> Result<()> {
    kotlin::make()?;
    swift::make()?;
    Ok(())
}

/// The library for this machine.
fn library() -> PathBuf {
    target().join("debug/libvouchsafe_mobile_bindings.so")
}

/// Where the side of a language goes.
fn folder(language: &str) -> PathBuf {
    root().join("target/bindings").join(language)
}

/// Generates the code of a language.
fn generate(language: &str) -> Result<PathBuf> {
    let output = folder(language).join("generated");
    if output.exists() {
        std::fs::remove_dir_all(&output)?;
    }
    std::fs::create_dir_all(&output)?;
    let mut bindgen = Command::new(target().join("debug/vouchsafe-bindgen"));
    bindgen.arg(library()).arg(language).arg(&output);
    succeed(bindgen.current_dir(root()))?;
    Ok(output)
}

/// All files below a folder with this ending, in order.
fn sources(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The bytes of the sources: what was made from them need not be made again.
fn stamp(sources: &[PathBuf]) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    for source in sources {
        all.extend(std::fs::read(source)?);
    }
    Ok(all)
}

/// A program of one line, which the tests start.
fn launcher(path: &Path, line: &str) -> Result<()> {
    std::fs::write(path, format!("#!/bin/sh\n{line}\n"))?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    Ok(std::fs::set_permissions(path, mode)?)
}
