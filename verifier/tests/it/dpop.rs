//! DPoP (RFC 9449): tokens that only the holder of a key can use.

use axum::http::{Method, Request, StatusCode, header};
use futures::future::join_all;
use serde_json::{Value, json};
use vouchsafe_credentials::time::Clock as _;

use crate::world::browser::{Answer, form, send};
use crate::world::proof::{ProofKey, ath};
use crate::world::rp::RelyingParty;
use crate::world::steps::same_device;
use crate::world::{World, on_each_database, on_sqlite};

const STAY: &str = "openid membership offline_access";

async fn code(world: &World, rp: &RelyingParty, extra: &[(&str, &str)]) -> String {
    let wallet = world.person("M-1").await;
    let address = rp.authorize(STAY, extra);
    let answer = same_device(&mut world.browser(), &wallet, &address).await;
    rp.code(&answer)
}

fn text(answer: &Answer, name: &str) -> String {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()[name].as_str().expect(name).to_owned()
}

/// Bound tokens of one login: access token and refresh token.
async fn bound(world: &World, rp: &RelyingParty, key: &ProofKey) -> (String, String) {
    let code = code(world, rp, &[]).await;
    let proof = key.post(world, "/token").await;
    let answer = rp.redeem_with(&code, &[], &[&proof]).await;
    assert_eq!(text(&answer, "token_type"), "DPoP");
    (
        text(&answer, "access_token"),
        text(&answer, "refresh_token"),
    )
}

fn refused(answer: &Answer, error: &str, what: &str) {
    assert_eq!(
        (answer.status, &answer.json()),
        (StatusCode::BAD_REQUEST, &json!({ "error": error })),
        "{what}"
    );
}

/// At UserInfo: the challenge of the scheme that was tried comes first.
fn challenged(answer: &Answer, first: &str, what: &str) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}");
    let challenges = answer.headers.get_all(header::WWW_AUTHENTICATE).iter();
    let challenges: Vec<&str> = challenges.map(|value| value.to_str().unwrap()).collect();
    assert_eq!(challenges.len(), 2, "{challenges:?}");
    assert!(challenges[0].starts_with(first), "{what}: {challenges:?}");
}

/// What is changed of the header and of the claims of a proof.
type Change = Box<dyn FnOnce(&mut Value, &mut Value)>;

#[tokio::test]
async fn rfc_9449_a_bound_token_is_good_with_its_key_and_never_as_a_bearer_token() {
    on_each_database(async |world| {
        let key = ProofKey::new(1);
        for rp in [world.shop(), world.spa()] {
            let (token, _) = bound(&world, &rp, &key).await;
            // Section 7.1, and RFC 9110, section 11.1: the scheme in any case.
            for scheme in ["DPoP", "dpop", "DPOP"] {
                let proof = key.userinfo(&world, &token).await;
                let told = rp.userinfo_with(scheme, &token, &[&proof]).await;
                assert_eq!(text(&told, "membership_tier"), "gold");
            }
            // Section 7.2: no downgrade, in the header or in a form.
            let proof = key.userinfo(&world, &token).await;
            let answer = rp.userinfo_with("Bearer", &token, &[&proof]).await;
            challenged(&answer, "Bearer error=\"invalid_token\"", "bearer");
            let request = Request::builder()
                .method(Method::POST)
                .uri("/userinfo")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            let fields = form(&[("access_token", &token)]);
            let answer = send(&world.router(), request.body(fields.into()).unwrap()).await;
            challenged(&answer, "Bearer error=\"invalid_token\"", "form");
            let answer = rp.userinfo_with("DPoP", &token, &[]).await;
            challenged(&answer, "DPoP error=\"invalid_dpop_proof\"", "no proof");
            // Nor the reverse.
            let plain = text(
                &rp.redeem(&code(&world, &rp, &[]).await).await,
                "access_token",
            );
            let proof = key.userinfo(&world, &plain).await;
            let answer = rp.userinfo_with("DPoP", &plain, &[&proof]).await;
            challenged(&answer, "DPoP error=\"invalid_token\"", "unbound");
            assert_eq!(rp.userinfo(&plain).await.status, StatusCode::OK);
        }
    })
    .await;
}

