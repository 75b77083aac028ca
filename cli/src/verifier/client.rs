//! `vouchsafe verifier client`: applications.

use anyhow::{Context, Result, ensure};
use std::path::Path;
use toml_edit::{Array, Table, value};

use super::document::Document;
use super::{managed, registered};
use crate::ConfigFile;
use crate::development::secret;

/// A new application.
#[derive(Debug, clap::Args)]
pub struct AddOptions {
    #[command(flatten)]
    file: ConfigFile,
    /// Its name, as people see it.
    name: String,
    /// Where it receives people back; compared exactly.
    #[arg(long = "redirect", value_name = "URL", required = true)]
    redirects: Vec<String>,
    /// Its `client_id`; made of the name without it.
    #[arg(long)]
    id: Option<String>,
    /// It runs in a browser or on a phone and keeps no secret.
    #[arg(long)]
    public: bool,
    /// A scope that it may ask for; all of them without it.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Where people may go after they logged out.
    #[arg(long = "after-logout", value_name = "URL")]
    after_logout: Vec<String>,
    /// Where it takes logout tokens.
    #[arg(long, value_name = "URL")]
    backchannel_logout: Option<String>,
    /// It may go on while the person is away (`offline_access`).
    #[arg(long)]
    offline: bool,
    /// People may answer it from another device; whoever relays the code can abuse it.
    #[arg(long)]
    cross_device: bool,
}

/// The application that is removed.
#[derive(Debug, clap::Args)]
pub struct RemoveOptions {
    #[command(flatten)]
    file: ConfigFile,
    /// Its `client_id`.
    id: String,
}

/// Adds an application; id and secret go to standard output.
#[expect(
    clippy::print_stdout,
    reason = "the secret is this command's result, shown once"
)]
pub fn add(options: &AddOptions) -> Result<()> {
    let file = options.file.verifier()?;
    let mut document = Document::open(&file)?;
    let config = document.config()?;
    ensure!(
        !config.query.is_empty(),
        "nobody could log in yet: there is no query (hint: `vouchsafe verifier trust add ISSUER --login CLAIM` makes one)"
    );
    let id = match &options.id {
        Some(id) => id.clone(),
        None => id_of(&options.name)?,
    };
    let key = (!options.public).then(secret);
    let every = || {
        let parts = config.query.iter().flat_map(|query| query.scopes.keys());
        let whole = config.query.iter().filter_map(|query| query.scope.as_ref());
        whole.chain(parts).cloned().collect()
    };
    let scopes: Vec<String> = match options.scopes.is_empty() {
        true => every(),
        false => options.scopes.clone(),
    };
    let mut table = Table::new();
    table["id"] = value(&id);
    table["name"] = value(&options.name);
    if let Some(key) = &key {
        table["secret"] = value(key);
    }
    table["redirect_uris"] = value(array(&options.redirects));
    if !options.after_logout.is_empty() {
        table["post_logout_redirect_uris"] = value(array(&options.after_logout));
    }
    if let Some(url) = &options.backchannel_logout {
        table["backchannel_logout_uri"] = value(url);
    }
    table["scopes"] = value(array(&scopes));
    if let Some(first) = config.query.first() {
        table["default_query"] = value(&first.id);
    }
    if options.offline {
        table["offline_access"] = value(true);
    }
    if options.cross_device {
        table["cross_device"] = value(true);
    }
    document.push(&["client"], table)?;
    document.save()?;
    match key {
        Some(key) => println!("{id} {key}"),
        None => println!("{id}"),
    }
    let url = &config.http.public_url;
    eprintln!("OpenID Connect issuer: {url}");
    eprintln!("scopes: openid {}", scopes.join(" "));
    eprintln!(
        "{} was changed; restart the verifier if it runs",
        file.display()
    );
    Ok(())
}

/// Letters and digits of a name, in lower case, with `-` between the words.
fn id_of(name: &str) -> Result<String> {
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    ensure!(
        !words.is_empty(),
        "no id can be made of {name:?} (hint: --id ID)"
    );
    Ok(words.join("-"))
}

fn array(texts: &[String]) -> Array {
    texts.iter().map(String::as_str).collect()
}

/// Says which applications there are, one in a line: id, name, redirect URIs; those of the
/// configuration first.
#[expect(clippy::print_stdout, reason = "the list is this command's result")]
pub async fn list(file: &Path) -> Result<()> {
    let config = Document::open(file)?.config()?;
    for client in config.client {
        println!(
            "{}\t{}\t{}",
            client.id,
            client.name,
            client.redirect_uris.join(" ")
        );
    }
    if config.administration.is_some() {
        managed::list(file).await?;
    }
    match config.registration {
        Some(_) => registered::list(file).await,
        None => Ok(()),
    }
}

/// Removes an application.
pub async fn remove(options: &RemoveOptions) -> Result<()> {
    let file = options.file.verifier()?;
    let mut document = Document::open(&file)?;
    let keeps_others = (document.config()).is_ok_and(|config| config.administration.is_some());
    if !document.remove(&["client"], &options.id)? {
        let config = document.config()?;
        let others = config.registration.is_some() || config.administration.is_some();
        ensure!(others, "there is no application {}", options.id);
        return registered::remove(&file, &options.id).await;
    }
    if keeps_others {
        // One of the same id that was kept over REST would be served once the file's is gone.
        registered::remove_hidden(&file, &options.id).await?;
    }
    document.save().context("the application is still in use")?;
    eprintln!(
        "{} was changed; restart the verifier if it runs",
        file.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_words_of_the_name() {
        assert_eq!(
            id_of("The Wine Shop, Vienna").unwrap(),
            "the-wine-shop-vienna"
        );
        assert!(id_of("¡!").is_err());
    }
}
