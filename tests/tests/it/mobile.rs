//! Apps in Kotlin and in Swift take a card from the running issuer and log in with it at the running
//! verifier; and what crosses the ports is recorded for the vectors of the bridge.

use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use axum::extract::Request;
use axum::routing::any;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use vouchsafe_credentials::crypto::{Algorithm, Signer as _, SigningKey};
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::time::Clock as _;
use vouchsafe_mobile_bindings::{
    HttpField, HttpReply, HttpRequest, HttpTransport, SecureArea, TransportFault, Wallet,
};
use vouchsafe_service::clock::SystemClock;
use vouchsafe_tests::database::Kind;
use vouchsafe_tests::peer::{self, Peer};
use vouchsafe_tests::world::{Options, World};

use crate::scenario::{Exchange, FixedArea, PASSPHRASE, Store, Vector, VectorKey, take_and_show};

/// The programs that `cargo xtask bindings` makes.
const KOTLIN: &str = "target/bindings/kotlin/wallet";
const SWIFT: &str = "target/bindings/swift/wallet";

/// What a wallet has to know of a world.
async fn known(world: &World, keys: Vec<VectorKey>) -> Result<Vector> {
    let read = |file: &str| std::fs::read_to_string(world.folder.join(file));
    let offer = world.admin().offer_membership("M-1").await?;
    Ok(Vector {
        seed: 7,
        now: SystemClock.now().seconds(),
        credential_issuer: world.issuer_url.clone(),
        issuer_anchors: read("wallet-issuer-anchors.pem")?,
        verifier_anchors: read("wallet-verifier-anchors.pem")?,
        offer: offer.link,
        request: String::new(),
        keys,
        exchanges: Vec::new(),
        redirect_uri: String::new(),
        storage: String::new(),
    })
}

/// An app takes a card and logs in with it.
async fn logs_in(program: &str) -> Result<()> {
    let Some(program) = peer::built(program) else {
        return Ok(());
    };
    let world = World::start(Kind::Sqlite).await?;
    let wanted = serde_json::to_string(&known(&world, Vec::new()).await?)?;
    let mut command = tokio::process::Command::new(program);
    command.arg("loop");
    let mut app = Peer::run(command, &[("WANTED", &wanted)])?;
    let added = app.says().await?;
    assert_eq!(
        (&added["title"], &added["copies"]),
        (&json!("Membership card"), &json!(2)),
        "{added}"
    );
    let shop = world.relying_party("shop").await?;
    let mut browser = world.browser();
    let login = shop.begin(&mut browser, "membership").await?;
    app.hears(&login.link).await?;
    let shown = app.says().await?;
    let keeps = shown["keeps"].as_array().context("nothing is kept")?;
    assert!(keeps.contains(&json!("Member since")), "{shown}");
    let states = json!([
        "ResolvingRequest",
        "RequestResolved",
        "Submitting",
        "Completed"
    ]);
    assert_eq!(shown["states"], states, "{shown}");
    let back = shown["redirect_uri"].as_str().context("no way back")?;
    let back = browser.open(back).await?;
    let code = shop.code(&login.attempt, &back)?;
    let tokens = shop.tokens(&login.attempt, &code).await?;
    assert_eq!(tokens.userinfo["membership_tier"], "gold");
    assert!(app.ends_well().await?);
    Ok(())
}

#[tokio::test]
async fn an_app_in_kotlin_takes_a_card_and_logs_in() {
    logs_in(KOTLIN).await.unwrap();
}

#[tokio::test]
async fn an_app_in_swift_takes_a_card_and_logs_in() {
    logs_in(SWIFT).await.unwrap();
}

/// The parts of a program that need no services: vectors, port faults, contracts of its adapters.
async fn passes(program: &str, vectors: &Path) {
    let Some(program) = peer::built(program) else {
        return;
    };
    let (base, nowhere) = contract_server().await.unwrap();
    for part in ["golden", "faults", "sample", "contracts"] {
        let mut command = tokio::process::Command::new(&program);
        command.arg(part).arg(vectors);
        command.env("CONTRACT_BASE", &base);
        command.env("CONTRACT_NOWHERE", &nowhere);
        let ran = command.output().await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (said, failed) = (text(&ran.stdout), text(&ran.stderr));
        assert!(ran.status.success(), "{part}: {said}\n{failed}");
        assert!(said.trim_end().ends_with("held"), "{part}: {said}");
    }
}

/// What the contract of a transport asks; and an address where nobody listens.
async fn contract_server() -> Result<(String, String)> {
    let echo = async |request: Request| {
        let method = request.method().clone();
        let probe = request.headers().get("x-probe").map(HeaderValue::to_str);
        let probe = probe.and_then(Result::ok).unwrap_or_default().to_owned();
        let body = axum::body::to_bytes(request.into_body(), 1 << 20).await;
        [format!("{method}\n{probe}\n").as_bytes(), &body.unwrap()].concat()
    };
    let redirect = async || (StatusCode::FOUND, [("location", "/echo")]);
    let cookie = async |headers: HeaderMap| {
        let kept = headers.contains_key("cookie");
        let said = if kept { "a cookie" } else { "no cookie" };
        ([("set-cookie", "a=1; Path=/")], said)
    };
    let router = axum::Router::new()
        .route("/echo", any(echo))
        .route("/redirect", any(redirect))
        .route("/cookie", any(cookie))
        .route("/refuse", any(async || (StatusCode::BAD_REQUEST, "no")));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = |listener: &tokio::net::TcpListener| {
        let address = listener.local_addr();
        address.map(|address| format!("http://{address}"))
    };
    let addresses = (url(&listener)?, url(&nobody)?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(addresses)
}

fn vectors() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../mobile-bindings/vectors")
}

