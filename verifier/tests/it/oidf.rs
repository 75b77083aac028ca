//! What modules of the OpenID Foundation's plans for OpenID Providers check and no other test here
//! shows; `specs/oidf.tsv` names a test for each module. As there, the application leaves out PKCE.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::{Url, form_urlencoded};
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::world::browser::{Answer, send};
use crate::world::rp::RelyingParty;
use crate::world::steps::{begin, log_in, same_device};
use crate::world::{NOW, OP, World, on_sqlite};

/// Members of ID tokens that nobody has to ask for.
const USUAL: [&str; 11] = [
    "acr",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "exp",
    "iat",
    "iss",
    "nonce",
    "sid",
    "sub",
];

/// An authorization request without PKCE.
fn plain(rp: &RelyingParty, scope: &str, more: &[(&str, &str)]) -> String {
    let mut extra = vec![("code_challenge", ""), ("code_challenge_method", "")];
    extra.extend(more);
    rp.authorize(scope, &extra)
}

/// Redeems a code without PKCE.
async fn redeem(rp: &RelyingParty, code: &str) -> Value {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", rp.redirect_uri),
    ];
    let answer = rp.token(&fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    answer.json()
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap_or_else(|| panic!("{name}"))
}

/// The verified claims of the ID token for a redirect back.
async fn claims(rp: &RelyingParty, answer: &Answer) -> Value {
    let body = redeem(rp, &rp.code(answer)).await;
    rp.id_token(text(&body, "id_token")).await
}

/// What the application receives in the address.
fn told(answer: &Answer) -> BTreeMap<String, String> {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let location = Url::parse(&answer.location()).unwrap();
    location.query_pairs().into_owned().collect()
}

async fn get(world: &World, path: &str) -> Answer {
    let request = Request::get(path).body(Body::empty()).unwrap();
    send(&world.router(), request).await
}

#[tokio::test]
async fn oidf_a_login_without_anything_optional() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let suite = world.suite();
        for nonce in ["nonce-1", ""] {
            let address = plain(&suite, "openid", &[("nonce", nonce)]);
            let answer = same_device(&mut world.browser(), &wallet, &address).await;
            let told = told(&answer);
            let names: Vec<&String> = told.keys().collect();
            assert_eq!(names, ["code", "iss", "state"]);
            // RFC 6749, section 10.10: 256 bits.
            assert_eq!(told["code"].len(), 43);
            let body = redeem(&suite, &suite.code(&answer)).await;
            assert_eq!(body["token_type"], "Bearer");
            assert_eq!(body["expires_in"], 300);
            let (token, id_token) = (text(&body, "access_token"), text(&body, "id_token"));

            // OpenID Connect Core 1.0, section 10.1: the key has a name, and is published.
            let head = b64url_decode(id_token.split('.').next().unwrap()).unwrap();
            let head: Value = serde_json::from_slice(&head).unwrap();
            assert_eq!(head["alg"], "RS256");
            let keys = get(&world, "/jwks").await.json();
            let mut keys = keys["keys"].as_array().unwrap().iter();
            let key = keys.find(|key| key["kid"] == head["kid"]).unwrap();
            assert_eq!(key["alg"], "RS256");

            let claims = suite.id_token(id_token).await;
            let mut expected = USUAL.to_vec();
            expected.retain(|name| *name != "nonce" || !nonce.is_empty());
            let mut names: Vec<&String> = claims.as_object().unwrap().keys().collect();
            names.sort();
            assert_eq!(names, expected);
            assert_eq!(claims["iss"], OP);
            assert_eq!(claims["aud"], "suite");
            assert_eq!(claims["iat"], NOW.seconds());
            assert!(claims["exp"].as_i64() > claims["iat"].as_i64());
            assert_eq!(claims.get("nonce").is_some(), !nonce.is_empty());
            let hash = b64url(&Sha256::digest(token)[..16]);
            assert_eq!(claims["at_hash"], hash);

            let answer = suite.userinfo(token).await;
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
            assert_eq!(answer.json(), json!({ "sub": claims["sub"] }));
        }
        // With PKCE, which the same client may use.
        log_in(&mut world.browser(), &wallet, &suite, "openid").await;
    })
    .await;
}

