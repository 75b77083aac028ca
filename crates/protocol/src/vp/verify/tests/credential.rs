//! The credential: signature, issuer, type, time, status, query.

use super::world::*;

#[tokio::test]
async fn tampered_and_unsigned_credentials() {
    let world = World::new(ages()).await;
    let good = world.good().await;
    let (jwt, rest) = good.split_once('~').unwrap();
    let [header, payload, signature] = jwt.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    let mut claims: Map<String, Value> =
        serde_json::from_slice(&b64url_decode(payload).unwrap()).unwrap();
    claims.insert("exp".to_owned(), json!(NOW.plus(999_999).seconds()));
    let longer = b64url(Value::Object(claims).to_string().as_bytes());
    let tampered = format!("{header}.{longer}.{signature}~{rest}");
    assert_eq!(
        world.refused(json!({"age": [tampered]})).await,
        "issuer_signature"
    );
    let change_header = |name: &str, value: Value| {
        let mut json: Value = serde_json::from_slice(&b64url_decode(header).unwrap()).unwrap();
        json[name] = value;
        format!(
            "{}.{payload}.{signature}~{rest}",
            b64url(json.to_string().as_bytes())
        )
    };
    let none = change_header("alg", json!("none"));
    assert_eq!(
        world.refused(json!({"age": [none]})).await,
        "issuer_jwt_alg"
    );
    let typed = change_header("typ", json!("vc+sd-jwt"));
    assert_eq!(
        world.refused(json!({"age": [typed]})).await,
        "issuer_jwt_typ"
    );
}

#[tokio::test]
async fn cat_089_expired_foreign_and_unbound_credentials() {
    let world = World::new(ages()).await;
    let response = world.post(json!({"age": [world.good().await]}));
    let mut transaction = world.transaction();
    transaction.expires_at = NOW.plus(999_999);
    let late = VerifierPolicy {
        now: NOW.plus(86_400 + 60),
        ..world.policy()
    };
    let refused = verify_presentation(world.posted(&response), &transaction, &late).await;
    assert_eq!(refused.unwrap_err().code(), "credential_expired");

    // Another issuer's credential, everything else in order.
    let other = World::new(ages()).await;
    let foreign = other.age_proof().await;
    let paths: &[&[&str]] = &[&["age_equal_or_over", "18"]];
    let (audience, nonce) = (world.client_id.as_str(), world.nonce.as_str());
    let foreign = world
        .bound(&foreign, paths, audience, nonce, &other.holder)
        .await;
    let code = world.refused(json!({"age": [foreign]})).await;
    assert!(
        ["issuer_untrusted", "issuer_certificate"].contains(&code),
        "{code}"
    );

    // cat_046: no `cnf`, key binding required.
    let claims = json!({"age_equal_or_over": {"18": true}});
    let compact = world.issue(AGE, claims, None).await;
    let unbound = world.receive(&compact, AGE, None);
    let unbound = world
        .bound(&unbound, paths, audience, nonce, &world.holder)
        .await;
    assert_eq!(
        world.refused(json!({"age": [unbound]})).await,
        "holder_key_missing"
    );
}

#[tokio::test]
async fn a_credential_of_another_type_is_refused() {
    let world = World::new(ages()).await;
    let card = world.card(&world.holder).await;
    let paths: &[&[&str]] = &[&["member_id"]];
    let (audience, nonce) = (world.client_id.as_str(), world.nonce.as_str());
    let compact = world
        .bound(&card, paths, audience, nonce, &world.holder)
        .await;
    assert_eq!(
        world.refused(json!({"age": [compact]})).await,
        "type_not_accepted"
    );
}

#[tokio::test]
async fn cat_307_values_are_checked_again() {
    let world = World::new(ages()).await;
    let claims = json!({"age_equal_or_over": {"18": false, "21": true}});
    let key = world.holder.public_key();
    let minor = world.receive(&world.issue(AGE, claims, Some(key)).await, AGE, Some(key));
    let (audience, nonce) = (world.client_id.as_str(), world.nonce.as_str());
    let other_value: &[&[&str]] = &[&["age_equal_or_over", "18"]];
    let other_claim: &[&[&str]] = &[&["age_equal_or_over", "21"]];
    for paths in [other_value, other_claim, &[]] {
        let compact = world
            .bound(&minor, paths, audience, nonce, &world.holder)
            .await;
        // Without a question to the host of the status list.
        let code = world.refused(json!({"age": [compact]})).await;
        assert_eq!(code, "query_claims");
    }
    // The wallet would not have offered it in the first place.
    let candidate = HeldCandidate::new(&minor);
    assert!(find_matches(&world.query, &[&candidate]).is_err());
}

#[tokio::test]
async fn cat_307_a_claim_that_is_null_is_not_shown() {
    let world = World::new(json!({"credentials": [card_query()]})).await;
    let claims = json!({"member_id": null, "tier": "gold"});
    let key = world.holder.public_key();
    let card = world.receive(&world.issue(CARD, claims, Some(key)).await, CARD, Some(key));
    let (audience, nonce) = (world.client_id.as_str(), world.nonce.as_str());
    let paths: &[&[&str]] = &[&["member_id"]];
    let compact = world
        .bound(&card, paths, audience, nonce, &world.holder)
        .await;
    let code = world.refused(json!({"card": [compact]})).await;
    assert_eq!(code, "query_claims");
    // The wallet would not have offered it in the first place.
    let candidate = HeldCandidate::new(&card);
    assert!(find_matches(&world.query, &[&candidate]).is_err());
}

