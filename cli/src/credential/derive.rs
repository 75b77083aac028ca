//! `vouchsafe credential derive`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use vouchsafe_credentials::data_integrity::{DeriveOptions, Secured};
use vouchsafe_credentials::vcdm::EnvelopeType;
use vouchsafe_service::random::OsRandom;
use vouchsafe_service::vc_api::suites;

use super::format::{self, Input};
use super::{Bytes, bytes, disclose, output};

/// Options.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The credential with all that it can disclose; standard input by default.
    input: Option<PathBuf>,
    /// What to disclose beyond what is mandatory, as JSON pointers.
    #[arg(long = "reveal", value_name = "POINTER")]
    reveal: Vec<String>,
    /// bbs-2023: what the verifier gave out, so that nobody else can show the copy: base64url.
    #[arg(long, value_name = "BASE64URL", value_parser = bytes)]
    presentation_header: Option<Bytes>,
}

/// Derives.
pub fn run(options: Options) -> Result<()> {
    let bytes = super::read(options.input.as_deref())?;
    match format::read(&bytes)? {
        Input::Document(credential) => {
            document(&credential, options.reveal, options.presentation_header)
        }
        // A header is signed by bbs-2023 alone; what cannot carry it is not given out without.
        _ if options.presentation_header.is_some() => {
            bail!("a presentation header goes with a credential secured with bbs-2023 alone")
        }
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

fn document(credential: &Value, reveal: Vec<String>, header: Option<Bytes>) -> Result<()> {
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
        presentation_header: header.map(|given| given.0).unwrap_or_default(),
    };
    output::json(&suite.derive(&document, base, &options, &OsRandom)?)
}
