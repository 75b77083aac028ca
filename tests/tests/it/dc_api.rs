//! A login over the Digital Credentials API in a real browser.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use reqwest::header::{HeaderMap, LOCATION};
use serde_json::{Value, json};
use vouchsafe_tests::database::Kind;
use vouchsafe_tests::page::Page;
use vouchsafe_tests::peer::{self, Peer};
use vouchsafe_tests::wallet::Wallet;
use vouchsafe_tests::world::World;

#[tokio::test]
async fn a_login_over_the_digital_credentials_api_in_chromium() {
    let Some(script) = peer::script("playwright-core", "dc-api.mjs") else {
        return;
    };
    play(&script).await.unwrap();
}

async fn play(script: &Path) -> Result<()> {
    let world = World::start(Kind::Sqlite).await?;
    let (wallet, shop) = (world.wallet()?, world.relying_party("shop").await?);
    let offer = world.admin().offer_membership("M-1").await?;
    wallet.take(&offer.link, None).await?;
    let attempt = shop.attempt("membership")?;
    let shots = std::env::var("VOUCHSAFE_SHOTS").unwrap_or_default();
    let mut browser = Peer::start(
        script,
        &[
            ("LINK", &attempt.url),
            ("CALLBACK", &shop.redirect_uri()),
            ("SHOTS", &shots),
        ],
    )?;
    let without = json!({ "step": "without", "button": false, "link": true });
    assert_eq!(browser.says().await?, without);
    let asked = browser.says().await?;
    assert_eq!(asked["origin"], world.verifier_url, "{asked}");
    let declined = browser.says().await?;
    let said = text(&declined, "said")?;
    ensure!(said.starts_with("No card was shown"), "{declined}");
    ensure!(declined["again"] == true && declined["link"] == true);
    let expected = json!({ "step": "other device", "code": true, "elsewhere": "NotAllowedError" });
    assert_eq!(browser.says().await?, expected);

    let again = browser.says().await?;
    let answer = answer(&wallet, &world.verifier_url, &again["requests"][0]).await?;
    browser.hears(&answer.to_string()).await?;
    let back = browser.says().await?;
    ensure!(back["ways"] == 1, "the page came back to itself: {back}");
    let page = redirect(text(&back, "url")?)?;
    let code = shop.code(&attempt, &page)?;
    let tokens = shop.tokens(&attempt, &code).await?;
    assert_eq!(tokens.claims["acr"], "urn:vouchsafe:acr:vc");
    assert_eq!(tokens.claims["amr"], json!(["pop", "vp"]));
    assert_eq!(tokens.userinfo["membership_tier"], "gold");
    let end = browser.says().await?;
    assert_eq!(end, json!({ "step": "end", "findings": [] }));
    assert!(browser.ends_well().await?);

    // The same person as by a link to the wallet.
    let (by_link, _) = shop
        .log_in(&mut world.browser(), &wallet, "membership")
        .await?;
    assert_eq!(tokens.sub(), by_link.sub());
    Ok(())
}

/// What the virtual wallet of the browser gives: our wallet's answer to the request of the page.
async fn answer(wallet: &Wallet, origin: &str, offer: &Value) -> Result<Value> {
    let core = wallet.core();
    // On another page the same request is worth nothing.
    let elsewhere = "https://attacker.example";
    let protocol = text(offer, "protocol")?;
    let refused = core.present_to_page(elsewhere, protocol, &offer["data"]);
    let refused = refused.err().context("answered at another origin")?;
    assert_eq!(refused.error.code(), "request_wrong_origin");
    let asking = core.present_to_page(origin, protocol, &offer["data"])?;
    let consent = asking.consent(&["en"]);
    let answer = asking.respond(&consent.suggested).await?;
    Ok(json!({ "protocol": answer.protocol, "response": answer.data }))
}

/// The redirect that the browser followed.
fn redirect(url: &str) -> Result<Page> {
    let mut headers = HeaderMap::new();
    headers.insert(LOCATION, url.parse()?);
    Ok(Page {
        url: url.parse()?,
        status: 303,
        headers,
        body: String::new(),
    })
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value[name].as_str().with_context(|| format!("{value}"))
}