#[tokio::test]
async fn rfc_9449_section_6_2_introspection_names_the_key() {
    on_sqlite(async |world| {
        let (key, shop, spa) = (ProofKey::new(1), world.shop(), world.spa());
        let cnf = json!({ "jkt": key.jkt() });
        for rp in [&shop, &spa] {
            let (token, _) = bound(&world, rp, &key).await;
            let told = world.shop_api().introspect(&token).await;
            assert_eq!((&told["token_type"], &told["cnf"]), (&json!("DPoP"), &cnf));
        }
        let plain = text(
            &shop.redeem(&code(&world, &shop, &[]).await).await,
            "access_token",
        );
        let told = shop.introspect(&plain).await;
        assert_eq!(told["token_type"], "Bearer");
        assert!(told.get("cnf").is_none());
        // What a confidential client refreshes with is bound by its authentication.
        let (_, refresh) = bound(&world, &shop, &key).await;
        let told = shop.introspect(&refresh).await;
        assert_eq!(told["active"], true);
        assert!(told.get("cnf").is_none());
    })
    .await;
}

#[tokio::test]
async fn cat_250_a_proof_is_good_for_one_request() {
    on_each_database(async |world| {
        let (key, spa) = (ProofKey::new(1), world.spa());
        let proof = key.post(&world, "/token").await;
        let first = code(&world, &spa, &[]).await;
        let answer = spa.redeem_with(&first, &[], &[&proof]).await;
        let token = text(&answer, "access_token");
        // Another code is not used up by a proof that was used.
        let second = code(&world, &spa, &[]).await;
        let answer = spa.redeem_with(&second, &[], &[&proof]).await;
        refused(&answer, "invalid_dpop_proof", "replayed");
        let fresh = key.post(&world, "/token").await;
        let answer = spa.redeem_with(&second, &[], &[&fresh]).await;
        text(&answer, "access_token");

        let proof = key.userinfo(&world, &token).await;
        let answers = join_all(
            (0..20).map(|_| async { spa.userinfo_with("DPoP", &token, &[&proof]).await.status }),
        )
        .await;
        let good = answers.iter().filter(|status| **status == StatusCode::OK);
        assert_eq!(good.count(), 1);
        let answer = spa.userinfo_with("DPoP", &token, &[&proof]).await;
        challenged(&answer, "DPoP error=\"invalid_dpop_proof\"", "replayed");

        let proof = key.post(&world, "/par").await;
        let answer = spa.pushed_with(STAY, &[], &[&proof]).await;
        assert_eq!(answer.status, StatusCode::CREATED);
        let answer = spa.pushed_with(STAY, &[], &[&proof]).await;
        refused(&answer, "invalid_dpop_proof", "pushed twice");
    })
    .await;
}

#[tokio::test]
async fn cat_250_a_proof_with_an_unknown_code_leaves_nothing() {
    on_sqlite(async |world| {
        let (key, spa) = (ProofKey::new(1), world.spa());
        for _ in 0..3 {
            let proof = key.post(&world, "/token").await;
            let answer = spa.redeem_with(&"x".repeat(43), &[], &[&proof]).await;
            refused(&answer, "invalid_grant", "unknown code");
            let answer = spa.refresh_with(&"x".repeat(43), &[], &[&proof]).await;
            refused(&answer, "invalid_grant", "unknown token");
        }
        let kept = "SELECT COUNT(*) FROM seen_identifier";
        assert_eq!(world.count(kept).await, 0);
    })
    .await;
}

