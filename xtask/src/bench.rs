//! `cargo xtask bench`: builds and runs the bench program in release mode.

use anyhow::Result;

use crate::run::{cargo, succeed};
use crate::setup;

/// Runs `vouchsafe-bench` with `arguments`.
pub fn run(arguments: &[String]) -> Result<()> {
    setup::run()?;
    succeed(&mut cargo(&["build", "--release", "-p", "vouchsafe-cli"]))?;
    succeed(cargo(&["run", "--release", "-p", "vouchsafe-bench", "--"]).args(arguments))
}
