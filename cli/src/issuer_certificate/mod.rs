//! `vouchsafe issuer certificate`: asks for certificates of signing keys and puts them in place.

mod install;
mod request;
mod subject;
#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::{Result, bail};
use clap::Subcommand;
use vouchsafe_issuer::Config;
use vouchsafe_issuer::config::{ConfiguredKey, KeyMethod};

/// What `vouchsafe issuer certificate` can do.
#[derive(Debug, Subcommand)]
pub enum CertificateCommand {
    /// Write a certificate request (PKCS#10), signed by the key itself, wherever that is.
    Request(request::Options),
    /// Check a new certificate and plan the change-over to it.
    Install(install::Options),
}

/// Runs a command.
pub async fn run(command: CertificateCommand) -> Result<()> {
    match command {
        CertificateCommand::Request(options) => request::run(&options).await,
        CertificateCommand::Install(options) => install::run(&options),
    }
}

/// The key with this name; without a name, the only one that has certificates.
fn find<'a>(config: &'a Config, name: Option<&str>) -> Result<ConfiguredKey<'a>> {
    let mut keys = config.configured_keys();
    keys.retain(|key| key.config.method == KeyMethod::X5c);
    let names: Vec<String> = keys.iter().map(|key| key.name.clone()).collect();
    keys.retain(|key| name.is_none_or(|name| key.name == name));
    match (keys.len(), keys.pop()) {
        (1, Some(key)) => Ok(key),
        (0, _) if names.is_empty() => bail!("no key of the configuration has method = \"x5c\""),
        (_, _) => bail!("name one of the keys with --key: {}", names.join(", ")),
    }
}

/// What the configuration has for certificates of a key, if anything.
fn certificates(key: &ConfiguredKey<'_>) -> Result<Option<String>> {
    text(
        key.config.certificates.as_ref(),
        key.config.certificates_file.as_deref(),
    )
}

fn text(value: Option<&String>, file: Option<&Path>) -> Result<Option<String>> {
    match (value, file) {
        (Some(text), _) => Ok(Some(text.clone())),
        (None, Some(path)) => Ok(Some(std::fs::read_to_string(path)?)),
        (None, None) => Ok(None),
    }
}
