//! FAPI 2.0 Security Profile (final): what an application of that profile may do, and nothing else.
//! `specs/oidf.tsv` names a test for each module of the OpenID Foundation's plan.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use vouchsafe_credentials::crypto::Algorithm;
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::time::Clock as _;
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::world::browser::{Answer, send};
use crate::world::proof::ProofKey;
use crate::world::rp::RelyingParty;
use crate::world::steps::{begin, same_device};
use crate::world::vault::{Vault, address, authenticated, nonce};
use crate::world::{OP, World, on_each_database, on_sqlite};

const STAY: &str = "openid membership offline_access";
const REFUSED: &str = "a request that we cannot answer";

fn text(answer: &Answer, name: &str) -> String {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()[name].as_str().expect(name).to_owned()
}

fn refused(answer: &Answer, status: StatusCode, error: &str, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.body);
    assert_eq!(answer.json()["error"], error, "{what}");
}

fn bad(answer: &Answer, error: &str, what: &str) {
    refused(answer, StatusCode::BAD_REQUEST, error, what);
}

#[tokio::test]
async fn fapi_2_the_whole_way() {
    on_each_database(async |world| {
        let vault = Vault::new(&world);
        let code = vault.code(&[]).await;
        let answer = vault.redeem(&code).await;
        assert_eq!(text(&answer, "token_type"), "DPoP");
        let (token, refresh) = (
            text(&answer, "access_token"),
            text(&answer, "refresh_token"),
        );
        // Section 5.4.1: ES256; the nonce of the request, and the person of UserInfo.
        let id_token = text(&answer, "id_token");
        let head = b64url_decode(id_token.split('.').next().unwrap()).unwrap();
        let head: Value = serde_json::from_slice(&head).unwrap();
        assert_eq!(head["alg"], "ES256");
        let claims = vault.rp.id_token(&id_token).await;
        assert_eq!(claims["nonce"], "nonce-1");
        let told = vault.userinfo(&token).await;
        assert_eq!(text(&told, "membership_tier"), "gold");
        assert_eq!(told.json()["sub"], claims["sub"]);
        let told = vault.introspect(&token).await;
        assert_eq!(told["cnf"], json!({ "jkt": vault.key.jkt() }));
        // Section 5.3.2.1, clause 9: no rotation, however often.
        for _ in 0..3 {
            let proof = vault.proof(&vault.key, "/token").await;
            let answer = vault.refresh(&refresh, &[&proof]).await;
            assert_eq!(text(&answer, "refresh_token"), refresh);
            assert_eq!(text(&answer, "token_type"), "DPoP");
        }
        // Clause 4: never without a proof; never without authentication.
        bad(
            &vault.refresh(&refresh, &[]).await,
            "invalid_dpop_proof",
            "no proof",
        );
        let proof = vault.proof(&vault.key, "/token").await;
        let answer = vault.rp.refresh_with(&refresh, &[], &[&proof]).await;
        refused(
            &answer,
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "nobody",
        );
    })
    .await;
}

