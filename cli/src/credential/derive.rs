//! `vouchsafe credential derive`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use vouchsafe_credentials::data_integrity::{DeriveOptions, Secured};
use vouchsafe_credentials::vcdm::EnvelopeType;
use vouchsafe_service::random::OsRandom;
use vouchsafe_service::vc_api::suites;

use super::format::{self, Input};
use super::{disclose, output};

/// Options.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The credential with all that it can disclose; standard input by default.
    input: Option<PathBuf>,
    /// What to disclose beyond what is mandatory, as JSON pointers.
    #[arg(long = "reveal", value_name = "POINTER")]
    reveal: Vec<String>,
}

/// Derives.
pub fn run(options: Options) -> Result<()> {
    let bytes = super::read(options.input.as_deref())?;
    match format::read(&bytes)? {
        Input::Document(credential) => document(&credential, options.reveal),
        Input::Envelope(envelope) if envelope.kind() == EnvelopeType::VcSdJwt => {
            let compact = std::str::from_utf8(envelope.content())?;
            output::line(&disclose::reduce(compact, &options.reveal)?)
        }
        Input::SdJwtVc(compact) => output::line(&disclose::reduce(&compact, &options.reveal)?),
        Input::Mdoc(_) => {
            bail!(
                "an mdoc discloses where it is presented: `vouchsafe credential present --reveal …`"
            )
        }
        Input::Envelope(_) | Input::DeviceResponse(_) => {
            bail!("in this format nothing can be left out")
        }
    }
}

fn document(credential: &Value, reveal: Vec<String>) -> Result<()> {
    let Secured { document, proofs } = Secured::parse(credential)?;
    let [base] = proofs.as_slice() else {
        bail!("a credential with exactly one proof is needed");
    };
    let suites = suites(false);
    let suite = suites
        .get(base.cryptosuite())
        .context("the cryptosuite of the proof is not known here")?;
    let options = DeriveOptions {
        selective_pointers: reveal,
        ..DeriveOptions::default()
    };
    output::json(&suite.derive(&document, base, &options, &OsRandom)?)
}
