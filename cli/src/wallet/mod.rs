//! A wallet on the command line.

use clap::Subcommand;

/// What `vouchsafe wallet` can do.
#[derive(Debug, Subcommand)]
pub enum WalletCommand {}

/// Runs a wallet command.
pub async fn run(command: WalletCommand) -> anyhow::Result<()> {
    match command {}
}
