//! `vouchsafe verifier accounts`: people whom the organisation knew before.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use vouchsafe_service::config::load;
use vouchsafe_verifier::{Config, Ports, Verifier};

use crate::ConfigFile;
use crate::serve::VERIFIER_ENVIRONMENT;

const DAY_S: i64 = 86_400;

/// A table of accounts.
#[derive(Debug, clap::Args)]
pub struct ImportOptions {
    #[command(flatten)]
    file: ConfigFile,
    /// The table (CSV): `external_id`, and `locale` if you like.
    #[arg(value_name = "FILE.csv")]
    table: PathBuf,
}

/// Somebody who may add a card.
#[derive(Debug, clap::Args)]
pub struct InviteOptions {
    #[command(flatten)]
    file: ConfigFile,
    /// By which id the organisation knows them.
    external_id: String,
    /// So many days the link is good.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(i64).range(1..=90))]
    days: i64,
}

async fn open(file: &ConfigFile) -> Result<Verifier> {
    let config: Config = load(Some(&file.verifier()?), VERIFIER_ENVIRONMENT)?;
    Ok(Verifier::open(config, Ports::system()).await?)
}

/// Brings accounts in. Rows that do not fit are named, and the command fails after the others.
pub async fn import(options: &ImportOptions) -> Result<()> {
    let ImportOptions { file, table } = options;
    let opened = File::open(table).with_context(|| table.display().to_string())?;
    let verifier = open(file).await?;
    let done = verifier.import_accounts(BufReader::new(opened)).await;
    verifier.close().await;
    let done = done?;
    eprintln!("{} accounts are new, {} were known", done.new, done.known);
    for refused in &done.refused {
        eprintln!("{refused}");
    }
    if !done.refused.is_empty() {
        bail!("{} rows were left out", done.refused.len());
    }
    Ok(())
}

/// Prints a link; it goes to standard output, once.
#[expect(clippy::print_stdout, reason = "the link is this command's result")]
pub async fn invite(options: &InviteOptions) -> Result<()> {
    let InviteOptions {
        file,
        external_id,
        days,
    } = options;
    let verifier = open(file).await?;
    let link = verifier.invite(external_id, days * DAY_S).await;
    verifier.close().await;
    println!("{}", link?);
    eprintln!("good once, for {days} days; whoever has it adds their card to this account");
    Ok(())
}
