//! `vouchsafe conformance`: what suites of others call as a program. Nothing here is for production:
//! keys come from the suite, time from its vectors.

mod jwk;
mod oidf;
mod vc_jose_cose;
mod w3c;
mod webvh;

use anyhow::Result;
use clap::Subcommand;

/// Suites that run a program.
#[derive(Debug, Subcommand)]
pub enum ConformanceCommand {
    /// W3C "Securing Verifiable Credentials using JOSE and COSE".
    VcJoseCose(vc_jose_cose::Options),
    /// The VC API for the W3C suites, over https on this machine, with their configuration.
    W3cServer(w3c::Options),
    /// A folder for the OpenID Foundation's suite: the issuer's configuration, a test person, and
    /// the suite's configuration with its browser steps.
    OidfIssuer(oidf::Options),
    /// The same for the wallet on the command line: an issuer that has cards for it, whom it
    /// believes, and the suite's configuration as verifier and as issuer.
    OidfWallet(oidf::wallet::Options),
}

/// Runs a command.
pub async fn run(command: ConformanceCommand) -> Result<()> {
    match command {
        ConformanceCommand::VcJoseCose(options) => vc_jose_cose::run(options).await,
        ConformanceCommand::W3cServer(options) => w3c::run(options).await,
        ConformanceCommand::OidfIssuer(options) => oidf::run(options).await,
        ConformanceCommand::OidfWallet(options) => oidf::wallet::run(options).await,
    }
}
