//! What modules of the OpenID Foundation's FAPI 2.0 plan check and no other test here shows;
//! `specs/oidf.tsv` names a test for each module.

use serde_json::json;
use vouchsafe_credentials::crypto::{Algorithm, SigningKey};
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::time::Clock;

use super::haip::{ATTESTED, ATTESTED_TOO, Wallet, haip, jwt};
use super::harness::{ISSUER, PRE_AUTHORIZED, everywhere};

fn grant() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

#[tokio::test]
async fn oidf_two_clients_one_after_the_other() {
    haip(async |h| {
        let mut tokens = Vec::new();
        for (client_id, seed) in [(ATTESTED, 1), (ATTESTED_TOO, 2)] {
            let wallet = Wallet::new(&h, client_id, seed);
            let code = wallet.code().await;
            // RFC 6749, section 10.10: long enough not to be guessed.
            assert!(code.len() >= 43);
            let body = wallet.redeem(&code, |_, _| {}).await.json();
            for name in ["access_token", "refresh_token"] {
                assert!(body[name].as_str().unwrap().len() >= 43, "{name}");
            }
            assert!(body["expires_in"].as_u64().unwrap() > 0);
            let token = body["access_token"].as_str().unwrap().to_owned();
            let nonce = wallet.nonce();
            assert_eq!(wallet.credential(&token, Some(&nonce)).await.status, 200);
            tokens.push(token);
        }
        // The token of one with the key of the other.
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let nonce = wallet.nonce();
        let answer = wallet.credential(&tokens[1], Some(&nonce)).await;
        assert_eq!(answer.error(), (401, "invalid_token".into()));
    })
    .await;
}

#[tokio::test]
async fn oidf_the_person_says_no() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let pushed = wallet.push(|_| {}).await.json();
        let uri = pushed["request_uri"].as_str().unwrap();
        let query = [("client_id", ATTESTED), ("request_uri", uri)];
        let query = serde_urlencoded::to_string(query).unwrap();
        let page = h.get(&format!("/authorize?{query}")).await;
        let flow = page.text.split("name=\"flow\" value=\"").nth(1).unwrap();
        let flow = flow.split('"').next().unwrap();
        let cookie = page.header("set-cookie").split(';').next().unwrap();
        let fields = [("flow", flow), ("step", "cancel")];
        let answer = h
            .form_with("/authorize", &fields, &[("cookie", cookie)])
            .await;
        let location = answer.header("location");
        for part in ["error=access_denied", "state=s-1", "iss="] {
            assert!(location.contains(part), "{location}");
        }
    })
    .await;
}

#[tokio::test]
async fn oidf_a_code_is_good_once_for_a_minute_and_with_its_verifier() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let code = wallet.code().await;
        for verifier in [None, Some("x".repeat(43))] {
            let answer = wallet.redeem(&code, |fields, _| {
                fields.retain(|(name, _)| *name != "code_verifier");
                fields.extend(verifier.clone().map(|v| ("code_verifier", v)));
            });
            assert_eq!(answer.await.error(), grant());
        }
        let answer = wallet.redeem(&code, |_, _| {}).await;
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        h.clock.advance(1);
        assert_eq!(wallet.redeem(&code, |_, _| {}).await.error(), grant());
        let nonce = wallet.nonce();
        let answer = wallet.credential(&token, Some(&nonce)).await;
        assert_eq!(answer.error(), (401, "invalid_token".into()));
        let late = wallet.code().await;
        h.clock.advance(60);
        assert_eq!(wallet.redeem(&late, |_, _| {}).await.error(), grant());
    })
    .await;
}

#[tokio::test]
async fn oidf_dpop_scheme_in_any_case_and_proofs_with_more_than_they_need() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let code = wallet.code().await;
        let now = h.clock.now().seconds();
        let proof = async |path: &str, more: serde_json::Value| {
            let header = json!({
                "alg": "ES256", "typ": "dpop+jwt", "x": 1,
                "jwk": vouchsafe_credentials::crypto::Signer::public_key(&wallet.dpop).to_jwk(),
            });
            let mut claims = json!({
                "jti": vouchsafe_credentials::random::token(&*h.rng),
                "htm": "POST",
                "htu": format!("{}{path}", ISSUER.to_uppercase().replace("HTTPS", "https")),
                "iat": now, "nbf": now, "exp": now + 300, "x": { "y": 1 },
                "nonce": wallet.nonce(),
            });
            for (name, value) in more.as_object().unwrap() {
                claims[name] = value.clone();
            }
            jwt(&header, &claims, &wallet.dpop).await
        };
        let own = proof("/token", json!({})).await;
        let answer = wallet
            .redeem(&code, |_, headers| {
                headers.retain(|(name, _)| *name != "dpop");
                headers.push(("dpop", own.clone()));
            })
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        let ath = {
            use sha2::Digest;
            vouchsafe_credentials::encoding::b64url(&sha2::Sha256::digest(token.as_bytes()))
        };
        // A clock that is an hour off does no harm: the nonce says when the proof was made.
        for (scheme, iat) in [("dPoP", now), ("DPOP", now + 3600), ("dpop", now - 3600)] {
            let proof = proof("/credential?a=b#c", json!({ "ath": ath, "iat": iat })).await;
            let value = format!("{scheme} {token}");
            let c_nonce = h.nonce().await;
            let key = SigningKey::generate(Algorithm::Es256, &SeededRng::new(iat as u64));
            let body = json!({
                "credential_configuration_id": "membership",
                "proofs": { "jwt": [h.proof(&key, &c_nonce).await] },
            });
            let headers = [("authorization", value.as_str()), ("dpop", proof.as_str())];
            let answer = h.credential_raw(&headers, &body.to_string()).await;
            assert_eq!(answer.status, 200, "{scheme} {iat}: {}", answer.text);
        }
    })
    .await;
}

#[tokio::test]
async fn oidf_dpop_proofs_ten_seconds_off() {
    // Without nonces the time of the proof counts.
    everywhere(async |h| {
        for off in [-10, 10] {
            let code = h.code(&h.offer(json!({})).await).await;
            let fields = [
                ("grant_type", PRE_AUTHORIZED),
                ("pre-authorized_code", code.as_str()),
            ];
            let key = h.holder(3);
            h.clock.advance(off);
            let proof = h.dpop(&key, "/token", None).await;
            h.clock.advance(-off);
            let answer = h.form_with("/token", &fields, &[("dpop", &proof)]).await;
            assert_eq!(answer.json()["token_type"], "DPoP", "{off}");
        }
    })
    .await;
}
