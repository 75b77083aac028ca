//! `cargo xtask mutants`: cargo-mutants on the functions that decide what is accepted.

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::run::{root, target};
use crate::setup::on_path;

/// Where the verify paths are: package and files.
const PATHS: &[(&str, &[&str])] = &[
    (
        "vouchsafe-credentials",
        &[
            "crates/credentials/src/jws/unverified.rs",
            "crates/credentials/src/sd_jwt/process.rs",
            "crates/credentials/src/sd_jwt_vc/verify.rs",
            "crates/credentials/src/sd_jwt_vc/issuer_key.rs",
            "crates/credentials/src/sd_jwt_vc/kb.rs",
            "crates/credentials/src/status_list/token.rs",
            "crates/credentials/src/trust/*.rs",
            "crates/credentials/src/trust/xml/*.rs",
            "crates/credentials/src/type_metadata/*.rs",
            "crates/credentials/src/x509/*.rs",
        ],
    ),
    (
        "vouchsafe-protocol",
        &["crates/protocol/src/vp/verify/*.rs"],
    ),
];
/// Mutants that survive, each with the reason why that is right.
const SURVIVORS: &str = "specs/mutants.toml";

#[derive(Deserialize, Default)]
struct Survivors {
    #[serde(default)]
    survivor: Vec<Survivor>,
}

#[derive(Deserialize)]
struct Survivor {
    /// The line of cargo-mutants from the function on: `replace x -> bool with true`.
    mutant: String,
    /// Why no test can tell it apart.
    reason: String,
}

/// Runs the mutants of one package, or of all; a survivor without a reason is an error.
pub fn run(only: Option<&str>) -> Result<()> {
    if !on_path("cargo-mutants") {
        bail!("install it with `cargo install --locked cargo-mutants`");
    }
    let known = survivors(&std::fs::read_to_string(root().join(SURVIVORS)).context(SURVIVORS)?)?;
    let mut surprises = Vec::new();
    for (package, files) in PATHS
        .iter()
        .filter(|(name, _)| only.is_none_or(|o| o == *name))
    {
        let out = target().join("mutants").join(package);
        std::fs::create_dir_all(&out)?;
        let mut command = Command::new("cargo");
        command
            .args([
                "mutants",
                "--package",
                package,
                "--all-features",
                "--output",
            ])
            .arg(&out)
            .current_dir(root());
        for file in *files {
            command.args(["--file", file]);
        }
        // It answers with an error when mutants survive; the list says which.
        command.status().context("cargo mutants")?;
        let missed = std::fs::read_to_string(out.join("mutants.out/missed.txt"))?;
        surprises.extend(unexplained(&missed, &known));
    }
    for mutant in &surprises {
        println!("survived: {mutant}");
    }
    if !surprises.is_empty() {
        bail!(
            "{} mutants survived without a reason in {SURVIVORS}",
            surprises.len()
        );
    }
    println!("every mutant was killed, or is named with its reason");
    Ok(())
}

fn survivors(text: &str) -> Result<Vec<String>> {
    let Survivors { survivor } = toml::from_str(text).context(SURVIVORS)?;
    survivor
        .into_iter()
        .map(|Survivor { mutant, reason }| {
            if reason.trim().is_empty() {
                bail!("{SURVIVORS}: {mutant} has no reason");
            }
            Ok(mutant)
        })
        .collect()
}

/// Lines such as `file.rs:12:5: replace x -> bool with true`, without the place, which moves.
fn unexplained(missed: &str, known: &[String]) -> Vec<String> {
    let explained = |line: &str| known.iter().any(|mutant| line.ends_with(mutant.as_str()));
    let lines = missed.lines().filter(|line| !line.trim().is_empty());
    lines
        .filter(|line| !explained(line))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cat_482_a_survivor_needs_a_reason() {
        let text = "[[survivor]]\nmutant = \"replace a -> bool with true\"\nreason = \"the same\"";
        let known = survivors(text).unwrap();
        let missed =
            "x.rs:1:2: replace a -> bool with true\nx.rs:3:4: replace b -> bool with true\n\n";
        assert_eq!(
            unexplained(missed, &known),
            ["x.rs:3:4: replace b -> bool with true"]
        );
        assert!(survivors(&text.replace("the same", " ")).is_err());
        assert!(survivors(&std::fs::read_to_string(root().join(SURVIVORS)).unwrap()).is_ok());
    }

    #[test]
    fn the_verify_paths_exist() {
        for (_, files) in PATHS {
            for file in *files {
                let file = file.trim_end_matches("*.rs");
                assert!(root().join(file).exists(), "{file}");
            }
        }
    }
}
