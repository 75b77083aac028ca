//! The client identifier prefixes under which the service asks (OpenID4VP 1.0, section 5.9.3).

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use vouchsafe_credentials::crypto::{Algorithm, Signer as _, SigningKey};
use vouchsafe_credentials::did::{Did, DidDocument};
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::jwks::JwkSet;
use vouchsafe_credentials::jws::{self, Header, TokenType};
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_protocol::vp::client_id::ClientId;
use vouchsafe_protocol::vp::request::{Attester, Requester};
use vouchsafe_service::db::testing;
use vouchsafe_verifier::config::{ConfigError, Keys, Settings};
use vouchsafe_verifier::own_identity::OwnIdentity;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::oidf::{PUBLIC, public};
use crate::refusals::Waiting;
use crate::world::browser::{Answer, send};
use crate::world::pki::Pki;
use crate::world::rest::Caller;
use crate::world::rp::RelyingParty;
use crate::world::steps::{begin, wallet_link};
use crate::world::wallet::{Others, Wallet};
use crate::world::{NOW, OP, World, parse, toml};

const ATTESTER: &str = "https://attester.example";
const CARD: &[&[&str]] = &[&["member_id"], &["tier"], &["valid_until"]];
const UNSIGNED: &str = "openid4vp-v1-unsigned";

/// A `[presentation]` of this prefix.
fn section(prefix: &str, more: &str) -> String {
    format!("\n[presentation]\nprofile = \"open\"\nclient_id_prefix = \"{prefix}\"\n{more}\n")
}

fn did(method: &str) -> String {
    let method = format!("did_method = \"{method}\"");
    section("decentralized_identifier", &method)
}

/// The certificate of the service names the host at which the tests reach it.
fn at_localhost(toml: &str) -> String {
    let pki = Pki::new();
    let named = pki.verifier.of_host("localhost");
    toml.replace(&pki.verifier_key_pem, &named.key_pem)
        .replace(&pki.verifier_chain_pem, &named.chain_pem)
}

/// Nothing is signed, and nothing depends on a signature.
fn unsigned(toml: &str) -> String {
    let toml = toml.replace("cross_device = true", "cross_device = false");
    let api = format!("\n[wallet]\ndigital_credentials = [\"{UNSIGNED}\"]\n");
    toml + &api + &section("redirect_uri", "")
}

fn without_chain(toml: &str) -> String {
    let chain = format!(
        "request_chain = \"\"\"{}\"\"\"",
        Pki::new().verifier_chain_pem
    );
    assert!(toml.contains(&chain));
    toml.replace(&chain, "")
}

fn attester() -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &SeededRng::new(61))
}

/// An attestation for the request key of the tests; `edit` changes it.
async fn attestation(edit: impl FnOnce(&mut Value)) -> String {
    let key = Pki::new().verifier.key();
    let mut claims = json!({
        "iss": ATTESTER, "sub": "login.example", "exp": NOW.plus(3600).seconds(),
        "cnf": { "jwk": key.public_key().to_jwk() },
    });
    edit(&mut claims);
    let header = Header::new(TokenType::VerifierAttestation);
    jws::sign(&header, &claims, &attester()).await.unwrap()
}

async fn attested() -> String {
    let jwt = attestation(|_| {}).await;
    section("verifier_attestation", &format!("attestation = \"{jwt}\""))
}

/// A wallet that hears those for whom nobody vouches, and the attester.
fn open_minded() -> Others {
    let keys = json!({ "keys": [attester().public_key().to_jwk()] });
    Others {
        attesters: vec![Attester {
            issuer: ATTESTER.to_owned(),
            keys: JwkSet::from_value(&keys).unwrap(),
        }],
        unvouched: true,
        document: None,
    }
}

async fn with(change: impl FnOnce(String) -> String, test: impl AsyncFn(World)) {
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    test(World::with_config(temporary.db.clone(), change).await).await;
}

async fn get(world: &World, path: &str) -> Answer {
    let request = Request::get(path).body(Body::empty()).unwrap();
    send(&world.router(), request).await
}

fn head(object: &str) -> Value {
    let part = b64url_decode(object.split('.').next().unwrap()).unwrap();
    serde_json::from_slice(&part).unwrap()
}

