//! `vouchsafe credential issue`.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use serde_json::{Value, json};
use vouchsafe_credentials::data_integrity::{ProofOptions, ProofPurpose, add_proof};
use vouchsafe_credentials::time::Clock;
use vouchsafe_credentials::vcdm::{Credential, DateTimeStamp};
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::random::OsRandom;
use vouchsafe_service::vc_api::{IssuerKey, suites};

use super::{output, read_json, read_key};

/// How a credential is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A proof in the document (Data Integrity).
    VcDi,
}

/// Options.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The credential as JSON without proof; standard input by default.
    input: Option<PathBuf>,
    /// The issuer's private key.
    #[arg(long, short, value_name = "FILE")]
    key: PathBuf,
    /// How it is secured.
    #[arg(long, value_enum, default_value_t = Format::VcDi)]
    format: Format,
    /// The cryptosuite; by default the one that fits the key.
    #[arg(long)]
    cryptosuite: Option<String>,
    /// The URL of the key, where the issuer is not the key's did:key.
    #[arg(long, value_name = "URL")]
    verification_method: Option<String>,
    /// What a holder must always disclose, as JSON pointers (ecdsa-sd-2023, bbs-2023).
    #[arg(long = "mandatory", value_name = "POINTER", default_value = "/issuer")]
    mandatory: Vec<String>,
}

/// Issues.
pub async fn run(options: Options) -> Result<()> {
    let key = read_key(&options.key)?;
    let mut credential = read_json(options.input.as_deref())?;
    let members = credential
        .as_object_mut()
        .context("a credential is a JSON object")?;
    // A credential that names nobody is ours.
    members.entry("issuer").or_insert_with(|| json!(key.did()));
    let secured = match options.format {
        Format::VcDi => data_integrity(&options, &key, &credential).await?,
    };
    output::json(&secured)
}

async fn data_integrity(options: &Options, key: &IssuerKey, credential: &Value) -> Result<Value> {
    let parsed = Credential::parse(credential)?;
    let method = options
        .verification_method
        .clone()
        .unwrap_or_else(|| key.verification_method());
    // The same rule as for verifiers: another's name needs another's key.
    ensure!(
        options.verification_method.is_some() || parsed.issuer() == key.did(),
        "the credential's issuer is not the DID of this key; name its key with --verification-method"
    );
    let suites = suites(false);
    let name = options
        .cryptosuite
        .as_deref()
        .unwrap_or_else(|| key.default_cryptosuite());
    let suite = suites
        .get(name)
        .with_context(|| format!("there is no cryptosuite {name}"))?;
    let mut proof = ProofOptions::new(method, ProofPurpose::AssertionMethod);
    proof.created = Some(DateTimeStamp::from_time(SystemClock.now()));
    if matches!(name, "ecdsa-sd-2023" | "bbs-2023") {
        proof.mandatory_pointers.clone_from(&options.mandatory);
    }
    Ok(add_proof(credential, &proof, suite, key.signer(), &OsRandom).await?)
}