#[tokio::test]
async fn cat_251_253_proofs_that_prove_nothing() {
    on_sqlite(async |world| {
        let (key, spa) = (ProofKey::new(1), world.spa());
        let code = code(&world, &spa, &[]).await;
        let now = 1_795_435_200;
        let claim = |name: &'static str, value: Value| {
            Box::new(move |_: &mut Value, claims: &mut Value| claims[name] = value)
                as Box<dyn FnOnce(&mut Value, &mut Value)>
        };
        let head = |name: &'static str, value: Value| {
            Box::new(move |header: &mut Value, _: &mut Value| header[name] = value)
                as Box<dyn FnOnce(&mut Value, &mut Value)>
        };
        let no_key = Box::new(|header: &mut Value, _: &mut Value| {
            header.as_object_mut().unwrap().remove("jwk");
        });
        let private = Box::new(|header: &mut Value, _: &mut Value| {
            header["jwk"]["d"] = json!("AQ");
        });
        let cases: [Change; 16] = [
            claim("htm", json!("GET")),
            claim("htu", json!("http://localhost:8081/par")),
            claim("htu", json!("https://evil.example/token")),
            claim("iat", json!(now - 301)),
            claim("iat", json!(now + 61)),
            claim("iat", Value::Null),
            claim("jti", Value::Null),
            claim("jti", json!("")),
            head("typ", json!("JWT")),
            head("typ", Value::Null),
            head("alg", json!("none")),
            head("alg", json!("HS256")),
            head("alg", json!("RS256")),
            head("jwk", json!({ "kty": "oct", "k": "AAAA" })),
            no_key,
            private,
        ];
        for (number, change) in cases.into_iter().enumerate() {
            let proof = key.changed(&world, "/token", change).await;
            let answer = spa.redeem_with(&code, &[], &[&proof]).await;
            refused(&answer, "invalid_dpop_proof", &number.to_string());
        }
        let proof = key.post(&world, "/token").await;
        let twice = [proof.as_str(), proof.as_str()];
        refused(
            &spa.redeem_with(&code, &[], &twice).await,
            "invalid_dpop_proof",
            "two",
        );
        let (unsigned, _) = proof.rsplit_once('.').unwrap();
        for bad in [unsigned.to_owned(), format!("{unsigned}."), String::new()] {
            let answer = spa.redeem_with(&code, &[], &[&bad]).await;
            refused(&answer, "invalid_dpop_proof", &bad);
        }
        // Nothing of that used the code up. Section 4.3: query and fragment do not count.
        let proof = key.changed(&world, "/token", |_, claims| {
            claims["htu"] = json!("HTTP://localhost:8081/token?x=1#y");
            claims["iat"] = json!(now - 10);
            claims["nbf"] = json!(now);
            claims["exp"] = json!(now + 300);
        });
        let answer = spa.redeem_with(&code, &[], &[&proof.await]).await;
        assert_eq!(text(&answer, "token_type"), "DPoP");
    })
    .await;
}

