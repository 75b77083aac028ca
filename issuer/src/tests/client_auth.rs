use serde_json::{Value, json};
use vouchsafe_credentials::crypto::{Algorithm, SigningKey};
use vouchsafe_credentials::testing::SeededRng;

use super::haip::{ATTESTED, ATTESTED_TOO, COMBINED, KEYED, Wallet, haip, jwt};
use super::harness::{Answer, Harness, ISSUER, WALLET};

fn invalid_client() -> (u16, String) {
    (401, "invalid_client".to_owned())
}

async fn push_with(wallet: &Wallet<'_>, headers: &[(&'static str, String)]) -> Answer {
    wallet.send("/par", &wallet.request(None), headers).await
}

/// Pushes with these headers and redeems with them: refused with this code, and in that way.
async fn refused(wallet: &Wallet<'_>, headers: &[(&'static str, String)], what: &str) {
    let answer = push_with(wallet, headers).await;
    assert_eq!(answer.error(), invalid_client(), "{what}: {}", answer.text);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn cat_254_an_attested_wallet_gets_a_card_that_is_bound_to_its_keys() {
    haip(async |h| {
        for (client_id, seed) in [(ATTESTED, 1), (COMBINED, 2), (KEYED, 3)] {
            let wallet = Wallet::new(&h, client_id, seed);
            let code = wallet.code().await;
            let answer = wallet.redeem(&code, |_, _| {}).await;
            assert_eq!(answer.status, 200, "{client_id}: {}", answer.text);
            let body = answer.json();
            assert_eq!(body["token_type"], "DPoP");
            let token = body["access_token"].as_str().unwrap();
            let answer = wallet.credential(token, Some(&wallet.nonce())).await;
            assert_eq!(answer.status, 200, "{client_id}: {}", answer.text);
        }
    })
    .await;
}

#[tokio::test]
async fn cat_254_attestations_and_proofs_that_are_refused_at_par() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let (attestation, pop) = ("oauth-client-attestation", "oauth-client-attestation-pop");
        let now = vouchsafe_credentials::time::Clock::now(&*h.clock).seconds();
        let good = wallet.attestation(|_, _| {}).await;
        for (name, value) in [
            ("exp", json!(now - 600)),
            ("sub", Value::Null),
            ("sub", json!(ATTESTED_TOO)),
            ("sub", json!("elsewhere.example")),
            ("sub", json!("nobody.example")),
            ("sub", json!(WALLET)),
            ("cnf", json!({})),
        ] {
            let bad = wallet
                .attestation(|_, claims| claims[name] = value.clone())
                .await;
            let headers = [(attestation, bad), (pop, wallet.pop(|_, _| {}).await)];
            refused(&wallet, &headers, &format!("{name} {value}")).await;
        }
        for (name, value) in [
            ("aud", json!("https://other.example")),
            ("aud", json!([ISSUER])),
            ("aud", json!(format!("{ISSUER}/par"))),
            ("jti", Value::Null),
            ("iat", json!(now - 600)),
            ("iss", json!(ATTESTED_TOO)),
        ] {
            let bad = wallet.pop(|_, claims| claims[name] = value.clone()).await;
            let headers = [(attestation, good.clone()), (pop, bad)];
            refused(&wallet, &headers, &format!("pop {name} {value}")).await;
        }
        // Somebody else's signature, or somebody else's key.
        let header = json!({ "alg": "ES256", "typ": "oauth-client-attestation+jwt", "kid": "1" });
        let claims = json!({ "sub": ATTESTED, "exp": now + 60, "cnf": { "jwk": {} } });
        let forged = jwt(&header, &claims, &wallet.instance).await;
        let headers = [(attestation, forged), (pop, wallet.pop(|_, _| {}).await)];
        refused(&wallet, &headers, "forged attestation").await;
        let mut other = Wallet::new(&h, ATTESTED, 2);
        let headers = [
            (attestation, good.clone()),
            (pop, other.pop(|_, _| {}).await),
        ];
        refused(&wallet, &headers, "key of another instance").await;
        other.instance = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(9));
        refused(&wallet, &[(attestation, good.clone())], "no proof").await;
        let proof = wallet.pop(|_, _| {}).await;
        refused(&wallet, &[(pop, proof.clone())], "no attestation").await;
        let twice = [
            (attestation, good.clone()),
            (pop, proof.clone()),
            (pop, proof),
        ];
        refused(&wallet, &twice, "two proofs").await;
        refused(&wallet, &[], "nothing").await;
    })
    .await;
}

