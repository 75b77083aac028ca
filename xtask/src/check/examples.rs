//! `specs/examples.md`: each format has an example in the documentation that issues, presents,
//! verifies and refuses. `cargo test --doc` runs them; this says that none is missing.

use anyhow::{Context, Result};

use crate::run::root;

/// What an example shows, each as a comment that begins a step, in this order.
const STEPS: [&str; 4] = ["// Issue", "// Present", "// Verify", "// Refuse"];

/// Formats without an example, one line each.
pub fn findings() -> Result<Vec<String>> {
    let table = std::fs::read_to_string(root().join("specs/examples.md"));
    let table = table.context("specs/examples.md")?;
    let rows: Vec<_> = table.lines().filter_map(row).collect();
    let mut findings = Vec::new();
    if rows.is_empty() {
        findings.push("specs/examples.md: no row names a file".to_owned());
    }
    for (format, file) in rows {
        let text = std::fs::read_to_string(root().join(file)).unwrap_or_default();
        if let Some(step) = missing(&text) {
            findings.push(format!(
                "specs/examples.md: {format}: no example in {file} goes on to `{step}: …`"
            ));
        }
    }
    Ok(findings)
}

/// The format and the file of a row.
fn row(line: &str) -> Option<(&str, &str)> {
    let cells = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let (formats, file) = cells.rsplit_once('|')?;
    let file = file.trim().strip_prefix('`')?.strip_suffix('`')?;
    Some((formats.trim(), file))
}

/// The step that the best of the examples lacks; `None` when one has all, in order.
fn missing(text: &str) -> Option<&'static str> {
    let reached = examples(text).map(|example| {
        let mut wanted = STEPS.iter().peekable();
        for line in example {
            wanted.next_if(|step| line.starts_with(**step));
        }
        STEPS.len() - wanted.len()
    });
    STEPS.get(reached.max().unwrap_or(0)).copied()
}

/// The code blocks of the documentation that are run, each as its lines.
fn examples(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let mut blocks = Vec::new();
    let mut open: Option<(bool, Vec<&str>)> = None;
    for line in text.lines().map(str::trim) {
        let documentation = line
            .strip_prefix("//!")
            .or_else(|| line.strip_prefix("///"));
        let Some(line) = documentation.map(str::trim) else {
            open = None;
            continue;
        };
        open = match (line.strip_prefix("```"), open) {
            // ```toml and others are shown, not run.
            (Some(language), None) => Some((language.is_empty(), Vec::new())),
            (Some(_), Some((runs, lines))) => {
                blocks.extend(runs.then_some(lines));
                None
            }
            (None, Some((runs, mut lines))) => {
                lines.push(line);
                Some((runs, lines))
            }
            (None, None) => None,
        };
    }
    blocks.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_example_is_missing() {
        assert_eq!(findings().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_row_names_a_file() {
        let line = "| SD-JWT VC | `dc+sd-jwt` | `a/b.rs` |";
        assert_eq!(row(line), Some(("SD-JWT VC | `dc+sd-jwt`", "a/b.rs")));
        assert_eq!(row("|---|---|---|"), None);
        assert_eq!(row("text"), None);
    }

    #[test]
    fn an_example_has_all_steps_in_order() {
        let example = |steps: &[&str]| {
            let lines: Vec<_> = steps.iter().map(|step| format!("//! {step}: x")).collect();
            format!("//! ```\n{}\n//! ```\n", lines.join("\n"))
        };
        assert_eq!(missing(&example(&STEPS)), None);
        assert_eq!(missing(&example(&STEPS[..3])), Some("// Refuse"));
        let shuffled = [STEPS[1], STEPS[0], STEPS[2], STEPS[3]];
        assert_eq!(missing(&example(&shuffled)), Some("// Present"));
        assert_eq!(missing(&example(&[])), Some("// Issue"));
        // Two examples together are not one, and what is no documentation is none.
        let halves = example(&STEPS[..2]) + "fn f() {}\n" + &example(&STEPS[2..]);
        assert_eq!(missing(&halves), Some("// Verify"));
        assert_eq!(
            missing(&example(&STEPS).replace("//!", "//")),
            Some("// Issue")
        );
        let shown = example(&STEPS).replacen("```", "```toml", 1);
        assert_eq!(missing(&shown), Some("// Issue"));
        let second = example(&STEPS[..1]) + &example(&STEPS).replace("//!", "    ///");
        assert_eq!(missing(&second), None);
    }
}
