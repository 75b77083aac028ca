//! Responses of another transaction, and of the wrong shape.

use super::world::*;
use crate::vp::transaction_data::AgreementError;

#[tokio::test]
async fn a_response_for_another_response_uri_is_refused() {
    let world = World::new(ages()).await;
    let response = world.post(json!({"age": [world.good().await]}));
    for other in [
        "https://verifier.example/vp/response/2",
        "https://verifier.example/vp/response/1/",
        "https://verifier.example/vp/response/1?x",
        "http://verifier.example/vp/response/1",
        "https://attacker.example/vp/response/1",
    ] {
        let posted = Received::Posted {
            response: &response,
            at: &Url::parse(other).unwrap(),
        };
        let refused = verify_presentation(posted, &world.transaction(), &world.policy()).await;
        assert_eq!(
            refused.unwrap_err().code(),
            "response_uri_mismatch",
            "{other}"
        );
    }
}

#[tokio::test]
async fn cat_302_a_response_to_the_key_of_another_transaction_is_refused() {
    let world = World::new(ages()).await;
    let other = AgreementKey::generate(&SeededRng::new(99));
    let payload = json!({"vp_token": {"age": [world.good().await]}, "state": world.state.as_str()});
    let enc = ContentEncryption::A128Gcm;
    let kid = key_id(other.public_key());
    let refused = world
        .verify(&seal(&payload, other.public_key(), Some(&kid), enc))
        .await;
    assert_eq!(refused.unwrap_err().code(), "jwe_other_key");
    let refused = world
        .verify(&seal(&payload, other.public_key(), None, enc))
        .await;
    assert_eq!(refused.unwrap_err().code(), "jwe_other_key");
    // With the right name on the wrong key.
    let named = key_id(world.encryption.public_key());
    let refused = world
        .verify(&seal(&payload, other.public_key(), Some(&named), enc))
        .await;
    assert_eq!(refused.unwrap_err().code(), "jwe_decryption");
    let own = seal(&payload, world.encryption.public_key(), Some(&named), enc);
    assert!(world.verify(&own).await.is_ok(), "the control");
}

#[tokio::test]
async fn cat_301_a_response_that_is_not_encrypted_is_refused() {
    let world = World::new(ages()).await;
    for text in ["", "a.b.c", "{}", "eyJ9....", "eyJhbGciOiJub25lIn0..."] {
        let refused = world.verify(&EncryptedResponse::new(text.to_owned())).await;
        assert_eq!(refused.unwrap_err().code(), "jwe_malformed", "{text}");
    }
}

#[tokio::test]
async fn an_expired_transaction_is_refused() {
    let world = World::new(ages()).await;
    let response = world.post(json!({"age": [world.good().await]}));
    let late = VerifierPolicy {
        now: NOW.plus(300),
        ..world.policy()
    };
    let refused = verify_presentation(world.posted(&response), &world.transaction(), &late).await;
    assert_eq!(refused.unwrap_err().code(), "transaction_expired");
}

#[tokio::test]
async fn state_must_come_back() {
    let world = World::new(ages()).await;
    let token = json!({"age": [world.good().await]});
    for payload in [
        json!({"vp_token": token}),
        json!({"vp_token": token, "state": "other"}),
        json!({"vp_token": token, "state": 1}),
    ] {
        let refused = world.verify(&world.encrypt(&payload)).await;
        assert_eq!(refused.unwrap_err().code(), "state_mismatch");
    }
}

#[tokio::test]
async fn cat_302_a_state_beside_the_response_must_be_the_right_one() {
    let world = World::new(ages()).await;
    let response = world.post(json!({"age": [world.good().await]}));
    let other = State::fresh(&SeededRng::new(9));
    for (beside, code) in [(&world.state, None), (&other, Some("state_mismatch"))] {
        let form = format!("{}&state={}", response.to_form(), beside.as_str());
        let posted = PostedResponse::parse(form.as_bytes()).unwrap();
        let PostedResponse::Encrypted(posted) = posted else {
            panic!("{posted:?}")
        };
        let outcome = world.verify(&posted).await;
        assert_eq!(outcome.err().map(|error| error.code()), code);
    }
}

