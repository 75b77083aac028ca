//! `cargo xtask shots`: every page of the demo in Chromium.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::run::{cargo, root, succeed, target};
use crate::setup;

/// Walks through the demo at 360 and 1280 px, light and dark, and keeps a
/// picture of each page. Fails on horizontal scroll, on an error in the
/// browser's console, on serious findings of axe and where a screen reader finds
/// something else than before.
pub fn run(output: &Path, update: bool) -> Result<()> {
    setup::run()?;
    succeed(&mut cargo(&["build", "-p", "vouchsafe-cli"]))?;
    std::fs::create_dir_all(output).context("cannot make the folder for the pictures")?;
    let output = output.canonicalize()?;
    succeed(
        Command::new("node")
            .arg("story.mjs")
            .arg("--program")
            .arg(target().join("debug/vouchsafe"))
            .arg("--output")
            .arg(output)
            .args(update.then_some("--update"))
            .current_dir(root().join("tests/peers")),
    )
}
