//! A wallet with a card, and the issuer that gave it: whom a login needs.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::folder::{ISSUER, TLS, WALLET_PORT};
use crate::conformance::Server;
use crate::conformance::suite::{serve, text};
use crate::run::{output, succeed};

/// The wallet is made for one run and thrown away.
const PASSPHRASE: (&str, &str) = ("VOUCHSAFE_PASSPHRASE", "a wallet for conformance tests");

/// Both, running. Status lists are asked for at each login.
pub struct Wallet {
    _issuer: Server,
    _pages: Server,
}

impl Wallet {
    /// Starts the issuer, takes a card and opens the wallet's pages.
    pub fn start(program: &Path, folder: &Path) -> Result<Self> {
        let config = folder.join("issuer.toml");
        let mut issuer = Command::new(program);
        issuer.args(["issuer", "serve", "--config"]).arg(&config);
        let ready = format!("{ISSUER}/readyz");
        let issuer = serve(&mut issuer, &folder.join("issuer.log"), &ready)?;
        let mut key = Command::new(program);
        key.args(["issuer", "api-key", "--config"]).arg(&config);
        let key = output(key.arg("conformance"))?;
        let key = key.lines().last().context("no API key")?.to_owned();
        let mut offer = Command::new(program);
        offer
            .args(["issuer", "offer", "--record", "test-person", "--json"])
            .arg("--config")
            .arg(&config)
            .env("VOUCHSAFE_API_KEY", key)
            .args(["membership", "member_id=M-1", "tier=gold"])
            .arg("valid_until=2035-12-31");
        let offer = serde_json::from_str(&output(&mut offer)?)?;
        let link = text(&offer, "link").context("an offer without a link")?;
        let wallet = |verb: &[&str]| {
            let mut command = Command::new(program);
            command.arg("wallet").args(verb).arg("--home");
            command.arg(folder.join("wallet"));
            command.env(PASSPHRASE.0, PASSPHRASE.1);
            // The login service has a certificate of its own.
            command.env("SSL_CERT_FILE", folder.join(TLS));
            command
        };
        succeed(&mut wallet(&["init", "--dev-loopback"]))?;
        succeed(wallet(&["add", "--yes"]).arg(&link))?;
        let mut pages = wallet(&["web"]);
        pages.args(["--port", WALLET_PORT]);
        let ready = format!("http://127.0.0.1:{WALLET_PORT}/");
        Ok(Self {
            _issuer: issuer,
            _pages: serve(&mut pages, &folder.join("wallet.log"), &ready)?,
        })
    }
}