#[tokio::test]
async fn cat_254_a_proof_is_good_for_one_request() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let headers = wallet.headers().await;
        assert_eq!(push_with(&wallet, &headers).await.status, 201);
        refused(&wallet, &headers, "again").await;
        // The attestation itself may be used again.
        let again = [headers[0].clone(), wallet.headers().await[1].clone()];
        assert_eq!(push_with(&wallet, &again).await.status, 201);
        // Another instance may choose the same identifier.
        let other = Wallet::new(&h, ATTESTED, 2);
        let fixed = |_: &mut Value, claims: &mut Value| claims["jti"] = json!("same");
        for wallet in [&wallet, &other] {
            let headers = [
                (
                    "oauth-client-attestation",
                    wallet.attestation(|_, _| {}).await,
                ),
                ("oauth-client-attestation-pop", wallet.pop(fixed).await),
            ];
            assert_eq!(push_with(wallet, &headers).await.status, 201);
        }
    })
    .await;
}

#[tokio::test]
async fn the_challenge_of_the_server_and_where_it_comes_from() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let challenge = h.form("/challenge", &[]).await;
        assert_eq!(challenge.status, 200);
        assert_eq!(challenge.header("cache-control"), "no-store");
        assert_eq!(challenge.header("content-type"), "application/json");
        let body = challenge.json();
        assert_eq!(body.as_object().unwrap().len(), 1);
        let challenge = body["attestation_challenge"].as_str().unwrap();
        let given = |_: &mut Value, claims: &mut Value| claims["challenge"] = json!(challenge);
        let headers = async |pop: String| {
            [
                (
                    "oauth-client-attestation",
                    wallet.attestation(|_, _| {}).await,
                ),
                ("oauth-client-attestation-pop", pop),
            ]
        };
        let good = headers(wallet.pop(given).await).await;
        assert_eq!(push_with(&wallet, &good).await.status, 201);
        let without = wallet
            .pop(|_, claims| claims["challenge"] = Value::Null)
            .await;
        let answer = push_with(&wallet, &headers(without).await).await;
        assert_eq!(answer.error(), (400, "use_attestation_challenge".into()));
        let fresh = answer
            .header("oauth-client-attestation-challenge")
            .to_owned();
        let taken = wallet
            .pop(|_, claims| claims["challenge"] = json!(fresh))
            .await;
        assert_eq!(push_with(&wallet, &headers(taken).await).await.status, 201);
        // A challenge ends; nothing of the database is needed to know it.
        h.clock.advance(900);
        let late = headers(wallet.pop(given).await).await;
        let answer = push_with(&wallet, &late).await;
        assert_eq!(answer.error(), (400, "use_attestation_challenge".into()));
    })
    .await;
}

async fn assert_push(wallet: &Wallet<'_>, assertion: String) -> Answer {
    let mut fields = wallet.request(None);
    fields.push((
        "client_assertion_type",
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".into(),
    ));
    fields.push(("client_assertion", assertion));
    wallet.send("/par", &fields, &[]).await
}

