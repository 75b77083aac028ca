//! `vouchsafe verifier session`: who is logged in.

use anyhow::{Result, ensure};
use jiff::Timestamp;
use vouchsafe_verifier::store::session_list::Wanted;

use super::registered::open;
use crate::ConfigFile;
use crate::credential::output;

/// Which sessions.
#[derive(Debug, clap::Args)]
pub struct ListOptions {
    #[command(flatten)]
    file: ConfigFile,
    /// In which this application takes part.
    #[arg(long, value_name = "CLIENT_ID", required_unless_present = "account")]
    client: Option<String>,
    /// In which that application calls the person so.
    #[arg(long, requires = "client")]
    sub: Option<String>,
    /// Of this account.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
}

/// The session that ends.
#[derive(Debug, clap::Args)]
pub struct EndOptions {
    #[command(flatten)]
    file: ConfigFile,
    /// Its id, as `list` prints it.
    id: String,
}

/// Live sessions, one in a line: id, account, when it began, level, applications.
pub async fn list(options: &ListOptions) -> Result<()> {
    let verifier = open(&options.file.verifier()?).await?;
    let wanted = Wanted {
        account: options.account.clone().unwrap_or_default(),
        client: options.client.clone().unwrap_or_default(),
        sub: options.sub.clone().unwrap_or_default(),
    };
    let mut after = String::new();
    loop {
        let (live, more) = verifier.sessions(&wanted, &after).await?;
        for one in &live {
            let members = one.members.iter().map(|member| member.client.as_str());
            let members: Vec<&str> = members.collect();
            let session = &one.session;
            let began = Timestamp::from_second(session.auth_time)?;
            let account = session.subject_id.as_deref().unwrap_or("guest");
            let (id, acr) = (&session.id, &session.acr);
            output::line(&format!(
                "{id}\t{account}\t{began}\t{acr}\t{}",
                members.join(" ")
            ))?;
        }
        match live.last().filter(|_| more) {
            Some(last) => after.clone_from(&last.session.id),
            None => break,
        }
    }
    verifier.close().await;
    Ok(())
}

/// Ends a session. The running service tells its applications.
pub async fn end(options: &EndOptions) -> Result<()> {
    let verifier = open(&options.file.verifier()?).await?;
    let ended = verifier.end_session(&options.id).await;
    verifier.close().await;
    ensure!(ended?, "there is no live session {}", options.id);
    Ok(())
}