#[tokio::test]
async fn fapi_2_section_5_3_2_2_only_pushed_requests_and_only_of_who_they_are() {
    on_sqlite(async |world| {
        let vault = Vault::new(&world);
        // Clause 3.
        let address = vault.rp.authorize("openid membership", &[]);
        let answer = world.browser().get(&address).await;
        assert_eq!(vault.rp.error(&answer), "invalid_request");
        // Clause 4.
        let answer = vault.rp.pushed("openid membership", &[]).await;
        refused(
            &answer,
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "nobody",
        );
        // Clauses 1, 5 and 6.
        let cases: [(&[(&str, &str)], &str); 8] = [
            (
                &[("code_challenge", ""), ("code_challenge_method", "")],
                "invalid_request",
            ),
            (&[("code_challenge_method", "plain")], "invalid_request"),
            (&[("code_challenge_method", "")], "invalid_request"),
            (&[("redirect_uri", "")], "invalid_request"),
            (
                &[("redirect_uri", "https://vault.example/cb/x")],
                "invalid_request",
            ),
            (&[("response_type", "token")], "unsupported_response_type"),
            (
                &[("response_type", "code id_token")],
                "unsupported_response_type",
            ),
            (
                &[("request_uri", "urn:ietf:params:oauth:request_uri:x")],
                "invalid_request",
            ),
        ];
        for (extra, error) in cases {
            let answer = vault.push("openid membership", extra, &[]).await;
            bad(&answer, error, &format!("{extra:?}"));
        }
        for verb in ["GET", "PUT"] {
            let request = Request::builder().method(verb).uri("/par");
            let answer = send(&world.router(), request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        }
    })
    .await;
}

#[tokio::test]
async fn fapi_2_a_request_uri_brings_one_code_to_one_client_for_a_minute() {
    on_each_database(async |world| {
        let vault = Vault::new(&world);
        let wallet = world.person("M-1").await;
        let address = vault.address("openid membership", &[]).await;
        // The page may be loaded again before the person has decided, and what is beside the
        // request says nothing.
        begin(&mut world.browser(), &address).await;
        let beside = format!("{address}&state=evil&nonce=evil&scope=openid&prompt=none");
        let answer = same_device(&mut world.browser(), &wallet, &beside).await;
        vault.rp.code(&answer);
        let answer = world.browser().get(&address).await;
        answer.assert_page(StatusCode::BAD_REQUEST, REFUSED);
        let address = vault.address("openid membership", &[]).await;
        let stolen = address.replace("client_id=vault", "client_id=bank");
        let answer = world.browser().get(&stolen).await;
        answer.assert_page(StatusCode::BAD_REQUEST, REFUSED);
        world.clock.advance(60);
        let answer = world.browser().get(&address).await;
        answer.assert_page(StatusCode::BAD_REQUEST, REFUSED);
    })
    .await;
}

#[tokio::test]
async fn fapi_2_state_and_nonce_may_be_absent_or_long_and_scopes_in_any_order() {
    on_sqlite(async |world| {
        let vault = Vault::new(&world);
        let wallet = world.person("M-1").await;
        let long = "n".repeat(384);
        for nonce in ["", &"n".repeat(64), &long] {
            let extra = [("nonce", nonce), ("state", "")];
            let address = vault.address("membership openid", &extra).await;
            let address = format!("{address}&state=outside");
            let answer = same_device(&mut world.browser(), &wallet, &address).await;
            let location = answer.location();
            assert!(
                location.contains("iss=") && !location.contains("state="),
                "{location}"
            );
            let location = url::Url::parse(&location).unwrap();
            let code = location
                .query_pairs()
                .find(|(name, _)| name == "code")
                .unwrap();
            let answer = vault.redeem(&code.1).await;
            let claims = vault.rp.id_token(&text(&answer, "id_token")).await;
            let told = claims.get("nonce").and_then(Value::as_str);
            assert_eq!(told.unwrap_or_default(), nonce);
        }
    })
    .await;
}

#[tokio::test]
async fn fapi_2_the_person_says_no() {
    on_sqlite(async |world| {
        let vault = Vault::new(&world);
        let mut browser = world.browser();
        let address = vault.address("openid membership", &[]).await;
        let (path, page) = begin(&mut browser, &address).await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let answer = browser
            .post(&format!("{path}/cancel"), &[("csrf", &csrf)])
            .await;
        assert_eq!(vault.rp.error(&answer), "access_denied");
    })
    .await;
}

#[tokio::test]
async fn fapi_2_section_5_3_2_1_no_token_without_a_key_and_a_nonce() {
    on_each_database(async |world| {
        let vault = Vault::new(&world);
        let code = vault.code(&[]).await;
        let ask = async |proofs: &[&str]| {
            let assertion = vault.assertion();
            vault
                .rp
                .redeem_with(&code, &authenticated(&assertion), proofs)
                .await
        };
        bad(&ask(&[]).await, "invalid_dpop_proof", "no proof");
        // Clause 10; RFC 9449, section 8.
        let bare = vault.key.post(&world, "/token").await;
        let stale = vault
            .key
            .changed(&world, "/token", |_, claims| {
                claims["nonce"] = json!("stale")
            })
            .await;
        for proof in [bare, stale] {
            let answer = ask(&[&proof]).await;
            bad(&answer, "use_dpop_nonce", "nonce");
            assert!(!nonce(&answer).is_empty());
        }
        let bare = vault.key.post(&world, "/par").await;
        let answer = vault.push("openid membership", &[], &[&bare]).await;
        bad(&answer, "use_dpop_nonce", "pushed");
        // Section 5.4.1: an algorithm that the profile does not have, with a good nonce.
        for algorithm in [Algorithm::Es384, Algorithm::Es512] {
            let proof = vault.proof(&ProofKey::of(algorithm, 1), "/token").await;
            bad(
                &ask(&[&proof]).await,
                "invalid_dpop_proof",
                algorithm.name(),
            );
        }
        // Nothing of that used the code up.
        let answer = vault.redeem(&code).await;
        let token = text(&answer, "access_token");
        assert!(!nonce(&answer).is_empty());
        let proof = vault.key.userinfo(&world, &token).await;
        let answer = vault.rp.userinfo_with("DPoP", &token, &[&proof]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        let challenge = answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap();
        assert!(
            challenge.starts_with("DPoP error=\"use_dpop_nonce\""),
            "{challenge}"
        );
        assert_eq!(
            vault.rp.userinfo(&token).await.status,
            StatusCode::UNAUTHORIZED
        );
        assert_eq!(vault.userinfo(&token).await.status, StatusCode::OK);
        // An algorithm that it has.
        let edwards = ProofKey::of(Algorithm::EdDsa, 1);
        let code = vault.code(&[]).await;
        let proof = vault.proof(&edwards, "/token").await;
        let assertion = vault.assertion();
        let answer = vault
            .rp
            .redeem_with(&code, &authenticated(&assertion), &[&proof])
            .await;
        assert_eq!(text(&answer, "token_type"), "DPoP");
    })
    .await;
}

#[tokio::test]
async fn fapi_2_section_5_3_2_1_assertions_that_count_for_nothing() {
    on_sqlite(async |world| {
        let vault = Vault::new(&world);
        let now = world.clock.now().seconds();
        let sign = |name: &str, value: Value| {
            let mut claims = vault.claims();
            claims[name] = value;
            world.pki.client_key.sign(&claims)
        };
        for (name, value) in [
            ("aud", json!([OP])),
            ("aud", json!(format!("{OP}/par"))),
            ("aud", json!(format!("{OP}/token"))),
            ("aud", json!("https://other.example")),
            ("sub", Value::Null),
            ("exp", json!(now - 300)),
            ("nbf", json!(now + 61)),
            ("iat", json!(now + 61)),
        ] {
            let assertion = sign(name, value.clone());
            let what = format!("{name} {value}");
            let answer = vault
                .push_as("openid membership", &[], &assertion, &[])
                .await;
            refused(&answer, StatusCode::UNAUTHORIZED, "invalid_client", &what);
            let answer = vault
                .rp
                .redeem_with("x", &authenticated(&assertion), &[])
                .await;
            refused(&answer, StatusCode::UNAUTHORIZED, "invalid_client", &what);
        }
        for name in ["nbf", "iat"] {
            let assertion = sign(name, json!(now + 8));
            let answer = vault
                .push_as("openid membership", &[], &assertion, &[])
                .await;
            assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        }
        let answer = vault.rp.redeem("x").await;
        refused(
            &answer,
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "no assertion",
        );
        let good = vault.assertion();
        let rs256 = format!("eyJhbGciOiJSUzI1NiJ9.{}", good.split_once('.').unwrap().1);
        let answer = vault.push_as("openid membership", &[], &rs256, &[]).await;
        refused(&answer, StatusCode::UNAUTHORIZED, "invalid_client", "RS256");
    })
    .await;
}

#[tokio::test]
async fn fapi_2_section_5_4_1_other_algorithms_of_the_same_client_count_for_nothing() {
    let (p256, p384) = (ProofKey::new(3), ProofKey::of(Algorithm::Es384, 3));
    let keys = json!({ "keys": [p256.jwk(), p384.jwk()] });
    let client = |id: &str, profile: &str| {
        format!(
            "[[client]]\nid = \"{id}\"\nname = \"{id}\"\nprofile = \"{profile}\"\njwks = '''{keys}'''\n\
             id_token_signed_response_alg = \"ES256\"\nredirect_uris = [\"https://two.example/cb\"]\n\
             scopes = [\"membership\"]\n"
        )
    };
    let add = client("strict", "fapi2") + &client("open", "open");
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    let world = World::with_config(temporary.db.clone(), |toml| toml + &add).await;
    for (id, key, good) in [
        ("strict", &p256, true),
        ("strict", &p384, false),
        ("open", &p384, true),
    ] {
        let exp = world.clock.now().seconds() + 60;
        let jti = format!("{id} {good}");
        let claims = json!({ "iss": id, "sub": id, "aud": OP, "jti": jti, "exp": exp });
        let assertion = key.sign(&claims).await;
        let rp = RelyingParty::new(world.router(), id, None, "https://two.example/cb");
        let answer = rp
            .pushed("openid membership", &authenticated(&assertion))
            .await;
        assert_eq!(
            answer.status == StatusCode::CREATED,
            good,
            "{id}: {}",
            answer.body
        );
    }
}

#[tokio::test]
async fn fapi_2_a_code_is_good_once_for_a_minute_with_its_verifier_for_its_client_and_its_key() {
    on_each_database(async |world| {
        let vault = Vault::new(&world);
        let code = vault.code(&[]).await;
        let answer = vault.redeem(&code).await;
        let token = text(&answer, "access_token");
        world.clock.advance(1);
        bad(&vault.redeem(&code).await, "invalid_grant", "twice");
        // RFC 6749, section 4.1.2: what it bought goes with it.
        assert_eq!(
            vault.userinfo(&token).await.status,
            StatusCode::UNAUTHORIZED
        );
        let code = vault.code(&[]).await;
        world.clock.advance(60);
        bad(&vault.redeem(&code).await, "invalid_grant", "expired");
        world.issuer.publish(world.clock.now()).await;
        // Without the verifier, or with another one.
        for verifier in ["", "another-code-verifier-of-more-than-forty-three-chars"] {
            let code = vault.code(&[]).await;
            let proof = vault.proof(&vault.key, "/token").await;
            let assertion = vault.assertion();
            let mut fields = authenticated(&assertion).to_vec();
            fields.extend([
                ("grant_type", "authorization_code"),
                ("code", code.as_str()),
                ("redirect_uri", vault.rp.redirect_uri),
            ]);
            fields.extend((!verifier.is_empty()).then_some(("code_verifier", verifier)));
            let answer = vault.rp.post_with("/token", &fields, &[&proof]).await;
            bad(&answer, "invalid_grant", verifier);
        }
        // Another client, with an authentication of its own; the name of one and the key of another.
        let code = vault.code(&[]).await;
        let exp = world.clock.now().seconds() + 60;
        let claims = json!({ "iss": "bank", "sub": "bank", "aud": OP, "jti": "b", "exp": exp });
        let assertion = world.pki.client_key.sign(&claims);
        let bank = RelyingParty::new(world.router(), "bank", None, vault.rp.redirect_uri);
        let proof = vault.proof(&vault.key, "/token").await;
        let answer = bank
            .redeem_with(&code, &authenticated(&assertion), &[&proof])
            .await;
        bad(&answer, "invalid_grant", "another client");
        let assertion = vault.assertion();
        let answer = bank
            .redeem_with(&code, &authenticated(&assertion), &[&proof])
            .await;
        refused(
            &answer,
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "another name",
        );
        // Section 5.3.2.1, clause 12: the key that the request names.
        let other = ProofKey::new(2).jkt();
        let code = vault.code(&[("dpop_jkt", other.as_str())]).await;
        bad(&vault.redeem(&code).await, "invalid_grant", "another key");
    })
    .await;
}

#[tokio::test]
async fn fapi_2_section_5_3_2_1_a_pushed_proof_binds_the_code() {
    on_sqlite(async |world| {
        let vault = Vault::new(&world);
        let wallet = world.person("M-1").await;
        let jkt = vault.key.jkt();
        for named in [vec![], vec![("dpop_jkt", jkt.as_str())]] {
            for (key, good) in [(&vault.key, true), (&ProofKey::new(2), false)] {
                let proof = vault.proof(&vault.key, "/par").await;
                let answer = vault.push(STAY, &named, &[&proof]).await;
                assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
                let uri = answer.json()["request_uri"].as_str().unwrap().to_owned();
                let address = address("vault", &uri);
                let answer = same_device(&mut world.browser(), &wallet, &address).await;
                let code = vault.rp.code(&answer);
                let proof = vault.proof(key, "/token").await;
                let assertion = vault.assertion();
                let fields = authenticated(&assertion);
                let answer = vault.rp.redeem_with(&code, &fields, &[&proof]).await;
                assert_eq!(answer.status == StatusCode::OK, good, "{}", answer.body);
            }
        }
        let other = ProofKey::new(2).jkt();
        let proof = vault.proof(&vault.key, "/par").await;
        let answer = vault.push(STAY, &[("dpop_jkt", &other)], &[&proof]).await;
        bad(&answer, "invalid_dpop_proof", "two keys");
    })
    .await;
}

#[tokio::test]
async fn fapi_2_section_5_3_4_tokens_of_before_the_profile_are_good_for_nothing() {
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    let open = |toml: String| toml.replacen("profile = \"fapi2\"", "profile = \"open\"", 1);
    let before = World::with_config(temporary.db.clone(), open).await;
    let vault = Vault::new(&before);
    let code = vault.code(&[]).await;
    let assertion = vault.assertion();
    let answer = vault
        .rp
        .redeem_with(&code, &authenticated(&assertion), &[])
        .await;
    assert_eq!(text(&answer, "token_type"), "Bearer");
    let (token, refresh) = (
        text(&answer, "access_token"),
        text(&answer, "refresh_token"),
    );
    assert_eq!(vault.rp.userinfo(&token).await.status, StatusCode::OK);
    // The same service with the profile.
    let now = World::new(temporary.db.clone()).await;
    let vault = Vault::new(&now);
    assert_eq!(
        vault.rp.userinfo(&token).await.status,
        StatusCode::UNAUTHORIZED
    );
    let exp = now.clock.now().seconds() + 60;
    let sign = |jti: &str| {
        let claims = json!({ "iss": "vault", "sub": "vault", "aud": OP, "jti": jti, "exp": exp });
        now.pki.client_key.sign(&claims)
    };
    let assertion = sign("i");
    let mut fields = authenticated(&assertion).to_vec();
    fields.push(("token", &token));
    let answer = vault.rp.post("/introspect", &fields).await;
    assert_eq!(answer.json(), json!({ "active": false }));
    let assertion = sign("r");
    let answer = vault
        .rp
        .refresh_with(&refresh, &authenticated(&assertion), &[])
        .await;
    bad(&answer, "invalid_dpop_proof", "no proof");
    let assertion = sign("s");
    let proof = vault.proof(&vault.key, "/token").await;
    let answer = vault
        .rp
        .refresh_with(&refresh, &authenticated(&assertion), &[&proof])
        .await;
    assert_eq!(text(&answer, "token_type"), "DPoP");
}

#[tokio::test]
async fn fapi_2_the_metadata_say_no_more_than_every_client_keeps() {
    let document = async |world: &World| {
        let path = "/.well-known/openid-configuration";
        let request = Request::get(path).body(Body::empty()).unwrap();
        send(&world.router(), request).await.json()
    };
    // Beside clients of no profile.
    on_sqlite(async |world| {
        let all = document(&world).await;
        for name in [
            "dpop_signing_alg_values_supported",
            "token_endpoint_auth_signing_alg_values_supported",
            "id_token_signing_alg_values_supported",
        ] {
            assert!(
                all[name].as_array().unwrap().contains(&json!("ES256")),
                "{name}"
            );
        }
        let methods = all["token_endpoint_auth_methods_supported"]
            .as_array()
            .unwrap();
        assert!(methods.contains(&json!("private_key_jwt")));
        assert!(all.get("require_pushed_authorization_requests").is_none());
    })
    .await;
    // Where every client keeps the profile.
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    let world = World::with_config(temporary.db.clone(), |toml| {
        let (before, _) = toml.split_once("[[client]]").unwrap();
        let (_, vault) = toml.split_once("id = \"vault\"").unwrap();
        let (vault, _) = vault.split_once("[[resource_server]]").unwrap();
        format!("{before}[[client]]\nid = \"vault\"{vault}")
    })
    .await;
    let only = document(&world).await;
    let algorithms = json!(["ES256", "EdDSA", "Ed25519"]);
    for (name, value) in [
        ("dpop_signing_alg_values_supported", &algorithms),
        (
            "token_endpoint_auth_signing_alg_values_supported",
            &algorithms,
        ),
        ("id_token_signing_alg_values_supported", &json!(["ES256"])),
        (
            "token_endpoint_auth_methods_supported",
            &json!(["private_key_jwt"]),
        ),
        (
            "revocation_endpoint_auth_methods_supported",
            &json!(["private_key_jwt"]),
        ),
        ("code_challenge_methods_supported", &json!(["S256"])),
        ("response_types_supported", &json!(["code"])),
        ("require_pushed_authorization_requests", &json!(true)),
        (
            "authorization_response_iss_parameter_supported",
            &json!(true),
        ),
    ] {
        assert_eq!(only[name], *value, "{name}");
    }
}