#[tokio::test]
async fn cat_251_253_at_user_info_the_proof_is_of_the_token_and_of_its_key() {
    on_sqlite(async |world| {
        let (key, other, spa) = (ProofKey::new(1), ProofKey::new(2), world.spa());
        let (token, _) = bound(&world, &spa, &key).await;
        let (second, _) = bound(&world, &spa, &key).await;
        let made = async |ath: Option<String>, htm: &str| {
            let change = |_: &mut Value, claims: &mut Value| {
                claims["htm"] = json!(htm);
                if let Some(ath) = ath {
                    claims["ath"] = json!(ath);
                }
            };
            key.changed(&world, "/userinfo", change).await
        };
        for (proof, what) in [
            (made(None, "GET").await, "no ath"),
            (
                made(Some(ath(&second)), "GET").await,
                "ath of another token",
            ),
            (made(Some(token.clone()), "GET").await, "ath is no hash"),
            (made(Some(ath(&token)), "POST").await, "htm"),
            (key.post(&world, "/token").await, "htu"),
        ] {
            let answer = spa.userinfo_with("DPoP", &token, &[&proof]).await;
            challenged(&answer, "DPoP error=\"invalid_dpop_proof\"", what);
        }
        let proof = other.userinfo(&world, &token).await;
        let answer = spa.userinfo_with("DPoP", &token, &[&proof]).await;
        challenged(&answer, "DPoP error=\"invalid_token\"", "another key");
        let proof = key.userinfo(&world, &token).await;
        let answer = spa.userinfo_with("DPoP", &token, &[&proof]).await;
        assert_eq!(answer.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn rfc_9449_section_10_a_code_is_bound_to_the_key_of_its_request() {
    on_each_database(async |world| {
        let (key, other, spa) = (ProofKey::new(1), ProofKey::new(2), world.spa());
        let jkt = key.jkt();
        let named = [("dpop_jkt", jkt.as_str())];
        // Without a proof, with another key: the code is gone.
        let wrong = other.post(&world, "/token").await;
        for proofs in [vec![], vec![wrong.as_str()]] {
            let code = code(&world, &spa, &named).await;
            let answer = spa.redeem_with(&code, &[], &proofs).await;
            refused(&answer, "invalid_grant", "not the key");
            let right = key.post(&world, "/token").await;
            let answer = spa.redeem_with(&code, &[], &[&right]).await;
            refused(&answer, "invalid_grant", "no second try");
        }
        let right = key.post(&world, "/token").await;
        let code = code(&world, &spa, &named).await;
        text(
            &spa.redeem_with(&code, &[], &[&right]).await,
            "access_token",
        );
    })
    .await;
}

#[tokio::test]
async fn rfc_9449_section_10_1_a_pushed_request_binds_the_code_to_the_key_of_its_proof() {
    on_each_database(async |world| {
        let (key, other, shop) = (ProofKey::new(1), ProofKey::new(2), world.shop());
        let (jkt, wrong) = (key.jkt(), other.jkt());
        let wallet = world.person("M-1").await;
        for named in [vec![], vec![("dpop_jkt", jkt.as_str())]] {
            for (with, good) in [(&key, true), (&other, false)] {
                let proof = key.post(&world, "/par").await;
                let pushed = shop
                    .pushed_with("openid membership", &named, &[&proof])
                    .await;
                assert_eq!(pushed.status, StatusCode::CREATED, "{}", pushed.body);
                let uri = pushed.json()["request_uri"].as_str().unwrap().to_owned();
                let fields = form(&[("client_id", "shop"), ("request_uri", &uri)]);
                let address = format!("/authorize?{fields}");
                let answer = same_device(&mut world.browser(), &wallet, &address).await;
                let proof = with.post(&world, "/token").await;
                let answer = shop.redeem_with(&shop.code(&answer), &[], &[&proof]).await;
                assert_eq!(answer.status == StatusCode::OK, good, "{}", answer.body);
            }
        }
        // Both, and they differ; a proof that is none.
        let proof = key.post(&world, "/par").await;
        let differs = [("dpop_jkt", wrong.as_str())];
        let answer = shop.pushed_with(STAY, &differs, &[&proof]).await;
        refused(&answer, "invalid_dpop_proof", "two keys");
        let proof = key.post(&world, "/token").await;
        let answer = shop.pushed_with(STAY, &[], &[&proof]).await;
        refused(&answer, "invalid_dpop_proof", "htu");
    })
    .await;
}

#[tokio::test]
async fn rfc_9449_section_5_a_public_client_refreshes_with_its_key_and_the_token_stays() {
    on_each_database(async |world| {
        let (key, other, spa) = (ProofKey::new(1), ProofKey::new(2), world.spa());
        let (first, refresh) = bound(&world, &spa, &key).await;
        refused(
            &spa.refresh(&refresh).await,
            "invalid_dpop_proof",
            "no proof",
        );
        let proof = other.post(&world, "/token").await;
        let answer = spa.refresh_with(&refresh, &[], &[&proof]).await;
        refused(&answer, "invalid_grant", "another key");
        for _ in 0..3 {
            world.clock.advance(1000);
            world.issuer.publish(world.clock.now()).await;
            let proof = key.post(&world, "/token").await;
            let answer = spa.refresh_with(&refresh, &[], &[&proof]).await;
            assert_eq!(text(&answer, "token_type"), "DPoP");
            assert_eq!(text(&answer, "refresh_token"), refresh);
            let token = text(&answer, "access_token");
            assert_ne!(token, first);
            let proof = key.userinfo(&world, &token).await;
            let told = spa.userinfo_with("DPoP", &token, &[&proof]).await;
            assert_eq!(told.status, StatusCode::OK);
            let answer = spa.userinfo(&token).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        }
        // A proof is good for one refresh, and a wrong scope uses it up.
        let proof = key.post(&world, "/token").await;
        let wide = [("scope", "openid age")];
        let answer = spa.refresh_with(&refresh, &wide, &[&proof]).await;
        refused(&answer, "invalid_scope", "scope");
        let answer = spa.refresh_with(&refresh, &[], &[&proof]).await;
        refused(&answer, "invalid_dpop_proof", "used");
        let proof = key.post(&world, "/token").await;
        let answers = join_all(
            (0..20).map(|_| async { spa.refresh_with(&refresh, &[], &[&proof]).await.status }),
        )
        .await;
        let good = answers.iter().filter(|status| **status == StatusCode::OK);
        assert_eq!(good.count(), 1);
        // Given up, it is over.
        assert_eq!(spa.revoke(&refresh).await.status, StatusCode::OK);
        let proof = key.post(&world, "/token").await;
        let answer = spa.refresh_with(&refresh, &[], &[&proof]).await;
        refused(&answer, "invalid_grant", "given up");
    })
    .await;
}

#[tokio::test]
async fn rfc_9449_section_5_a_confidential_client_may_change_its_key_and_needs_one() {
    on_each_database(async |world| {
        let (key, other, shop) = (ProofKey::new(1), ProofKey::new(2), world.shop());
        let (_, refresh) = bound(&world, &shop, &key).await;
        refused(
            &shop.refresh(&refresh).await,
            "invalid_dpop_proof",
            "no proof",
        );
        let proof = other.post(&world, "/token").await;
        let answer = shop.refresh_with(&refresh, &[], &[&proof]).await;
        let token = text(&answer, "access_token");
        // The new token is of the key that bought it.
        let proof = key.userinfo(&world, &token).await;
        let answer = shop.userinfo_with("DPoP", &token, &[&proof]).await;
        challenged(&answer, "DPoP error=\"invalid_token\"", "the key before");
        let proof = other.userinfo(&world, &token).await;
        let answer = shop.userinfo_with("DPoP", &token, &[&proof]).await;
        assert_eq!(answer.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn a_grant_that_is_shown_with_a_proof_rests_on_its_key_from_then_on() {
    on_each_database(async |world| {
        let (key, other, spa) = (ProofKey::new(1), ProofKey::new(2), world.spa());
        let answer = spa.redeem(&code(&world, &spa, &[]).await).await;
        let plain = text(&answer, "refresh_token");
        let proof = key.post(&world, "/token").await;
        let answer = spa.refresh_with(&plain, &[], &[&proof]).await;
        let kept = text(&answer, "refresh_token");
        assert_ne!(kept, plain);
        assert_eq!(text(&answer, "token_type"), "DPoP");
        refused(&spa.refresh(&kept).await, "invalid_dpop_proof", "no proof");
        let proof = other.post(&world, "/token").await;
        let answer = spa.refresh_with(&kept, &[], &[&proof]).await;
        refused(&answer, "invalid_grant", "another key");
        let proof = key.post(&world, "/token").await;
        let answer = spa.refresh_with(&kept, &[], &[&proof]).await;
        assert_eq!(text(&answer, "refresh_token"), kept);
    })
    .await;
}

#[tokio::test]
async fn a_refresh_token_that_stays_ends_when_it_is_not_used() {
    on_sqlite(async |world| {
        let (key, shop) = (ProofKey::new(1), world.shop());
        let (_, refresh) = bound(&world, &shop, &key).await;
        let told = shop.introspect(&refresh).await;
        assert_eq!(told["exp"], 1_795_435_200 + 600_000);
        world.clock.advance(599_999);
        let proof = key.post(&world, "/token").await;
        let answer = shop.refresh_with(&refresh, &[], &[&proof]).await;
        text(&answer, "access_token");
        let told = shop.introspect(&refresh).await;
        assert_eq!(told["exp"], 1_795_435_200 + 599_999 + 600_000);
        world.clock.advance(600_000);
        assert_eq!(shop.introspect(&refresh).await, json!({ "active": false }));
        let proof = key.post(&world, "/token").await;
        let answer = shop.refresh_with(&refresh, &[], &[&proof]).await;
        refused(&answer, "invalid_grant", "idle");
    })
    .await;
}

#[tokio::test]
async fn rfc_9449_section_5_2_a_client_of_bound_tokens_gets_no_others() {
    on_sqlite(async |world| {
        let key = ProofKey::new(1);
        let till = RelyingParty::new(world.router(), "till", None, "https://till.example/cb");
        let code = code(&world, &till, &[]).await;
        refused(&till.redeem(&code).await, "invalid_dpop_proof", "no proof");
        let proof = key.post(&world, "/token").await;
        let answer = till.redeem_with(&code, &[], &[&proof]).await;
        assert_eq!(text(&answer, "token_type"), "DPoP");
    })
    .await;
}

#[tokio::test]
async fn cat_239_a_stolen_bound_refresh_token_is_of_no_use_to_another_client() {
    on_sqlite(async |world| {
        let (key, spa) = (ProofKey::new(1), world.spa());
        let (_, refresh) = bound(&world, &spa, &key).await;
        let proof = key.post(&world, "/token").await;
        let answer = world.shop().refresh_with(&refresh, &[], &[&proof]).await;
        refused(&answer, "invalid_grant", "other client");
        let answer = spa.refresh_with(&refresh, &[], &[&proof]).await;
        text(&answer, "access_token");
    })
    .await;
}
