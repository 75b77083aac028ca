//! A relying party that we did not write: npm openid-client.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use vouchsafe_tests::database::Kind;
use vouchsafe_tests::relying_party::Registration;
use vouchsafe_tests::world::{Options, World};

#[tokio::test]
async fn openid_client_logs_in_with_rs256() {
    log_in("RS256").await.unwrap();
}

#[tokio::test]
async fn openid_client_logs_in_with_es256() {
    log_in("ES256").await.unwrap();
}

async fn log_in(alg: &str) -> Result<()> {
    let Some(script) = script() else {
        return Ok(());
    };
    let world = World::with(Options {
        arguments: vec!["--id-token-alg".to_owned(), alg.to_owned()],
        ..Options::new(Kind::Sqlite)
    })
    .await?;
    // Ours, to see its back-channel logout.
    let shop = world.relying_party("shop").await?;
    let wallet = world.wallet()?;
    let offer = world.admin().offer_membership("M-1").await?;
    wallet.take(&offer.link, None).await?;
    let registration = world.registration("shop").context("no shop")?;
    let mut peer = Peer::start(&script, &world.verifier_url, registration, alg)?;

    let mut browser = world.browser();
    let start = peer.says().await?;
    let page = browser.open(text(&start, "authorize")?).await?;
    let shown = wallet
        .show(&page.attribute("id=\"show-card\"", "href")?)
        .await?;
    let back = browser.open(shown.redirect_uri.as_str()).await?;
    peer.hears(back.location()?.as_str()).await?;
    let end = peer.says().await?;
    assert_eq!(end["alg"], alg);
    assert_eq!(end["userinfo"]["membership_tier"], "gold");
    assert_eq!(end["claims"]["sub"], end["userinfo"]["sub"]);
    assert_eq!(end["claims"]["acr"], "urn:vouchsafe:acr:vc");

    let token = text(&end, "access_token")?;
    assert_eq!(shop.userinfo(token).await?.0, 200);
    let out = browser.open(text(&end, "logout")?).await?;
    let location = out.location()?;
    assert_eq!(location.path(), "/");
    assert!(location.as_str().starts_with(&registration.origin));
    assert_eq!(shop.userinfo(token).await?.0, 401);
    let status = tokio::time::timeout(Duration::from_secs(10), peer.child.wait()).await??;
    assert!(status.success());
    Ok(())
}

/// The script, where node and its packages are there. `VOUCHSAFE_PEERS=1` requires them.
fn script() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    if folder.join("node_modules/openid-client").is_dir() {
        return Some(folder.join("openid-client.mjs"));
    }
    let required = std::env::var("VOUCHSAFE_PEERS").is_ok_and(|value| value == "1");
    assert!(!required, "run `npm ci` in {}", folder.display());
    eprintln!(
        "skipped: openid-client (run `npm ci` in {})",
        folder.display()
    );
    None
}

struct Peer {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    fn start(script: &Path, issuer: &str, client: &Registration, alg: &str) -> Result<Self> {
        let mut child = Command::new("node")
            .arg(script)
            .env("ISSUER", issuer)
            .env("CLIENT_ID", &client.id)
            .env("CLIENT_SECRET", &client.secret)
            .env("ORIGIN", &client.origin)
            .env("ALG", alg)
            .env("SCOPE", "openid membership")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let input = child.stdin.take().context("no input")?;
        let output = BufReader::new(child.stdout.take().context("no output")?).lines();
        Ok(Self {
            child,
            input,
            output,
        })
    }

    async fn says(&mut self) -> Result<Value> {
        let line = tokio::time::timeout(Duration::from_secs(30), self.output.next_line())
            .await
            .context("openid-client says nothing")??
            .context("openid-client ended")?;
        Ok(serde_json::from_str(&line)?)
    }

    async fn hears(&mut self, line: &str) -> Result<()> {
        self.input.write_all(line.as_bytes()).await?;
        Ok(self.input.write_all(b"\n").await?)
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value[name].as_str().with_context(|| format!("no {name}"))
}
