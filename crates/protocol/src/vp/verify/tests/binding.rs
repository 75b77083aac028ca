//! Key binding and Disclosures. Every answer here is encrypted: what is inside gets the same checks (catalogue 89).

use super::world::*;

#[tokio::test]
async fn cat_050_cat_052_cat_053_cat_089_other_nonce_and_other_audience() {
    let world = World::new(ages()).await;
    let held = world.age_proof().await;
    let paths: &[&[&str]] = &[&["age_equal_or_over", "18"]];
    let (client_id, nonce) = (world.client_id.as_str(), world.nonce.as_str());
    let bare = client_id.trim_start_matches("x509_hash:");
    let dns = format!("x509_san_dns:{bare}");
    for (audience, nonce, code) in [
        (client_id, "another-nonce", "kb_nonce"),
        (
            "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk",
            nonce,
            "kb_audience",
        ),
        (bare, nonce, "kb_audience"),
        (dns.as_str(), nonce, "kb_audience"),
        ("origin:https://verifier.example", nonce, "kb_audience"),
    ] {
        let compact = world
            .bound(&held, paths, audience, nonce, &world.holder)
            .await;
        assert_eq!(
            world.refused(json!({"age": [compact]})).await,
            code,
            "{audience}"
        );
    }
}

#[tokio::test]
async fn cat_043_cat_058_cat_061_stripped_and_foreign_key_binding() {
    let world = World::new(ages()).await;
    let good = world.good().await;
    let (sd_jwt, _) = good.rsplit_once('~').unwrap();
    assert_eq!(
        world.refused(json!({"age": [format!("{sd_jwt}~")]})).await,
        "kb_missing"
    );
    let mallory = SigningKey::generate(Algorithm::Es256, &SeededRng::new(66));
    let held = world.age_proof().await;
    let paths: &[&[&str]] = &[&["age_equal_or_over", "18"]];
    let (client_id, nonce) = (world.client_id.as_str(), world.nonce.as_str());
    let foreign = world.bound(&held, paths, client_id, nonce, &mallory).await;
    assert_eq!(
        world.refused(json!({"age": [foreign]})).await,
        "kb_signature"
    );
    let none = format!(
        "{sd_jwt}~{}.{}.",
        b64url(br#"{"alg":"none","typ":"kb+jwt"}"#),
        good.rsplit('~').next().unwrap().split('.').nth(1).unwrap()
    );
    assert_eq!(world.refused(json!({"age": [none]})).await, "kb_alg");
    let claims = kb_claims(&good);
    let header = Header::new(TokenType::SdJwtVc);
    let typed = jws::sign(&header, &claims, &world.holder).await.unwrap();
    assert_eq!(
        world
            .refused(json!({"age": [format!("{sd_jwt}~{typed}")]}))
            .await,
        "kb_typ"
    );
}

fn kb_claims(presentation: &str) -> Value {
    let payload = presentation
        .rsplit('~')
        .next()
        .unwrap()
        .split('.')
        .nth(1)
        .unwrap();
    serde_json::from_slice(&b64url_decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn cat_059_cat_089_the_key_binding_must_be_fresh() {
    let world = World::new(ages()).await;
    let good = world.good().await;
    let (sd_jwt, _) = good.rsplit_once('~').unwrap();
    for (iat, code) in [
        (json!(NOW.plus(-3600).seconds()), "kb_too_old"),
        (json!(NOW.plus(3600).seconds()), "kb_in_future"),
        (json!("now"), "kb_claim_malformed"),
        (Value::Null, "kb_claim_missing"),
    ] {
        let mut claims = kb_claims(&good);
        if iat.is_null() {
            claims.as_object_mut().unwrap().remove("iat");
        } else {
            claims["iat"] = iat;
        }
        let header = Header::new(TokenType::KeyBinding);
        let jwt = jws::sign(&header, &claims, &world.holder).await.unwrap();
        assert_eq!(
            world
                .refused(json!({"age": [format!("{sd_jwt}~{jwt}")]}))
                .await,
            code
        );
    }
}

/// OpenID4VP 1.0, annex B.3.3: whoever signs such hashes agrees to a transaction. None is asked
/// about here, so nothing that is agreed to is what was asked.
#[tokio::test]
async fn cat_335_an_agreement_to_transaction_data_that_nobody_asked_about() {
    let world = World::new(ages()).await;
    let good = world.good().await;
    let (sd_jwt, _) = good.rsplit_once('~').unwrap();
    let hash = b64url(&[7; 32]);
    for (name, value) in [
        ("transaction_data_hashes", json!([hash])),
        ("transaction_data_hashes", json!([hash, hash])),
        ("transaction_data_hashes", json!([])),
        ("transaction_data_hashes", json!("x")),
        ("transaction_data_hashes", Value::Null),
        ("transaction_data_hashes_alg", json!("sha-256")),
        ("transaction_data_hashes_alg", json!("md5")),
    ] {
        let mut claims = kb_claims(&good);
        claims[name] = value;
        let header = Header::new(TokenType::KeyBinding);
        let jwt = jws::sign(&header, &claims, &world.holder).await.unwrap();
        let refused = world.refused(json!({"age": [format!("{sd_jwt}~{jwt}")]}));
        assert_eq!(refused.await, "kb_transaction_data");
    }
}

#[tokio::test]
async fn cat_001_cat_056_tampered_dropped_doubled_and_reordered_disclosures() {
    let world = World::new(json!({"credentials": [card_query()]})).await;
    let card = world.card(&world.holder).await;
    let paths: &[&[&str]] = &[&["member_id"], &["tier"]];
    let (audience, nonce) = (world.client_id.as_str(), world.nonce.as_str());
    let good = world
        .bound(&card, paths, audience, nonce, &world.holder)
        .await;
    let parts: Vec<&str> = good.split('~').collect();
    let [jwt, first, second, kb] = parts[..] else {
        panic!("two disclosures")
    };
    let refused = async |parts: &[&str]| world.refused(json!({"card": [parts.join("~")]})).await;
    let mut bytes = b64url_decode(first).unwrap();
    let last = bytes.len() - 3;
    bytes[last] ^= 1;
    let altered = b64url(&bytes);
    assert_eq!(
        refused(&[jwt, &altered, second, kb]).await,
        "disclosure_unreferenced"
    );
    assert_eq!(refused(&[jwt, first, kb]).await, "kb_sd_hash");
    assert_eq!(refused(&[jwt, second, first, kb]).await, "kb_sd_hash");
    assert_eq!(
        refused(&[jwt, first, first, second, kb]).await,
        "disclosure_duplicate"
    );
}

#[tokio::test]
async fn cat_044_a_bad_key_binding_is_refused_even_where_none_is_needed() {
    let mut asked = age_query();
    asked["require_cryptographic_holder_binding"] = json!(false);
    let world = World::new(json!({"credentials": [asked]})).await;
    let good = world.good().await;
    let (sd_jwt, _) = good.rsplit_once('~').unwrap();
    let mallory = SigningKey::generate(Algorithm::Es256, &SeededRng::new(66));
    let held = world.age_proof().await;
    let paths: &[&[&str]] = &[&["age_equal_or_over", "18"]];
    let (client_id, nonce) = (world.client_id.as_str(), world.nonce.as_str());
    let foreign = world.bound(&held, paths, client_id, nonce, &mallory).await;
    assert_eq!(
        world.refused(json!({"age": [foreign]})).await,
        "kb_signature"
    );
    let other = world
        .bound(&held, paths, client_id, "other", &world.holder)
        .await;
    assert_eq!(world.refused(json!({"age": [other]})).await, "kb_nonce");
    let without = world.post(json!({"age": [format!("{sd_jwt}~")]}));
    assert!(world.verify(&without).await.is_ok(), "the control");
}
