//! `vouchsafe`: one program to try, run and operate the issuer, the verifier
//! and a wallet. It wires the parts together and decides nothing itself.

mod admin;
mod audit;
mod certificates;
mod configuration;
mod conformance;
mod credential;
#[cfg(feature = "demo")]
mod demo;
mod development;
mod doctor;
mod health;
mod init;
mod instance;
mod issuer_certificate;
mod journey;
mod migrate;
mod offer;
mod risk;
mod serve;
mod types;
mod verifier;
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
    Verifier(verifier::VerifierCommand),
    /// Journeys: which steps lead to a login.
    #[command(subcommand)]
    Journey(journey::JourneyCommand),
    /// A wallet on the command line.
    #[command(subcommand)]
    Wallet(wallet::WalletCommand),
    /// Make, check, derive and explain credentials, offline.
    #[command(subcommand)]
    Credential(credential::CredentialCommand),
    /// What conformance suites call as a program.
    #[command(subcommand)]
    Conformance(conformance::ConformanceCommand),
    /// How unusual a login is, and from when on that matters.
    #[command(subcommand)]
    Risk(risk::RiskCommand),
    /// Make or check configuration files.
    #[command(subcommand)]
    Config(configuration::ConfigCommand),
    /// Operators of the issuer's console.
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Bring a database up to date.
    Migrate(migrate::MigrateOptions),
    /// Find out why something does not work.
    Doctor(doctor::DoctorOptions),
}

