//! `specs/oidf.tsv`: every module of the OpenID Foundation's plans has a test that exists, or says
//! why it has none.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::conformance;
use crate::run::root;

const TABLE: &str = "specs/oidf.tsv";
const HEADER: &str = "plan\tmodule\ttest\tremark";

/// Rows that say nothing, one line each.
pub fn findings() -> Result<Vec<String>> {
    let table = std::fs::read_to_string(root().join(TABLE)).context(TABLE)?;
    Ok(judge(&table, &conformance::tests()?))
}

fn judge(table: &str, tests: &BTreeSet<String>) -> Vec<String> {
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for (number, line) in table.lines().enumerate() {
        let mut finding = |what: &str| findings.push(format!("{TABLE}:{}: {what}", number + 1));
        if number == 0 {
            if line != HEADER {
                finding("the header is another one");
            }
            continue;
        }
        let cells: Vec<&str> = line.split('\t').collect();
        let [plan, module, test, remark] = cells.as_slice() else {
            finding("not four cells");
            continue;
        };
        if !seen.insert((*plan, *module)) {
            finding("the module stands there twice");
        }
        match *test {
            "-" if remark.is_empty() => finding("no test, and no reason"),
            "-" => {}
            test if tests.contains(test) => {}
            test => finding(&format!("no test {test}")),
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_found() {
        let tests = BTreeSet::from(["one".to_owned()]);
        let table = |rows: &str| format!("{HEADER}\n{rows}");
        assert!(judge(&table("p\tm\tone\t\np\tn\t-\tnot for us\n"), &tests).is_empty());
        for bad in [
            "p\tm\ttwo\t\n",
            "p\tm\t-\t\n",
            "p\tm\tone\n",
            "p\tm\tone\t\np\tm\tone\t\n",
        ] {
            assert_eq!(judge(&table(bad), &tests).len(), 1, "{bad}");
        }
        assert_eq!(judge("x\n", &tests).len(), 1);
    }
}
