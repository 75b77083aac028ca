//! `vouchsafe verifier api-key`: keys of those who ask over REST.

use std::path::Path;

use anyhow::{Result, bail};
use vouchsafe_service::config::load;
use vouchsafe_verifier::{Ports, Verifier};

use crate::ConfigFile;
use crate::serve::VERIFIER_ENVIRONMENT;

/// A new key.
#[derive(Debug, clap::Args)]
pub struct NewOptions {
    #[command(flatten)]
    file: ConfigFile,
    /// Whose key it is: the `id` of a `[[verifications.caller]]`, or for other scopes than `verifications:…` a name of your own.
    caller: String,
    /// What it may do, again for each: `verifications:read` and `verifications:write` (both without it), `numbers:read`, and of the administration `clients:read`, `clients:write`, `sessions:read`, `sessions:end`, `keys:read`, `trust:read`, `queries:read`.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
}

/// The key that ends.
#[derive(Debug, clap::Args)]
pub struct RevokeOptions {
    #[command(flatten)]
    file: ConfigFile,
    /// Its id, as it was printed when it was made.
    id: String,
}

/// The key goes to standard output, once; its id to standard error.
#[expect(clippy::print_stdout, reason = "the key is this command's result")]
pub async fn new(options: &NewOptions) -> Result<()> {
    let verifier = open(&options.file.verifier()?).await?;
    let made = verifier
        .create_api_key(&options.caller, &options.scopes)
        .await;
    verifier.close().await;
    let made = made?;
    println!("{}", made.key);
    eprintln!("id of the key, to revoke it: {}", made.id);
    Ok(())
}

/// Revokes a key.
pub async fn revoke(options: &RevokeOptions) -> Result<()> {
    let verifier = open(&options.file.verifier()?).await?;
    let revoked = verifier.revoke_api_key(&options.id).await;
    verifier.close().await;
    if !revoked? {
        bail!("there is no key {}, or it was revoked before", options.id);
    }
    Ok(())
}

async fn open(file: &Path) -> Result<Verifier> {
    let config: vouchsafe_verifier::Config = load(Some(file), VERIFIER_ENVIRONMENT)?;
    Ok(Verifier::open(config, Ports::system()).await?)
}
