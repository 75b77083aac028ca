//! `vouchsafe journey`: journeys from the first line to the picture, without a service.

mod lint;
mod new;
mod run;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use vouchsafe_verifier::journey::{self, Journey};

use crate::credential::output;

/// What `vouchsafe journey` can do. Each command ends with 0 if all is well, 1 if a file has
/// mistakes, cannot be read or ends otherwise than expected, 2 if the command line is wrong.
#[derive(Debug, Subcommand)]
pub enum JourneyCommand {
    /// Say every mistake of files with its line, its column and a hint. Exits 0: none; 1: some, or a
    /// file that cannot be read; 2: the command line is wrong.
    Lint {
        /// The files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// JSON for scripts.
        #[arg(long)]
        json: bool,
    },
    /// Run a journey on paper: prints the steps in order, each with the rule that fired. Exits 0: it
    /// ran to an end; 1: mistakes, or another end than `--expect`; 2: the command line is wrong.
    Simulate {
        /// The journey.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Facts and answers, JSON.
        #[arg(long, value_name = "CASE")]
        input: PathBuf,
        /// The end that it must have: `login` or `deny:CODE`.
        #[arg(long, value_name = "END")]
        expect: Option<String>,
        /// JSON for scripts.
        #[arg(long)]
        json: bool,
    },
    /// Begin with a template; says which there are without one.
    New {
        /// Its name.
        #[arg(value_name = "TEMPLATE")]
        template: Option<String>,
        /// The new file; standard output without it.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Draw a journey as SVG.
    Graph {
        /// The journey.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The new file; standard output without it.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Print the JSON Schema of the format, for editors.
    Schema,
}

/// Runs a command.
pub fn run(command: JourneyCommand) -> Result<()> {
    match command {
        JourneyCommand::Lint { files, json } => lint::run(&files, json),
        JourneyCommand::Simulate {
            file,
            input,
            expect,
            json,
        } => run::simulate(&file, &input, expect.as_deref(), json),
        JourneyCommand::New { template, out } => new::run(template.as_deref(), out.as_deref()),
        JourneyCommand::Graph { file, out } => {
            written(&journey::draw(&checked(&file)?), out.as_deref())
        }
        JourneyCommand::Schema => output::json(&journey::schema()),
    }
}

fn text(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("{}: cannot be read", file.display()))
}

/// A journey without mistakes; says them otherwise.
fn checked(file: &Path) -> Result<Journey> {
    let text = text(file)?;
    match journey::read(&text) {
        Ok(journey) => Ok(journey),
        Err(mistakes) => {
            for mistake in &mistakes {
                eprint!("{}", lint::shown(file, &text, mistake));
            }
            bail!("{}", lint::counted(mistakes.len()))
        }
    }
}

/// To a new file, or to standard output.
fn written(text: &str, out: Option<&Path>) -> Result<()> {
    use std::io::Write;
    let Some(out) = out else {
        return output::line(text.trim_end());
    };
    let context = || format!("{}: cannot be made; is it there already?", out.display());
    let mut file = std::fs::File::create_new(out).with_context(context)?;
    file.write_all(text.as_bytes())?;
    eprintln!("wrote {}", out.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lint(file: &Path) -> Result<()> {
        run(JourneyCommand::Lint {
            files: vec![file.to_owned()],
            json: true,
        })
    }

    fn simulated(file: &Path, case: &str, expect: &str) -> Result<()> {
        let input = file.with_extension("json");
        std::fs::write(&input, case)?;
        run(JourneyCommand::Simulate {
            file: file.to_owned(),
            input,
            expect: Some(expect.to_owned()),
            json: false,
        })
    }

    #[test]
    fn from_a_template_to_a_picture() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("age.toml");
        let new = || JourneyCommand::New {
            template: Some("age-gate".to_owned()),
            out: Some(file.clone()),
        };
        run(new()).unwrap();
        run(new()).expect_err("written over");
        lint(&file).unwrap();
        let case = r#"{"now":1,"request":{"client":"shop","scopes":["age"]},"answers":{"prove":{"outcome":"declined"}}}"#;
        simulated(&file, case, "deny:declined").unwrap();
        simulated(&file, case, "login").expect_err("another end");
        let unsaid = r#"{"now":1,"request":{"client":"shop","scopes":["age"]}}"#;
        simulated(&file, unsaid, "login").expect_err("nobody said how the step ends");
        let picture = folder.path().join("age.svg");
        let graph = JourneyCommand::Graph {
            file: file.clone(),
            out: Some(picture.clone()),
        };
        run(graph).unwrap();
        assert!(std::fs::read_to_string(picture).unwrap().contains("prove"));
    }

    #[test]
    fn mistakes_and_missing_files_fail() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bad.toml");
        lint(&file).expect_err("there is no file");
        std::fs::write(&file, "id = \"j\"\nversion = 1\ncolour = 1\n").unwrap();
        assert_eq!(lint(&file).unwrap_err().to_string(), "one mistake");
        let graph = JourneyCommand::Graph { file, out: None };
        run(graph).expect_err("a journey with mistakes is not drawn");
        let new = JourneyCommand::New {
            template: Some("teleport".to_owned()),
            out: None,
        };
        run(new).expect_err("there is no such template");
    }
}