#[tokio::test]
async fn oidf_parameters_that_change_nothing() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let suite = world.suite();
        for parameter in [
            ("display", "page"),
            ("display", "popup"),
            ("extra", "foobar"),
            ("login_hint", "buffy@127.0.0.1"),
            ("ui_locales", "se"),
            ("claims_locales", "se"),
        ] {
            let address = plain(&suite, "openid", &[parameter]);
            let answer = same_device(&mut world.browser(), &wallet, &address).await;
            assert_eq!(claims(&suite, &answer).await["nonce"], "nonce-1");
        }
        // The request as a form.
        let address = plain(&suite, "openid", &[]);
        let fields = address.split_once('?').unwrap().1.as_bytes();
        let fields: Vec<_> = form_urlencoded::parse(fields).into_owned().collect();
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let mut browser = world.browser();
        let answer = browser.post("/authorize", &fields).await;
        let answer = same_device(&mut browser, &wallet, &answer.location()).await;
        assert_eq!(claims(&suite, &answer).await["nonce"], "nonce-1");
    })
    .await;
}

#[tokio::test]
async fn oidf_of_the_offered_classes_one_is_reached() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let suite = world.suite();
        let document = get(&world, "/.well-known/openid-configuration").await;
        let offered = document.json()["acr_values_supported"].clone();
        let offered: Vec<String> = serde_json::from_value(offered).unwrap();
        let wish = offered.join(" ");
        let address = plain(&suite, "openid", &[("acr_values", &wish)]);
        let answer = same_device(&mut world.browser(), &wallet, &address).await;
        let claims = claims(&suite, &answer).await;
        assert!(offered.contains(&text(&claims, "acr").to_owned()));
    })
    .await;
}

#[tokio::test]
async fn oidf_the_second_of_two_logins() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let suite = world.suite();
        let mut browser = world.browser();
        let address = plain(&suite, "openid", &[("max_age", "15000")]);
        let answer = same_device(&mut browser, &wallet, &address).await;
        let body = redeem(&suite, &suite.code(&answer)).await;
        let hint = text(&body, "id_token");
        let first = suite.id_token(hint).await;
        assert_eq!(first["auth_time"], NOW.seconds());

        // At once, and as before.
        world.clock.advance(1);
        let none = ("prompt", "none");
        let silent: [&[(&str, &str)]; 3] = [
            &[("max_age", "10000")],
            &[none],
            &[none, ("id_token_hint", hint)],
        ];
        for extra in silent {
            let answer = browser.get(&plain(&suite, "openid", extra)).await;
            let second = claims(&suite, &answer).await;
            assert_eq!(second["sub"], first["sub"], "{extra:?}");
            assert_eq!(second["auth_time"], first["auth_time"], "{extra:?}");
            assert_eq!(second["iat"], NOW.seconds() + 1);
        }

        // With the card once more, and later.
        let mut before = NOW.seconds();
        for extra in [("prompt", "login"), ("max_age", "1")] {
            world.clock.advance(2);
            let address = plain(&suite, "openid", &[extra]);
            let answer = same_device(&mut browser, &wallet, &address).await;
            let again = claims(&suite, &answer).await;
            assert_eq!(again["sub"], first["sub"], "{extra:?}");
            let at = again["auth_time"].as_i64().unwrap();
            assert!(at > before, "{extra:?}");
            assert_eq!(again["auth_time"], again["iat"], "{extra:?}");
            before = at;
        }
    })
    .await;
}

#[tokio::test]
async fn oidf_a_stranger_is_not_let_in_silently() {
    on_sqlite(async |world| {
        let state = "s".repeat(128);
        let extra = [("prompt", "none"), ("state", state.as_str())];
        let address = plain(&world.suite(), "openid", &extra);
        let told = told(&world.browser().get(&address).await);
        let text = |name: &str| told.get(name).map(String::as_str);
        assert_eq!(text("error"), Some("login_required"));
        assert_eq!(text("state"), Some(state.as_str()));
        assert_eq!(text("iss"), Some(OP));
        assert_eq!(text("code"), None);
    })
    .await;
}

