//! What modules of the OpenID Foundation's plans for verifiers check and no other test here shows:
//! requests as HAIP wants them, and presentations that its wallet spoils. `specs/oidf.tsv` names a
//! test for each module; those for mdocs stand in `mdoc` too.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;
use vouchsafe_credentials::crypto::{Portable, Signer as _};
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_credentials::jws::{self, Header, TokenType, Unverified};
use vouchsafe_credentials::sd_jwt::HashAlg;
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_protocol::vp::request::{WalletPolicy, verify_request};
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::mdoc::{NUMBER, with_licences};
use crate::oidf::{PUBLIC, public};
use crate::refusals::{Waiting, member};
use crate::world::browser::{Answer, form, send};
use crate::world::pki::{Pki, iaca};
use crate::world::rp::RelyingParty;
use crate::world::steps::{begin, wallet_link};
use crate::world::{NOW, World, on_sqlite};

fn part(jwt: &str, number: usize) -> Value {
    let part = b64url_decode(jwt.split('.').nth(number).unwrap()).unwrap();
    serde_json::from_slice(&part).unwrap()
}

fn names(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name}"))
}

/// A request object, as a wallet fetches it.
async fn fetched(world: &World, request: Request<Body>) -> String {
    let answer = send(&world.router(), request).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(
        answer.headers[header::CONTENT_TYPE],
        "application/oauth-authz-req+jwt"
    );
    answer.body
}

/// Where the request of a link is, and whose it is.
fn invocation(link: &str) -> (Url, String) {
    let link = Url::parse(link).unwrap();
    let pairs: Vec<(String, String)> = link.query_pairs().into_owned().collect();
    let [client_id, request_uri, method] = pairs.as_slice() else {
        panic!("{link}")
    };
    assert_eq!(client_id.0, "client_id");
    assert_eq!(request_uri.0, "request_uri");
    assert_eq!(*method, ("request_uri_method".into(), "post".into()));
    let url = Url::parse(&request_uri.1).unwrap();
    (url, client_id.1.clone())
}

fn public_address(url: &Url) {
    assert!(url.as_str().starts_with(&format!("{PUBLIC}/")), "{url}");
    assert_eq!(url.fragment(), None);
}

