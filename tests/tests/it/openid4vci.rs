//! A wallet that we did not write, npm @openid4vc/openid4vci, takes cards over https.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use vouchsafe_tests::admin::Offer;
use vouchsafe_tests::database::Kind;
use vouchsafe_tests::peer::{self, Peer};
use vouchsafe_tests::world::{Options, World};

pub(crate) const REDIRECT: &str = "https://wallet.example/callback";

fn with_a_wallet(text: String) -> String {
    text + &format!(
        "\n[[client]]\nid = \"foreign\"\nname = \"A wallet of others\"\nredirect_uris = [\"{REDIRECT}\"]\n"
    )
}

async fn world() -> Result<World> {
    World::with(Options {
        https: true,
        edit_issuer: with_a_wallet,
        ..Options::new(Kind::Sqlite)
    })
    .await
}

pub(crate) async fn offer(world: &World, change: Value) -> Result<Offer> {
    let mut body = json!({
        "record_id": "M-1",
        "credential_type": "membership",
        "grant": "pre_authorized_code",
        "claims": { "member_id": "M-1", "tier": "gold", "valid_until": "2030-01-01" },
    });
    for (name, value) in change.as_object().context("no object")? {
        body[name] = value.clone();
    }
    world.admin().offer(&body).await
}

/// The credentials in the issuer's books.
async fn issued(world: &World) -> Result<Vec<Value>> {
    let list = world
        .admin()
        .call(reqwest::Method::GET, "/v1/credentials", None)
        .await?;
    Ok(list.1["items"].as_array().context("no list")?.clone())
}

#[tokio::test]
async fn a_batch_with_dpop_and_a_notification() {
    let Some(script) = script() else { return };
    let world = world().await.unwrap();
    let offer = offer(&world, json!({ "tx_code": true })).await.unwrap();
    let wanted = json!({
        "offer": offer.link, "tx_code": offer.tx_code, "copies": 3, "dpop": true,
    });
    let mut wallet = start(&script, &world, &wanted).unwrap();
    let got = wallet.says().await.unwrap();
    assert_eq!(
        (&got["token_type"], &got["format"]),
        (&json!("DPoP"), &json!("dc+sd-jwt"))
    );
    let cards = got["credentials"].as_array().unwrap();
    let holders = got["holders"].as_array().unwrap();
    assert_eq!((cards.len(), holders.len()), (3, 3));
    for (card, holder) in cards.iter().zip(holders) {
        let claims = payload(card.as_str().unwrap());
        for member in ["kty", "crv", "x", "y"] {
            assert_eq!(claims["cnf"]["jwk"][member], holder[member]);
        }
    }
    assert_eq!(got["notified"], true);
    let books = issued(&world).await.unwrap();
    let events: Vec<&Value> = books.iter().map(|row| &row["wallet_event"]).collect();
    assert_eq!(events.len(), 3);
    assert!(
        events
            .iter()
            .all(|event| event.to_string().contains("credential_accepted")),
        "{books:?}"
    );
}

#[tokio::test]
async fn a_request_and_an_answer_that_are_encrypted() {
    let Some(script) = script() else { return };
    let world = world().await.unwrap();
    let offer = offer(&world, json!({})).await.unwrap();
    let wanted = json!({ "offer": offer.link, "encrypted": true });
    let mut wallet = start(&script, &world, &wanted).unwrap();
    let got = wallet.says().await.unwrap();
    let card = got["credentials"][0].as_str().unwrap();
    assert_eq!(
        payload(card)["vct"].as_str().map(str::is_empty),
        Some(false)
    );
}