/// Inside a claim that was asked for as a whole.
#[tokio::test]
async fn cat_307_a_null_inside_a_claim_is_no_value() {
    let mut asked = card_query();
    asked["claims"] = json!([{"path": ["address"]}]);
    let world = World::new(json!({"credentials": [asked]})).await;
    let claims = json!({"address": {"street": null, "city": "Ulm"}});
    let key = world.holder.public_key();
    let card = world.receive(&world.issue(CARD, claims, Some(key)).await, CARD, Some(key));
    let (audience, nonce) = (world.client_id.as_str(), world.nonce.as_str());
    let paths: &[&[&str]] = &[&["address"]];
    let compact = world
        .bound(&card, paths, audience, nonce, &world.holder)
        .await;
    let verified = world.verify(&world.post(json!({"card": [compact]}))).await;
    let verified = verified.unwrap();
    let card = verified.credential("card").unwrap();
    assert_eq!(card.claim(&path(&["address", "street"])), None);
    let city = card.claim(&path(&["address", "city"]));
    assert_eq!(city, Some(&json!("Ulm")));
}

#[tokio::test]
async fn cat_308_trusted_authorities_are_checked() {
    let world = World::new(ages()).await;
    let held = world.age_proof().await;
    let own = authority_key_ids(held.compact());
    assert_eq!(own.len(), 1, "the leaf names the key of its authority");
    assert_eq!(own, world.issuer.chain.authority_key_ids());
    let with_aki = async |id: &[u8]| {
        let mut asked = age_query();
        asked["trusted_authorities"] = json!([{"type": "aki", "values": [b64url(id)]}]);
        let query = query(json!({ "credentials": [asked] }));
        let offered = find_matches(&query, &[&HeldCandidate::new(&held)]).is_ok();
        let response = world.post(json!({"age": [world.good().await]}));
        let transaction = Transaction {
            query: &query,
            ..world.transaction()
        };
        let verified =
            verify_presentation(world.posted(&response), &transaction, &world.policy()).await;
        (offered, verified.map(drop).map_err(|error| error.code()))
    };
    assert_eq!(with_aki(&own[0]).await, (true, Ok(())));
    assert_eq!(with_aki(&[1, 2, 3]).await, (false, Err("query_authority")));
}

#[tokio::test]
async fn cat_064_every_presentation_is_checked_alone_and_holders_must_agree() {
    let world = World::new(both()).await;
    let mallory = SigningKey::generate(Algorithm::Es256, &SeededRng::new(66));
    let (alice, own) = (world.age_proof().await, world.card(&mallory).await);
    let ages: &[&[&str]] = &[&["age_equal_or_over", "18"]];
    let member: &[&[&str]] = &[&["member_id"]];
    let (audience, nonce) = (world.client_id.as_str(), world.nonce.as_str());
    let card = world.bound(&own, member, audience, nonce, &mallory).await;
    let stolen = world.bound(&alice, ages, audience, nonce, &mallory).await;
    let token = json!({"age": [stolen], "card": [card]});
    assert_eq!(world.refused(token).await, "kb_signature");
    // Two persons who work together.
    let token = json!({"age": [world.good().await], "card": [card]});
    let code = world.refused(token.clone()).await;
    assert_eq!(code, "holder_differs");
    let lenient = VerifierPolicy {
        same_holder: false,
        ..world.policy()
    };
    let response = world.post(token);
    let accepted =
        verify_presentation(world.posted(&response), &world.transaction(), &lenient).await;
    assert!(accepted.is_ok());
}

#[tokio::test]
async fn revoked_and_suspended_credentials_are_refused() {
    for (status, code) in [
        (Status::Invalid, "credential_revoked"),
        (Status::Suspended, "credential_suspended"),
        (Status::Other(3), "status_unknown"),
    ] {
        let world = World::with_status(ages(), status).await;
        let response = world.post(json!({"age": [world.good().await]}));
        assert_eq!(world.verify(&response).await.unwrap_err().code(), code);
    }
}

#[tokio::test]
async fn a_status_that_cannot_be_had_fails_closed() {
    struct Down;
    #[async_trait]
    impl StatusSource for Down {
        async fn list(
            &self,
            _: &StatusRef,
            _: &IssuerIdentity,
        ) -> Result<Arc<VerifiedStatusList>, StatusSourceError> {
            Err(StatusSourceError::Unavailable("no route".into()))
        }
    }
    let world = World::new(ages()).await;
    let response = world.post(json!({"age": [world.good().await]}));
    let policy = VerifierPolicy {
        statuses: &Down,
        ..world.policy()
    };
    let refused = verify_presentation(world.posted(&response), &world.transaction(), &policy).await;
    assert_eq!(refused.unwrap_err().code(), "status_unavailable");
}