/// Somebody logs in, and the wallet is asked by `client_id`.
async fn log_in_asked_by(world: &World, client_id: &str) {
    let mut wallet = world.person("M-1").await;
    wallet.others = open_minded();
    let login = Waiting::new(world, wallet).await;
    let own = login.asked.request.client_id().as_str().to_owned();
    assert!(own.starts_with(client_id), "{own}");
    // An answer for the same key under another prefix is none.
    let audience = ClientId::x509_hash(&world.pki.verifier.chain());
    if audience.as_str() != own {
        let nonce = login.asked.request.nonce().as_str();
        let shown = login.wallet.present(CARD, audience.as_str(), nonce).await;
        let answer = login.send(&shown).await;
        login.refused(world, answer, "kb_audience").await;
    }
    let mut wallet = world.person("M-1").await;
    wallet.others = open_minded();
    let shop = world.shop();
    let mut browser = world.browser();
    let (_, page) = begin(&mut browser, &shop.authorize("openid membership", &[])).await;
    let back = wallet.follow(&wallet_link(&page)).await;
    let tokens = shop.tokens(&shop.code(&browser.get(&back).await)).await;
    assert_eq!(tokens.userinfo["membership_tier"], "gold");
}

#[tokio::test]
async fn logins_by_a_dns_name() {
    let change = |toml: String| at_localhost(&toml) + &section("x509_san_dns", "");
    with(change, async |world| {
        log_in_asked_by(&world, "x509_san_dns:localhost").await;
        // The wallets of HAIP hear it, too: an authority vouches for it.
        let wallet = world.person("M-2").await;
        Waiting::new(&world, wallet).await;
        assert_eq!(
            get(&world, "/.well-known/did.json").await.status,
            StatusCode::NOT_FOUND
        );
    })
    .await;
}

#[tokio::test]
async fn logins_by_a_did_of_the_key() {
    for method in ["jwk", "key"] {
        // No certificate is needed.
        let change = |toml: String| without_chain(&toml) + &did(method);
        with(change, async |world| {
            let own = format!("decentralized_identifier:did:{method}:");
            log_in_asked_by(&world, &own).await;
            refused_by_strict_wallets(&world, "verifier_not_trusted").await;
            assert_eq!(
                get(&world, "/.well-known/did.json").await.status,
                StatusCode::NOT_FOUND
            );
        })
        .await;
    }
}

#[tokio::test]
async fn logins_by_an_attestation() {
    let attested = attested().await;
    let change = |toml: String| without_chain(&toml) + &attested;
    with(change, async |world| {
        log_in_asked_by(&world, "verifier_attestation:login.example").await;
        refused_by_strict_wallets(&world, "verifier_attestation_issuer").await;
        // OpenID4VP 1.0, section 12: from then on wallets reject it, so nobody is asked in its name.
        world.clock.advance(3600);
        let mut browser = world.browser();
        let address = world.shop().authorize("openid membership", &[]);
        let (_, page) = begin(&mut browser, &address).await;
        let answer = world.wallet().fetch(&wallet_link(&page)).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!answer.body.contains("eyJ"), "{}", answer.body);
    })
    .await;
}

/// A wallet that hears nobody but owners of certificates.
async fn refused_by_strict_wallets(world: &World, code: &str) {
    let wallet = world.wallet();
    let address = world.shop().authorize("openid membership", &[]);
    let (_, page) = begin(&mut world.browser(), &address).await;
    let link = wallet_link(&page);
    let object = wallet.fetch(&link).await;
    assert_eq!(object.status, StatusCode::OK, "{}", object.body);
    let refused = wallet.read(&object.body, &link, None).unwrap_err();
    assert_eq!(refused.code(), code);
}

