//! A wallet on this machine: on the command line and in the browser.

pub mod handle;
pub mod open;
pub mod transport;
pub mod web;

use clap::Subcommand;

/// What `vouchsafe wallet` can do.
#[derive(Debug, Subcommand)]
pub enum WalletCommand {}

/// Runs a wallet command.
pub async fn run(command: WalletCommand) -> anyhow::Result<()> {
    match command {}
}
