//! `vouchsafe credential generate-certificate`.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use vouchsafe_credentials::time::Clock;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::keys::read_private_file;

use crate::certificates::document_signer;
use crate::development::write_new;

/// Options.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The private key that is certified (--kind p256 of generate-key).
    #[arg(long, short, value_name = "FILE")]
    key: PathBuf,
    /// Who has it, in front of people.
    #[arg(long, default_value = "An issuer to try with")]
    name: String,
    /// The country, two capital letters.
    #[arg(long, default_value = "UT")]
    country: String,
    /// The new file with the certificate.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// The new file with the authority that vouches for it: what verifiers pass as --anchor. Its key is
    /// thrown away.
    #[arg(long, value_name = "FILE")]
    authority: PathBuf,
}

/// Makes both certificates.
pub fn run(options: &Options) -> Result<()> {
    ensure!(
        options.country.len() == 2 && options.country.bytes().all(|b| b.is_ascii_uppercase()),
        "--country is two capital letters, such as AT"
    );
    let key = read_private_file(&options.key)?;
    let now = SystemClock.now().0;
    let pair = document_signer(&options.name, &options.country, &key, now)?;
    write_new(&options.output, &pair.certificate, 0o644)?;
    write_new(&options.authority, &pair.authority, 0o644)?;
    eprintln!(
        "wrote {} and {}; to try with, not to rely on",
        options.output.display(),
        options.authority.display()
    );
    Ok(())
}