/// Nobody must write these claims; what is written holds.
#[tokio::test]
async fn cat_089_claims_of_an_encrypted_response_are_checked() {
    let world = World::new(ages()).await;
    let good = world.good().await;
    let at = |seconds: i64| json!(NOW.plus(seconds).seconds());
    let (client_id, address) = (world.client_id.as_str(), world.response_uri.as_str());
    let outcome = async |name: &str, value: Value| {
        let mut payload = json!({"vp_token": {"age": [good]}, "state": world.state.as_str()});
        payload[name] = value;
        let outcome = world.verify(&world.encrypt(&payload)).await;
        outcome.err().map(|error| error.code())
    };
    for (name, value) in [
        ("exp", at(1)),
        ("exp", at(-59)),
        ("exp", json!(1e12)),
        ("nbf", at(-1)),
        ("nbf", at(60)),
        ("iat", at(-9_999_999)),
        ("aud", json!(client_id)),
        ("aud", json!(address)),
        ("aud", json!(["https://elsewhere.example", client_id])),
        // What a wallet calls itself.
        ("iss", json!("https://self-issued.me/v2")),
        ("iss", json!(7)),
    ] {
        assert_eq!(outcome(name, value.clone()).await, None, "{name} {value}");
    }
    let malformed = "response_claim_malformed";
    for (name, value, code) in [
        ("exp", at(-60), "response_expired"),
        ("exp", json!(1), "response_expired"),
        ("exp", json!("1"), malformed),
        ("exp", json!(null), malformed),
        ("nbf", at(61), "response_not_yet_valid"),
        ("nbf", json!([]), malformed),
        (
            "aud",
            json!("https://elsewhere.example"),
            "response_audience",
        ),
        ("aud", json!(""), "response_audience"),
        ("aud", json!([]), "response_audience"),
        (
            "aud",
            json!(["https://elsewhere.example"]),
            "response_audience",
        ),
        ("aud", json!([client_id, 1]), malformed),
        ("aud", json!({"of": client_id}), malformed),
        ("aud", json!(null), malformed),
    ] {
        assert_eq!(
            outcome(name, value.clone()).await,
            Some(code),
            "{name} {value}"
        );
    }
    assert_eq!(world.statuses.calls.load(Ordering::SeqCst), 11, "no others");
    // Whoever does not know the `state` learns nothing of it.
    let foreign = json!({"vp_token": {"age": [good]}, "state": "other", "exp": 1});
    let refused = world.verify(&world.encrypt(&foreign)).await;
    assert_eq!(refused.unwrap_err().code(), "state_mismatch");
}

