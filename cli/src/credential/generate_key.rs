//! `vouchsafe credential generate-key`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::ValueEnum;
use vouchsafe_credentials::crypto::{Algorithm, SigningKey};
use vouchsafe_service::random::OsRandom;
use vouchsafe_service::signers::encrypted;
use vouchsafe_service::vc_api::{IssuerKey, KeyType};
use zeroize::Zeroizing;

use super::output;
use super::passphrase::PassphraseOptions;
use crate::development::write_new;

/// Kinds of keys.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// EdDSA; eddsa-rdfc-2022, eddsa-jcs-2022.
    Ed25519,
    /// ES256; ecdsa-rdfc-2019, ecdsa-jcs-2019, ecdsa-sd-2023.
    P256,
    /// ES384; ecdsa-rdfc-2019, ecdsa-jcs-2019.
    P384,
    /// ES512; vc+jwt and COSE.
    P521,
    /// bbs-2023.
    Bls12381,
}

/// Options.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// What kind of key.
    #[arg(long, value_enum, default_value_t = Kind::Ed25519)]
    kind: Kind,
    /// The new file; only you can read it.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Under a passphrase (not for bls12381).
    #[arg(long)]
    encrypt: bool,
    #[command(flatten)]
    passphrase: PassphraseOptions,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Makes the key.
pub fn run(options: &Options) -> Result<()> {
    let kind = match options.kind {
        Kind::Ed25519 => KeyType::Signature(Algorithm::EdDsa),
        Kind::P256 => KeyType::Signature(Algorithm::Es256),
        Kind::P384 => KeyType::Signature(Algorithm::Es384),
        Kind::P521 => KeyType::Signature(Algorithm::Es512),
        Kind::Bls12381 => KeyType::Bls12381,
    };
    let text = IssuerKey::generate(kind, &OsRandom);
    let key = IssuerKey::read(&text).context("the new key cannot be read")?;
    let text = match options.encrypt {
        true => encrypted(&text, options)?,
        false => text,
    };
    write_new(&options.output, &text, 0o600)?;
    if options.json {
        return output::json(&serde_json::json!({
            "did": key.did(),
            "verificationMethod": key.verification_method(),
            "file": options.output,
        }));
    }
    eprintln!("wrote {}; keep it secret", options.output.display());
    output::line(&key.did())
}

fn encrypted(pem: &str, options: &Options) -> Result<Zeroizing<String>> {
    let key = SigningKey::from_pkcs8_pem(pem)
        .map_err(|_| anyhow::anyhow!("a key of this kind has no encrypted form"))?;
    let words = options.passphrase.read()?;
    Ok(encrypted::encrypt(&key.to_pkcs8_der(), &words, &OsRandom)?)
}
