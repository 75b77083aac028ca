//! Results to standard output, colour only where it can be seen and is wanted.

use std::io::{IsTerminal, Write};

use anyhow::Result;
use serde::Serialize;

/// A line.
pub fn line(text: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{text}")?)
}

/// JSON for scripts, and for files.
pub fn json(value: &impl Serialize) -> Result<()> {
    line(&serde_json::to_string_pretty(value)?)
}

/// How a text is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A heading.
    Strong,
    /// Of less weight.
    Soft,
    /// Good.
    Good,
    /// To be looked at.
    Warn,
    /// Bad.
    Bad,
}

/// Whether texts are coloured.
#[derive(Debug, Clone, Copy)]
pub struct Palette {
    colour: bool,
}

impl Palette {
    /// For standard output: colour on a terminal and without `NO_COLOR` (<https://no-color.org>).
    #[must_use]
    pub fn of_terminal() -> Self {
        Self::wanted(std::io::stdout().is_terminal())
    }

    /// As above, for standard error.
    #[must_use]
    pub fn of_errors() -> Self {
        Self::wanted(std::io::stderr().is_terminal())
    }

    fn wanted(terminal: bool) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self::new(terminal && !unwanted)
    }

    /// With or without colour.
    #[must_use]
    pub const fn new(colour: bool) -> Self {
        Self { colour }
    }

    /// The text, marked.
    #[must_use]
    pub fn paint(self, mark: Mark, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match mark {
            Mark::Strong => "1",
            Mark::Soft => "2",
            Mark::Good => "32",
            Mark::Warn => "33",
            Mark::Bad => "31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// How much more there is: some of what can be counted may be decoys.
#[must_use]
pub fn more_facts(count: usize) -> String {
    match count {
        1 => "up to 1 more fact".to_owned(),
        count => format!("up to {count} more facts"),
    }
}

/// A text of somebody else without control characters, so that it can do nothing to a terminal.
#[must_use]
pub fn harmless(text: &str) -> String {
    let replace = |c: char| match c {
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.chars().map(replace).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_nothing_is_added() {
        assert_eq!(Palette::new(false).paint(Mark::Good, "x"), "x");
        assert_eq!(
            Palette::new(true).paint(Mark::Good, "x"),
            "\u{1b}[32mx\u{1b}[0m"
        );
    }

    #[test]
    fn escape_sequences_of_a_credential_do_nothing() {
        assert_eq!(
            harmless("a\u{1b}[2Jb\u{202e}c\n"),
            "a\u{fffd}[2Jb\u{fffd}c\u{fffd}"
        );
    }
}