#[tokio::test]
async fn cat_256_client_assertions() {
    haip(async |h| {
        let wallet = Wallet::new(&h, KEYED, 1);
        let now = vouchsafe_credentials::time::Clock::now(&*h.clock).seconds();
        let good = wallet.assertion(|_, _| {}).await;
        assert_eq!(assert_push(&wallet, good.clone()).await.status, 201);
        let answer = assert_push(&wallet, good).await;
        assert_eq!(answer.error(), invalid_client(), "replay");
        let soon = wallet.assertion(|_, claims| {
            claims["iat"] = json!(now + 8);
            claims["nbf"] = json!(now + 8);
        });
        assert_eq!(assert_push(&wallet, soon.await).await.status, 201);
        for (name, value) in [
            ("aud", json!([ISSUER])),
            ("aud", json!(format!("{ISSUER}/par"))),
            ("aud", json!(format!("{ISSUER}/token"))),
            ("aud", json!("https://other.example")),
            ("sub", Value::Null),
            ("sub", json!(ATTESTED)),
            ("iss", json!(ATTESTED)),
            ("exp", json!(now - 300)),
            ("nbf", json!(now + 65)),
            ("jti", Value::Null),
        ] {
            let bad = wallet
                .assertion(|_, claims| claims[name] = value.clone())
                .await;
            let answer = assert_push(&wallet, bad).await;
            assert_eq!(answer.error(), invalid_client(), "{name} {value}");
        }
        for alg in ["RS256", "none", "HS256"] {
            let bad = wallet
                .assertion(|header, _| header["alg"] = json!(alg))
                .await;
            assert_eq!(assert_push(&wallet, bad).await.error(), invalid_client());
        }
        // The token endpoint demands it too.
        let code = wallet.code().await;
        let answer = wallet.redeem(&code, |fields, _| {
            fields.retain(|(name, _)| !name.starts_with("client_assertion"));
            fields.push(("client_id", KEYED.to_owned()));
        });
        assert_eq!(answer.await.error(), invalid_client());
        assert_eq!(wallet.redeem(&code, |_, _| {}).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn a_wallet_authenticates_as_it_is_registered_and_in_no_other_way() {
    haip(async |h| {
        // An attestation for a wallet that signs assertions, and the reverse.
        let keyed = Wallet::new(&h, KEYED, 1);
        let headers = [
            (
                "oauth-client-attestation",
                keyed.attestation(|_, _| {}).await,
            ),
            ("oauth-client-attestation-pop", keyed.pop(|_, _| {}).await),
        ];
        refused(&keyed, &headers, "attestation of a keyed wallet").await;
        let attested = Wallet::new(&h, ATTESTED, 2);
        let assertion = attested.assertion(|_, _| {}).await;
        let answer = assert_push(&attested, assertion).await;
        assert_eq!(answer.error(), invalid_client());
        // One method in a request.
        let mut fields = attested.request(None);
        fields.push(("client_secret", "x".into()));
        let answer = attested
            .send("/par", &fields, &attested.headers().await)
            .await;
        assert_eq!(answer.error(), (400, "invalid_request".into()));
        // A combined wallet needs its DPoP proof with the attested key, nothing else.
        let combined = Wallet::new(&h, COMBINED, 3);
        let mut headers = combined.headers().await;
        refused(&combined, &headers, "no DPoP proof").await;
        let other = Wallet::new(&h, COMBINED, 4);
        let nonce = combined.nonce();
        headers.push(("dpop", other.dpop_proof("/par", Some(&nonce)).await));
        refused(&combined, &headers, "DPoP proof of another key").await;
        let mut headers = combined.headers().await;
        headers.push((
            "oauth-client-attestation-pop",
            combined.pop(|_, _| {}).await,
        ));
        refused(&combined, &headers, "a proof of its own").await;
        // No name, no card.
        let code = h.code(&h.offer(json!({})).await).await;
        let fields = [
            ("grant_type", super::harness::PRE_AUTHORIZED),
            ("pre-authorized_code", code.as_str()),
        ];
        assert_eq!(h.form("/token", &fields).await.error(), invalid_client());
    })
    .await;
}

#[tokio::test]
async fn cat_239_a_code_is_bound_to_the_instance_and_the_client() {
    haip(async |h: Harness| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let code = wallet.code().await;
        let grant = (400, "invalid_grant".to_owned());
        // Another instance of the same wallet, with the same DPoP key.
        let mut other = Wallet::new(&h, ATTESTED, 2);
        other.verifier = wallet.verifier.clone();
        assert_eq!(other.redeem(&code, |_, _| {}).await.error(), grant);
        // Another wallet.
        let mut other = Wallet::new(&h, ATTESTED_TOO, 1);
        other.verifier = wallet.verifier.clone();
        assert_eq!(other.redeem(&code, |_, _| {}).await.error(), grant);
        // The name of another wallet beside the own attestation.
        let answer = wallet.redeem(&code, |fields, _| {
            fields.retain(|(name, _)| *name != "client_id");
            fields.push(("client_id", ATTESTED_TOO.to_owned()));
        });
        assert_eq!(answer.await.error(), invalid_client());
        assert_eq!(wallet.redeem(&code, |_, _| {}).await.status, 200);
    })
    .await;
}
