//! `specs/conformance.md`: every test that it names exists.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::sources;
use crate::run::root;

/// Rows whose test does not exist, one line each.
pub fn findings() -> Result<Vec<String>> {
    let path = root().join("specs/conformance.md");
    let table = std::fs::read_to_string(&path).context("specs/conformance.md")?;
    let tests = tests()?;
    let mut findings = Vec::new();
    for (number, line) in table.lines().enumerate() {
        let Some(named) = last_cell(line) else {
            continue;
        };
        for name in quoted(named) {
            if !tests.contains(name) {
                findings.push(format!(
                    "specs/conformance.md:{}: no test {name}",
                    number + 1
                ));
            }
        }
    }
    Ok(findings)
}

/// The last cell of a row of a table.
fn last_cell(line: &str) -> Option<&str> {
    let row = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    row.rsplit('|').next()
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The names of all functions in our Rust sources, and of all scripted steps.
pub(super) fn tests() -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for file in sources::files()? {
        let text = std::fs::read_to_string(file)?;
        for part in text.split("fn ").skip(1) {
            let name: String = part
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            names.insert(name);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_last_cell() {
        let cell = last_cell("| RFC 9901, 7.1 | refuse | `one`, `two` |").unwrap();
        assert_eq!(quoted(cell).collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(last_cell("no table"), None);
    }
}
