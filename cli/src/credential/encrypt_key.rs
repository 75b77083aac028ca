//! `vouchsafe credential encrypt-key`: puts a key under a passphrase, or under another one.

use std::path::PathBuf;

use anyhow::{Context, Result};
use vouchsafe_service::keys::read_private_file;
use vouchsafe_service::random::OsRandom;
use vouchsafe_service::signers::{encrypted, private_key};

use super::passphrase::{self, PassphraseOptions};
use crate::development::{replace, write_new};

/// The variable with the passphrase that an encrypted key has had.
const OLD_ENVIRONMENT: &str = "VOUCHSAFE_OLD_KEY_PASSPHRASE";

/// Options.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The private key, PKCS#8 PEM, plain or encrypted.
    #[arg(long, short, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseOptions,
    /// File with the passphrase that the key has had, where it was encrypted. Without it: the
    /// variable VOUCHSAFE_OLD_KEY_PASSPHRASE.
    #[arg(long, value_name = "FILE")]
    old_passphrase_file: Option<PathBuf>,
    /// The new file. Without it the key's own file is replaced.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Encrypts the key.
pub fn run(options: &Options) -> Result<()> {
    let pem = read_private_file(&options.key)?;
    let old = match encrypted::is_encrypted(&pem) {
        true => {
            let file = options.old_passphrase_file.as_ref();
            Some(passphrase::from(file, OLD_ENVIRONMENT)?)
        }
        false => None,
    };
    let key = private_key(&pem, old.as_ref())
        .with_context(|| format!("{} cannot be opened", options.key.display()))?;
    let words = options.passphrase.read()?;
    let sealed = encrypted::encrypt(&key.to_pkcs8_der(), &words, &OsRandom)?;
    // What was written must open before the only copy of a key is replaced.
    private_key(&sealed, Some(&words)).context("the encrypted key does not open")?;
    let output = options.output.as_ref().unwrap_or(&options.key);
    match options.output {
        Some(_) => write_new(output, &sealed, 0o600)?,
        None => replace(output, &sealed, 0o600)?,
    }
    eprintln!("wrote {}, encrypted", output.display());
    Ok(())
}
