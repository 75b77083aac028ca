//! `vouchsafe admin`: operators of the issuer's console.

use anyhow::{Context, Result, bail};
use clap::{Subcommand, ValueEnum};
use vouchsafe_issuer::Issuer;
use vouchsafe_issuer::console::invitation_path;
use vouchsafe_service::operators::Role;

use crate::ConfigFile;
use crate::serve::load_issuer;

/// What is done to operators.
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Print a one-time link to the console, for somebody new or for who has lost their passkeys.
    Invite(InviteOptions),
}

/// Who is invited.
#[derive(Debug, clap::Args)]
pub struct InviteOptions {
    #[command(flatten)]
    config: ConfigFile,
    /// What they may do. Without it somebody new is an admin, and whoever is known keeps their role.
    #[arg(long)]
    role: Option<RoleName>,
    /// What colleagues call them.
    name: String,
}

/// A role, by its name.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleName {
    /// Look at everything.
    Viewer,
    /// Make offers, renew, replace, end, suspend and revoke, too.
    Operator,
    /// Change many cards at once and manage operators, too.
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Viewer => Self::Viewer,
            RoleName::Operator => Self::Operator,
            RoleName::Admin => Self::Admin,
        }
    }
}

/// Runs one of the commands.
pub async fn run(command: AdminCommand) -> Result<()> {
    match command {
        AdminCommand::Invite(options) => invite(options).await,
    }
}

/// The link goes to standard output, once.
#[expect(clippy::print_stdout, reason = "the link is this command's result")]
async fn invite(options: InviteOptions) -> Result<()> {
    let InviteOptions { config, role, name } = options;
    let config = load_issuer(&config.issuer()?)?;
    let public_url = config.http.public_url.clone();
    let issuer = Issuer::open(config, vouchsafe_issuer::Ports::system()).await?;
    let Some(console) = issuer.console() else {
        bail!(
            "there is no console: `[console] enabled = false`, or the public address is an IP address that others reach"
        );
    };
    let operators = console.operators();
    let invitation = operators.invite_or_again("command", &name, role.map(Role::from));
    let invitation = invitation.await.context("nobody was invited")?;
    issuer.close().await;
    println!("{}", public_url.join(&invitation_path(invitation.secret())));
    eprintln!("The link works once, for 24 hours. Hand it over on a way that only {name} reads.");
    if !operators.has_passkeys() {
        eprintln!(
            "{} is an IP address, and browsers use passkeys only where there is a name: the link itself signs in. \
             Run the command again for another one. Use http://localhost or a domain as `http.public_url` for passkeys.",
            public_url.host()
        );
    }
    Ok(())
}
