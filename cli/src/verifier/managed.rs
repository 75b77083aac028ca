//! `vouchsafe verifier client` for applications that administrators keep in the database
//! (`[administration]`). The service need not be restarted.

use std::path::Path;

use anyhow::{Result, bail};
use serde_json::json;
use vouchsafe_verifier::KnownClient;

use super::registered::open;
use crate::ConfigFile;
use crate::credential::output;

/// The application that is shown.
#[derive(Debug, clap::Args)]
pub struct ShowOptions {
    #[command(flatten)]
    file: ConfigFile,
    /// Its `client_id`.
    id: String,
}

/// Says what holds of an application. Its secret is never told again.
pub async fn show(options: &ShowOptions) -> Result<()> {
    let verifier = open(&options.file.verifier()?).await?;
    let found = verifier.client(&options.id).await;
    verifier.close().await;
    let Some(known) = found? else {
        bail!("there is no application {}", options.id);
    };
    let KnownClient {
        id,
        proof,
        settings,
        served,
        kept,
    } = known;
    let kept_in = match kept {
        Some(_) => "administration",
        None => "configuration",
    };
    let shown = json!({
        "id": id.as_str(),
        "kept_in": kept_in,
        "authentication": proof,
        "served": served,
        "settings": settings,
    });
    output::line(&serde_json::to_string_pretty(&shown)?)
}

/// Applications that administrators keep, one in a line: id, name, redirect URIs, and whether they are not
/// served.
pub async fn list(file: &Path) -> Result<()> {
    let verifier = open(file).await?;
    let mut after = String::new();
    loop {
        let (clients, more) = verifier.clients(&after).await?;
        for known in clients.iter().filter(|known| known.kept.is_some()) {
            let stopped = if known.served { "" } else { "\tnot served" };
            let uris = known.settings.redirect_uris.join(" ");
            output::line(&format!(
                "{}\t{}\t{uris}{stopped}",
                known.id, known.settings.name
            ))?;
        }
        match clients.last().filter(|_| more) {
            Some(last) => after = last.id.to_string(),
            None => break,
        }
    }
    verifier.close().await;
    Ok(())
}