#[tokio::test]
async fn kotlin_gives_the_bytes_of_the_vectors_and_survives_its_ports() {
    passes(KOTLIN, &vectors()).await;
}

#[tokio::test]
async fn swift_gives_the_bytes_of_the_vectors_and_survives_its_ports() {
    passes(SWIFT, &vectors()).await;
}

/// Sends, and writes down.
struct Recorder {
    client: reqwest::Client,
    exchanges: Mutex<Vec<Exchange>>,
}

#[async_trait::async_trait]
impl HttpTransport for Recorder {
    async fn send(&self, request: HttpRequest) -> Result<HttpReply, TransportFault> {
        let reply = self.exchange(&request).await;
        let reply = reply.map_err(|_| TransportFault::Unreachable)?;
        let exchange = Exchange::new(&request, &reply);
        self.exchanges.lock().unwrap().push(exchange);
        Ok(reply)
    }
}

impl Recorder {
    async fn exchange(&self, request: &HttpRequest) -> Result<HttpReply> {
        let mut headers = HeaderMap::new();
        for field in &request.headers {
            let (name, value) = (field.name.as_str(), field.value.as_str());
            headers.append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        }
        let method = request.method.parse()?;
        let call = self.client.request(method, &request.url).headers(headers);
        let reply = call.body(request.body.clone()).send().await?;
        let kept = ["content-type", "dpop-nonce", "cache-control"];
        let fields = reply
            .headers()
            .iter()
            .filter(|(name, _)| kept.contains(&name.as_str()));
        let fields = fields.map(|(name, value)| {
            let value = value.to_str()?.to_owned();
            let name = name.as_str().to_owned();
            Ok(HttpField { name, value })
        });
        Ok(HttpReply {
            status: reply.status().as_u16(),
            headers: fields.collect::<Result<_>>()?,
            body: reply.bytes().await?.to_vec(),
        })
    }
}

/// Fresh keys, to be written into a vector.
fn fresh_keys(count: u64) -> Vec<VectorKey> {
    let keys = (0..count).map(|n| {
        let rng = SeededRng::new(1000 + n);
        let key = SigningKey::generate(Algorithm::Es256, &rng);
        let jwk = key.public_key().to_jwk();
        let part = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        let point = [vec![4], part("x"), part("y")].concat();
        VectorKey {
            pkcs8: BASE64.encode(key.to_pkcs8_der().as_slice()),
            point: BASE64.encode(point),
        }
    });
    keys.collect()
}

/// Runs the scenario against the services and writes down what crossed the ports.
async fn record(keys: Vec<VectorKey>) -> Result<Vector> {
    // An answer that is encrypted to one run's key could not be played to another run.
    let mut options = Options::new(Kind::Sqlite);
    options.issuer_sections = "[encryption]\nrequests = \"off\"\nresponses = \"off\"\n".to_owned();
    let world = World::with(options).await?;
    let mut vector = known(&world, keys).await?;
    let http = Arc::new(Recorder {
        client: world.client.clone(),
        exchanges: Mutex::default(),
    });
    let store = Arc::new(Store::default());
    let area: Option<Arc<dyn SecureArea>> = match vector.keys.as_slice() {
        [] => None,
        keys => Some(Arc::new(FixedArea::new(keys))),
    };
    let ports = vector.ports(store.clone(), http.clone(), area);
    let wallet = Wallet::create(vector.config(), ports, PASSPHRASE.to_owned()).await?;
    let shop = world.relying_party("shop").await?;
    let link = Mutex::new(String::new());
    let redirect_uri = take_and_show(&wallet, &vector.offer, async || {
        let login = shop
            .begin(&mut world.browser(), "membership")
            .await
            .unwrap();
        link.lock().unwrap().clone_from(&login.link);
        login.link
    })
    .await?;
    vector.request = link.into_inner().unwrap();
    vector.redirect_uri = redirect_uri.context("no way back")?;
    vector.exchanges = std::mem::take(&mut *http.exchanges.lock().unwrap());
    vector.storage = store.digest();
    Ok(vector)
}

/// `VOUCHSAFE_RECORD_VECTORS=1` (`cargo xtask bindings --record`) writes the vectors anew; without
/// it only the way to record them is tested.
#[tokio::test]
async fn the_scenario_of_the_vectors_holds_against_the_services() {
    let keep = std::env::var("VOUCHSAFE_RECORD_VECTORS").is_ok_and(|value| value == "1");
    for (name, keys) in [
        ("software-keys", Vec::new()),
        ("secure-area", fresh_keys(4)),
    ] {
        let vector = record(keys).await.unwrap();
        assert!(vector.exchanges.len() >= 7);
        if keep {
            let text = serde_json::to_string_pretty(&vector).unwrap() + "\n";
            std::fs::write(vectors().join(format!("{name}.json")), text).unwrap();
        }
    }
}
