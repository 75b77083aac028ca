//! Where a command finds a passphrase: never in its arguments, which others on the machine can see.

use std::path::PathBuf;

use anyhow::{Context, Result};
use vouchsafe_service::signers::encrypted::Passphrase;

/// The variable that is read where nothing is said.
const ENVIRONMENT: &str = "VOUCHSAFE_KEY_PASSPHRASE";

/// Options.
#[derive(Debug, clap::Args)]
pub struct PassphraseOptions {
    /// File with the passphrase of the encrypted key. Without it: the variable
    /// VOUCHSAFE_KEY_PASSPHRASE.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl PassphraseOptions {
    /// The passphrase.
    pub fn read(&self) -> Result<Passphrase> {
        from(self.passphrase_file.as_ref(), ENVIRONMENT)
    }
}

/// A passphrase of a file or of a variable.
pub fn from(file: Option<&PathBuf>, environment: &str) -> Result<Passphrase> {
    match file {
        Some(file) => Ok(Passphrase::from_file(file)?),
        None => Passphrase::from_environment(environment)
            .with_context(|| format!("give a file with the passphrase, or set {environment}")),
    }
}
