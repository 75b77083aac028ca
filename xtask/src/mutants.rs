//! `cargo xtask mutants`: cargo-mutants on the functions that decide what is accepted.

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::run::{root, target};
use crate::setup::on_path;

/// Where the verify paths are: package, its features, and files.
const PATHS: &[(&str, &str, &[&str])] = &[
    (
        "vouchsafe-credentials",
        "aws-lc,testing,xml-trusted-list",
        &[
            "crates/credentials/src/bitstring_status_list/check.rs",
            "crates/credentials/src/bitstring_status_list/entry.rs",
            "crates/credentials/src/cose/*.rs",
            "crates/credentials/src/data_integrity/credential.rs",
            "crates/credentials/src/data_integrity/jcs_suites.rs",
            "crates/credentials/src/data_integrity/presentation.rs",
            "crates/credentials/src/data_integrity/proof.rs",
            "crates/credentials/src/data_integrity/verify.rs",
            "crates/credentials/src/did/document/*.rs",
            "crates/credentials/src/did/webvh/*.rs",
            "crates/credentials/src/jws/unverified.rs",
            "crates/credentials/src/mdoc/authorization.rs",
            "crates/credentials/src/mdoc/device.rs",
            "crates/credentials/src/mdoc/mso.rs",
            "crates/credentials/src/mdoc/status_owed.rs",
            "crates/credentials/src/mdoc/verify.rs",
            "crates/credentials/src/sd_jwt/process.rs",
            "crates/credentials/src/sd_jwt_vc/issuer_key.rs",
            "crates/credentials/src/sd_jwt_vc/kb.rs",
            "crates/credentials/src/sd_jwt_vc/verify.rs",
            "crates/credentials/src/status_list/check.rs",
            "crates/credentials/src/status_list/cwt.rs",
            "crates/credentials/src/status_list/identifier_list.rs",
            "crates/credentials/src/status_list/token.rs",
            "crates/credentials/src/trust/*.rs",
            "crates/credentials/src/trust/xml/*.rs",
            "crates/credentials/src/type_metadata/*.rs",
            "crates/credentials/src/vc_jose_cose/claims.rs",
            "crates/credentials/src/vc_jose_cose/key.rs",
            "crates/credentials/src/vc_jose_cose/open.rs",
            "crates/credentials/src/vc_jose_cose/verify.rs",
            "crates/credentials/src/vcdm/accept.rs",
            "crates/credentials/src/vcdm/confirmation.rs",
            "crates/credentials/src/vcdm/policy.rs",
            "crates/credentials/src/x509/*.rs",
        ],
    ),
    (
        "vouchsafe-credentials-jsonld",
        "",
        &[
            "crates/credentials-jsonld/src/agreement/*.rs",
            "crates/credentials-jsonld/src/bbs/proof.rs",
            "crates/credentials-jsonld/src/bbs/signature.rs",
            "crates/credentials-jsonld/src/bbs_2023/derived.rs",
            "crates/credentials-jsonld/src/contexts/names.rs",
            "crates/credentials-jsonld/src/ecdsa_sd/derived.rs",
            "crates/credentials-jsonld/src/jsonld/form.rs",
            "crates/credentials-jsonld/src/jsonld/sets.rs",
            "crates/credentials-jsonld/src/rdfc/*.rs",
            "crates/credentials-jsonld/src/sd/required.rs",
        ],
    ),
    (
        "vouchsafe-protocol",
        "",
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

/// Which mutants are wanted: all, without a word.
#[derive(Debug, Default, clap::Args)]
pub struct Wanted {
    /// Only one package.
    #[arg(long)]
    package: Option<String>,
    /// Only the files whose names contain this.
    #[arg(long)]
    file: Option<String>,
    /// Only the k-th of n equal parts: `0/4`.
    #[arg(long)]
    shard: Option<String>,
    /// Only the mutants whose lines in `cargo mutants --list` match this regular expression.
    #[arg(long)]
    re: Option<String>,
    /// Changes this checkout in place: no copy, no second build of the dependencies. Nothing else may run in it.
    #[arg(long)]
    in_place: bool,
}

impl Wanted {
    /// The files of a package that are wanted.
    fn files<'a>(&self, package: &str, files: &'a [&'a str]) -> Vec<&'a str> {
        let is = |wanted: &Option<String>, text: &str, whole: bool| match wanted.as_deref() {
            None => true,
            Some(wanted) if whole => wanted == text,
            Some(wanted) => text.contains(wanted),
        };
        match is(&self.package, package, true) {
            true => files
                .iter()
                .copied()
                .filter(|file| is(&self.file, file, false))
                .collect(),
            false => Vec::new(),
        }
    }
}

/// Runs the mutants that are wanted; a survivor without a reason is an error.
pub fn run(wanted: &Wanted) -> Result<()> {
    if !on_path("cargo-mutants") {
        bail!("install it with `cargo install --locked cargo-mutants`");
    }
    let known = survivors(&std::fs::read_to_string(root().join(SURVIVORS)).context(SURVIVORS)?)?;
    let mut surprises = Vec::new();
    for (package, features, files) in PATHS {
        let files = wanted.files(package, files);
        if files.is_empty() {
            continue;
        }
        let missed = mutate(package, features, &files, wanted)?;
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

/// What cargo-mutants lists as missed in `files` of `package`.
fn mutate(package: &str, features: &str, files: &[&str], wanted: &Wanted) -> Result<String> {
    let out = target().join("mutants").join(package);
    std::fs::create_dir_all(&out)?;
    let mut command = Command::new("cargo");
    command
        .args(["mutants", "--package", package, "--features", features])
        .arg("--output")
        .arg(&out)
        // Unit tests decide: examples in documents and whole-system tests are slower and see less. Said to
        // `cargo` and not to the tests, so that nothing else is built.
        .arg("--cargo-arg=--lib")
        // A build for each mutant: without what it does not need. And what a property test found with a
        // mutant is nothing to try again with the next one.
        .envs([
            ("CARGO_PROFILE_DEV_DEBUG", "0"),
            ("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true"),
            ("PROPTEST_MAX_SHRINK_ITERS", "0"),
        ])
        .current_dir(root());
    for file in files {
        command.args(["--file", file]);
    }
    if let Some(shard) = &wanted.shard {
        command.args(["--shard", shard]);
    }
    if let Some(re) = &wanted.re {
        command.args(["--re", re]);
    }
    if wanted.in_place {
        command.arg("--in-place");
    }
    let missed = out.join("mutants.out/missed.txt");
    let _ = std::fs::remove_file(&missed);
    let code = command.status().context("cargo mutants")?.code();
    // 2: mutants survive, 3: some ran too long. Everything else means that nothing was tested.
    if !matches!(code, Some(0 | 2 | 3)) {
        bail!("cargo mutants ended with {code:?}");
    }
    std::fs::read_to_string(&missed).with_context(|| missed.display().to_string())
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
        for (_, _, files) in PATHS {
            for file in *files {
                let file = file.trim_end_matches("*.rs");
                assert!(root().join(file).exists(), "{file}");
            }
        }
    }
}
