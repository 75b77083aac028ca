//! Transaction data: what was signed is what was asked (OpenID4VP 1.0, annex B.3.3.1).

use super::world::*;
use crate::vp::transaction_data::{Details, Payment, TransactionData};

const ID: &str = "0123456789abcdefghij";

fn payment(amount: &str) -> Details {
    let object = json!({"payee": "Bike Shop", "amount": amount, "currency": "EUR"});
    let Value::Object(mut object) = object else {
        panic!("an object")
    };
    Details::Payment(Payment::take(&mut object).unwrap())
}

async fn asking(queries: Value, amounts: &[&str]) -> World {
    let mut world = World::new(queries).await;
    let data = amounts
        .iter()
        .map(|amount| TransactionData::new(payment(amount), ID, &world.query).unwrap());
    world.transaction_data = data.collect();
    world
}

fn sha256(data: &TransactionData) -> String {
    data.hash(HashAlg::Sha256)
}

/// A good presentation whose key binding says this beside.
async fn signed(world: &World, more: Value) -> String {
    let good = world.good().await;
    let (sd_jwt, kb) = good.rsplit_once('~').unwrap();
    let payload = b64url_decode(kb.split('.').nth(1).unwrap()).unwrap();
    let mut claims: Map<String, Value> = serde_json::from_slice(&payload).unwrap();
    if let Value::Object(more) = more {
        claims.extend(more);
    }
    let header = Header::new(TokenType::KeyBinding);
    let jwt = jws::sign(&header, &claims, &world.holder).await.unwrap();
    format!("{sd_jwt}~{jwt}")
}

#[tokio::test]
async fn annex_b_3_3_a_wallet_agrees_and_the_verifier_compares() {
    let mut world = asking(ages(), &["12.50", "3"]).await;
    let held = world.age_proof().await;
    let request = world.request().await;
    assert_eq!(request.transaction_data(), world.transaction_data);
    let response = world.answer(&[(&held, &world.holder)]).await.unwrap();
    world.verify(&response).await.unwrap();
    // Changed on the way: the wallet agreed to another amount than we would have asked for.
    let changed = payment("12.51");
    world.transaction_data[0] = TransactionData::new(changed, ID, &world.query).unwrap();
    let code = world.verify(&response).await.unwrap_err().code();
    assert_eq!(code, "transaction_data_differs");
    // Asked without, answered with.
    world.transaction_data.clear();
    let code = world.verify(&response).await.unwrap_err().code();
    assert_eq!(code, "kb_transaction_data");
}

#[tokio::test]
async fn cat_335_hashes_that_are_missing_of_something_else_or_in_another_order() {
    let world = asking(ages(), &["12.50", "3"]).await;
    let [first, second] = [0, 1].map(|at| sha256(&world.transaction_data[at]));
    let sha_384 = world.transaction_data[0].hash(HashAlg::Sha384);
    let decoded = b64url_decode(world.transaction_data[0].encoded()).unwrap();
    let decoded = HashAlg::Sha256.digest(std::str::from_utf8(&decoded).unwrap());
    for (hashes, alg, code) in [
        (Value::Null, Value::Null, "transaction_data_missing"),
        (json!([first]), json!("sha-256"), "transaction_data_missing"),
        (
            json!([second, first]),
            json!("sha-256"),
            "transaction_data_differs",
        ),
        (
            json!([first, first]),
            json!("sha-256"),
            "transaction_data_differs",
        ),
        (
            json!([first, second, first]),
            json!("sha-256"),
            "transaction_data_differs",
        ),
        (
            json!([decoded, second]),
            json!("sha-256"),
            "transaction_data_differs",
        ),
        (
            json!([first, second]),
            json!("sha-384"),
            "transaction_data_differs",
        ),
        (
            json!([sha_384, second]),
            json!("sha-384"),
            "transaction_data_alg",
        ),
        (json!([first, second]), json!("md5"), "transaction_data_alg"),
        (json!([first, second]), Value::Null, "transaction_data_alg"),
        (json!([first, second]), json!(256), "kb_transaction_data"),
        (json!([first, 2]), json!("sha-256"), "kb_transaction_data"),
        (json!([]), json!("sha-256"), "kb_transaction_data"),
        (json!(first), json!("sha-256"), "kb_transaction_data"),
        (Value::Null, json!("sha-256"), "kb_transaction_data"),
    ] {
        let mut more = Map::new();
        for (name, value) in [
            ("transaction_data_hashes", &hashes),
            ("transaction_data_hashes_alg", &alg),
        ] {
            if !value.is_null() {
                more.insert(name.to_owned(), value.clone());
            }
        }
        let compact = signed(&world, Value::Object(more)).await;
        let refused = world.refused(json!({"age": [compact]})).await;
        assert_eq!(refused, code, "{hashes} {alg}");
    }
    let good = json!({"transaction_data_hashes": [first, second], "transaction_data_hashes_alg": "sha-256"});
    let compact = signed(&world, good).await;
    world
        .verify(&world.post(json!({"age": [compact]})))
        .await
        .unwrap();
}

