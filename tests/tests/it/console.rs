//! The console in a real browser, with a virtual authenticator.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use vouchsafe_tests::database::Kind;
use vouchsafe_tests::peer::{self, Peer};
use vouchsafe_tests::process::run;
use vouchsafe_tests::world::{Options, World};

#[tokio::test]
async fn an_operator_joins_offers_and_revokes_in_a_browser() {
    let Some(script) = peer::script("playwright-core", "console.mjs") else {
        return;
    };
    play(&script).await.unwrap();
}

/// Browsers know passkeys where the address has a name.
fn with_a_name(text: String) -> String {
    text.replacen(
        "public_url = \"http://127.0.0.1:",
        "public_url = \"http://localhost:",
        1,
    )
}

async fn play(script: &Path) -> Result<()> {
    let mut world = World::with(Options {
        edit_issuer: with_a_name,
        ..Options::new(Kind::Sqlite)
    })
    .await?;
    let folder = world.folder.parent().context("no folder")?;
    let invite = [
        "admin",
        "invite",
        "--config",
        "configuration/issuer.toml",
        "Ada",
    ];
    let link = run(&invite, folder).await?;
    let link = link.trim();
    let issuer = world.issuer_url.replace("127.0.0.1", "localhost");
    world.issuer_url.clone_from(&issuer);
    ensure!(
        link.starts_with(&format!("{issuer}/console/invitations/")),
        "{link}"
    );
    let shots = std::env::var("VOUCHSAFE_SHOTS").unwrap_or_default();
    let mut browser = Peer::start(
        script,
        &[("LINK", link), ("ISSUER", &issuer), ("SHOTS", &shots)],
    )?;
    let home = format!("{issuer}/console/");
    let expected = json!({ "step": "joined", "passkeys": 1, "url": home });
    assert_eq!(browser.says().await?, expected);
    assert_eq!(
        browser.says().await?,
        json!({ "step": "signed in", "url": home })
    );

    let offer = browser.says().await?;
    let wallet = world.wallet()?;
    wallet.take(text(&offer, "link")?, None).await?;
    browser.hears("taken").await?;
    let second = browser.says().await?;
    wallet.take(text(&second, "link")?, None).await?;
    browser.hears("taken").await?;

    let batch = browser.says().await?;
    assert_eq!(batch["rows"], 20, "{batch}");
    wallet.take(text(&batch, "first")?, None).await?;
    browser.hears("taken").await?;
    assert_eq!(browser.says().await?["told"], true);
    assert_eq!(browser.says().await?["status"], "Replaced");
    assert_eq!(browser.says().await?["status"], "Suspended");
    assert_eq!(browser.says().await?["status"], "Revoked");
    assert_eq!(browser.says().await?["done"], true);
    let log = browser.says().await?;
    assert_eq!(log["whole"], true, "{log}");
    assert_eq!(browser.says().await?["told"], true);
    let end = browser.says().await?;
    assert_eq!(end["findings"], json!([]), "{end}");
    assert!(browser.ends_well().await?);

    let said = world.issuer.log();
    let secrets = end["secrets"].as_array().context("no secrets")?;
    assert!(secrets.len() >= 3, "{end}");
    for secret in secrets {
        let secret = secret.as_str().context("a secret")?;
        assert!(!said.contains(secret), "the log of the issuer has a secret");
    }
    assert!(!said.contains("crm-1") && !said.contains("M-1"));
    Ok(())
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value[name].as_str().with_context(|| format!("{value}"))
}
