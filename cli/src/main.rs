//! `vouchsafe`: one program to try, run and operate the issuer, the verifier
//! and a wallet. It wires the parts together and decides nothing itself.

mod audit;
mod certificates;
mod configuration;
mod conformance;
mod credential;
#[cfg(feature = "demo")]
mod demo;
mod development;
mod doctor;
mod migrate;
mod serve;
mod types;
mod wallet;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use credential::output::{Mark, Palette};

/// Sign in with a credential you hold.
#[derive(Debug, Parser)]
#[command(
    name = "vouchsafe",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try everything: issuer, verifier, shop and wallet on this machine.
    #[cfg(feature = "demo")]
    Demo(demo::DemoOptions),
    /// The service that issues cards.
    #[command(subcommand)]
    Issuer(IssuerCommand),
    /// The service that logs people in.
    #[command(subcommand)]
    Verifier(VerifierCommand),
    /// A wallet on the command line.
    #[command(subcommand)]
    Wallet(wallet::WalletCommand),
    /// Make, check, derive and explain credentials, offline.
    #[command(subcommand)]
    Credential(credential::CredentialCommand),
    /// What conformance suites call as a program.
    #[command(subcommand)]
    Conformance(conformance::ConformanceCommand),
    /// Make or check configuration files.
    #[command(subcommand)]
    Config(configuration::ConfigCommand),
    /// Bring a database up to date.
    Migrate(migrate::MigrateOptions),
    /// Find out why something does not work.
    Doctor(doctor::DoctorOptions),
}

#[derive(Debug, Subcommand)]
enum IssuerCommand {
    /// Run the issuer until it is asked to stop.
    Serve(ConfigFile),
    /// Make an API key for the organisation's own system; it is shown once.
    ApiKey {
        #[command(flatten)]
        file: ConfigFile,
        /// What the key is for, in your words.
        name: String,
        /// What the key may do, and nothing else: `offers:read`, `vc:verify`, `vc:issue:ISSUER`, …
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
    },
    /// What was done, by whom.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Files that describe credential types.
    #[command(subcommand)]
    Types(TypesCommand),
}

#[derive(Debug, Subcommand)]
enum TypesCommand {
    /// Say every mistake of files with its line and column; exits 1 where there is one.
    Check {
        /// The files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<std::path::PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Recompute the chain of the audit log; exits 1 and names the place if it was edited.
    Verify {
        #[command(flatten)]
        file: ConfigFile,
        /// The end of the log as an earlier run printed it, `NUMBER:HASH`: shows that nothing
        /// behind it was cut off.
        #[arg(long, value_name = "HEAD")]
        since: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum VerifierCommand {
    /// Run the verifier until it is asked to stop.
    Serve(ConfigFile),
}

/// Where the configuration is.
#[derive(Debug, clap::Args)]
struct ConfigFile {
    /// The configuration file.
    #[arg(long, short, env = "VOUCHSAFE_CONFIG", value_name = "FILE")]
    config: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        #[cfg(feature = "demo")]
        Command::Demo(options) => demo::run(options).await,
        Command::Issuer(IssuerCommand::Serve(file)) => serve::issuer(&file.config).await,
        Command::Issuer(IssuerCommand::ApiKey { file, name, scopes }) => {
            serve::api_key(&file.config, &name, scopes).await
        }
        Command::Issuer(IssuerCommand::Audit(AuditCommand::Verify { file, since })) => {
            audit::verify(&file.config, since.as_deref()).await
        }
        Command::Issuer(IssuerCommand::Types(TypesCommand::Check { files })) => {
            types::check(&files)
        }
        Command::Verifier(VerifierCommand::Serve(file)) => serve::verifier(&file.config).await,
        Command::Wallet(command) => wallet::run(command).await,
        Command::Credential(command) => credential::run(command).await,
        Command::Conformance(command) => conformance::run(command).await,
        Command::Config(command) => configuration::run(command),
        Command::Migrate(options) => migrate::run(options).await,
        Command::Doctor(options) => doctor::run(&options).await,
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
    let palette = Palette::of_errors();
    eprintln!("{} {error}", palette.paint(Mark::Bad, "error:"));
    for cause in error.chain().skip(1) {
        eprintln!("  because: {cause}");
    }
    let text = format!("{error:#}");
    let hint = [
        ("no such configuration file", "`vouchsafe config generate DIR` makes a working pair of configurations"),
        ("the key file cannot be read", "`vouchsafe credential generate-key --output FILE` makes a key"),
        ("readable by everybody", "`chmod 600 FILE`: whoever reads a key can sign with it"),
        ("a base proof where", "this is the holder's own copy: `vouchsafe credential derive` makes one to show"),
        ("in use", "another program listens there; choose another address in the configuration (`vouchsafe demo --port N`)"),
        ("dev.loopback_http", "plain http works on this machine only; give `[http.tls]` a certificate and use https"),
    ]
    .into_iter()
    .find(|(sign, _)| text.contains(sign));
    if let Some((_, hint)) = hint {
        eprintln!("{} {hint}", palette.paint(Mark::Warn, "hint:"));
    }
}