#[derive(Debug, Subcommand)]
enum IssuerCommand {
    /// Make a working issuer in an empty folder, and its first API key.
    Init(init::InitOptions),
    /// Run the issuer until it is asked to stop.
    Serve(ConfigFile),
    /// Offer a card to a person: prints the link, and draws it as a QR code.
    Offer(offer::OfferOptions),
    /// Say whether the issuer on this machine is ready; exits 1 if not.
    Health(ConfigFile),
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
    /// Copy a SQLite database into a new file while the service runs; prints the end of the audit log.
    Backup {
        #[command(flatten)]
        file: ConfigFile,
        /// The new file.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Put a copy of a SQLite database to use, where there is no database.
    Restore {
        #[command(flatten)]
        file: ConfigFile,
        /// The copy.
        #[arg(long, value_name = "FILE")]
        input: PathBuf,
        /// The latest end of the audit log that you know of, `NUMBER:HASH`: tells how much is lost.
        #[arg(long, value_name = "HEAD")]
        since: Option<String>,
    },
    /// Make a database fit for use that was restored by other means, such as pg_restore.
    Restored {
        #[command(flatten)]
        file: ConfigFile,
        /// The latest end of the audit log that you know of, `NUMBER:HASH`: tells how much is lost.
        #[arg(long, value_name = "HEAD")]
        since: Option<String>,
    },
    /// Write all state into an encrypted file; the passphrase is asked for, or in VOUCHSAFE_PASSPHRASE.
    Export {
        #[command(flatten)]
        file: ConfigFile,
        /// The new file.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
        /// The master secret and the signing keys too.
        #[arg(long)]
        with_keys: bool,
    },
    /// Put an export into an empty database, of whatever kind.
    Import {
        #[command(flatten)]
        file: ConfigFile,
        /// The export.
        #[arg(long, value_name = "FILE")]
        input: PathBuf,
        /// Only write the keys of the export, as new files of this folder.
        #[arg(long, value_name = "FOLDER")]
        keys_to: Option<PathBuf>,
    },
    /// Say that the issuer has a new public address, the one that its configuration has now.
    Move {
        #[command(flatten)]
        file: ConfigFile,
        /// The new address.
        #[arg(long, value_name = "URL")]
        to: String,
    },
    /// Make an OAuth client for the organisation's own system; its secret is shown once.
    ApiClient {
        #[command(flatten)]
        file: ConfigFile,
        /// What the client is for, in your words.
        name: String,
        /// What the client may ask for, and nothing else.
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// Public keys of the client, a JWK set: it then signs assertions and has no secret.
        #[arg(long, value_name = "FILE")]
        jwks: Option<PathBuf>,
    },
    /// Revoke an OAuth client and the access tokens that it has.
    RevokeApiClient {
        #[command(flatten)]
        file: ConfigFile,
        /// Its client_id.
        id: String,
    },
    /// What was done, by whom.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Certificates of signing keys: ask for them, put them in place.
    #[command(subcommand)]
    Certificate(issuer_certificate::CertificateCommand),
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

/// Where the configuration is.
#[derive(Debug, clap::Args)]
struct ConfigFile {
    /// The configuration file; `issuer.toml` or `verifier.toml` of this folder without it.
    #[arg(long, short, env = "VOUCHSAFE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigFile {
    /// The issuer's configuration: the one that was named, or the one of this folder.
    fn issuer(&self) -> anyhow::Result<PathBuf> {
        let hint = "name one with --config FILE, or make one with `vouchsafe issuer init`";
        self.found("issuer.toml", hint)
    }

    /// The verifier's configuration: the one that was named, or the one of this folder.
    fn verifier(&self) -> anyhow::Result<PathBuf> {
        let hint = "name one with --config FILE, or make one with `vouchsafe verifier init`";
        self.found("verifier.toml", hint)
    }

    fn found(&self, name: &str, hint: &str) -> anyhow::Result<PathBuf> {
        if let Some(named) = &self.config {
            return Ok(named.clone());
        }
        let here = PathBuf::from(name);
        anyhow::ensure!(here.is_file(), "there is no {name} in this folder: {hint}");
        Ok(here)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        #[cfg(feature = "demo")]
        Command::Demo(options) => demo::run(options).await,
        Command::Issuer(command) => issuer(command).await,
        Command::Verifier(command) => verifier::run(command).await,
        Command::Journey(command) => journey::run(command),
        Command::Wallet(command) => wallet::run(command).await,
        Command::Credential(command) => credential::run(command).await,
        Command::Conformance(command) => conformance::run(command).await,
        Command::Risk(command) => risk::run(&command).await,
        Command::Config(command) => configuration::run(command).await,
        Command::Admin(command) => admin::run(command).await,
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

async fn issuer(command: IssuerCommand) -> anyhow::Result<()> {
    match command {
        IssuerCommand::Init(options) => init::run(&options).await,
        IssuerCommand::Serve(file) => serve::issuer(&file.issuer()?).await,
        IssuerCommand::Health(file) => {
            health::run(&file.issuer()?, serve::ISSUER_ENVIRONMENT).await
        }
        IssuerCommand::Offer(options) => offer::run(options).await,
        IssuerCommand::ApiKey { file, name, scopes } => {
            serve::api_key(&file.issuer()?, &name, scopes).await
        }
        IssuerCommand::Backup { file, output } => instance::backup(&file.issuer()?, &output).await,
        IssuerCommand::Restore { file, input, since } => {
            instance::restore(&file.issuer()?, Some(&input), since.as_deref()).await
        }
        IssuerCommand::Restored { file, since } => {
            instance::restore(&file.issuer()?, None, since.as_deref()).await
        }
        IssuerCommand::Export {
            file,
            output,
            with_keys,
        } => instance::export(&file.issuer()?, &output, with_keys).await,
        IssuerCommand::Import {
            input,
            keys_to: Some(folder),
            ..
        } => instance::keys_of(&input, &folder),
        IssuerCommand::Import { file, input, .. } => {
            instance::import(&file.issuer()?, &input).await
        }
        IssuerCommand::Move { file, to } => instance::move_to(&file.issuer()?, &to).await,
        IssuerCommand::ApiClient {
            file,
            name,
            scopes,
            jwks,
        } => serve::api_client(&file.issuer()?, &name, scopes, jwks.as_deref()).await,
        IssuerCommand::RevokeApiClient { file, id } => {
            serve::revoke_api_client(&file.issuer()?, &id).await
        }
        IssuerCommand::Audit(AuditCommand::Verify { file, since }) => {
            audit::verify(&file.issuer()?, since.as_deref()).await
        }
        IssuerCommand::Certificate(command) => issuer_certificate::run(command).await,
        IssuerCommand::Types(TypesCommand::Check { files }) => types::check(&files),
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
        ("no such configuration file", "`vouchsafe issuer init` makes an issuer, `vouchsafe config generate DIR` a pair with a verifier"),
        ("the key file cannot be read", "`vouchsafe credential generate-key --output FILE` makes a key"),
        ("readable by everybody", "`chmod 600 FILE`: whoever reads a key can sign with it"),
        ("a base proof where", "this is the holder's own copy: `vouchsafe credential derive` makes one to show"),
        ("no valid API key", "`vouchsafe issuer api-key NAME` makes one; VOUCHSAFE_API_KEY or --api-key-file names it"),
        ("in use", "another program listens there; choose another address in the configuration (`vouchsafe demo --port N`)"),
        ("dev.loopback_http", "plain http works on this machine only; give `[http.tls]` a certificate and use https"),
    ]
    .into_iter()
    .find(|(sign, _)| text.contains(sign));
    if let Some((_, hint)) = hint {
        eprintln!("{} {hint}", palette.paint(Mark::Warn, "hint:"));
    }
}