/// At a public address the DID is a `did:web`: its document is served, and wallets check with it.
#[tokio::test]
async fn a_did_on_the_web_is_served_with_the_key_of_requests() {
    let change = |toml: String| public(&without_chain(&toml)) + &did("web");
    with(change, async |world| {
        let answer = get(&world, "/.well-known/did.json").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
        let own = Did::parse("did:web:id.example").unwrap();
        let json = answer.json();
        let served = DidDocument::parse(answer.body.as_bytes(), &own).unwrap();
        let secret = Some("shop-secret-0123456789");
        let shop = RelyingParty::new(world.router(), "shop", secret, "https://shop.example/cb");
        let address = shop.authorize("openid membership", &[]);
        let ask = async |document: Option<Value>| {
            let mut wallet = world.person("M-1").await;
            wallet.base = PUBLIC;
            wallet.others = Others {
                document: document.map(|json| DidDocument::from_json(json, &own).unwrap()),
                ..open_minded()
            };
            let mut browser = world.browser();
            let (_, page) = begin(&mut browser, &address).await;
            (wallet, browser, wallet_link(&page))
        };
        let (wallet, mut browser, link) = ask(Some(json.clone())).await;
        let object = wallet.fetch(&link).await.body;
        let kid = head(&object)["kid"].as_str().unwrap().to_owned();
        assert!(kid.starts_with("did:web:id.example#"), "{kid}");
        assert!(head(&object).get("x5c").is_none());
        for relationship in ["authentication", "assertionMethod"] {
            assert_eq!(json[relationship], json!([kid]), "{relationship}");
        }
        let key = &json["verificationMethod"][0]["publicKeyJwk"];
        assert_eq!(*key, world.pki.verifier.key().public_key().to_jwk());
        assert_eq!(served.methods().count(), 1);
        let back = wallet.follow(&link).await;
        let back = browser.get(back.strip_prefix(PUBLIC).unwrap()).await;
        let location = back.location();
        assert!(
            location.starts_with("https://shop.example/cb?") && location.contains("code="),
            "{location}"
        );

        let mut other = json.clone();
        let mallory = SigningKey::generate(Algorithm::Es256, &SeededRng::new(62));
        other["verificationMethod"][0]["publicKeyJwk"] = mallory.public_key().to_jwk();
        let mut unrelated = json.clone();
        for relationship in ["authentication", "assertionMethod"] {
            unrelated[relationship] = json!([]);
        }
        let mut renamed = json.clone();
        let name = "did:web:id.example#other";
        renamed["verificationMethod"][0]["id"] = json!(name);
        renamed["authentication"] = json!([name]);
        renamed["assertionMethod"] = json!([name]);
        for (document, code) in [
            (Some(other), "request_signature_invalid"),
            (Some(unrelated), "request_key_unknown"),
            (Some(renamed), "request_key_unknown"),
            (None, "verifier_did_unresolved"),
        ] {
            let (wallet, _, link) = ask(document).await;
            let object = wallet.fetch(&link).await.body;
            let refused = wallet.read(&object, &link, None).unwrap_err();
            assert_eq!(refused.code(), code);
        }
    })
    .await;
}

#[tokio::test]
async fn cat_323_without_signatures_the_request_stands_in_the_link() {
    with(
        |toml| unsigned(&toml),
        async |world| {
            log_in_asked_by(&world, "redirect_uri:http://localhost:8081/vp/response/").await;
            let mut wallet = world.person("M-1").await;
            wallet.others = open_minded();
            let shop = world.shop();
            let mut browser = world.browser();
            let (path, page) = begin(&mut browser, &shop.authorize("openid membership", &[])).await;
            let link = wallet_link(&page);
            assert!(link.len() < 2_000, "{}", link.len());
            let asked = wallet.open(&link).await;
            let response_uri = asked.request.response_uri();
            assert_eq!(
                asked.request.client_id(),
                &ClientId::redirect_uri(response_uri)
            );
            // Nobody who hears only owners of certificates takes it for a request.
            assert!(world.wallet().by_value(&link).unwrap().is_err());
            // It does not change while its login waits, and nothing is there to be fetched.
            assert_eq!(wallet_link(&browser.get(&path).await), link);
            let object = response_uri.path().replace("/vp/response/", "/vp/request/");
            assert_eq!(get(&world, &object).await.status, StatusCode::NOT_FOUND);
            // No code to scan, whatever the page says.
            let scan = browser.get(&format!("{path}/qr")).await;
            assert_eq!(scan.status, StatusCode::SEE_OTHER);
            // The answer to one question is none to another.
            let other = Waiting::new(&world, world_wallet(&world).await).await;
            let stolen = wallet.response(&asked).await;
            let at = other.asked.request.response_uri();
            let answer = other.wallet.post_to(at, &stolen).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
            let audience = asked.request.client_id().as_str();
            let nonce = other.asked.request.nonce().as_str();
            let shown = other.wallet.present(CARD, audience, nonce).await;
            let answer = other.send(&shown).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
            assert_eq!(answer.json()["reason"], "kb_audience");
            let answer = wallet.post_to(response_uri, &stolen).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        },
    )
    .await;
}

