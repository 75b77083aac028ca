//! `vouchsafe`: one program to try, run and operate the issuer, the verifier
//! and a wallet. It wires the parts together and decides nothing itself.

mod wallet;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Sign in with a credential you hold.
#[derive(Debug, Parser)]
#[command(
    name = "vouchsafe",
    version,
    about,
    propagate_version = true,
    arg_required_else_help = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A wallet on the command line.
    #[command(subcommand)]
    Wallet(wallet::WalletCommand),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Wallet(command) => wallet::run(command).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

/// An error on the terminal: what happened, why, and a hint where one is known.
fn report(error: &anyhow::Error) {
    eprintln!("error: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  because: {cause}");
    }
}
