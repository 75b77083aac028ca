//! `vouchsafe credential`: make, check, derive and explain credentials, offline. Data goes to
//! standard output, everything else to standard error; a refusal ends with exit code 1.

mod against;
mod derive;
mod disclose;
mod encrypt_key;
mod explain;
mod format;
mod generate_certificate;
mod generate_key;
mod inspect;
mod issue;
mod mdoc;
pub mod output;
mod passphrase;
mod present;
mod sd_jwt_vc;
#[cfg(test)]
mod tests;
mod verify;

pub use issue::read_type;

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use clap::Subcommand;
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_service::keys::read_private_file;
use vouchsafe_service::vc_api::IssuerKey;

/// Largest credential that is read, in bytes.
const MAX_INPUT: u64 = 8 * 1024 * 1024;

/// What `vouchsafe credential` can do.
#[derive(Debug, Subcommand)]
pub enum CredentialCommand {
    /// Make a private key and say its DID.
    GenerateKey(generate_key::Options),
    /// Put a private key under a passphrase, or under another one.
    EncryptKey(encrypt_key::Options),
    /// Certify a key for mdocs, by an authority that is made for it. To try with.
    GenerateCertificate(generate_certificate::Options),
    /// Secure a credential with a key, in any format.
    Issue(issue::Options),
    /// Show credentials to one verifier, once.
    Present(present::Options),
    /// Say whether a credential or presentation is what it claims to be.
    Verify(verify::Options),
    /// Make a copy that discloses only what is asked for (ecdsa-sd-2023, bbs-2023, SD-JWT).
    Derive(derive::Options),
    /// Explain a credential in plain words.
    Inspect(inspect::Options),
}

/// Runs a command.
pub async fn run(command: CredentialCommand) -> Result<()> {
    match command {
        CredentialCommand::GenerateKey(options) => generate_key::run(&options),
        CredentialCommand::EncryptKey(options) => encrypt_key::run(&options),
        CredentialCommand::GenerateCertificate(options) => generate_certificate::run(&options),
        CredentialCommand::Issue(options) => issue::run(options).await,
        CredentialCommand::Present(options) => present::run(options).await,
        CredentialCommand::Verify(options) => verify::run(options).await,
        CredentialCommand::Derive(options) => derive::run(options),
        CredentialCommand::Inspect(options) => inspect::run(options).await,
    }
}

/// Bytes of an option.
#[derive(Debug, Clone)]
struct Bytes(Vec<u8>);

/// Reads bytes in base64url without padding.
fn bytes(text: &str) -> Result<Bytes, &'static str> {
    b64url_decode(text)
        .map(Bytes)
        .map_err(|_| "base64url without padding is expected")
}

/// Reads a file, or standard input for `-` and nothing.
fn read(input: Option<&Path>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match input {
        Some(path) if path != Path::new("-") => {
            let file = std::fs::File::open(path)
                .with_context(|| format!("{} cannot be read", path.display()))?;
            file.take(MAX_INPUT + 1).read_to_end(&mut bytes)?;
        }
        _ => {
            let stdin = std::io::stdin().lock();
            stdin.take(MAX_INPUT + 1).read_to_end(&mut bytes)?;
        }
    }
    ensure!(bytes.len() as u64 <= MAX_INPUT, "the input is too large");
    Ok(bytes)
}

/// Reads a JSON document.
fn read_json(input: Option<&Path>) -> Result<serde_json::Value> {
    let bytes = read(input)?;
    vouchsafe_credentials::json::parse_strict(&bytes).context("the input is not acceptable JSON")
}

/// Reads a private key file.
fn read_key(path: &Path) -> Result<IssuerKey> {
    let text = read_private_file(path)?;
    IssuerKey::read(&text).with_context(|| {
        format!(
            "{} holds no key that is known here (PKCS#8 PEM, or a BLS12-381 secret as Multikey)",
            path.display()
        )
    })
}
