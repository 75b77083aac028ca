//! The attack catalogue: which rows have a test that carries their number (`cat_NNN_…`), and what
//! `specs/conformance.md` says about it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use super::sources;
use crate::run::root;

/// The rows of the catalogue by group; numbers alone.
const CATALOGUE: &str = "specs/attack-catalogue.toml";
const TABLE: &str = "specs/conformance.md";
/// Groups in which every row has a test: what reads input of strangers.
const COMPLETE: std::ops::RangeInclusive<&str> = "A"..="H";

type Groups = BTreeMap<String, BTreeSet<u16>>;

/// Rows without a test, tests without a row, and a table that says something else.
pub fn findings() -> Result<Vec<String>> {
    let read =
        |path: &str| std::fs::read_to_string(root().join(path)).with_context(|| path.to_owned());
    let groups: Groups = toml::from_str(&read(CATALOGUE)?).context(CATALOGUE)?;
    let mut tested = BTreeSet::new();
    for file in sources::files()? {
        tested.extend(rows_of(&std::fs::read_to_string(file)?));
    }
    let mut findings = compare(&groups, &tested);
    findings.extend(table(&read(TABLE)?, &groups, &tested));
    Ok(findings)
}

/// The rows that functions of a source are named after.
fn rows_of(source: &str) -> BTreeSet<u16> {
    let names = source.split("fn cat_").skip(1);
    names.flat_map(rows_of_name).collect()
}

/// `071_cat_076_and_077_text…` names three rows.
fn rows_of_name(rest: &str) -> Vec<u16> {
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let name = &rest[..end.unwrap_or(rest.len())];
    let number = |part: &str| part.parse().ok().filter(|_| part.len() == 3);
    name.split('_')
        .take_while(|part| matches!(*part, "cat" | "and") || number(part).is_some())
        .filter_map(number)
        .collect()
}

fn compare(groups: &Groups, tested: &BTreeSet<u16>) -> Vec<String> {
    let mut findings = Vec::new();
    let complete = |group: &str| COMPLETE.contains(&group);
    for (group, rows) in groups.iter().filter(|(group, _)| complete(group)) {
        for row in rows.difference(tested) {
            findings.push(format!(
                "{CATALOGUE}: row {row} of group {group} has no test"
            ));
        }
    }
    let known: BTreeSet<u16> = groups.values().flatten().copied().collect();
    for row in tested.difference(&known) {
        findings.push(format!(
            "a test is named after row {row}, which there is not"
        ));
    }
    findings
}

/// The table has one line for each group, with the rows that have a test.
fn table(text: &str, groups: &Groups, tested: &BTreeSet<u16>) -> Vec<String> {
    let section = text.split_once("## Attack catalogue");
    let section = section.map_or("", |(_, section)| section);
    let mut findings = Vec::new();
    for (group, rows) in groups {
        let cell = cell(rows, tested);
        let begin = format!("| {group} | ");
        let end = format!(" | {cell} |");
        let mut lines = section.lines().filter(|line| line.starts_with(&begin));
        if !lines.next().is_some_and(|line| line.ends_with(&end)) {
            findings.push(format!(
                "{TABLE}: the line of group {group} must say: {cell}"
            ));
        }
    }
    let all: usize = groups.values().map(BTreeSet::len).sum();
    let sum = format!("{} of {all} rows", tested.len());
    if !section.contains(&sum) {
        findings.push(format!("{TABLE}: the attack catalogue must say: {sum}"));
    }
    findings
}

fn cell(rows: &BTreeSet<u16>, tested: &BTreeSet<u16>) -> String {
    let shown: Vec<String> = rows
        .intersection(tested)
        .map(|row| format!("{row:03}"))
        .collect();
    format!("{} ({} of {})", shown.join(", "), shown.len(), rows.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names() {
        let rows = |source: &str| rows_of(source).into_iter().collect::<Vec<_>>();
        assert_eq!(
            rows(concat!("async fn ", "cat_071_cat_076_and_077_a_text()")),
            [71, 76, 77]
        );
        assert_eq!(
            rows(concat!("fn ", "cat_296_298_again_404_times(a: u8)")),
            [296, 298]
        );
        assert_eq!(
            rows(concat!(
                "fn category_071() fn a_cat_071() fn ",
                "cat_71_x()"
            )),
            [0; 0]
        );
    }

    #[test]
    fn what_is_missing_is_found() {
        let groups = Groups::from([
            ("A".to_owned(), BTreeSet::from([1, 2])),
            ("P".to_owned(), BTreeSet::from([3, 4])),
        ]);
        let text = "## Attack catalogue\n3 of 4 rows\n| A | a | 001, 002 (2 of 2) |\n| P | p | 003 (1 of 2) |\n";
        let tested = BTreeSet::from([1, 2, 3]);
        assert!(compare(&groups, &tested).is_empty());
        assert!(table(text, &groups, &tested).is_empty());
        for (tested, breaches) in [
            // A row of A lost its test; one of P was never promised.
            (BTreeSet::from([1, 3]), 1),
            (BTreeSet::from([1, 2]), 0),
            (BTreeSet::from([1, 2, 3, 5]), 1),
        ] {
            assert_eq!(compare(&groups, &tested).len(), breaches, "{tested:?}");
            assert!(!table(text, &groups, &tested).is_empty(), "{tested:?}");
        }
        assert_eq!(table("", &groups, &tested).len(), 3);
    }

    #[test]
    fn this_repository_tells_the_truth() {
        assert_eq!(findings().unwrap(), Vec::<String>::new());
    }
}