/// OpenID4VP 1.0, sections 5, 5.9.3 and 8.3; HAIP 1.0, sections 5 and 5.1.
fn judge(object: &str, client_id: &str, format: &str) {
    let (head, claims) = (part(object, 0), part(object, 1));
    assert_eq!(head["typ"], "oauth-authz-req+jwt");
    assert_eq!(head["alg"], "ES256");
    let chain = head["x5c"].as_array().unwrap();
    assert_eq!(chain.len(), 1, "the anchor is not part of it");
    let own = Pki::new().verifier.chain().to_x5c();
    assert_eq!(head["x5c"], json!(own));
    let leaf = BASE64_STANDARD.decode(chain[0].as_str().unwrap()).unwrap();
    let hash = format!("x509_hash:{}", b64url(&Sha256::digest(leaf)));
    assert_eq!(
        (claims["client_id"].as_str(), client_id),
        (Some(&*hash), &*hash)
    );
    let known = [
        "aud",
        "client_id",
        "client_metadata",
        "dcql_query",
        "exp",
        "iat",
        "nonce",
        "response_mode",
        "response_type",
        "response_uri",
        "state",
        "verifier_info",
    ];
    assert_eq!(names(&claims), known);
    assert_eq!(claims["aud"], "https://self-issued.me/v2");
    assert_eq!(claims["response_type"], "vp_token");
    assert_eq!(claims["response_mode"], "direct_post.jwt");
    public_address(&Url::parse(text(&claims, "response_uri")).unwrap());
    assert_eq!(claims["iat"], NOW.seconds());
    assert!(claims["exp"].as_i64() > claims["iat"].as_i64());
    let nonce = text(&claims, "nonce");
    assert_eq!(nonce.len(), 43, "256 bits");
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    assert!(nonce.chars().all(plain), "{nonce}");

    let metadata = &claims["client_metadata"];
    let known = [
        "encrypted_response_enc_values_supported",
        "jwks",
        "vp_formats_supported",
    ];
    assert_eq!(names(metadata), known);
    assert_eq!(
        metadata["encrypted_response_enc_values_supported"],
        json!(["A128GCM", "A256GCM"])
    );
    let key = &metadata["jwks"]["keys"][0];
    assert_eq!(names(key), ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    assert_eq!(metadata["jwks"]["keys"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&key["alg"], &key["crv"]),
        (&json!("ECDH-ES"), &json!("P-256"))
    );
    assert_eq!(key["use"], "enc");
    assert_eq!(names(&metadata["vp_formats_supported"]), [format]);
    let query = claims["dcql_query"]["credentials"].as_array().unwrap();
    assert_eq!((query.len(), &query[0]["format"]), (1, &json!(format)));
}

#[tokio::test]
async fn oidf_requests_for_presentations_at_a_public_address() {
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    let party = iaca("Transport");
    let change = |toml: String| public(&with_licences(&toml, &party, NUMBER));
    let world = World::with_config(temporary.db.clone(), change).await;
    let secret = Some("shop-secret-0123456789");
    let shop = RelyingParty::new(world.router(), "shop", secret, "https://shop.example/cb");
    let mut anchors = TrustAnchors::new(Role::VerifierAccess);
    anchors.add_pem(&world.pki.verifier.anchor_pem).unwrap();
    let policy = WalletPolicy {
        anchors: &anchors,
        crypto: &Portable,
        now: NOW,
        urls: UrlRule::PublicHttps,
    };
    let mut fresh = BTreeSet::new();
    for (scope, format) in [
        ("openid membership", "dc+sd-jwt"),
        ("openid licence", "mso_mdoc"),
        ("openid membership", "dc+sd-jwt"),
    ] {
        let (_, page) = begin(&mut world.browser(), &shop.authorize(scope, &[])).await;
        let (url, client_id) = invocation(&wallet_link(&page));
        public_address(&url);
        let get = || Request::get(url.path()).body(Body::empty()).unwrap();
        let object = fetched(&world, get()).await;
        judge(&object, &client_id, format);
        let key = world.pki.verifier.key();
        let signed = Unverified::parse(&object, TokenType::RequestObject).unwrap();
        signed.verify(&Portable, key.public_key()).unwrap();
        // Our own wallet, which has no mdocs.
        if format == "dc+sd-jwt" {
            verify_request(&object, &client_id, None, &policy).expect("the request is good");
        }

        // Section 5.10: the wallet's nonce comes back, and only to who sent it.
        let body = Body::from(form(&[("wallet_nonce", "wallet-nonce-7")]));
        let post = Request::post(url.path())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let posted = part(&fetched(&world, post.body(body).unwrap()).await, 1);
        assert_eq!(posted["wallet_nonce"], "wallet-nonce-7");

        // Nothing but that differs, however often it is fetched.
        let again = part(&fetched(&world, get()).await, 1);
        let first = part(&object, 1);
        assert_eq!(again, first);
        for name in ["nonce", "state", "client_metadata", "response_uri"] {
            assert_eq!(posted[name], first[name], "{name}");
        }
        // Each request has its own.
        let key = &first["client_metadata"]["jwks"]["keys"][0];
        for value in [&first["nonce"], &first["state"], &key["x"], &key["kid"]] {
            assert!(fresh.insert(value.as_str().unwrap().to_owned()), "{value}");
        }
    }
}

/// A presentation with another Key Binding JWT over `sd_jwt`.
async fn bound(login: &Waiting, sd_jwt: &str, change: impl FnOnce(&mut Value)) -> String {
    let request = &login.asked.request;
    let mut claims = json!({
        "iat": NOW.seconds(),
        "aud": request.client_id().as_str(),
        "nonce": request.nonce().as_str(),
        "sd_hash": HashAlg::Sha256.digest(sd_jwt),
    });
    change(&mut claims);
    let key = &login.wallet.cards.last().unwrap().key;
    let header = Header::new(TokenType::KeyBinding);
    let kb_jwt = jws::sign(&header, &claims, key).await.unwrap();
    format!("{sd_jwt}{kb_jwt}")
}

/// The same JWT with other bits in its signature.
fn corrupted(jwt: &str) -> String {
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    let mut signature = b64url_decode(signature).unwrap();
    for byte in &mut signature {
        *byte ^= 0x5a;
    }
    format!("{signed}.{}", b64url(&signature))
}

/// What is wrong with a presentation.
#[derive(Clone, Copy)]
enum Spoiled {
    Issuer,
    KeyBinding,
    Claim(&'static str),
    Time(i64),
}

impl Spoiled {
    async fn presentation(self, login: &Waiting) -> String {
        let good = login.presentation().await;
        let sd_jwt = &good[..=good.rfind('~').unwrap()];
        match self {
            // The key binding is over the credential as it is now.
            Self::Issuer => {
                let (jwt, disclosures) = sd_jwt.split_once('~').unwrap();
                let sd_jwt = format!("{}~{disclosures}", corrupted(jwt));
                bound(login, &sd_jwt, |_| {}).await
            }
            Self::KeyBinding => {
                let good = bound(login, sd_jwt, |_| {}).await;
                format!("{sd_jwt}{}", corrupted(&good[sd_jwt.len()..]))
            }
            Self::Claim(name) => {
                let more = |claims: &mut Value| {
                    let value = format!("{}INVALID", claims[name].as_str().unwrap());
                    claims[name] = json!(value);
                };
                bound(login, sd_jwt, more).await
            }
            Self::Time(days) => {
                let later = |claims: &mut Value| {
                    claims["iat"] = json!(NOW.plus(days * 86_400).seconds());
                };
                bound(login, sd_jwt, later).await
            }
        }
    }
}

#[tokio::test]
async fn oidf_presentations_that_are_spoiled() {
    on_sqlite(async |world| {
        for (spoiled, reason) in [
            (Spoiled::KeyBinding, "kb_signature"),
            (Spoiled::Issuer, "issuer_signature"),
            (Spoiled::Claim("sd_hash"), "kb_sd_hash"),
            (Spoiled::Claim("nonce"), "kb_nonce"),
            (Spoiled::Claim("aud"), "kb_audience"),
            (Spoiled::Time(-365), "kb_too_old"),
            (Spoiled::Time(365), "kb_in_future"),
        ] {
            let login = member(&world).await;
            let answer = login.send(&spoiled.presentation(&login).await).await;
            login.refused(&world, answer, reason).await;
        }
        // Made in the same way, and with nothing wrong.
        let login = member(&world).await;
        let presentation = Spoiled::Time(0).presentation(&login).await;
        accepted(&world, login, &presentation).await;
    })
    .await;
}

/// The wallet is told where the person goes on, and the application gets a code.
async fn accepted(world: &World, mut login: Waiting, presentation: &str) {
    let answer: Answer = login.send(presentation).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
    let back = text(&answer.json(), "redirect_uri").to_owned();
    world.shop().code(&login.browser.get(&back).await);
}

/// RFC 7800, section 3.2: the key, whatever else is said of it.
#[tokio::test]
async fn oidf_a_holder_key_with_no_more_than_it_needs() {
    on_sqlite(async |world| {
        let rich = json!({ "kid": "1", "use": "sig", "alg": "ES256", "key_ops": ["verify"] });
        for more in [json!({}), rich] {
            let login = member(&world).await;
            let good = login.presentation().await;
            let (jwt, rest) = good.split_once('~').unwrap();
            let disclosures = &rest[..=rest.rfind('~').unwrap()];
            let mut payload = part(jwt, 1);
            let jwk = &mut payload["cnf"]["jwk"];
            assert_eq!(names(jwk), ["crv", "kty", "x", "y"]);
            let more = more.as_object().unwrap().clone();
            jwk.as_object_mut().unwrap().extend(more);
            let header = Header::new(TokenType::SdJwtVc).with_x5c(&world.issuer.chain);
            let jwt = jws::sign(&header, &payload, &world.issuer.key).await;
            let sd_jwt = format!("{}~{disclosures}", jwt.unwrap());
            let presentation = bound(&login, &sd_jwt, |_| {}).await;
            accepted(&world, login, &presentation).await;
        }
    })
    .await;
}