async fn world_wallet(world: &World) -> Wallet {
    let mut wallet = world.person("M-1").await;
    wallet.others = open_minded();
    wallet
}

const CALLER: &str = r#"
[[verifications.caller]]
id = "web"
name = "The Shop"
queries = ["age"]
return_urls = ["https://web.example/back"]
"#;

#[tokio::test]
async fn verifications_are_asked_under_the_same_prefix() {
    let body = json!({ "query": "age", "return_url": "https://web.example/back" });
    let unsigned = |toml: String| unsigned(&toml) + CALLER;
    let by_did = |toml: String| toml + &did("jwk") + CALLER;
    let test = async |world: World, prefix: &str| {
        let web = Caller::new(&world, "web").await;
        let question = web.ask(&body).await;
        let wallet = world_wallet(&world).await;
        let asked = wallet.open(&question.link).await;
        let own = asked.request.client_id().as_str();
        assert!(own.starts_with(prefix), "{own}");
        let back = wallet.follow(&question.link).await;
        let (_, code) = back.split_once("?response_code=").unwrap();
        let redeemed = web.redeem(&question, code).await.json();
        assert_eq!(redeemed["status"], "verified", "{redeemed}");
    };
    with(unsigned, async |world| {
        test(world, "redirect_uri:http://localhost:8081/vp/response/").await;
    })
    .await;
    with(by_did, async |world| {
        test(world, "decentralized_identifier:did:jwk:").await;
    })
    .await;
}

#[tokio::test]
async fn a_login_that_no_wallet_has_read_is_asked_under_the_new_prefix() {
    with(
        |toml| toml,
        async |mut world| {
            let mut browser = world.browser();
            let shop = world.shop();
            let (path, page) = begin(&mut browser, &shop.authorize("openid membership", &[])).await;
            let old = wallet_link(&page);
            let read = world_wallet(&world).await;
            let asked = read.open(&old).await;
            let (_, unread) = begin(&mut world.browser(), &shop.authorize("openid age", &[])).await;
            world.restart(|toml| toml + &did("jwk")).await;
            let mut browser = browser.at(world.router());
            let wallet = world_wallet(&world).await;
            let gone = wallet.fetch(&wallet_link(&unread)).await;
            assert_eq!(gone.status, StatusCode::NOT_FOUND);
            let link = wallet_link(&browser.get(&path).await);
            assert_ne!(link, old);
            // What a wallet has read stays good in the name that it was asked in.
            let answer = read.at(world.router()).answer(&asked).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        },
    )
    .await;
}

/// Why the service does not start with a configuration.
fn refusal(toml: &str) -> String {
    let config = parse(toml);
    let opened = Settings::parse(&config).and_then(|settings| {
        let keys = Keys::parse(&config.keys)?;
        OwnIdentity::parse(&settings.presentation, &keys, NOW)
    });
    opened.map(drop).unwrap_err().to_string()
}

#[test]
fn haip_has_one_prefix() {
    let usual = toml(&Pki::new());
    for prefix in [
        "x509_san_dns",
        "decentralized_identifier",
        "verifier_attestation",
        "redirect_uri",
    ] {
        for profile in ["", "profile = \"haip\"\n"] {
            let section = format!("\n[presentation]\n{profile}client_id_prefix = \"{prefix}\"\n");
            let told = refusal(&(usual.clone() + &section));
            assert!(
                told.contains("presentation.client_id_prefix: HAIP"),
                "{told}"
            );
        }
    }
    for unknown in ["origin", "openid_federation", "pre-registered", "x509_Hash"] {
        let config = usual.clone() + &section(unknown, "");
        let read = vouchsafe_service::config::parse::<vouchsafe_verifier::Config>(&config);
        assert!(read.is_err(), "{unknown}");
    }
}

