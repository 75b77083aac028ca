use serde_json::json;

use super::haip::{ATTESTED, Wallet, haip};
use super::harness::PRE_AUTHORIZED;

async fn token(wallet: &Wallet<'_>) -> String {
    let code = wallet.code().await;
    let answer = wallet.redeem(&code, |_, _| {}).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_token_endpoint_gives_nonces_and_demands_them() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let code = wallet.code().await;
        let bare = wallet.dpop_proof("/token", None).await;
        let stale = wallet.dpop_proof("/token", Some("stale")).await;
        for proof in [bare, stale] {
            let answer = wallet
                .redeem(&code, |_, headers| {
                    headers.retain(|(name, _)| *name != "dpop");
                    headers.push(("dpop", proof.clone()));
                })
                .await;
            assert_eq!(answer.error(), (400, "use_dpop_nonce".into()));
            assert!(!answer.header("dpop-nonce").is_empty());
        }
        let answer = wallet
            .redeem(&code, |_, headers| {
                headers.retain(|(name, _)| *name != "dpop")
            })
            .await;
        assert_eq!(answer.error(), (400, "invalid_dpop_proof".into()));
        let nonce = answer.header("dpop-nonce").to_owned();
        let proof = wallet.dpop_proof("/token", Some(&nonce)).await;
        let answer = wallet
            .redeem(&code, |_, headers| {
                headers.retain(|(name, _)| *name != "dpop");
                headers.push(("dpop", proof.clone()));
            })
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(!answer.header("dpop-nonce").is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_token_without_a_key_is_never_issued_and_bearer_is_no_scheme() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let code = h.code(&h.offer(json!({})).await).await;
        let mut fields = wallet.fields().await;
        fields.push(("grant_type", PRE_AUTHORIZED.to_owned()));
        fields.push(("pre-authorized_code", code));
        let answer = wallet
            .send("/token", &fields, &wallet.headers().await)
            .await;
        assert_eq!(answer.error(), (400, "invalid_dpop_proof".into()));
        let token = token(&wallet).await;
        let answer = h.credential(&token, &[]).await;
        assert_eq!(answer.error(), (401, "invalid_token".into()));
        let schemes: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
        assert_eq!(schemes.len(), 1);
        assert!(answer.header("www-authenticate").starts_with("DPoP "));
    })
    .await;
}

#[tokio::test]
async fn the_credential_and_the_nonce_endpoint_give_nonces_too() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let token = token(&wallet).await;
        let answer = wallet.credential(&token, None).await;
        assert_eq!(
            answer.error(),
            (401, "use_dpop_nonce".into()),
            "{}",
            answer.text
        );
        assert!(answer.header("www-authenticate").contains("use_dpop_nonce"));
        let nonce = answer.header("dpop-nonce").to_owned();
        assert_eq!(wallet.credential(&token, Some(&nonce)).await.status, 200);
        let answer = h.form("/nonce", &[]).await;
        assert_eq!(answer.status, 200);
        let nonce = answer.header("dpop-nonce").to_owned();
        assert_eq!(wallet.credential(&token, Some(&nonce)).await.status, 200);
        // A nonce ends.
        h.clock.advance(299);
        assert_eq!(wallet.credential(&token, Some(&nonce)).await.status, 200);
        h.clock.advance(1);
        let answer = wallet.credential(&token, Some(&nonce)).await;
        assert_eq!(answer.error().0, 401);
        // A c_nonce is no nonce of a proof.
        let other = Wallet::new(&h, ATTESTED, 9);
        let code = other.code().await;
        let c_nonce = h.nonce().await;
        let proof = other.dpop_proof("/token", Some(&c_nonce)).await;
        let answer = other
            .redeem(&code, |_, headers| {
                headers.retain(|(name, _)| *name != "dpop");
                headers.push(("dpop", proof.clone()));
            })
            .await;
        assert_eq!(answer.error(), (400, "use_dpop_nonce".into()));
    })
    .await;
}

#[tokio::test]
async fn cat_250_a_proof_with_a_nonce_is_good_once() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let token = token(&wallet).await;
        let proof = wallet
            .dpop_for("/credential", Some(&token), Some(&wallet.nonce()))
            .await;
        let scheme = format!("DPoP {token}");
        let headers = [("authorization", scheme.as_str()), ("dpop", proof.as_str())];
        // What follows the proof does not matter: it is used.
        assert_eq!(h.credential_raw(&headers, "{}").await.status, 400);
        let answer = h.credential_raw(&headers, "{}").await;
        assert_eq!(answer.error(), (401, "invalid_dpop_proof".into()));
    })
    .await;
}
