//! `vouchsafe verifier`: a login service of one's own, whom it trusts and which applications it
//! serves.

mod accounts;
mod api_key;
mod client;
mod document;
mod init;
mod key;
mod managed;
mod registered;
mod session;
mod state;
mod trace;
mod trust;

use anyhow::Result;
use clap::Subcommand;

use crate::{ConfigFile, health, serve};

/// What `vouchsafe verifier` can do.
#[derive(Debug, Subcommand)]
pub enum VerifierCommand {
    /// Make a working verifier in an empty folder; it trusts nobody yet.
    Init(init::InitOptions),
    /// Whose cards are believed.
    #[command(subcommand)]
    Trust(TrustCommand),
    /// The applications that people log in to.
    #[command(subcommand)]
    Client(ClientCommand),
    /// Who is logged in.
    #[command(subcommand)]
    Session(SessionCommand),
    /// The keys that sign for applications.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Make an API key of somebody who may ask over REST (`[[verifications.caller]]`), read the numbers or administer (`[administration]`), and print it, once.
    ApiKey(api_key::NewOptions),
    /// Revoke an API key: whoever holds it asks nothing any more.
    RevokeApiKey(api_key::RevokeOptions),
    /// Make a token with which an application registers by itself, and print it, once.
    RegistrationToken(registered::TokenOptions),
    /// Say which of these tokens may still be used.
    RegistrationTokens(ConfigFile),
    /// Take one back.
    RevokeRegistrationToken(registered::NamedOptions),
    /// People whom the organisation knew before.
    #[command(subcommand)]
    Accounts(AccountsCommand),
    /// Copy a SQLite database into a new file, while the verifier runs or not.
    Backup(state::BackupOptions),
    /// Put a copy of a SQLite database to use, where there is no database.
    Restore(state::RestoreOptions),
    /// Make a database fit for use that was restored by other means, such as pg_restore.
    Restored(state::RestoredOptions),
    /// Write all state into an encrypted file; the passphrase is asked for, or in VOUCHSAFE_PASSPHRASE.
    Export(state::ExportOptions),
    /// Put an export into an empty database, of whatever kind: every `sub` stays the same.
    Import(state::ExportOptions),
    /// Say which rules of a journey led to the page with this reference.
    Trace(trace::TraceOptions),
    /// Run the verifier until it is asked to stop.
    Serve(ConfigFile),
    /// Say whether the verifier on this machine is ready; exits 1 if not.
    Health(ConfigFile),
}

/// What can be done about accounts.
#[derive(Debug, Subcommand)]
pub enum AccountsCommand {
    /// Bring accounts in from a table; the same table again changes nothing.
    Import(accounts::ImportOptions),
    /// Print a link at which somebody adds their card to an account, once.
    Invite(accounts::InviteOptions),
}

/// What can be done about trust.
#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Believe an issuer, say what is pinned, and ask people for its cards.
    Add(trust::AddOptions),
    /// Say whom the verifier believes, and what is pinned.
    List(ConfigFile),
}

/// What can be done about applications.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Add an application and print its id and its secret, once.
    Add(client::AddOptions),
    /// Say which applications there are.
    List(ConfigFile),
    /// Say what holds of an application, as JSON.
    Show(managed::ShowOptions),
    /// Remove an application: nobody logs in to it any more.
    Remove(client::RemoveOptions),
    /// Stop an application that is not in the configuration file.
    Disable(registered::NamedOptions),
    /// Let it go on.
    Enable(registered::NamedOptions),
}

/// What can be done about sessions.
#[derive(Debug, Subcommand)]
pub enum SessionCommand {
    /// Say which sessions of an application or of an account are live.
    List(session::ListOptions),
    /// End a session: its tokens die, and its applications are told.
    End(session::EndOptions),
}

/// What can be done about keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Print the public keys that sign for applications, one in a line, as JSON.
    List(ConfigFile),
}

/// Runs a command.
pub async fn run(command: VerifierCommand) -> Result<()> {
    match command {
        VerifierCommand::Init(options) => init::run(&options),
        VerifierCommand::Trust(TrustCommand::Add(options)) => trust::add(&options),
        VerifierCommand::Trust(TrustCommand::List(file)) => trust::list(&file.verifier()?),
        VerifierCommand::Client(ClientCommand::Add(options)) => client::add(&options),
        VerifierCommand::Client(ClientCommand::List(file)) => client::list(&file.verifier()?).await,
        VerifierCommand::Client(ClientCommand::Show(options)) => managed::show(&options).await,
        VerifierCommand::Client(ClientCommand::Remove(options)) => client::remove(&options).await,
        VerifierCommand::Client(ClientCommand::Disable(options)) => {
            registered::disable(&options).await
        }
        VerifierCommand::Client(ClientCommand::Enable(options)) => {
            registered::enable(&options).await
        }
        VerifierCommand::Session(SessionCommand::List(options)) => session::list(&options).await,
        VerifierCommand::Session(SessionCommand::End(options)) => session::end(&options).await,
        VerifierCommand::Key(KeyCommand::List(file)) => key::list(&file.verifier()?).await,
        VerifierCommand::RegistrationToken(options) => registered::token(&options).await,
        VerifierCommand::RegistrationTokens(file) => registered::tokens(&file.verifier()?).await,
        VerifierCommand::RevokeRegistrationToken(options) => {
            registered::revoke_token(&options).await
        }
        VerifierCommand::ApiKey(options) => api_key::new(&options).await,
        VerifierCommand::RevokeApiKey(options) => api_key::revoke(&options).await,
        VerifierCommand::Accounts(AccountsCommand::Import(options)) => {
            accounts::import(&options).await
        }
        VerifierCommand::Accounts(AccountsCommand::Invite(options)) => {
            accounts::invite(&options).await
        }
        VerifierCommand::Trace(options) => trace::run(&options).await,
        VerifierCommand::Backup(options) => state::backup(&options).await,
        VerifierCommand::Restore(options) => state::restore(&options).await,
        VerifierCommand::Restored(options) => state::restored(&options).await,
        VerifierCommand::Export(options) => state::export(&options).await,
        VerifierCommand::Import(options) => state::import(&options).await,
        VerifierCommand::Serve(file) => serve::verifier(&file.verifier()?).await,
        VerifierCommand::Health(file) => {
            health::run(&file.verifier()?, serve::VERIFIER_ENVIRONMENT).await
        }
    }
}
