//! The front door for contributors and CI: `cargo xtask <command>`.

#![allow(
    clippy::print_stdout,
    reason = "a command-line tool: results go to stdout"
)]

mod bench;
mod bindings;
mod check;
mod conformance;
mod fuzz;
mod mutants;
mod postgres;
mod run;
mod setup;
mod shots;
mod suite;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Checks, tests and measures Vouchsafe")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Who may use whom, file sizes, format, lints: everything that needs no test.
    Check,
    /// Sets up what the tests need, runs every suite and ends with counts.
    Test {
        /// Races, kills and scans at the counts of their requirements.
        #[arg(long)]
        full: bool,
        /// Only one suite (see the printed names).
        #[arg(long)]
        part: Option<String>,
    },
    /// Runs every fuzz target for some minutes each (needs a nightly toolchain).
    Fuzz(fuzz::Wanted),
    /// Changes the verify paths and sees whether a test notices (needs cargo-mutants).
    Mutants(mutants::Wanted),
    /// Generates, compiles and drives the Kotlin and the Swift side of the wallet.
    Bindings(bindings::Wanted),
    /// Measures ours, the peer and the raw primitive, interleaved in one run.
    Bench {
        /// Arguments for the bench program (`--list`, `--only P1`, `--seconds 5`).
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Runs the suites of others against a release build.
    #[command(subcommand)]
    Conformance(Conformance),
    /// Writes what the OpenID Foundation's suite needs to test both services, in folders.
    ConformanceConfig(conformance::Hosts),
    /// Renders every page at 360 and 1280 px, light and dark, and checks it.
    Shots {
        /// The folder that receives the pictures.
        #[arg(long, default_value = "target/shots")]
        output: std::path::PathBuf,
        /// Writes what a screen reader finds to tests/peers/snapshots instead of comparing it.
        #[arg(long)]
        update: bool,
    },
    /// Prepares a machine for the tests: Debian packages and Node packages.
    Setup,
}

#[derive(Debug, Subcommand)]
enum Conformance {
    /// The W3C suites in the folder that `VOUCHSAFE_W3C_SUITES` names.
    W3c {
        /// Only the suites whose names contain this.
        suite: Option<String>,
    },
    /// The issuer's plans in the suite of the OpenID Foundation that runs at `VOUCHSAFE_OIDF_SUITE`.
    OidfIssuer(conformance::oidf::Wanted),
    /// The login service's plans in the same suite.
    OidfVerifier(conformance::verifier::Wanted),
    /// The plans of the wallet on the command line in the same suite.
    OidfWallet(conformance::wallet::Wanted),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Check => check::run(),
        Command::Test { full, part } => suite::run(full, part.as_deref()),
        Command::Fuzz(wanted) => fuzz::run(&wanted),
        Command::Mutants(wanted) => mutants::run(&wanted),
        Command::Bindings(wanted) => bindings::run(&wanted),
        Command::Bench { arguments } => bench::run(&arguments),
        Command::Conformance(Conformance::W3c { suite }) => conformance::w3c(suite.as_deref()),
        Command::Conformance(Conformance::OidfIssuer(wanted)) => conformance::oidf::issuer(&wanted),
        Command::Conformance(Conformance::OidfVerifier(wanted)) => {
            conformance::verifier::verifier(&wanted)
        }
        Command::Conformance(Conformance::OidfWallet(wanted)) => {
            conformance::wallet::wallet(&wanted)
        }
        Command::ConformanceConfig(hosts) => conformance::configure(&hosts),
        Command::Shots { output, update } => shots::run(&output, update),
        Command::Setup => setup::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
