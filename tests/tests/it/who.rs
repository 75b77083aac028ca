//! Persons who sign in at a provider that we did not write, npm oidc-provider, and an organisation's
//! system that says what their cards say.

use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, ensure};
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use url::Url;
use vouchsafe_tests::browser::Browser;
use vouchsafe_tests::database::Kind;
use vouchsafe_tests::page::Page;
use vouchsafe_tests::peer::{self, Peer};
use vouchsafe_tests::wallet::Wallet;
use vouchsafe_tests::world::{Options, World};

const MAPPED: &str = "user_info = true\nclaims = { member_id = \"member_number\", tier = \"level\", \
                      valid_until = \"until\" }\n";

/// A provider, and a world whose issuer sends persons to it.
async fn world(script: &Path, kind: Kind, rest: &str) -> Result<(World, Peer)> {
    let mut provider = Peer::start(script, &[])?;
    let started = provider.says().await?;
    let issuer = started["issuer"].as_str().context("no provider")?;
    let sections = format!(
        "\n[[authentication]]\nmethod = \"openid_connect\"\ncredential_types = [\"membership\"]\n\
         issuer = \"{issuer}\"\nclient_id = \"issuer\"\nscopes = [\"membership\"]\n\
         client_secret = \"a secret of the client, with a : in it\"\n{rest}"
    );
    let world = World::with(Options {
        issuer_sections: sections,
        ..Options::new(kind)
    })
    .await?;
    provider.hears(&world.issuer_url).await?;
    ensure!(provider.says().await?["ready"] == true);
    Ok((world, provider))
}

/// A link that names the card and no record: the same for everybody.
fn link(world: &World) -> String {
    let offer = json!({
        "credential_issuer": world.issuer_url,
        "credential_configuration_ids": ["membership"],
        "grants": { "authorization_code": {} },
    });
    let query: String =
        url::form_urlencoded::byte_serialize(offer.to_string().as_bytes()).collect();
    format!("openid-credential-offer://?credential_offer={query}")
}

/// Follows the browser from page to page until it is back at the issuer.
async fn sign_in(world: &World, browser: &mut Browser, start: &Url) -> Result<Url> {
    let mut page = browser.get(start.as_str()).await?;
    for _ in 0..12 {
        let next = page.location()?;
        if next
            .as_str()
            .starts_with(&format!("{}/authorize/upstream", world.issuer_url))
        {
            return Ok(next);
        }
        page = browser.get(next.as_str()).await?;
    }
    anyhow::bail!("the provider never comes to an end")
}

async fn agree(browser: &mut Browser, page: &Page) -> Result<Url> {
    ensure!(page.status == 200, "{} {}", page.status, page.body);
    let consent = page.attribute("name=\"consent\"", "value")?;
    let form = page.url.join("/authorize/consent")?;
    let fields = [("consent", consent.as_str()), ("step", "confirm")];
    browser.post(form.as_str(), &fields).await?.location()
}

/// The whole way; the wallet may still be refused its card.
async fn take(world: &World, wallet: &Wallet) -> Result<()> {
    let authorize = wallet.sign_in(&link(world)).await?;
    let mut browser = world.browser();
    let back = sign_in(world, &mut browser, authorize.url()).await?;
    let page = browser.get(back.as_str()).await?;
    let back = agree(&mut browser, &page).await?;
    wallet.come_back(authorize, &back).await?;
    Ok(())
}

fn script() -> Option<std::path::PathBuf> {
    peer::script("oidc-provider", "oidc-provider.mjs")
}

#[tokio::test]
async fn a_card_after_a_sign_in_at_a_provider_of_others() {
    let Some(script) = script() else { return };
    crate::support::on_each_database(async |kind| {
        let (world, _provider) = world(&script, kind, MAPPED).await?;
        let (wallet, shop) = (world.wallet()?, world.relying_party("shop").await?);
        let authorize = wallet.sign_in(&link(&world)).await?;
        let mut browser = world.browser();
        let back = sign_in(&world, &mut browser, authorize.url()).await?;
        // An altered state, and the right one in another browser.
        let altered = back.as_str().replace("state=", "state=x");
        assert_eq!(browser.get(&altered).await?.status, 400);
        assert_eq!(world.browser().get(back.as_str()).await?.status, 400);
        let page = browser.get(back.as_str()).await?;
        ensure!(page.has("Membership card"), "{}", page.body);
        // Replayed.
        assert_eq!(browser.get(back.as_str()).await?.status, 400);
        let back = agree(&mut browser, &page).await?;
        wallet.come_back(authorize, &back).await?;
        let (tokens, _) = shop
            .log_in(&mut world.browser(), &wallet, "membership")
            .await?;
        assert_eq!(tokens.userinfo["membership_tier"], "gold");
        Ok(())
    })
    .await;
}

type Answers = Arc<Mutex<(u16, Value)>>;

async fn system(State(answers): State<Answers>) -> (StatusCode, Json<Value>) {
    let (status, answer) = answers.lock().unwrap().clone();
    (StatusCode::from_u16(status).unwrap(), Json(answer))
}

#[tokio::test]
async fn a_source_that_is_down_and_up_again() {
    let Some(script) = script() else { return };
    let answers: Answers = Arc::new(Mutex::new((503, json!({}))));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route("/", post(system))
        .with_state(answers.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let source = format!(
        "[[claims_source]]\nurl = \"http://{address}/\"\npatience_s = 2\ntimeout_s = 1\n\
         secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n"
    );
    let (world, _provider) = world(&script, Kind::Sqlite, &source).await.unwrap();
    let wallet = world.wallet().unwrap();
    take(&world, &wallet).await.unwrap_err();
    assert!(wallet.core().cards(&["en"]).unwrap().is_empty());
    let issued = async || {
        let method = reqwest::Method::GET;
        let list = world
            .admin()
            .call(method, "/v1/credentials", None)
            .await
            .unwrap();
        list.1["items"].as_array().unwrap().len()
    };
    assert_eq!(issued().await, 0);
    let claims = json!({ "member_id": "M-8", "tier": "silver", "valid_until": "2030-01-01" });
    *answers.lock().unwrap() = (200, json!({ "claims": claims }));
    take(&world, &wallet).await.unwrap();
    assert_eq!(wallet.core().cards(&["en"]).unwrap().len(), 1);
    // The wallet asks for a batch of three.
    assert_eq!(issued().await, 3);
}