/// Section 8.5: one or the other.
#[tokio::test]
async fn an_error_beside_a_token_is_neither() {
    let world = World::new(ages()).await;
    let good = world.good().await;
    for token in [json!({"age": [good]}), json!({}), json!(null)] {
        for error in [
            json!("access_denied"),
            json!("tea_time"),
            json!(null),
            json!(1),
        ] {
            let payload = json!({
                "vp_token": token, "error": error, "state": world.state.as_str(),
            });
            let refused = world.verify(&world.encrypt(&payload)).await.unwrap_err();
            assert_eq!(refused.code(), "response_error_and_token", "{payload}");
        }
    }
    assert_eq!(world.statuses.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_encrypted_error_is_told_apart() {
    let world = World::new(ages()).await;
    let payload = json!({"error": "access_denied", "state": world.state.as_str()});
    let refused = world.verify(&world.encrypt(&payload)).await.unwrap_err();
    let PresentationError::Wallet(error) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(error.code, Some(ErrorCode::AccessDenied));
    assert!(error.belongs_to(&world.transaction()));
    for state in [None, Some(State::fresh(&SeededRng::new(9)))] {
        let foreign = WalletError {
            code: error.code,
            state,
        };
        assert!(!foreign.belongs_to(&world.transaction()));
    }
}

#[tokio::test]
async fn cat_304_ids_must_be_those_of_the_query() {
    let world = World::new(both()).await;
    let good = world.good().await;
    assert_eq!(
        world.refused(json!({"age": [good], "other": ["x"]})).await,
        "vp_token_unknown_id"
    );
    assert_eq!(
        world.refused(json!({"Age": [good]})).await,
        "vp_token_unknown_id"
    );
    assert_eq!(world.refused(json!({})).await, "vp_token_count");
    let empty = json!({"age": [good], "card": []});
    assert_eq!(world.refused(empty).await, "vp_token_count");
    assert_eq!(
        world.refused(json!({"age": [good]})).await,
        "query_credential_missing"
    );
}

#[tokio::test]
async fn cat_305_arrays_must_have_the_right_shape() {
    let world = World::new(ages()).await;
    let good = world.good().await;
    for (token, code) in [
        (json!({"age": [good, good]}), "vp_token_count"),
        (json!({"age": []}), "vp_token_count"),
        (json!({"age": good}), "vp_token_shape"),
        (json!({"age": [{"a": 1}]}), "vp_token_shape"),
        (json!({"age": [null]}), "vp_token_shape"),
        (json!({"age": [[good]]}), "vp_token_shape"),
        (json!([good]), "vp_token_shape"),
        (json!(good), "vp_token_shape"),
        (json!(null), "vp_token_shape"),
    ] {
        assert_eq!(world.refused(token).await, code);
    }
    let nothing = world.encrypt(&json!({"state": world.state.as_str()}));
    assert_eq!(
        world.verify(&nothing).await.unwrap_err().code(),
        "vp_token_missing"
    );
    // The same key twice: strict JSON, not "the last one wins".
    let twice = format!(
        r#"{{"vp_token":{{"age":["x"],"age":["{good}"]}},"state":"{}"}}"#,
        world.state.as_str()
    );
    let key = world.encryption.public_key();
    let kid = key_id(key);
    let enc = ContentEncryption::A128Gcm;
    let recipient = Recipient {
        key,
        kid: Some(&kid),
        enc,
        apu: &[],
        apv: &[],
    };
    let sealed = jwe::encrypt(twice.as_bytes(), &recipient, &Portable, &SeededRng::new(8));
    let refused = world.verify(&EncryptedResponse::new(sealed.unwrap())).await;
    assert_eq!(refused.unwrap_err().code(), "response_json");
}

#[tokio::test]
async fn the_same_presentation_twice_is_refused() {
    let mut asked = age_query();
    asked["multiple"] = json!(true);
    let world = World::new(json!({"credentials": [asked]})).await;
    let good = world.good().await;
    assert_eq!(
        world.refused(json!({"age": [good, good]})).await,
        "vp_token_duplicate"
    );
    assert!(
        world
            .verify(&world.post(json!({"age": [good]})))
            .await
            .is_ok()
    );
}

/// Twice means: the same text for the same Credential Query.
#[tokio::test]
async fn presentations_are_told_apart_by_query_and_by_text() {
    let (mut age, mut card) = (age_query(), card_query());
    age["multiple"] = json!(true);
    card["multiple"] = json!(true);
    let world = World::new(json!({"credentials": [age, card]})).await;
    for (token, code) in [
        (json!({"age": ["x", "x"]}), "vp_token_duplicate"),
        (
            json!({"age": ["x"], "card": ["y", "y"]}),
            "vp_token_duplicate",
        ),
        (
            json!({"age": ["x", "y"], "card": ["x"]}),
            "sd_jwt_malformed",
        ),
    ] {
        assert_eq!(world.refused(token).await, code);
    }
}

/// All Credential Queries together have at most 32 presentations; more are not even looked at.
#[tokio::test]
async fn the_number_of_presentations_is_bounded() {
    let (mut age, mut card) = (age_query(), card_query());
    age["multiple"] = json!(true);
    card["multiple"] = json!(true);
    let world = World::new(json!({"credentials": [age, card]})).await;
    let texts = |count: usize| (0..count).map(|text| text.to_string()).collect::<Value>();
    for (ages, cards, code) in [
        (32, 0, "sd_jwt_malformed"),
        (33, 0, "vp_token_count"),
        (20, 12, "sd_jwt_malformed"),
        (20, 13, "vp_token_count"),
        (3, 33, "vp_token_count"),
    ] {
        let mut token = json!({"age": texts(ages)});
        if cards > 0 {
            token["card"] = texts(cards);
        }
        assert_eq!(world.refused(token).await, code, "{ages} {cards}");
    }
}

#[test]
fn every_reason_of_a_response_has_its_own_code() {
    use crate::vp::dcql::{CredentialMismatch as M, SetError};
    use vouchsafe_credentials::jwe::JweError;
    let query = query(ages()).credentials()[0].id().clone();
    let mismatch = |mismatch: M| PresentationError::Query {
        query: query.clone(),
        mismatch,
    };
    let error = WalletError {
        code: None,
        state: None,
    };
    let all = [
        PresentationError::ResponseUri,
        PresentationError::TransactionExpired,
        PresentationError::Jwe(JweError::Algorithm),
        PresentationError::Jwe(JweError::Encryption),
        PresentationError::Jwe(JweError::Decryption),
        PresentationError::Jwe(JweError::Malformed),
        PresentationError::EncryptionKey,
        PresentationError::Json,
        PresentationError::Wallet(error),
        PresentationError::State,
        PresentationError::ResponseClaim("exp"),
        PresentationError::ResponseExpired,
        PresentationError::ResponseNotYetValid,
        PresentationError::ResponseAudience,
        PresentationError::ErrorBesideToken,
        PresentationError::TokenMissing,
        PresentationError::TokenShape,
        PresentationError::TokenUnknownId,
        PresentationError::TokenCount,
        PresentationError::TokenDuplicate,
        PresentationError::Format,
        PresentationError::StatusSource(StatusSourceError::Unavailable("x".into())),
        PresentationError::TransactionData(AgreementError::Missing),
        PresentationError::TransactionData(AgreementError::Differs),
        PresentationError::TransactionData(AgreementError::Twice),
        PresentationError::TransactionData(AgreementError::Algorithm),
        PresentationError::HolderDiffers,
        mismatch(M::Format),
        mismatch(M::Type),
        mismatch(M::Authority),
        mismatch(M::HolderBinding),
        mismatch(M::Claims),
        PresentationError::Sets(SetError::CredentialMissing),
        PresentationError::Sets(SetError::SetUnmet),
    ];
    let mut codes: Vec<&str> = all.iter().map(PresentationError::code).collect();
    codes.sort_unstable();
    let count = codes.len();
    codes.dedup();
    assert_eq!(codes.len(), count);
    let legal = |code: &&str| code.bytes().all(|c| c.is_ascii_lowercase() || c == b'_');
    assert!(codes.iter().all(legal));
}
