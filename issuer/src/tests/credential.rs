use serde_json::{Value, json};
use vouchsafe_credentials::crypto::{Algorithm, AwsLc, Signer, SigningKey};
use vouchsafe_credentials::did;
use vouchsafe_credentials::sd_jwt_vc::{
    IssuancePolicy, IssuerMethod, IssuerTrust, StatusMethod, TrustedIssuer, verify_issued,
};
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::time::Clock;
use vouchsafe_protocol::vci::proof::{self, ProofFor};

use super::harness::{Harness, ISSUER, PRE_AUTHORIZED, everywhere};

fn trust(h: &Harness) -> IssuerTrust {
    let did = did::key::encode(&h.issuer_key());
    IssuerTrust::new(vec![TrustedIssuer {
        id: did.clone(),
        method: IssuerMethod::Did(did),
        types: vec!["urn:vouchsafe:membership:1".into()],
        status: StatusMethod::SameIssuer,
    }])
    .unwrap()
}

#[tokio::test]
async fn from_offer_to_credential() {
    everywhere(async |h| {
        let key = h.holder(1);
        let compact = h.issue(&key).await;
        let held = verify_issued(
            &compact,
            &IssuancePolicy {
                trust: &trust(&h),
                vct: "urn:vouchsafe:membership:1",
                holder_key: Some(key.public_key()),
                now: h.clock.now(),
            },
            &AwsLc,
        )
        .unwrap();
        drop(held);
        let seen = h.newest().await;
        assert_eq!(seen["status"], "valid");
        assert_eq!(seen["credential_type"], "membership");
        assert!(!seen.to_string().contains("M-4711"));
    })
    .await;
}

