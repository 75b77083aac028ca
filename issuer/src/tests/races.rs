use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::json;

use super::haip::{ATTESTED, Wallet};
use super::harness::{Harness, PRE_AUTHORIZED, everywhere, offer_body};

const RACERS: usize = 100;

async fn race<F, R>(count: usize, run: F) -> Vec<R>
where
    F: Fn(usize) -> std::pin::Pin<Box<dyn Future<Output = R> + Send>>,
    R: Send + 'static,
{
    let tasks: Vec<_> = (0..count).map(|n| tokio::spawn(run(n))).collect();
    join_all(tasks)
        .await
        .into_iter()
        .map(|done| done.unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cat_230_a_code_is_redeemed_once_in_a_race() {
    everywhere(async |h| {
        let offer = h.offer(json!({})).await;
        let code = h.code(&offer).await;
        let answers = race(RACERS, |_| {
            let (h, code) = (h.clone(), code.clone());
            Box::pin(async move {
                let fields = [
                    ("grant_type", PRE_AUTHORIZED),
                    ("pre-authorized_code", &code),
                ];
                h.form("/token", &fields).await.error()
            })
        })
        .await;
        assert_eq!(
            answers.iter().filter(|(status, _)| *status == 200).count(),
            1
        );
        assert!(
            answers
                .iter()
                .all(|(s, c)| *s == 200 || (*s, c.as_str()) == (400, "invalid_grant"))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cat_235_no_race_buys_a_sixth_guess() {
    everywhere(async |h| {
        let offer = h.offer(json!({ "tx_code": true })).await;
        let code = h.code(&offer).await;
        let right: u32 = offer["tx_code"].as_str().unwrap().parse().unwrap();
        let answers = race(RACERS, |n| {
            let (h, code) = (h.clone(), code.clone());
            let guess = format!("{:06}", (right + 1 + n as u32) % 1_000_000);
            Box::pin(async move {
                let fields = [
                    ("grant_type", PRE_AUTHORIZED),
                    ("pre-authorized_code", code.as_str()),
                    ("tx_code", &guess),
                ];
                h.form("/token", &fields).await.error()
            })
        })
        .await;
        assert!(
            answers
                .iter()
                .all(|(s, c)| (*s, c.as_str()) == (400, "invalid_grant"))
        );
        let id = offer["id"].as_str().unwrap();
        assert_eq!(
            h.admin_get(&format!("/v1/offers/{id}")).await.json()["tries"],
            5
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cat_394_one_offer_for_one_idempotency_key() {
    everywhere(async |h| {
        let body = offer_body().to_string();
        let answers = race(RACERS, |_| {
            let (h, body) = (h.clone(), body.clone());
            Box::pin(async move {
                h.admin_post("/v1/offers", &body, &[("idempotency-key", "k")])
                    .await
                    .text
            })
        })
        .await;
        assert_eq!(answers.iter().collect::<BTreeSet<_>>().len(), 1);
        let list = h.admin_get("/v1/offers").await.json();
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cat_223_no_status_index_twice() {
    everywhere(async |h| {
        let issued = race(RACERS, |n| {
            let h: Harness = h.clone();
            Box::pin(async move { h.issue(&h.holder(n as u64 + 1)).await })
        })
        .await;
        assert_eq!(issued.iter().collect::<BTreeSet<_>>().len(), RACERS);
        let list = h.admin_get("/v1/credentials?limit=200").await.json();
        let items = list["items"].as_array().unwrap();
        let places: BTreeSet<String> = items
            .iter()
            .map(|item| item["status_list"].to_string())
            .collect();
        assert_eq!((items.len(), places.len()), (RACERS, RACERS));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cat_259_274_a_nonce_is_used_once_in_a_race() {
    everywhere(async |h| {
        let token = h.token().await;
        let nonce = h.nonce().await;
        let proof = h.proof(&h.holder(1), &nonce).await;
        let answers = race(20, |_| {
            let (h, token, proof) = (h.clone(), token.clone(), proof.clone());
            Box::pin(async move { h.credential(&token, &[proof]).await.error() })
        })
        .await;
        assert_eq!(
            answers.iter().filter(|(status, _)| *status == 200).count(),
            1
        );
        assert!(
            answers
                .iter()
                .all(|(s, c)| *s == 200 || c == "invalid_nonce"),
            "{answers:?}"
        );
        let list = h.admin_get("/v1/credentials").await.json();
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cat_226_425_one_of_many_revocations_wins() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let id = h.newest().await["id"].as_str().unwrap().to_owned();
        let answers = race(RACERS, |_| {
            let (h, id) = (h.clone(), id.clone());
            Box::pin(async move {
                h.admin_post(&format!("/v1/credentials/{id}/revoke"), "", &[])
                    .await
                    .error()
                    .0
            })
        })
        .await;
        assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1);
        assert_eq!(
            answers.iter().filter(|status| **status == 409).count(),
            RACERS - 1
        );
        assert_eq!(h.newest().await["version"], 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cat_250_a_proof_is_used_once_in_a_race() {
    everywhere(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 5);
        let mut codes = Vec::new();
        for _ in 0..20 {
            codes.push(h.code(&h.offer(json!({})).await).await);
        }
        let proof = wallet.dpop_proof("/token", None).await;
        let redeem = |h: Harness, code: String, proof: String| async move {
            let fields = [
                ("grant_type", PRE_AUTHORIZED),
                ("pre-authorized_code", code.as_str()),
            ];
            h.form_with("/token", &fields, &[("dpop", &proof)]).await
        };
        let answers = race(codes.len(), |n| {
            Box::pin(redeem(h.clone(), codes[n].clone(), proof.clone()))
        })
        .await;
        let won: Vec<bool> = answers.iter().map(|answer| answer.status == 200).collect();
        assert_eq!(won.iter().filter(|won| **won).count(), 1);
        for lost in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!(lost.error(), (400, "invalid_dpop_proof".into()));
        }
        // The codes of the others were not used up.
        let left = codes.iter().zip(&won).find(|(_, won)| !**won).unwrap().0;
        let fresh = wallet.dpop_proof("/token", None).await;
        let answer = redeem(h.clone(), left.clone(), fresh).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();

        let proof = wallet.dpop_for("/credential", Some(&token), None).await;
        let mut bodies = Vec::new();
        for n in 0..20 {
            let key_proof = h.proof(&h.holder(n), &h.nonce().await).await;
            bodies.push(json!({
                "credential_configuration_id": "membership",
                "proofs": { "jwt": [key_proof] },
            }));
        }
        let answers = race(bodies.len(), |n| {
            let (h, body, proof) = (h.clone(), bodies[n].to_string(), proof.clone());
            let scheme = format!("DPoP {token}");
            Box::pin(async move {
                let headers = [("authorization", scheme.as_str()), ("dpop", &proof)];
                h.credential_raw(&headers, &body).await.error()
            })
        })
        .await;
        let won = answers.iter().filter(|(status, _)| *status == 200).count();
        assert_eq!(won, 1);
        assert!(
            answers
                .iter()
                .all(|(s, c)| *s == 200 || (*s, c.as_str()) == (401, "invalid_dpop_proof")),
            "{answers:?}"
        );
        let list = h.admin_get("/v1/credentials").await.json();
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn cat_250_what_is_refused_at_the_token_endpoint_uses_the_proof_up() {
    everywhere(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 6);
        let offer = h.offer(json!({ "tx_code": true })).await;
        let code = h.code(&offer).await;
        let right = offer["tx_code"].as_str().unwrap();
        let redeem = async |code: &str, typed: Option<&str>, proof: &str| {
            let mut fields = vec![
                ("grant_type", PRE_AUTHORIZED),
                ("pre-authorized_code", code),
            ];
            fields.extend(typed.map(|typed| ("tx_code", typed)));
            h.form_with("/token", &fields, &[("dpop", proof)])
                .await
                .error()
        };
        let used = (400, "invalid_dpop_proof".to_owned());
        let wrong = if right == "000000" {
            "000001"
        } else {
            "000000"
        };
        for (typed, refused) in [(Some(wrong), "invalid_grant"), (None, "invalid_request")] {
            let proof = wallet.dpop_proof("/token", None).await;
            let answer = redeem(&code, typed, &proof).await;
            assert_eq!(answer, (400, refused.to_owned()));
            assert_eq!(redeem(&code, typed, &proof).await, used);
            assert_eq!(redeem(&code, Some(right), &proof).await, used);
        }
        // A try with a proof that was used before is none.
        let id = offer["id"].as_str().unwrap();
        let seen = h.admin_get(&format!("/v1/offers/{id}")).await.json();
        assert_eq!(seen["tries"], 1);
        // Nothing is kept of a request whose code is not open.
        let proof = wallet.dpop_proof("/token", None).await;
        let answer = redeem("unknown", Some(right), &proof).await;
        assert_eq!(answer, (400, "invalid_grant".to_owned()));
        assert_eq!(redeem(&code, Some(right), &proof).await.0, 200);
    })
    .await;
}