#[tokio::test]
async fn a_card_that_somebody_looks_at_once_more() {
    let Some(script) = script() else { return };
    let world = world().await.unwrap();
    let offer = offer(&world, json!({ "hold": true })).await.unwrap();
    let wanted = json!({ "offer": offer.link });
    let mut wallet = start(&script, &world, &wanted).unwrap();
    assert_eq!(wallet.says().await.unwrap(), json!({ "waiting": true }));
    assert!(issued(&world).await.unwrap().is_empty());
    let approve = format!("/v1/offers/{}/approve", offer.id);
    let decided = world
        .admin()
        .call(reqwest::Method::POST, &approve, Some(&json!({})))
        .await
        .unwrap();
    assert_eq!(decided.0, 200, "{}", decided.1);
    wallet.hears("go on").await.unwrap();
    let got = wallet.says().await.unwrap();
    assert_eq!(got["credentials"].as_array().unwrap().len(), 1);
    assert_eq!(issued(&world).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_card_with_an_authorization_code() {
    let Some(script) = script() else { return };
    let world = world().await.unwrap();
    let offer = offer(&world, json!({ "grant": "authorization_code" }))
        .await
        .unwrap();
    let wanted = json!({
        "offer": offer.link, "client_id": "foreign", "redirect_uri": REDIRECT, "dpop": true,
    });
    let mut wallet = start(&script, &world, &wanted).unwrap();
    let start = wallet.says().await.unwrap();
    let back = type_code(&world, start["authorize"].as_str().unwrap(), &offer)
        .await
        .unwrap();
    wallet.hears(&back).await.unwrap();
    let got = wallet.says().await.unwrap();
    assert_eq!(got["credentials"].as_array().unwrap().len(), 1);
    assert_eq!(got["token_type"], "DPoP");
}

/// HAIP 1.0: pushed request, wallet attestation, DPoP with nonces, all of it demanded.
#[tokio::test]
async fn a_card_under_haip_with_an_attested_wallet() {
    let Some(script) = script() else { return };
    let world = World::with(Options {
        https: true,
        edit_issuer: under_haip,
        ..Options::new(Kind::Sqlite)
    })
    .await
    .unwrap();
    let offer = offer(&world, json!({ "grant": "authorization_code" }))
        .await
        .unwrap();
    let wanted = json!({
        "offer": offer.link, "client_id": "foreign", "redirect_uri": REDIRECT, "dpop": true,
        "copies": 2, "attester": attester(),
    });
    let mut wallet = start(&script, &world, &wanted).unwrap();
    let start = wallet
        .says()
        .await
        .unwrap_or_else(|e| panic!("{e}\n{}", world.issuer.log()));
    let address = start["authorize"].as_str().unwrap();
    assert!(address.contains("request_uri="), "{address}");
    let back = type_code(&world, address, &offer).await.unwrap();
    assert!(back.contains("iss="), "{back}");
    wallet.hears(&back).await.unwrap();
    let got = wallet.says().await.unwrap();
    assert_eq!(got["credentials"].as_array().unwrap().len(), 2);
    assert_eq!(got["token_type"], "DPoP");
}

/// The wallet provider: its private key, and its name.
pub(crate) fn attester() -> Value {
    let mut jwk: Value = serde_json::from_str(ATTESTER).expect("JSON");
    jwk["d"] = json!("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
    json!({ "jwk": jwk, "issuer": "https://wallets.example" })
}

/// The key of RFC 7515, appendix A.3, as the key of a wallet provider.
const ATTESTER: &str = r#"{"kty":"EC","crv":"P-256","kid":"provider","alg":"ES256",
    "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;

pub(crate) fn under_haip(text: String) -> String {
    let folder = std::env::temp_dir().join(format!("vouchsafe-provider-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let keys = folder.join("keys.json");
    std::fs::write(&keys, format!("{{\"keys\":[{ATTESTER}]}}")).expect("a file");
    // The wallet of the configuration has no authentication, so it cannot stay.
    let own = text.find("[[client]]").unwrap_or(text.len());
    let text = text[..own].replacen("[issuer]\n", "[issuer]\nprofile = \"haip\"\n", 1);
    let wallet = "auth = \"attest_jwt_client_auth\"\nwallet_provider = \"provider\"\n";
    let provider = format!("[[wallet_provider]]\nname = \"provider\"\njwks_file = {keys:?}\n");
    with_a_wallet(text) + wallet + &provider
}

/// The person types the one-time code on the issuer's page.
pub(crate) async fn type_code(world: &World, address: &str, offer: &Offer) -> Result<String> {
    let mut browser = world.browser();
    let page = browser.get(address).await?;
    let form = page.url.join("/authorize")?;
    let flow = page.attribute("name=\"flow\"", "value")?;
    let code = offer.one_time_code.as_deref().context("no code")?;
    let fields = [("flow", flow.as_str()), ("code", code), ("step", "confirm")];
    let back = browser.post(form.as_str(), &fields).await?;
    Ok(back.location()?.into())
}

pub(crate) fn payload(card: &str) -> Value {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let part = card.split('.').nth(1).expect("a JWT");
    let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn script() -> Option<PathBuf> {
    peer::script("@openid4vc/openid4vci", "openid4vci.mjs")
}

/// The wallet of others, with what it is to take.
fn start(script: &Path, world: &World, wanted: &Value) -> Result<Peer> {
    let authority = world.authority().context("no https")?;
    let authority = authority.to_str().context("a strange folder")?;
    let wanted = wanted.to_string();
    Peer::start(
        script,
        &[("WANTED", &wanted), ("NODE_EXTRA_CA_CERTS", authority)],
    )
}