/// OpenID Connect Core 1.0, section 3.1.2.6.
#[tokio::test]
async fn oidf_request_objects_are_refused() {
    on_sqlite(async |world| {
        let suite = world.suite();
        let address = Url::parse(&plain(&suite, "openid", &[])).unwrap();
        let inner: BTreeMap<_, _> = address.query_pairs().into_owned().collect();
        let inner = serde_json::to_vec(&inner).unwrap();
        let object = format!("{}.{}.", b64url(br#"{"alg":"none"}"#), b64url(&inner));
        let object = ("request", object.as_str());
        let by_uri = ("request_uri", "https://suite.example/object.jwt#hash");
        for (what, error) in [
            (object, "request_not_supported"),
            (by_uri, "request_uri_not_supported"),
        ] {
            let extra = [what, ("state", "")];
            let told = told(&world.browser().get(&plain(&suite, "openid", &extra)).await);
            assert_eq!(told.get("error").map(String::as_str), Some(error));
            assert_eq!(told.get("code"), None);
        }
        // The good address in the object makes no other one good.
        let bad = ("redirect_uri", "https://suite.example/cb/other");
        let address = plain(&suite, "openid", &[object, bad]);
        let answer = world.browser().get(&address).await;
        answer.assert_page(StatusCode::BAD_REQUEST, "a request that we cannot answer");
        assert!(answer.headers.get(header::LOCATION).is_none());
    })
    .await;
}

/// Two applications that go on. The second has a query in its address.
const TWO: &str = r#"
[[client]]
id = "one"
name = "One"
secret = "one-secret-0123456789"
redirect_uris = ["https://suite.example/one"]
pkce = "optional"
default_query = "member-login"
offline_access = true

[[client]]
id = "two"
name = "Two"
secret = "two-secret-0123456789"
redirect_uris = ["https://suite.example/two?dummy1=lorem&dummy2=ipsum"]
pkce = "optional"
default_query = "member-login"
offline_access = true
"#;

#[tokio::test]
async fn oidf_refresh_tokens_of_two_applications() {
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    let world = World::with_config(temporary.db.clone(), |toml| toml + TWO).await;
    let document = get(&world, "/.well-known/openid-configuration").await;
    let grants = document.json()["grant_types_supported"].clone();
    assert!(grants.as_array().unwrap().contains(&json!("refresh_token")));
    let wallet = world.person("M-1").await;
    let (one, two) = (
        ("one", "one-secret-0123456789", "https://suite.example/one"),
        (
            "two",
            "two-secret-0123456789",
            "https://suite.example/two?dummy1=lorem&dummy2=ipsum",
        ),
    );
    let [one, two] = [one, two].map(|(id, secret, redirect_uri)| {
        RelyingParty::new(world.router(), id, Some(secret), redirect_uri)
    });
    let mut last = String::new();
    for (rp, scope) in [(&one, Some("openid offline_access")), (&two, None)] {
        let address = plain(rp, "openid offline_access", &[("prompt", "consent")]);
        let answer = same_device(&mut world.browser(), &wallet, &address).await;
        let first = redeem(rp, &rp.code(&answer)).await;
        let before = rp.id_token(text(&first, "id_token")).await;
        world.clock.advance(1);
        let scope = scope.map(|scope| ("scope", scope));
        let extra: Vec<_> = scope.into_iter().collect();
        let answer = rp
            .refresh_with(text(&first, "refresh_token"), &extra, &[])
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        let second = answer.json();
        assert_eq!(second["token_type"], "Bearer");
        assert_eq!(second["expires_in"], 300);
        assert_ne!(second["access_token"], first["access_token"]);
        assert_eq!(text(&second, "refresh_token").len(), 43);
        // OpenID Connect Core 1.0, section 12.2.
        let after = rp.id_token(text(&second, "id_token")).await;
        for name in ["iss", "sub", "aud", "auth_time"] {
            assert_eq!(after[name], before[name], "{name}");
        }
        assert_eq!(
            after["iat"].as_i64().unwrap(),
            before["iat"].as_i64().unwrap() + 1
        );
        assert!(after.get("azp").is_none() && before.get("azp").is_none());
        let told = rp.userinfo(text(&second, "access_token")).await;
        assert_eq!(told.json(), json!({ "sub": after["sub"] }));
        last = text(&second, "refresh_token").to_owned();
    }
    let extra = [("scope", "openid offline_access")];
    let answer = one.refresh_with(&last, &extra, &[]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(answer.json()["error"], "invalid_grant");
    // It is the other's, and still good.
    assert_eq!(two.refresh(&last).await.status, StatusCode::OK);
}

/// At a public address, as an operator has it.
pub const PUBLIC: &str = "https://id.example";

/// The usual configuration at that address.
pub fn public(toml: &str) -> String {
    toml.replace(OP, PUBLIC)
        .replace("http://127.0.0.1:9000", "https://shop.example")
        .replace("http://127.0.0.2:9001", "https://cafe.example")
        .replace("loopback_http = true", "loopback_http = false")
}

#[tokio::test]
async fn oidf_metadata_at_a_public_address() {
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    let world = World::with_config(temporary.db.clone(), |toml| public(&toml)).await;
    let answer = get(&world, "/.well-known/openid-configuration").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
    let document = answer.json();
    assert_eq!(document["issuer"], PUBLIC);
    let mut endpoints = Vec::new();
    for (name, value) in document.as_object().unwrap() {
        if name.ends_with("_endpoint") || name == "jwks_uri" {
            let url = Url::parse(value.as_str().unwrap()).unwrap();
            assert_eq!(url.scheme(), "https", "{name}");
            assert_eq!(url.host_str(), Some("id.example"), "{name}");
            endpoints.push(name.as_str());
        }
    }
    for name in ["authorization", "token", "userinfo", "end_session"] {
        let name = format!("{name}_endpoint");
        assert!(endpoints.contains(&name.as_str()), "{name}");
    }
    assert!(endpoints.contains(&"jwks_uri"));
    assert!(document.get("registration_endpoint").is_none());
    let has = |name: &str, value: &str| {
        let list = document[name]
            .as_array()
            .unwrap_or_else(|| panic!("{name}"));
        assert!(list.iter().all(Value::is_string), "{name}");
        assert!(list.contains(&json!(value)), "{name}");
    };
    has("response_types_supported", "code");
    has("subject_types_supported", "pairwise");
    has("id_token_signing_alg_values_supported", "RS256");
    has("grant_types_supported", "authorization_code");
    has("scopes_supported", "openid");
    has("claims_supported", "sub");
    has("code_challenge_methods_supported", "S256");
    has(
        "token_endpoint_auth_methods_supported",
        "client_secret_basic",
    );
    has(
        "token_endpoint_auth_methods_supported",
        "client_secret_post",
    );
    has("ui_locales_supported", "en");
    has("ui_locales_supported", "de");
    for name in [
        "claims_parameter_supported",
        "backchannel_logout_supported",
        "backchannel_logout_session_supported",
    ] {
        assert_eq!(document[name], true, "{name}");
    }
    // No request object is read, and no ID token is unsigned.
    assert!(
        document
            .get("request_object_signing_alg_values_supported")
            .is_none()
    );
    let algorithms = &document["id_token_signing_alg_values_supported"];
    assert!(!algorithms.as_array().unwrap().contains(&json!("none")));

    let keys = get(&world, "/jwks").await.json();
    let keys = keys["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    assert_ne!(keys[0]["kid"], keys[1]["kid"]);
    for key in keys {
        let names: Vec<&str> = key
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        for name in names {
            let public = ["kty", "kid", "use", "alg", "n", "e", "crv", "x", "y"];
            assert!(public.contains(&name), "{name}");
        }
        assert_eq!(key["use"], "sig");
    }
}

/// The page that a request leads to comes before any answer to the application.
#[tokio::test]
async fn oidf_an_address_that_continues_a_registered_one() {
    on_sqlite(async |world| {
        let suite = world.suite();
        // The same request at the registered address is served.
        begin(&mut world.browser(), &plain(&suite, "openid", &[])).await;
        let bad = ("redirect_uri", "https://suite.example/cb/h5fK2mQz81");
        for prompt in ["", "none"] {
            let address = plain(&suite, "openid", &[bad, ("prompt", prompt)]);
            let answer = world.browser().get(&address).await;
            answer.assert_page(StatusCode::BAD_REQUEST, "a request that we cannot answer");
            assert!(answer.headers.get(header::LOCATION).is_none());
        }
    })
    .await;
}
