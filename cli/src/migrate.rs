//! `vouchsafe migrate`: brings the database of a service up to date.

use std::path::PathBuf;

use anyhow::{Result, bail};
use vouchsafe_issuer::Issuer;
use vouchsafe_service::config::load;
use vouchsafe_verifier::Verifier;

use crate::serve::{VERIFIER_ENVIRONMENT, load_issuer};

/// Which databases.
#[derive(Debug, clap::Args)]
pub struct MigrateOptions {
    /// The issuer's configuration file.
    #[arg(long, value_name = "FILE")]
    issuer: Option<PathBuf>,
    /// The verifier's configuration file.
    #[arg(long, value_name = "FILE")]
    verifier: Option<PathBuf>,
}

/// Migrates what was named. Services also do it when they start.
pub async fn run(options: MigrateOptions) -> Result<()> {
    let MigrateOptions { issuer, verifier } = options;
    if issuer.is_none() && verifier.is_none() {
        bail!("name a configuration: --issuer FILE, --verifier FILE or both");
    }
    if let Some(file) = issuer {
        let config = load_issuer(&file)?;
        let issuer = Issuer::open(config, vouchsafe_issuer::Ports::system()).await?;
        issuer.close().await;
        eprintln!("the issuer's database is up to date");
    }
    if let Some(file) = verifier {
        let config = load(Some(&file), VERIFIER_ENVIRONMENT)?;
        let verifier = Verifier::open(config, vouchsafe_verifier::Ports::system()).await?;
        verifier.close().await;
        eprintln!("the verifier's database is up to date");
    }
    Ok(())
}