#[tokio::test]
async fn batch_gives_one_credential_for_each_key() {
    everywhere(async |h| {
        let token = h.token().await;
        let nonce = h.nonce().await;
        let mut proofs = Vec::new();
        for seed in 1..=3 {
            proofs.push(h.proof(&h.holder(seed), &nonce).await);
        }
        let answer = h.credential(&token, &proofs).await;
        assert_eq!(
            answer.json()["credentials"].as_array().unwrap().len(),
            3,
            "{}",
            answer.text
        );
        let items = h.admin_get("/v1/credentials").await.json()["items"].clone();
        let mut places: Vec<String> = items
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["status_list"].to_string())
            .collect();
        places.sort();
        places.dedup();
        assert_eq!(places.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn cat_268_one_bad_proof_fails_the_batch() {
    everywhere(async |h| {
        let token = h.token().await;
        let nonce = h.nonce().await;
        let other = h.nonce().await;
        let good = |seed| {
            let nonce = nonce.clone();
            let h = h.clone();
            async move { h.proof(&h.holder(seed), &nonce).await }
        };
        let (a, b, c, d) = (good(1).await, good(2).await, good(3).await, good(4).await);
        let again = good(1).await;
        let foreign = h.proof(&h.holder(5), &other).await;
        for (proofs, what) in [
            (vec![a.clone(), b.clone(), c, d], "too many"),
            (vec![a.clone(), again], "same key twice"),
            (vec![a.clone(), foreign], "different nonces"),
            (vec![a.clone(), b.replace('.', "A.")], "one bad"),
        ] {
            let answer = h.credential(&token, &proofs).await;
            assert_eq!(answer.error(), (400, "invalid_proof".into()), "{what}");
        }
        assert_eq!(
            h.admin_get("/v1/credentials").await.json()["items"],
            json!([])
        );
        assert_eq!(h.credential(&token, &[a, b]).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn cat_259_274_a_nonce_works_once_and_a_retry_replaces() {
    everywhere(async |h| {
        let key = h.holder(1);
        let token = h.token().await;
        let nonce = h.nonce().await;
        let proof = h.proof(&key, &nonce).await;
        assert_eq!(
            h.credential(&token, std::slice::from_ref(&proof))
                .await
                .status,
            200
        );
        let again = h.credential(&token, &[proof]).await;
        assert_eq!(again.error(), (400, "invalid_nonce".into()));
        // The same token with a fresh nonce succeeds, and the first credential is revoked.
        h.issue_with(&token, &key).await;
        let items = h.admin_get("/v1/credentials").await.json()["items"].clone();
        let statuses: Vec<&Value> = items
            .as_array()
            .unwrap()
            .iter()
            .map(|item| &item["status"])
            .collect();
        assert_eq!(statuses, [&json!("valid"), &json!("revoked")]);
    })
    .await;
}

#[tokio::test]
async fn cat_259_281_nonces_that_are_not_ours() {
    everywhere(async |h| {
        let token = h.token().await;
        let nonce = h.nonce().await;
        let mut flipped = nonce.clone().into_bytes();
        flipped[20] = if flipped[20] == b'A' { b'B' } else { b'A' };
        let flipped = String::from_utf8(flipped).unwrap();
        for bad in ["", "unknown", flipped.as_str()] {
            let proof = h.proof(&h.holder(1), bad).await;
            let error = h.credential(&token, &[proof]).await.error();
            assert_eq!(error, (400, "invalid_nonce".into()), "{bad}");
        }
        let proof = h.proof(&h.holder(1), &nonce).await;
        h.clock.advance(299);
        let late = h.credential(&token, std::slice::from_ref(&proof)).await;
        assert_eq!(late.status, 200, "{}", late.text);
        let other = h.nonce().await;
        h.clock.advance(-299);
        let token = h.token().await;
        let early = h.proof(&h.holder(1), &other).await;
        assert_eq!(
            h.credential(&token, &[early]).await.error().1,
            "invalid_nonce"
        );
    })
    .await;
}

#[tokio::test]
async fn cat_257_260_265_266_bad_proofs() {
    everywhere(async |h| {
        let token = h.token().await;
        let auth = format!("Bearer {token}");
        let headers = [("authorization", auth.as_str())];
        let body = json!({ "credential_configuration_id": "membership" }).to_string();
        assert_eq!(
            h.credential_raw(&headers, &body).await.error(),
            (400, "invalid_proof".into())
        );
        let key = h.holder(1);
        let nonce = h.nonce().await;
        let now = h.clock.now();
        let good = ProofFor {
            issuer: ISSUER,
            client_id: None,
            nonce: Some(&nonce),
        };
        for (request, at, what) in [
            (
                ProofFor {
                    issuer: "https://other.example",
                    ..good
                },
                now,
                "aud",
            ),
            (good, now.plus(10 * 365 * 86_400), "iat in ten years"),
            (good, now.plus(-301), "iat too old"),
            (
                ProofFor {
                    client_id: Some("wallet.example"),
                    ..good
                },
                now,
                "iss",
            ),
            (
                ProofFor {
                    nonce: None,
                    ..good
                },
                now,
                "no nonce",
            ),
        ] {
            let proof = proof::build(&request, &key, at).await.unwrap();
            let error = h.credential(&token, &[proof]).await.error();
            assert_eq!(error, (400, "invalid_proof".into()), "{what}");
        }
        assert_eq!(
            h.credential(&token, &[h.proof(&key, &nonce).await])
                .await
                .status,
            200
        );
    })
    .await;
}

#[tokio::test]
async fn cat_269_271_275_requests_of_another_form() {
    everywhere(async |h| {
        let token = h.token().await;
        let auth = format!("Bearer {token}");
        let headers = [("authorization", auth.as_str())];
        let nonce = h.nonce().await;
        let proof = h.proof(&h.holder(1), &nonce).await;
        let good = json!({
            "credential_configuration_id": "membership",
            "proofs": { "jwt": [proof] },
        });
        let with = |name: &str, value: Value| {
            let mut body = good.clone();
            body[name] = value;
            body.to_string()
        };
        let without = json!({ "proofs": good["proofs"] }).to_string();
        let identifier =
            json!({ "credential_identifier": "x", "proofs": good["proofs"] }).to_string();
        for (body, code) in [
            (
                with("credential_identifier", json!("x")),
                "invalid_credential_request",
            ),
            (without, "invalid_credential_request"),
            (identifier, "unknown_credential_identifier"),
            (
                with("format", json!("dc+sd-jwt")),
                "invalid_credential_request",
            ),
            (with("proof", json!({})), "invalid_credential_request"),
            (
                with("credential_response_encryption", json!({})),
                "invalid_encryption_parameters",
            ),
            (
                with("credential_configuration_id", json!("nothing")),
                "unknown_credential_configuration",
            ),
            (
                good.to_string().replace("}}", "},\"proofs\":{}}"),
                "invalid_credential_request",
            ),
            ("[]".into(), "invalid_credential_request"),
        ] {
            let answer = h.credential_raw(&headers, &body).await;
            assert_eq!(answer.error(), (400, code.into()), "{body}");
        }
        let answer = h
            .credential_raw(&headers, &with("future_member", json!(1)))
            .await;
        assert_eq!(answer.status, 200);
    })
    .await;
}

#[tokio::test]
async fn cat_247_248_tokens() {
    everywhere(async |h| {
        let token = h.token().await;
        let nonce = h.nonce().await;
        let proofs = [h.proof(&h.holder(1), &nonce).await];
        let body = json!({ "credential_configuration_id": "age", "proofs": { "jwt": proofs } });
        let auth = format!("Bearer {token}");
        let answer = h
            .credential_raw(&[("authorization", &auth)], &body.to_string())
            .await;
        assert_eq!(answer.error(), (403, "insufficient_scope".into()));
        let answer = h.credential_raw(&[], &body.to_string()).await;
        assert_eq!(answer.status, 401);
        assert!(answer.header("www-authenticate").starts_with("DPoP algs="));
        for bad in ["Bearer x", "Bearer", "Basic YTpi", &format!("DPoP {token}")] {
            let answer = h
                .credential_raw(&[("authorization", bad)], &body.to_string())
                .await;
            assert_eq!(answer.error(), (401, "invalid_token".into()), "{bad}");
        }
        let query = h
            .form(&format!("/credential?access_token={token}"), &[])
            .await;
        assert_eq!(query.status, 401);
        h.clock.advance(300);
        let answer = h.credential(&token, &proofs).await;
        assert_eq!(answer.error(), (401, "invalid_token".into()));
    })
    .await;
}

#[tokio::test]
async fn an_offer_brings_a_bounded_number_of_credentials() {
    everywhere(async |h| {
        let token = h.token().await;
        for seed in 0..12 {
            h.issue_with(&token, &h.holder(seed + 1)).await;
        }
        let nonce = h.nonce().await;
        let answer = h
            .credential(&token, &[h.proof(&h.holder(50), &nonce).await])
            .await;
        assert_eq!(answer.error(), (400, "credential_request_denied".into()));
    })
    .await;
}

async fn bound_token(h: &Harness, key: &SigningKey) -> String {
    let offer = h.offer(json!({})).await;
    let code = h.code(&offer).await;
    let proof = h.dpop(key, "/token", None).await;
    let fields = [
        ("grant_type", PRE_AUTHORIZED),
        ("pre-authorized_code", code.as_str()),
    ];
    let answer = h.form_with("/token", &fields, &[("dpop", &proof)]).await;
    assert_eq!(answer.json()["token_type"], "DPoP", "{}", answer.text);
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn cat_250_251_253_bound_tokens() {
    everywhere(async |h| {
        let key = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(40));
        let other = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(41));
        let token = bound_token(&h, &key).await;
        let nonce = h.nonce().await;
        let proofs = [h.proof(&h.holder(1), &nonce).await];
        let body = json!({
            "credential_configuration_id": "membership", "proofs": { "jwt": proofs },
        })
        .to_string();
        let bearer = format!("Bearer {token}");
        let dpop = format!("DPoP {token}");
        let send = async |scheme: &str, proof: Option<&str>| {
            let mut headers = vec![("authorization", scheme)];
            headers.extend(proof.map(|proof| ("dpop", proof)));
            h.credential_raw(&headers, &body).await
        };
        let right = h.dpop(&key, "/credential", Some(&token)).await;
        let foreign = h.dpop(&other, "/credential", Some(&token)).await;
        let url = h.dpop(&key, "/token", Some(&token)).await;
        let ath = h.dpop(&key, "/credential", Some("other")).await;
        assert_eq!(
            send(&bearer, None).await.error(),
            (401, "invalid_token".into())
        );
        assert_eq!(
            send(&bearer, Some(&right)).await.error(),
            (401, "invalid_token".into())
        );
        assert_eq!(
            send(&dpop, None).await.error(),
            (401, "invalid_dpop_proof".into())
        );
        assert_eq!(
            send(&dpop, Some(&foreign)).await.error(),
            (401, "invalid_token".into())
        );
        assert_eq!(
            send(&dpop, Some(&url)).await.error(),
            (401, "invalid_dpop_proof".into())
        );
        assert_eq!(
            send(&dpop, Some(&ath)).await.error(),
            (401, "invalid_dpop_proof".into())
        );
        let twice = [
            ("authorization", dpop.as_str()),
            ("dpop", &right),
            ("dpop", &right),
        ];
        assert_eq!(
            h.credential_raw(&twice, &body).await.error(),
            (401, "invalid_dpop_proof".into())
        );
        assert_eq!(send(&dpop, Some(&right)).await.status, 200);
        assert_eq!(
            send(&dpop, Some(&right)).await.error(),
            (401, "invalid_dpop_proof".into())
        );
    })
    .await;
}

#[tokio::test]
async fn claims_leave_the_database_when_they_are_used_or_over() {
    everywhere(async |h| {
        let used = h.offer(json!({})).await;
        let code = h.code(&used).await;
        let fields = [
            ("grant_type", PRE_AUTHORIZED),
            ("pre-authorized_code", code.as_str()),
        ];
        assert_eq!(h.form("/token", &fields).await.status, 200);
        h.offer(json!({ "expires_in_s": 60 })).await;
        let open = h.offer(json!({ "expires_in_s": 6000 })).await;
        h.clock.advance(301);
        h.issuer.purge().await.unwrap();
        let db = &h.issuer.core().db;
        let left = vouchsafe_service::each!(db, p => sqlx::query_scalar::<_, String>(
            "SELECT id FROM issuer_offers WHERE claims_sealed IS NOT NULL")
            .fetch_all(p).await)
        .unwrap();
        assert_eq!(left, [open["id"].as_str().unwrap()]);
        let tokens = vouchsafe_service::each!(db, p => sqlx::query_scalar::<_, i64>(
            "SELECT COUNT(*) FROM issuer_access_tokens").fetch_one(p).await)
        .unwrap();
        assert_eq!(tokens, 0);
    })
    .await;
}