#[tokio::test]
async fn section_5_1_one_card_alone_authorises() {
    let world = asking(both(), &["12.50"]).await;
    let (age, card) = (world.age_proof().await, world.card(&world.holder).await);
    let held = [(&age, &world.holder), (&card, &world.holder)];
    let response = world.answer(&held).await.unwrap();
    let hash = sha256(&world.transaction_data[0]);
    let agreed = kb::Agreed {
        hashes: vec![hash],
        alg: Some("sha-256".to_owned()),
    };
    let bound = async |held: &HeldSdJwtVc, keys: &[&str], agreed: Option<&kb::Agreed>| {
        let binding = kb::Binding {
            audience: world.client_id.as_str(),
            nonce: world.nonce.as_str(),
            issued_at: NOW,
        };
        let presentation = held.present(&[ClaimPath::of_keys(keys)]).unwrap();
        presentation
            .bind_agreeing(&binding, agreed, &world.holder)
            .await
            .unwrap()
    };
    let (over_18, member) = (["age_equal_or_over", "18"], ["member_id"]);
    let (one, two) = (Some(&agreed), Some(&agreed));
    let twice = json!({"age": [bound(&age, &over_18, one).await], "card": [bound(&card, &member, two).await]});
    assert_eq!(world.refused(twice).await, "transaction_data_twice");
    let none = json!({"age": [bound(&age, &over_18, None).await], "card": [bound(&card, &member, None).await]});
    assert_eq!(world.refused(none).await, "transaction_data_missing");
    let second = json!({"age": [bound(&age, &over_18, None).await], "card": [bound(&card, &member, two).await]});
    world.verify(&world.post(second)).await.unwrap();
    world.verify(&response).await.unwrap();
}

#[tokio::test]
async fn a_hash_without_a_name_of_its_algorithm_is_sha_256() {
    let mut world = asking(ages(), &["12.50"]).await;
    let encoded = json!({
        "type": Payment::TYPE, "credential_ids": ["age"], "transaction_id": ID,
        "payee": "Bike Shop", "amount": "12.50", "currency": "EUR",
    });
    let encoded = json!([b64url(encoded.to_string().as_bytes())]);
    let read = crate::vp::transaction_data::read(&encoded, &world.query);
    world.transaction_data = read.unwrap();
    let held = world.age_proof().await;
    let response = world.answer(&[(&held, &world.holder)]).await.unwrap();
    let other = world.transaction_data[0].hash(HashAlg::Sha512);
    let more =
        json!({"transaction_data_hashes": [other], "transaction_data_hashes_alg": "sha-512"});
    let compact = signed(&world, more).await;
    let refused = world.refused(json!({"age": [compact]})).await;
    assert_eq!(refused, "transaction_data_alg");
    world.verify(&response).await.unwrap();
}
