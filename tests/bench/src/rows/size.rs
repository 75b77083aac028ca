//! P17: the program in one file.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use vouchsafe_tests::process::program;

use crate::report::{Fact, Results};
use crate::slices::Plan;

/// P17, of the program that is measured: `VOUCHSAFE_PROGRAM` names another one, such as that of the
/// profile `dist`.
pub fn measure(_: &Plan) -> Result<Results> {
    let program = program()?;
    let folder = tempfile::tempdir()?;
    let stripped = folder.path().join("vouchsafe");
    let done = Command::new("strip")
        .arg("-o")
        .arg(&stripped)
        .arg(&program)
        .status()
        .context("cannot start strip")?;
    ensure!(done.success(), "strip failed");
    let bytes = std::fs::metadata(&stripped)?.len();
    Ok(Results {
        lines: Vec::new(),
        facts: vec![Fact {
            name: "P17",
            what: "the program, stripped, MiB".to_owned(),
            value: bytes as f64 / f64::from(1 << 20),
            most: 20.0,
        }],
    })
}
