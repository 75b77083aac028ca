//! `vouchsafe issuer init`: an issuer of one's own in an empty folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use vouchsafe_issuer::{Issuer, Ports};
use vouchsafe_service::config::{PublicUrl, load_file};
use vouchsafe_service::db::sqlite_address;

use crate::configuration::{ISSUER_PORT, listen};
use crate::development::{IssuerPlan, Placement, generate_issuer, write_new};

/// Where the first API key is kept for commands on the same machine.
pub const API_KEY_FILE: &str = "api-key.txt";
const CONFIG: &str = "issuer.toml";
const TYPE: &str = "membership.toml";
const DATABASE: &str = "issuer.sqlite";
const CARDS_ANCHOR: &str = "wallet-issuer-anchors.pem";
const STATUS_ANCHOR: &str = "status-anchors.pem";
/// Everything that is made, besides what the database keeps beside itself.
const FILES: [&str; 11] = [
    CONFIG,
    TYPE,
    DATABASE,
    API_KEY_FILE,
    CARDS_ANCHOR,
    STATUS_ANCHOR,
    "issuer-secret.txt",
    "issuer-key.pem",
    "issuer-certificates.pem",
    "status-key.pem",
    "status-certificates.pem",
];
/// What relying parties may keep a status list for.
const STATUS_TTL_S: i64 = 60;
/// A type to begin with, to be edited.
const MEMBERSHIP: &str = include_str!("../../specs/credential-types/membership.toml");

/// What the issuer is like.
#[derive(Debug, clap::Args)]
pub struct InitOptions {
    /// Its name, as people see it.
    #[arg(long, default_value = "My Club")]
    name: String,
    /// Its public address.
    #[arg(long, default_value = "http://127.0.0.1:8702")]
    url: String,
    /// The folder; made if it is missing.
    #[arg(long, default_value = ".")]
    folder: PathBuf,
}

/// Makes configuration, keys, authority, database and the first API key. Nothing is overwritten.
#[expect(
    clippy::print_stdout,
    reason = "the key is this command's result, shown once"
)]
pub async fn run(options: &InitOptions) -> Result<()> {
    let InitOptions { name, url, folder } = options;
    let url: PublicUrl = url.parse().with_context(|| format!("{url}: no address"))?;
    ensure!(!name.trim().is_empty(), "the name is empty");
    let place = prepared(folder, &FILES)?;
    let plan = plan(name.trim(), &url, &place)?;
    write_new(&place.join(TYPE), MEMBERSHIP, 0o644)?;
    let made = generate_issuer(&plan, &mut Placement::Folder(place.clone()))?;
    write_new(&place.join(CARDS_ANCHOR), &made.anchor, 0o644)?;
    write_new(&place.join(STATUS_ANCHOR), &made.status_anchor, 0o644)?;
    write_new(&place.join(CONFIG), &made.text, 0o600)?;
    println!("{}", first_key(&place).await?);
    explain(folder, &place);
    Ok(())
}

/// Makes the database of the configuration in a folder, and the first API key in a file beside it.
pub async fn first_key(place: &Path) -> Result<String> {
    // Variables of the environment stand for another service than the one that is made here.
    let config = load_file(&place.join(CONFIG))?;
    let issuer = Issuer::open(config, Ports::system()).await?;
    let key = issuer.create_api_key("the first key").await?;
    issuer.close().await;
    write_new(&place.join(API_KEY_FILE), &format!("{key}\n"), 0o600)?;
    Ok(key)
}

/// The folder, in which none of the `files` is.
pub fn prepared(folder: &Path, files: &[&str]) -> Result<PathBuf> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    let place = folder.canonicalize()?;
    if let Some(there) = files.iter().find(|file| place.join(file).exists()) {
        bail!(
            "{} exists already; nothing was changed (hint: --folder DIR names another folder)",
            place.join(there).display()
        );
    }
    Ok(place)
}

fn plan(name: &str, url: &PublicUrl, place: &Path) -> Result<IssuerPlan> {
    Ok(IssuerPlan {
        url: url.as_str().to_owned(),
        listen: listen(url.as_str(), ISSUER_PORT)?.to_string(),
        database: sqlite_address(&place.join(DATABASE))
            .with_context(|| format!("{}: no name for a database", place.display()))?,
        metrics: None,
        names: BTreeMap::from([("en".to_owned(), name.to_owned())]),
        credential_types: vec![place.join(TYPE)],
        offer_link: "openid-credential-offer://".to_owned(),
        wallet_client: None,
        loopback_http: !url.is_https(),
        status_ttl_s: STATUS_TTL_S,
    })
}

/// What stands before a command that runs in this folder.
pub fn entering(folder: &Path) -> String {
    match folder == Path::new(".") {
        true => String::new(),
        false => format!("cd {} && ", folder.display()),
    }
}

fn explain(folder: &Path, place: &Path) {
    eprintln!("made {}", place.display());
    eprintln!(
        "The API key above is shown this once; {API_KEY_FILE} keeps it for commands of this folder."
    );
    eprintln!("{TYPE} says what a card holds; edit it as you like.");
    let next = entering(folder);
    eprintln!("next: {next}vouchsafe issuer serve");
    eprintln!(
        "      {next}vouchsafe issuer offer membership --record crm-1 member_id=M-1 tier=gold valid_until=2027-12-31"
    );
}
