//! `vouchsafe credential derive`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use vouchsafe_credentials::data_integrity::{DeriveOptions, Secured};
use vouchsafe_service::random::OsRandom;
use vouchsafe_service::vc_api::suites;

use super::{output, read_json};

/// Options.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The credential with its base proof; standard input by default.
    input: Option<PathBuf>,
    /// What to disclose beyond what is mandatory, as JSON pointers.
    #[arg(long = "reveal", value_name = "POINTER")]
    reveal: Vec<String>,
}

/// Derives.
pub fn run(options: Options) -> Result<()> {
    let credential = read_json(options.input.as_deref())?;
    let Secured { document, proofs } = Secured::parse(&credential)?;
    let [base] = proofs.as_slice() else {
        bail!("a credential with exactly one proof is needed");
    };
    let suites = suites(false);
    let suite = suites
        .get(base.cryptosuite())
        .context("the cryptosuite of the proof is not known here")?;
    let options = DeriveOptions {
        selective_pointers: options.reveal,
        ..DeriveOptions::default()
    };
    output::json(&suite.derive(&document, base, &options, &OsRandom)?)
}
