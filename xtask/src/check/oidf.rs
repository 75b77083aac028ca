//! `specs/oidf.tsv`: every module of the OpenID Foundation's plans has a test that exists, or says
//! why it has none.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use super::conformance;
use crate::run::root;

const TABLE: &str = "specs/oidf.tsv";
const HEADER: &str = "plan\tmodule\ttest\tremark";

/// The plans that must be there, with how many modules they have (suite 5.2.4).
const PLANS: [(&str, usize); 13] = [
    ("fapi2-security-profile-final-test-plan", 59),
    ("oid4vci-1_0-issuer-haip-test-plan", 61),
    ("oid4vci-1_0-issuer-test-plan", 21),
    ("oid4vci-1_0-wallet-haip-test-plan", 14),
    ("oid4vci-1_0-wallet-test-plan", 5),
    ("oid4vp-1final-verifier-haip-test-plan", 12),
    ("oid4vp-1final-verifier-test-plan", 12),
    ("oid4vp-1final-wallet-haip-test-plan", 16),
    ("oid4vp-1final-wallet-test-plan", 17),
    (
        "oidcc-backchannel-rp-initiated-logout-certification-test-plan",
        2,
    ),
    ("oidcc-basic-certification-test-plan", 38),
    ("oidcc-config-certification-test-plan", 1),
    ("oidcc-rp-initiated-logout-certification-test-plan", 11),
];

/// Rows that say nothing or are missing, one line each.
pub fn findings() -> Result<Vec<String>> {
    let table = std::fs::read_to_string(root().join(TABLE)).context(TABLE)?;
    Ok(judge(&table, &conformance::tests()?, &PLANS))
}

fn judge(table: &str, tests: &BTreeSet<String>, plans: &[(&str, usize)]) -> Vec<String> {
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
    let mut counts: BTreeMap<&str, usize> = plans.iter().map(|(plan, _)| (*plan, 0)).collect();
    for (plan, _) in seen {
        *counts.entry(plan).or_default() += 1;
    }
    for (plan, count) in counts {
        let expected = plans.iter().find(|(name, _)| *name == plan);
        match expected {
            None => findings.push(format!("{TABLE}: {plan} is no plan")),
            Some((_, modules)) if *modules == count => {}
            Some((_, modules)) => findings.push(format!(
                "{TABLE}: {plan} has {count} modules instead of {modules}"
            )),
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
        let judged = |rows: &str, plans: &[(&str, usize)]| {
            judge(&format!("{HEADER}\n{rows}"), &tests, plans)
        };
        let good = "p\tm\tone\t\np\tn\t-\tnot for us\n";
        assert!(judged(good, &[("p", 2)]).is_empty());
        for bad in ["p\tm\ttwo\t\n", "p\tm\t-\t\n", "p\tm\tone\t\np\tm\tone\t\n"] {
            assert_eq!(judged(bad, &[("p", 1)]).len(), 1, "{bad}");
        }
        assert_eq!(judged("p\tm\tone\n", &[]).len(), 1);
        // A module, a plan that is missing, and one that nobody knows.
        assert_eq!(judged(good, &[("p", 3)]).len(), 1);
        assert_eq!(judged(good, &[("p", 2), ("q", 1)]).len(), 1);
        assert_eq!(judged(good, &[]).len(), 1);
        assert_eq!(judge("x\n", &tests, &[]).len(), 1);
    }
}
