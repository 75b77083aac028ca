//! `vouchsafe journey lint`.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde::Serialize;
use vouchsafe_verifier::journey::{self, Mistake};

use crate::credential::output::{self, harmless};

#[derive(Serialize)]
struct Found<'m> {
    file: String,
    #[serde(flatten)]
    mistake: &'m Mistake,
}

/// Reads the files and says every mistake; fails where there is one.
pub fn run(files: &[PathBuf], json: bool) -> Result<()> {
    let mut all = Vec::new();
    for file in files {
        let text = super::text(file)?;
        let mistakes = journey::read(&text).err().unwrap_or_default();
        if mistakes.is_empty() {
            eprintln!("{}: good", file.display());
        }
        for mistake in &mistakes {
            if !json {
                output::line(shown(file, &text, mistake).trim_end())?;
            }
        }
        all.push((file, mistakes));
    }
    if json {
        let found = all.iter().flat_map(|(file, mistakes)| {
            let file = file.display().to_string();
            mistakes.iter().map(move |mistake| Found {
                file: file.clone(),
                mistake,
            })
        });
        output::json(&found.collect::<Vec<_>>())?;
    }
    let count: usize = all.iter().map(|(_, mistakes)| mistakes.len()).sum();
    match count {
        0 => Ok(()),
        count => bail!("{}", counted(count)),
    }
}

pub(super) fn counted(count: usize) -> String {
    match count {
        1 => "one mistake".to_owned(),
        count => format!("{count} mistakes"),
    }
}

/// The place, the line, a mark below it and the hint.
pub(super) fn shown(file: &Path, text: &str, mistake: &Mistake) -> String {
    let Mistake {
        code,
        line,
        column,
        message,
        hint,
    } = mistake;
    let source = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    let before = " ".repeat(column.saturating_sub(1));
    format!(
        "{}:{line}:{column}: {}: {}\n {margin} |\n {number} | {}\n {margin} | {before}^\nhint: {}\n",
        file.display(),
        code.as_str(),
        harmless(message),
        harmless(source),
        harmless(hint),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_shown_below_its_line_with_a_hint() {
        let text = "id = \"j\"\nversion = 1\n[[step]]\nid = \"end\"\nkind = \"finsh\"\n";
        let mistakes = journey::read(text).unwrap_err();
        assert_eq!(
            shown(Path::new("j.toml"), text, &mistakes[0]),
            "j.toml:5:8: bad_value: there is no kind of step \"finsh\"\n   |\n 5 | kind = \"finsh\"\n   |        ^\nhint: \"finish\" is meant perhaps\n"
        );
    }
}
