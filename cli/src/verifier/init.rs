//! `vouchsafe verifier init`: a login service of one's own in an empty folder.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use vouchsafe_service::config::PublicUrl;
use vouchsafe_service::db::sqlite_address;

use crate::configuration::{VERIFIER_PORT, listen};
use crate::development::{Placement, VerifierPlan, generate_verifier, write_new};
use crate::init::{entering, prepared};

const CONFIG: &str = "verifier.toml";
const DATABASE: &str = "verifier.sqlite";
const ANCHOR: &str = "wallet-verifier-anchors.pem";
/// Everything that is made, now or when it is served.
const FILES: [&str; 8] = [
    CONFIG,
    DATABASE,
    ANCHOR,
    "verifier-secret.txt",
    "request-key.pem",
    "request-certificates.pem",
    "id-token-rs256.pem",
    "id-token-es256.pem",
];
/// How often a status list is asked for at most.
const STATUS_REFRESH_S: i64 = 60;

/// What the verifier is like.
#[derive(Debug, clap::Args)]
pub struct InitOptions {
    /// Its name, as wallets show it.
    #[arg(long, default_value = "My sign-in service")]
    name: String,
    /// Its public address.
    #[arg(long, default_value = "http://127.0.0.1:8701")]
    url: String,
    /// The folder; made if it is missing.
    #[arg(long, default_value = ".")]
    folder: PathBuf,
}

/// Makes configuration, keys and authority. Nothing is overwritten.
pub fn run(options: &InitOptions) -> Result<()> {
    let InitOptions { name, url, folder } = options;
    let url: PublicUrl = url.parse().with_context(|| format!("{url}: no address"))?;
    ensure!(!name.trim().is_empty(), "the name is empty");
    let place = prepared(folder, &FILES)?;
    let plan = VerifierPlan {
        name: name.trim().to_owned(),
        listen: listen(url.as_str(), VERIFIER_PORT)?.to_string(),
        loopback_http: !url.is_https(),
        url: url.as_str().to_owned(),
        database: sqlite_address(&place.join(DATABASE))
            .with_context(|| format!("{}: no name for a database", place.display()))?,
        metrics: None,
        wallet_endpoint: "openid4vp://".to_owned(),
        qr_endpoint: None,
        status_refresh_s: STATUS_REFRESH_S,
    };
    let made = generate_verifier(&plan, &mut Placement::Folder(place.clone()))?;
    write_new(&place.join(ANCHOR), &made.anchor, 0o644)?;
    write_new(&place.join(CONFIG), &made.text, 0o600)?;
    explain(folder, &place);
    Ok(())
}

fn explain(folder: &Path, place: &Path) {
    eprintln!("made {}", place.display());
    eprintln!("Wallets that shall answer it trust {ANCHOR}.");
    let next = entering(folder);
    eprintln!(
        "next: {next}vouchsafe verifier trust add ISSUER --anchors FILE --type membership --login member_id"
    );
    eprintln!("      {next}vouchsafe verifier client add NAME --redirect URL");
    eprintln!("      {next}vouchsafe verifier serve");
}
