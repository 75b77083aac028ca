//! Applications that are known by a document at their `client_id`
//! (draft-ietf-oauth-client-id-metadata-document-02).

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use vouchsafe_credentials::time::Clock as _;
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::world::registrar::{ask, with_more};
use crate::world::rp::{RelyingParty, VERIFIER};
use crate::world::steps::{begin, log_in, same_device};
use crate::world::{OP, World, on_sqlite};

const DOCUMENTS: &str = r#"
[client_documents]
allowed_hosts = ["app.example"]
allowed_scopes = ["membership"]
default_query = "member-login"
"#;

const ID: &str = "https://app.example/client.json";
const CALLBACK: &str = "https://app.example/cb";

async fn with_documents(test: impl AsyncFn(World)) {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        test(World::with_config(db, |toml| toml + DOCUMENTS).await).await;
    })
    .await;
}

fn document(more: Value) -> Value {
    let mut document = json!({
        "client_id": ID,
        "client_name": "The App",
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "none",
    });
    let base = document.as_object_mut().unwrap();
    base.extend(more.as_object().unwrap().clone());
    document
}

fn publish(world: &World, document: &Value) {
    let document = (document.to_string(), None);
    world.network.publish_document(ID, Some(document));
}

fn app(world: &World) -> RelyingParty {
    RelyingParty::new(world.router(), ID, None, CALLBACK)
}

/// A page, and nobody is sent anywhere.
async fn refused(world: &World, rp: &RelyingParty, what: &str) {
    let answer = world.browser().get(&rp.authorize("openid", &[])).await;
    assert_eq!(
        answer.status,
        StatusCode::BAD_REQUEST,
        "{what}: {}",
        answer.body
    );
    assert!(!answer.headers.contains_key("location"), "{what}");
    let answer = rp
        .post("/token", &[("grant_type", "authorization_code")])
        .await;
    assert_eq!(answer.json()["error"], "invalid_client", "{what}");
}

