//! What is accepted, and what the wallet refuses to make.

use super::world::*;

#[tokio::test]
async fn an_answer_of_the_wallet_is_accepted() {
    let world = World::new(ages()).await;
    let proof = world.age_proof().await;
    let response = world.answer(&[(&proof, &world.holder)]).await.unwrap();
    let posted = PostedResponse::parse(response.to_form().as_bytes()).unwrap();
    assert_eq!(posted, PostedResponse::Encrypted(response.clone()));
    let verified = world.verify(&response).await.unwrap();
    assert_eq!(world.statuses.calls.load(Ordering::SeqCst), 1);
    let age = verified.credential("age").unwrap();
    assert_eq!(age.credential_type(), AGE);
    assert_eq!(age.issuer().trusted, "https://issuer.example");
    assert_eq!(
        age.claim(&path(&["age_equal_or_over", "18"])),
        Some(&json!(true))
    );
    assert_eq!(age.claim(&path(&["age_equal_or_over", "21"])), None);
    let [(pointer, value)] = age.claims() else {
        panic!("{:?}", age.claims())
    };
    assert_eq!(
        pointer.find(&json!({"age_equal_or_over": {"18": "here"}})),
        Some(&json!("here"))
    );
    assert_eq!(*value, json!(true));
    assert_eq!(age.expires_at(), Some(NOW.plus(86_400)));
    assert_eq!(
        age.status(),
        Some(&StatusRef {
            uri: LIST.to_owned(),
            idx: 3
        })
    );
    assert_eq!(
        age.holder_thumbprint(),
        Some(world.holder.public_key().thumbprint())
    );
    let printed = format!("{verified:?}");
    assert!(
        printed.contains(r#"VerifiedCredential { query: QueryId("age"), .. }"#),
        "{printed}"
    );
    assert!(!printed.contains("true"), "no claim in a log");
}

#[tokio::test]
async fn two_credentials_of_one_holder_are_accepted() {
    let world = World::new(both()).await;
    let (proof, card) = (world.age_proof().await, world.card(&world.holder).await);
    let held = [(&card, &world.holder), (&proof, &world.holder)];
    let response = world.answer(&held).await.unwrap();
    let verified = world.verify(&response).await.unwrap();
    let card = verified.credential("card").unwrap();
    assert_eq!(card.claim(&path(&["member_id"])), Some(&json!("m-7")));
    assert_eq!(card.claim(&path(&["name"])), None);
    assert_eq!(verified.credentials().len(), 2);
}

#[tokio::test]
async fn surplus_disclosures_do_not_reach_the_application() {
    let world = World::new(json!({"credentials": [card_query()]})).await;
    let card = world.card(&world.holder).await;
    let paths: &[&[&str]] = &[&["member_id"], &["name"], &["tier"]];
    let (audience, nonce) = (world.client_id.as_str(), world.nonce.as_str());
    let compact = world
        .bound(&card, paths, audience, nonce, &world.holder)
        .await;
    let verified = world
        .verify(&world.post(json!({"card": [compact]})))
        .await
        .unwrap();
    assert_eq!(verified.credentials()[0].claims().len(), 1);
}

/// Only what was asked for has values, under its own path and those further down.
#[tokio::test]
async fn values_are_found_where_they_were_asked_for() {
    let world = World::new(json!({"credentials": [{
        "id": "card", "format": "dc+sd-jwt", "meta": {"vct_values": [CARD]},
        "claims": [{"path": ["clubs", 1]}, {"path": ["home"]}]
    }]}))
    .await;
    let home = json!({"town": "Turin", "rooms": [{"size": 1}, {"size": 2}]});
    let claims = json!({"clubs": ["rowing", "chess"], "home": home});
    let key = world.holder.public_key();
    let card = world.receive(&world.issue(CARD, claims, Some(key)).await, CARD, Some(key));
    let paths: &[&[&str]] = &[&["clubs"], &["home"]];
    let (audience, nonce) = (world.client_id.as_str(), world.nonce.as_str());
    let compact = world
        .bound(&card, paths, audience, nonce, &world.holder)
        .await;
    let verified = world
        .verify(&world.post(json!({"card": [compact]})))
        .await
        .unwrap();
    for (path, values) in [
        (json!(["clubs", 1]), json!(["chess"])),
        (json!(["clubs", null]), json!(["chess"])),
        (json!(["clubs", 0]), json!([])),
        (json!(["clubs", "1"]), json!([])),
        (json!(["clubs"]), json!([])),
        (json!(["clubs", 1, "x"]), json!([])),
        (json!(["home"]), json!([home])),
        (json!(["home", "town"]), json!(["Turin"])),
        (json!(["home", "rooms", 1, "size"]), json!([2])),
        (json!(["home", "rooms", null, "size"]), json!([1, 2])),
        (json!(["house"]), json!([])),
    ] {
        let found = verified.credentials()[0].values(&ClaimsPath::parse(&path).unwrap());
        assert_eq!(json!(found), values, "{path}");
    }
}

#[tokio::test]
async fn the_wallet_refuses_answers_that_cannot_be_right() {
    let world = World::new(both()).await;
    let proof = world.age_proof().await;
    let request = world.request().await;
    let age = request.query().credential("age").unwrap().id().clone();
    let mallory = SigningKey::generate(Algorithm::Es256, &SeededRng::new(66));
    let present = async |presented: &[Presented<'_>], now: UnixTime| {
        let made = make_response(&request, presented, &Portable, &SeededRng::new(6), now).await;
        made.map(drop).map_err(|error| error.code())
    };
    let one = Presented {
        query: &age,
        credential: (&proof).into(),
        claims: &[],
        signer: &world.holder,
    };
    assert_eq!(present(&[one], NOW).await, Err("answer_incomplete"));
    assert_eq!(present(&[one], NOW.plus(120)).await, Err("request_expired"));

    let world = World::new(ages()).await;
    let proof = world.age_proof().await;
    let request = world.request().await;
    let present = async |presented: &[Presented<'_>]| {
        let made = make_response(&request, presented, &Portable, &SeededRng::new(6), NOW).await;
        made.map(drop).map_err(|error| error.code())
    };
    let one = Presented {
        query: &age,
        credential: (&proof).into(),
        claims: &[],
        signer: &world.holder,
    };
    assert_eq!(present(&[one, one]).await, Err("answer_choice"));
    assert_eq!(
        present(&[Presented {
            signer: &mallory,
            ..one
        }])
        .await,
        Err("answer_wrong_key")
    );
}

#[tokio::test]
async fn hidden_neighbours_do_not_shift_what_is_asked_for() {
    let world = World::new(json!({"credentials": [{
        "id": "card", "format": "dc+sd-jwt", "meta": {"vct_values": [CARD]},
        "claims": [{"path": ["clubs", 1]}]
    }]}))
    .await;
    let claims = json!({"clubs": ["rowing", "chess"]});
    let frame = Frame::new()
        .hide(&ClaimPath::from_json(&json!(["clubs", null])).unwrap())
        .unwrap();
    let input = IssueInput {
        vct: CARD,
        issuer: None,
        key: IssuerKey::X5c(&world.issuer.chain),
        issued_at: Some(NOW),
        not_before: None,
        expires_at: None,
        holder_key: Some(world.holder.public_key()),
        status: None,
        claims: claims.as_object().unwrap().clone(),
        frame: &frame,
        hash: HashAlg::Sha256,
    };
    let compact = issue(input, &world.issuer.key, &SeededRng::new(5))
        .await
        .unwrap();
    let held = world.receive(&compact, CARD, Some(world.holder.public_key()));
    let candidate = HeldCandidate::new(&held);
    // Alone, the second element would be the first one that the verifier sees.
    assert!(find_matches(&world.query, &[&candidate]).is_err());
    let all = query(json!({"credentials": [{
        "id": "card", "format": "dc+sd-jwt", "meta": {"vct_values": [CARD]},
        "claims": [{"path": ["clubs", null], "values": ["chess"]}]
    }]}));
    let found = find_matches(&all, &[&candidate]).unwrap().smallest();
    let view = candidate.disclosed_view(&found.picks()[0].claims);
    assert_eq!(view["clubs"], json!(["chess"]), "only what matches leaves");
}
