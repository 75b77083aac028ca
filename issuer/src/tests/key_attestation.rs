//! Keys that a wallet provider vouches for, through the router.

use std::path::PathBuf;

use serde_json::{Value, json};
use vouchsafe_credentials::crypto::{Algorithm, Signer as _, SigningKey};
use vouchsafe_credentials::jws::{Header, TokenType, sign};
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::time::Clock;

use super::harness::{Harness, ISSUER, config_text, with_config};

/// The wallet provider of these tests.
fn provider() -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &SeededRng::new(900))
}

fn jwks_file(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("vouchsafe-ka-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut jwk = provider().public_key().to_jwk();
    jwk["kid"] = json!("provider");
    let path = folder.join(name);
    std::fs::write(&path, json!({ "keys": [jwk] }).to_string()).unwrap();
    path
}

/// Membership cards are bound to attested keys alone.
fn attested(name: &str, extra: &str) -> String {
    let path = jwks_file(name);
    let text = config_text("").replace("batch_size = 3", "batch_size = 20");
    format!(
        r#"{text}
[[wallet_provider]]
name = "wallets"
jwks_file = "{}"
[[key_attestation]]
credential_types = ["membership"]
key_storage = ["iso_18045_high", "iso_18045_moderate"]
user_authentication = ["iso_18045_high"]
{extra}
"#,
        path.display()
    )
}

async fn attestation(h: &Harness, seeds: &[u64], nonce: &str, change: Value) -> String {
    let now = h.clock.now().seconds();
    let keys: Vec<Value> = seeds
        .iter()
        .map(|seed| h.holder(*seed).public_key().to_jwk())
        .collect();
    let mut claims = json!({
        "iat": now, "exp": now + 300, "nonce": nonce, "attested_keys": keys,
        "key_storage": ["iso_18045_moderate"], "user_authentication": ["iso_18045_high"],
    });
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let header = Header::new(TokenType::KeyAttestation).with_kid("provider");
    sign(&header, &claims, &provider()).await.unwrap()
}

async fn jwt_proof(h: &Harness, seed: u64, nonce: &str, attestation: &str) -> String {
    let key = h.holder(seed);
    let header = Header::new(TokenType::VciProof)
        .with_jwk(key.public_key())
        .with("key_attestation", attestation);
    let claims = json!({ "aud": ISSUER, "iat": h.clock.now().seconds(), "nonce": nonce });
    sign(&header, &claims, &key).await.unwrap()
}

async fn ask(h: &Harness, token: &str, proofs: Value) -> super::harness::Answer {
    let body = json!({ "credential_configuration_id": "membership", "proofs": proofs });
    h.bearer("/credential", token, &body).await
}

fn count(answer: &super::harness::Answer) -> usize {
    let json = answer.json();
    json["credentials"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn metadata_say_which_attestations_are_demanded() {
    with_config(&attested("metadata.json", ""), async |h| {
        let metadata = h.get("/.well-known/openid-credential-issuer").await.json();
        let types = |id: &str| {
            metadata["credential_configurations_supported"][id]["proof_types_supported"].clone()
        };
        let required = json!({
            "key_storage": ["iso_18045_high", "iso_18045_moderate"],
            "user_authentication": ["iso_18045_high"],
        });
        for name in ["jwt", "attestation"] {
            assert_eq!(
                types("membership")[name]["key_attestations_required"],
                required
            );
        }
        assert!(
            types("age")["jwt"]
                .get("key_attestations_required")
                .is_none()
        );
        assert!(types("age").get("attestation").is_none());
    })
    .await;
    let text = attested("one.json", "proof_types = [\"attestation\"]");
    with_config(&text, async |h| {
        let metadata = h.get("/.well-known/openid-credential-issuer").await.json();
        let types =
            &metadata["credential_configurations_supported"]["membership"]["proof_types_supported"];
        assert_eq!(types.as_object().unwrap().len(), 1);
        let nonce = h.nonce().await;
        let jwt = attestation(&h, &[1], &nonce, json!({})).await;
        let proof = jwt_proof(&h, 1, &nonce, &jwt).await;
        let token = h.token().await;
        let refused = ask(&h, &token, json!({ "jwt": [proof] })).await;
        assert_eq!(refused.error(), (400, "invalid_proof".into()));
        let good = ask(&h, &token, json!({ "attestation": [jwt] })).await;
        assert_eq!(good.status, 200, "{}", good.text);
    })
    .await;
}

#[tokio::test]
async fn one_attestation_brings_the_whole_batch() {
    with_config(&attested("batch.json", ""), async |h| {
        let seeds: Vec<u64> = (1..=20).collect();
        let token = h.token().await;
        let nonce = h.nonce().await;
        let jwt = attestation(&h, &seeds, &nonce, json!({})).await;
        let alone = ask(&h, &token, json!({ "attestation": [jwt] })).await;
        assert_eq!(count(&alone), 20, "{}", alone.text);
        // The same with a proof for each key, as the conformance suite does.
        let nonce = h.nonce().await;
        let jwt = attestation(&h, &seeds, &nonce, json!({})).await;
        let mut proofs = Vec::new();
        for seed in &seeds {
            proofs.push(jwt_proof(&h, *seed, &nonce, &jwt).await);
        }
        let each = ask(&h, &token, json!({ "jwt": proofs })).await;
        assert_eq!(count(&each), 20, "{}", each.text);
        // And with one proof for all.
        let nonce = h.nonce().await;
        let jwt = attestation(&h, &[1, 2, 3], &nonce, json!({})).await;
        let one = jwt_proof(&h, 2, &nonce, &jwt).await;
        let one = ask(&h, &token, json!({ "jwt": [one] })).await;
        assert_eq!(count(&one), 3, "{}", one.text);
    })
    .await;
}

#[tokio::test]
async fn cat_272_attestations_that_are_refused() {
    with_config(&attested("refused.json", ""), async |h| {
        let token = h.token().await;
        let nonce = h.nonce().await;
        let now = h.clock.now().seconds();
        for change in [
            json!({ "exp": now }),
            json!({ "iat": now + 3600 }),
            json!({ "nonce": null }),
            json!({ "key_storage": ["iso_18045_basic"] }),
            json!({ "user_authentication": null }),
            json!({ "attested_keys": [] }),
        ] {
            let jwt = attestation(&h, &[1], &nonce, change.clone()).await;
            let answer = ask(&h, &token, json!({ "attestation": [jwt] })).await;
            assert_eq!(answer.error(), (400, "invalid_proof".into()), "{change}");
        }
        let good = attestation(&h, &[1], &nonce, json!({})).await;
        // An attestation with another signature.
        let (rest, _) = good.rsplit_once('.').unwrap();
        let other = attestation(&h, &[2], &nonce, json!({})).await;
        let broken = format!("{rest}.{}", other.rsplit_once('.').unwrap().1);
        let answer = ask(&h, &token, json!({ "attestation": [broken] })).await;
        assert_eq!(answer.error(), (400, "invalid_proof".into()));
        let proof = jwt_proof(&h, 1, &nonce, &broken).await;
        let answer = ask(&h, &token, json!({ "jwt": [proof] })).await;
        assert_eq!(answer.error(), (400, "invalid_proof".into()));
        // A key that is not attested; no attestation; two attestations; somebody else's nonce.
        let stranger = jwt_proof(&h, 3, &nonce, &good).await;
        let bare = h.proof(&h.holder(1), &nonce).await;
        let foreign = attestation(&h, &[1], "somebody else's", json!({})).await;
        for (proofs, code) in [
            (json!({ "jwt": [stranger] }), "invalid_proof"),
            (json!({ "jwt": [bare] }), "invalid_proof"),
            (json!({ "attestation": [good, good] }), "invalid_proof"),
            (json!({ "attestation": [foreign] }), "invalid_nonce"),
            (json!({ "di_vp": [{}] }), "invalid_proof"),
        ] {
            let answer = ask(&h, &token, proofs.clone()).await;
            assert_eq!(answer.error(), (400, code.into()), "{proofs}");
        }
        let answer = ask(&h, &token, json!({ "attestation": [good] })).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    })
    .await;
}

#[tokio::test]
async fn cat_272_an_attestation_serves_once() {
    with_config(&attested("once.json", ""), async |h| {
        let token = h.token().await;
        let nonce = h.nonce().await;
        let jwt = attestation(&h, &[1, 2], &nonce, json!({})).await;
        let first = ask(&h, &token, json!({ "attestation": [jwt] })).await;
        assert_eq!(count(&first), 2, "{}", first.text);
        let again = ask(&h, &token, json!({ "attestation": [jwt] })).await;
        assert_eq!(again.error(), (400, "invalid_nonce".into()));
        // In a proof with a fresh nonce it is still the old attestation.
        let fresh = h.nonce().await;
        let proof = jwt_proof(&h, 1, &fresh, &jwt).await;
        let again = ask(&h, &token, json!({ "jwt": [proof] })).await;
        assert_eq!(again.error(), (400, "invalid_nonce".into()));
        let unused = h.proof(&h.holder(1), &fresh).await;
        assert!(!unused.is_empty());
    })
    .await;
}

#[test]
fn rules_need_a_provider_and_types_that_are_there() {
    let open = |text: &str| {
        let config: crate::Config = vouchsafe_service::config::parse(text).unwrap();
        config.settings().is_ok() && config.types().is_ok()
    };
    assert!(open(&attested("rules.json", "")));
    let nobody = "[[key_attestation]]\ncredential_types = [\"membership\"]\n";
    assert!(!open(&format!("{}{nobody}", config_text(""))));
    let unknown = attested("rules.json", "").replace("[\"membership\"]", "[\"passport\"]");
    assert!(!open(&unknown));
}
