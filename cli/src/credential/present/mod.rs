//! `vouchsafe credential present`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use vouchsafe_credentials::data_integrity::{ProofOptions, ProofPurpose, add_proof};
use vouchsafe_credentials::time::Clock;
use vouchsafe_credentials::vcdm::DateTimeStamp;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::random::OsRandom;
use vouchsafe_service::vc_api::suites;

use super::{output, read_json, read_key};

/// Options.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Credentials with proofs, as files.
    #[arg(required = true)]
    credentials: Vec<PathBuf>,
    /// The holder's private key.
    #[arg(long, short, value_name = "FILE")]
    key: PathBuf,
    /// The challenge that the verifier gave out.
    #[arg(long)]
    challenge: Option<String>,
    /// The verifier's name.
    #[arg(long)]
    domain: Option<String>,
    /// The cryptosuite; by default the one that fits the key.
    #[arg(long)]
    cryptosuite: Option<String>,
}

/// Presents.
pub async fn run(options: Options) -> Result<()> {
    let key = read_key(&options.key)?;
    let credentials = options
        .credentials
        .iter()
        .map(|path| read_json(Some(path)))
        .collect::<Result<Vec<Value>>>()?;
    let presentation = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "holder": key.did(),
        "verifiableCredential": credentials,
    });
    let suites = suites(false);
    let name = options
        .cryptosuite
        .as_deref()
        .unwrap_or_else(|| key.default_cryptosuite());
    let suite = suites
        .get(name)
        .with_context(|| format!("there is no cryptosuite {name}"))?;
    let mut proof = ProofOptions::new(key.verification_method(), ProofPurpose::Authentication);
    proof.created = Some(DateTimeStamp::from_time(SystemClock.now()));
    proof.challenge = options.challenge;
    proof.domain = options.domain.into_iter().collect();
    let secured = add_proof(&presentation, &proof, suite, key.signer(), &OsRandom).await?;
    output::json(&secured)
}
