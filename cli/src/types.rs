//! `vouchsafe issuer types`: what is wrong with files of credential types.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use vouchsafe_credentials::credential_type::{CredentialType, TypeError};

/// Reads the files and says every mistake with its place; fails where there is one.
pub fn check(files: &[PathBuf]) -> Result<()> {
    let mut count = 0;
    for file in files {
        let name = file.display();
        let text =
            std::fs::read_to_string(file).with_context(|| format!("{name}: cannot be read"))?;
        let mistakes = CredentialType::mistakes(&text);
        if mistakes.is_empty() {
            eprintln!("{name}: good");
        }
        for mistake in &mistakes {
            eprint!("{}", shown(&name.to_string(), &text, mistake));
        }
        count += mistakes.len();
    }
    match count {
        0 => Ok(()),
        1 => bail!("one mistake"),
        count => bail!("{count} mistakes"),
    }
}

/// The place, the line, and a mark below it.
fn shown(name: &str, text: &str, mistake: &TypeError) -> String {
    let TypeError {
        line,
        column,
        message,
    } = mistake;
    let source = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    let before = " ".repeat(column.saturating_sub(1));
    format!(
        "{name}:{line}:{column}: {message}\n {margin} |\n {number} | {source}\n {margin} | {before}^\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_shown_below_its_line() {
        let text = "id = \"Card\"\n";
        let mistake = TypeError {
            line: 1,
            column: 6,
            message: "must be lower case".to_owned(),
        };
        assert_eq!(
            shown("card.toml", text, &mistake),
            "card.toml:1:6: must be lower case\n   |\n 1 | id = \"Card\"\n   |      ^\n"
        );
    }
}
