//! `vouchsafe verifier client` for applications that are not in the configuration, and the tokens
//! with which they register. They are in the database, so the service need not be restarted.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use vouchsafe_service::config::load;
use vouchsafe_verifier::{Config, Ports, Verifier};

use crate::ConfigFile;
use crate::serve::VERIFIER_ENVIRONMENT;

const DAY_S: i64 = 86_400;

/// A token with which applications register.
#[derive(Debug, clap::Args)]
pub struct TokenOptions {
    #[command(flatten)]
    file: ConfigFile,
    /// What it is for, in your words.
    name: String,
    /// So many applications may register with it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(i64).range(1..=1_000_000))]
    uses: i64,
    /// So many days it is good.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(i64).range(1..=3660))]
    days: i64,
}

/// A thing that is named by its id.
#[derive(Debug, clap::Args)]
pub struct NamedOptions {
    #[command(flatten)]
    file: ConfigFile,
    /// Its id.
    id: String,
}

/// The service of a configuration file, without serving anybody.
pub(super) async fn open(file: &Path) -> Result<Verifier> {
    let config: Config = load(Some(file), VERIFIER_ENVIRONMENT)?;
    Ok(Verifier::open(config, Ports::system()).await?)
}

/// Makes a token; it goes to standard output, once.
#[expect(clippy::print_stdout, reason = "the token is this command's result")]
pub async fn token(options: &TokenOptions) -> Result<()> {
    let TokenOptions {
        file,
        name,
        uses,
        days,
    } = options;
    let file = file.verifier()?;
    let config: Config = load(Some(&file), VERIFIER_ENVIRONMENT)?;
    ensure!(
        config.registration.is_some(),
        "nobody can register: {} has no [registration]",
        file.display()
    );
    let verifier = Verifier::open(config, Ports::system()).await?;
    let made = verifier.create_registration_token(name, *uses, days * DAY_S);
    let (id, token) = made.await?;
    verifier.close().await;
    println!("{token}");
    eprintln!("id: {id}; good for {uses} registrations within {days} days");
    Ok(())
}

/// Says which tokens may still be used, one in a line: id, name, uses, last day.
#[expect(clippy::print_stdout, reason = "the list is this command's result")]
pub async fn tokens(file: &Path) -> Result<()> {
    let verifier = open(file).await?;
    let tokens = verifier.registration_tokens().await?;
    verifier.close().await;
    for token in tokens {
        let day = Timestamp::from_second(token.expires_at.0)?.strftime("%Y-%m-%d");
        println!("{}\t{}\t{}\t{day}", token.id, token.name, token.uses_left);
    }
    Ok(())
}

/// Takes a token back.
pub async fn revoke_token(options: &NamedOptions) -> Result<()> {
    let verifier = open(&options.file.verifier()?).await?;
    let removed = verifier.remove_registration_token(&options.id).await;
    verifier.close().await;
    ensure!(removed?, "there is no registration token {}", options.id);
    Ok(())
}

/// Applications that registered, one in a line: id, name, redirect URIs, and whether they are
/// stopped.
#[expect(clippy::print_stdout, reason = "the list is this command's result")]
pub async fn list(file: &Path) -> Result<()> {
    let verifier = open(file).await?;
    let clients = verifier.registered_clients().await;
    verifier.close().await;
    for client in clients? {
        let stopped = if client.disabled { "\tdisabled" } else { "" };
        let uris = client.redirect_uris.join(" ");
        println!("{}\t{}\t{uris}{stopped}", client.id, client.name);
    }
    Ok(())
}

/// Removes an application that is in the database.
pub async fn remove(file: &Path, id: &str) -> Result<()> {
    let verifier = open(file).await?;
    let removed = verifier.remove_client(id).await;
    verifier.close().await;
    ensure!(removed?, "there is no application {id}");
    eprintln!("{id} was removed, and everything that it was given");
    Ok(())
}

/// Removes what the database has under the id of an application of the file, if there is anything.
pub async fn remove_hidden(file: &Path, id: &str) -> Result<()> {
    let verifier = open(file).await?;
    let removed = verifier.remove_client(id).await;
    verifier.close().await;
    if removed? {
        eprintln!("the application {id} that was kept over REST was removed, too");
    }
    Ok(())
}

/// Stops an application that is not in the configuration.
pub async fn disable(options: &NamedOptions) -> Result<()> {
    let verifier = open(&options.file.verifier()?).await?;
    let stopped = verifier.disable_client(&options.id).await;
    verifier.close().await;
    ensure!(
        stopped?,
        "there is no application {} outside of the configuration (hint: one of the configuration is removed with `vouchsafe verifier client remove`)",
        options.id
    );
    eprintln!("{} is stopped", options.id);
    Ok(())
}

/// Lets it go on.
pub async fn enable(options: &NamedOptions) -> Result<()> {
    let verifier = open(&options.file.verifier()?).await?;
    let goes_on = verifier.enable_client(&options.id).await;
    verifier.close().await;
    ensure!(
        goes_on.context("the database failed")?,
        "{} is not stopped",
        options.id
    );
    Ok(())
}