#[tokio::test]
async fn cat_377_documents_are_off_unless_the_operator_names_hosts() {
    on_sqlite(async |world| {
        publish(&world, &document(json!({})));
        refused(&world, &app(&world), "off").await;
        assert_eq!(world.network.asked(), Vec::<String>::new());
    })
    .await;
    with_documents(async |world| {
        for other in [
            "https://other.example/client.json",
            "https://app.example.evil.example/client.json",
            "https://10.0.0.1/client.json",
        ] {
            let named = document(json!({ "client_id": other })).to_string();
            world.network.publish_document(other, Some((named, None)));
            let rp = RelyingParty::new(world.router(), other, None, CALLBACK);
            refused(&world, &rp, other).await;
        }
        assert_eq!(world.network.asked(), Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn section_3_addresses_that_are_no_client_id() {
    with_documents(async |world| {
        for id in [
            "https://app.example",
            "https://app.example/client.json#x",
            "https://app.example/client.json?x",
            "https://app.example/a/../client.json",
            "https://app.example/%2e%2e/client.json",
            "https://app.example/./client.json",
            "https://user@app.example/client.json",
            "https://user:secret@app.example/client.json",
            "https://APP.example/client.json",
            "https://app.example:443/client.json",
            "https://app.example:8443/../client.json",
            "https:app.example/client.json",
            "https://",
        ] {
            let rp = RelyingParty::new(world.router(), id, None, CALLBACK);
            refused(&world, &rp, id).await;
        }
        assert_eq!(world.network.asked(), Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn section_4_documents_that_do_not_count() {
    with_documents(async |world| {
        let rp = app(&world);
        refused(&world, &rp, "no document").await;
        let mut private = serde_json::from_str::<Value>(&world.pki.client_key.jwks()).unwrap();
        private["keys"][0]["d"] = json!("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
        let keys = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": private });
        for more in [
            json!({ "client_id": "https://app.example/other.json" }),
            json!({ "client_id": "https://app.example/client.json/" }),
            json!({ "client_id": null }),
            json!({ "client_secret": "x" }),
            json!({ "client_secret_expires_at": 0 }),
            json!({ "token_endpoint_auth_method": "client_secret_basic" }),
            json!({ "token_endpoint_auth_method": "client_secret_post" }),
            json!({ "token_endpoint_auth_method": "client_secret_jwt" }),
            keys,
            // Section 8.1: of another origin.
            json!({ "redirect_uris": [CALLBACK, "https://other.example/cb"] }),
            json!({ "redirect_uris": ["https://app.example:8443/cb"] }),
            json!({ "redirect_uris": ["com.example.app:/cb"], "application_type": "native" }),
            // Catalogue 353.
            json!({ "redirect_uris": ["javascript:alert(1)"] }),
            json!({ "redirect_uris": [] }),
            // Section 8.6.
            json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://10.0.0.1/jwks" }),
            json!({ "sector_identifier_uri": "https://app.example/list" }),
            json!({ "scope": 7 }),
        ] {
            publish(&world, &document(more.clone()));
            refused(&world, &rp, &more.to_string()).await;
        }
        for text in ["", "[]", "{", "<html>"] {
            world.network.publish_document(ID, Some((text.to_owned(), None)));
            refused(&world, &rp, text).await;
        }
        // Section 5.2: none of that was kept.
        publish(&world, &document(json!({ "software_statement": "a.b.c" })));
        begin(&mut world.browser(), &rp.authorize("openid", &[])).await;
    })
    .await;
}

#[tokio::test]
async fn an_application_with_a_document_logs_people_in() {
    with_documents(async |world| {
        publish(&world, &document(json!({ "client_name": "The <App>" })));
        let path = "/.well-known/oauth-authorization-server";
        let known = ask(&world.router(), (Method::GET, path), None, None).await;
        // Section 6.
        assert_eq!(known.json()["client_id_metadata_document_supported"], true);
        assert!(known.json().get("registration_endpoint").is_none());
        let rp = app(&world);
        let (_, page) = begin(&mut world.browser(), &rp.authorize("openid", &[])).await;
        // Section 8.5: whose document it is, and that nobody vouches for it.
        page.assert_page(StatusCode::OK, "app.example");
        assert!(page.body.contains("id=\"unvouched\""), "{}", page.body);
        assert!(page.body.contains("The &lt;App&gt;"), "{}", page.body);
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let tokens = log_in(&mut browser, &wallet, &rp, "openid membership").await;
        let account = browser.get("/account").await;
        account.assert_page(StatusCode::OK, "app.example");
        assert_eq!(tokens.userinfo["membership_tier"], "gold");
        let age = world.browser().get(&rp.authorize("openid age", &[])).await;
        assert_eq!(rp.error(&age), "invalid_scope");
        // One look was enough for all of it.
        assert_eq!(world.network.asked(), [ID]);
        // Catalogue 388: the operator's word counts at once, kept or not.
        assert!(world.verifier.disable_client(ID).await.unwrap());
        refused(&world, &rp, "disabled").await;
        let answer = rp.userinfo(&tokens.access_token).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(world.verifier.enable_client(ID).await.unwrap());
        assert_eq!(
            rp.userinfo(&tokens.access_token).await.status,
            StatusCode::OK
        );
    })
    .await;
}

#[tokio::test]
async fn section_5_2_how_long_a_document_is_kept() {
    let other = json!({ "redirect_uris": ["https://app.example/other"] });
    for (max_age, least, most) in [
        (None, 299, 300),
        (Some(120), 119, 120),
        (Some(0), 59, 60),
        (Some(i64::MAX), 3599, 3600),
    ] {
        with_more(DOCUMENTS, async |world| {
            let first = document(json!({})).to_string();
            world.network.publish_document(ID, Some((first, max_age)));
            let rp = app(&world);
            begin(&mut world.browser(), &rp.authorize("openid", &[])).await;
            publish(&world, &document(other.clone()));
            world.clock.advance(least);
            begin(&mut world.browser(), &rp.authorize("openid", &[])).await;
            world.clock.advance(most - least);
            refused_address(&world, &rp).await;
        })
        .await;
    }
}

/// The document is a new one, and the address is not in it.
async fn refused_address(world: &World, rp: &RelyingParty) {
    let answer = world.browser().get(&rp.authorize("openid", &[])).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
}

#[tokio::test]
async fn section_8_2_a_document_with_keys() {
    with_documents(async |world| {
        let key = world.pki.client_key.clone();
        let jwks: Value = serde_json::from_str(&key.jwks()).unwrap();
        let keys = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks });
        publish(&world, &document(keys));
        let rp = app(&world);
        let wallet = world.person("M-1").await;
        let address = rp.authorize("openid", &[]);
        let code = rp.code(&same_device(&mut world.browser(), &wallet, &address).await);
        let redeem = async |assertion: Option<&str>| {
            let mut fields = vec![
                ("grant_type", "authorization_code"),
                ("code", code.as_str()),
                ("redirect_uri", CALLBACK),
                ("code_verifier", VERIFIER),
            ];
            let bearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            if let Some(assertion) = assertion {
                fields.push(("client_assertion_type", bearer));
                fields.push(("client_assertion", assertion));
            }
            rp.token(&fields).await
        };
        assert_eq!(redeem(None).await.json()["error"], "invalid_client");
        let claims = json!({
            "iss": ID, "sub": ID, "aud": OP, "jti": "1",
            "exp": world.clock.now().seconds() + 60,
        });
        let answer = redeem(Some(&key.sign(&claims))).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    })
    .await;
}