#[tokio::test]
async fn keys_that_do_not_fit_the_prefix_stop_the_start() {
    let usual = toml(&Pki::new());
    let with = |section: String| usual.clone() + &section;
    let with_attestation = |jwt: &str| {
        let jwt = format!("attestation = \"{jwt}\"");
        with(section("verifier_attestation", &jwt))
    };
    let stranger = SigningKey::generate(Algorithm::Es256, &SeededRng::new(63));
    let stranger = stranger.public_key().to_jwk();
    let for_another = attestation(|claims| claims["cnf"]["jwk"] = stranger).await;
    let over = attestation(|claims| claims["exp"] = json!(NOW.seconds())).await;
    let bound = attestation(|claims| claims["redirect_uris"] = json!([OP])).await;
    let good = attestation(|_| {}).await;
    let callers = "\n[[verifications.caller]]\nid = \"door\"\nname = \"The Door\"\n\
                   queries = [\"age\"]\ncross_device = true\n";
    let public_with_path = public(&usual).replace(PUBLIC, &format!("{PUBLIC}/login"));
    let signed_api = unsigned(&usual).replace(UNSIGNED, "openid4vp-v1-signed");
    for (config, reason) in [
        (
            with(section("x509_san_dns", "")),
            "localhost is no dNSName of keys.request_chain",
        ),
        (
            without_chain(&usual) + &section("x509_san_dns", ""),
            "request_chain",
        ),
        (without_chain(&usual), "request_chain"),
        (with(did("web")), "https address"),
        (public_with_path + &did("web"), "without a path"),
        (
            public(&usual).replace(PUBLIC, "https://192.0.2.1") + &did("web"),
            "DNS name",
        ),
        (
            with(section("x509_hash", "did_method = \"jwk\"")),
            "presentation.did_method",
        ),
        (
            with(section("x509_hash", &format!("attestation = \"{good}\""))),
            "presentation.attestation",
        ),
        (
            with(section("verifier_attestation", "")),
            "attestation_file",
        ),
        (
            with(section(
                "verifier_attestation",
                "attestation_file = \"/nowhere\"",
            )),
            "/nowhere cannot be read",
        ),
        (with_attestation("eyJ"), "no verifier attestation"),
        (with_attestation(&for_another), "for another key"),
        (with_attestation(&over), "has ended"),
        (with_attestation(&bound), "redirect_uris"),
        (with(section("redirect_uri", "")), "digital_credentials"),
        (signed_api, "digital_credentials"),
        (
            unsigned(&usual)
                + "\n[client_documents]\nany = true\ndefault_query = \"age\"\ncross_device = true\n",
            "cross_device",
        ),
        (unsigned(&usual) + callers, "cross_device"),
        (
            unsigned(&usual).replacen("cross_device = false", "cross_device = true", 1),
            "cross_device",
        ),
    ] {
        let told = refusal(&config);
        assert!(told.contains(reason), "{reason}: {told}");
    }
    let config = parse(&with_attestation(&good));
    let settings = Settings::parse(&config).unwrap();
    let keys = Keys::parse(&config.keys).unwrap();
    let later = NOW.plus(3600);
    let ended = OwnIdentity::parse(&settings.presentation, &keys, later);
    assert!(matches!(ended, Err(ConfigError::Shared(_))));
    assert!(OwnIdentity::parse(&settings.presentation, &keys, NOW).is_ok());
}

/// Over the Digital Credentials API answers are bound to the origin, whatever the prefix of a signed
/// request (appendix A.4).
#[tokio::test]
async fn a_page_asks_under_the_same_prefix_and_is_answered_by_origin() {
    let attested = attested().await;
    for (section, name) in [(did("jwk"), "did:jwk:"), (attested, "login.example")] {
        with(
            |toml| toml + &section,
            async |world| {
                let wallet = world_wallet(&world).await;
                let mut browser = world.browser();
                let address = world.shop().authorize("openid membership", &[]);
                let page = crate::dc_api::Page::open(&mut browser, &address).await;
                let (requests, answer_to) = page.question(&mut browser).await;
                let request = wallet.asked_by_page(OP, &requests[0]);
                let own = match request.requester() {
                    Some(Requester::Did(did)) => did.as_str(),
                    Some(Requester::Attested(attested)) => attested.subject(),
                    other => panic!("{other:?}"),
                };
                assert!(own.starts_with(name), "{own}");
                let answer = wallet.returned(&request).await;
                let brought = page.post(&mut browser, &answer_to, &answer).await;
                assert_eq!(brought.status, StatusCode::OK, "{}", brought.body);
                world.shop().code(&browser.get(page.path()).await);
            },
        )
        .await;
    }
}
