//! `specs/concepts.tsv`: every concept of customer-journey identity has a test or a document that
//! shows it, or says what is open.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::conformance;
use crate::run::root;

const TABLE: &str = "specs/concepts.tsv";
const HEADER: &str = "concept\tname\tverdict\tevidence\tremark";
const CONCEPTS: usize = 56;
const VERDICTS: [&str; 3] = ["IN", "POINT", "OUT"];

/// Rows that say nothing or are missing, one line each.
pub fn findings() -> Result<Vec<String>> {
    let table = std::fs::read_to_string(root().join(TABLE)).context(TABLE)?;
    let document = |path: &str| {
        let (file, anchor) = path.split_once('#').unwrap_or((path, ""));
        let text = std::fs::read_to_string(root().join(file));
        file.contains('/') && text.is_ok_and(|text| anchor.is_empty() || has_anchor(&text, anchor))
    };
    Ok(judge(&table, &conformance::tests()?, document))
}

/// Whether a document in Markdown has this anchor: written into it, or that of a heading.
fn has_anchor(text: &str, anchor: &str) -> bool {
    let slug = |heading: &str| {
        let kept = heading.trim().to_lowercase().replace(' ', "-");
        kept.replace(
            |one: char| !one.is_alphanumeric() && one != '-' && one != '_',
            "",
        )
    };
    let mut headings = text.lines().filter_map(|line| line.strip_prefix('#'));
    text.contains(&format!("<a id=\"{anchor}\"></a>"))
        || headings.any(|line| slug(line.trim_start_matches('#')) == anchor)
}

fn judge(table: &str, tests: &BTreeSet<String>, document: impl Fn(&str) -> bool) -> Vec<String> {
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
        let [concept, _, verdict, evidence, remark] = cells.as_slice() else {
            finding("not five cells");
            continue;
        };
        match concept.parse::<usize>() {
            Ok(concept) if (1..=CONCEPTS).contains(&concept) => {
                if !seen.insert(concept) {
                    finding("the concept stands there twice");
                }
            }
            _ => finding("this is no concept"),
        }
        if !VERDICTS.contains(verdict) {
            finding("this is no verdict");
        }
        match *evidence {
            "-" if remark.is_empty() => finding("nothing shows it, and no reason"),
            "-" => {}
            shown if tests.contains(shown) || document(shown) => {}
            shown => finding(&format!("no test and no document {shown}")),
        }
    }
    let missing = (1..=CONCEPTS).filter(|concept| !seen.contains(concept));
    findings.extend(missing.map(|concept| format!("{TABLE}: the concept {concept} is missing")));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_headings_or_written() {
        let text = "# The file\n\n- <a id=\"sms\"></a>**Codes**\n## What it holds, today\n";
        for there in ["the-file", "sms", "what-it-holds-today"] {
            assert!(has_anchor(text, there), "{there}");
        }
        assert!(!has_anchor(text, "codes"));
    }

    #[test]
    fn rows_that_say_nothing_are_found() {
        let tests = BTreeSet::from(["a_test".to_owned()]);
        let rows = |second: &str| {
            let rest: String = (3..=CONCEPTS)
                .map(|n| format!("{n}\tx\tOUT\t-\tnone\n"))
                .collect();
            format!("{HEADER}\n1\tx\tIN\ta_test\t\n{second}\n{rest}")
        };
        let judged = |second: &str| judge(&rows(second), &tests, |path| path == "docs/a.md#b");
        assert!(judged("2\tx\tIN\tdocs/a.md#b\t").is_empty());
        assert_eq!(judged("2\tx\tIN\t-\t").len(), 1);
        assert_eq!(judged("2\tx\tIN\tgone\t").len(), 1);
        assert_eq!(judged("2\tx\tMAYBE\t-\topen").len(), 1);
        // Twice the first, and the second is missing.
        assert_eq!(judged("1\tx\tIN\ta_test\t").len(), 2);
        assert_eq!(judged("2\tx").len(), 2);
    }
}
