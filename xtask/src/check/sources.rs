//! Rules about source files: size, and where the clock is read.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::run::root;

/// Lines before the tests of a file; more means: split by stage of the data flow.
const LONGEST: usize = 400;
/// Lines of a file that holds tests alone.
const LONGEST_TESTS: usize = 600;

const FOLDERS: &[&str] = &[
    "cli",
    "crates",
    "examples",
    "issuer",
    "mobile-bindings",
    "tests",
    "verifier",
    "wallet-core",
    "xtask",
];

/// Every breach, one line each.
pub fn findings() -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for file in files()? {
        let text = std::fs::read_to_string(&file)?;
        let lines = text
            .lines()
            .take_while(|line| line.trim() != "#[cfg(test)]")
            .count();
        let tests_alone = named_tests(&file) || file.iter().any(|part| part == "tests");
        if lines > if tests_alone { LONGEST_TESTS } else { LONGEST } {
            findings.push(format!("{}: {lines} lines before its tests", shown(&file)));
        }
    }
    Ok(findings)
}

/// `tests.rs`, `cwt_tests.rs`.
fn named_tests(file: &Path) -> bool {
    file.file_name()
        .is_some_and(|name| name.to_string_lossy().ends_with("tests.rs"))
}

/// Every Rust source file of ours.
pub fn files() -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        collect(&root().join(folder), &mut files)?;
    }
    Ok(files)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() && name != "node_modules" && name != "target" {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn shown(file: &Path) -> String {
    file.strip_prefix(root())
        .unwrap_or(file)
        .display()
        .to_string()
}
