//! A relying party that we did not write: npm openid-client.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;
use vouchsafe_tests::database::Kind;
use vouchsafe_tests::peer::{self, Peer};
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
    let Some(script) = peer::script("openid-client", "openid-client.mjs") else {
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
    let mut peer = start(&script, &world.verifier_url, registration, alg)?;

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
    assert!(peer.ends_well().await?);
    Ok(())
}

fn start(script: &Path, issuer: &str, client: &Registration, alg: &str) -> Result<Peer> {
    Peer::start(
        script,
        &[
            ("ISSUER", issuer),
            ("CLIENT_ID", &client.id),
            ("CLIENT_SECRET", &client.secret),
            ("ORIGIN", &client.origin),
            ("ALG", alg),
            ("SCOPE", "openid membership"),
        ],
    )
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value[name].as_str().with_context(|| format!("no {name}"))
}
