use serde_json::{Value, json};
use vouchsafe_credentials::crypto::{Algorithm, SigningKey};
use vouchsafe_credentials::testing::SeededRng;

use super::haip::{ATTESTED, ATTESTED_TOO, KEYED, Wallet, haip};
use super::harness::{Answer, Harness, PRE_AUTHORIZED, WALLET, config_text, everywhere_with};

fn grant() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

async fn tokens(wallet: &Wallet<'_>) -> (String, String) {
    let code = wallet.code().await;
    let answer = wallet.redeem(&code, |_, _| {}).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    both(&answer.json())
}

fn both(body: &Value) -> (String, String) {
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

/// Refreshes as this wallet does, with changes.
async fn refresh(
    wallet: &Wallet<'_>,
    token: &str,
    change: impl Fn(&mut Vec<(&'static str, String)>, &mut Vec<(&'static str, String)>),
) -> Answer {
    let mut fields = wallet.fields().await;
    fields.push(("grant_type", "refresh_token".to_owned()));
    fields.push(("refresh_token", token.to_owned()));
    let mut headers = wallet.headers().await;
    let nonce = wallet.nonce();
    headers.push(("dpop", wallet.dpop_proof("/token", Some(&nonce)).await));
    change(&mut fields, &mut headers);
    wallet.send("/token", &fields, &headers).await
}

#[tokio::test]
async fn a_bound_refresh_token_stays_the_same_and_brings_the_card_again() {
    haip(async |h| {
        for (client_id, seed) in [(ATTESTED, 1), (KEYED, 2)] {
            let wallet = Wallet::new(&h, client_id, seed);
            let (_, token) = tokens(&wallet).await;
            for _ in 0..3 {
                h.clock.advance(7 * 86_400);
                let answer = refresh(&wallet, &token, |_, _| {}).await;
                assert_eq!(answer.status, 200, "{}", answer.text);
                let (access, again) = both(&answer.json());
                assert_eq!(again, token);
                let nonce = wallet.nonce();
                let answer = wallet.credential(&access, Some(&nonce)).await;
                assert_eq!(answer.status, 200, "{}", answer.text);
            }
            // Thirty days in all, however often it was used.
            h.clock.advance(9 * 86_400);
            assert_eq!(refresh(&wallet, &token, |_, _| {}).await.error(), grant());
        }
    })
    .await;
}

#[tokio::test]
async fn cat_239_a_refresh_token_is_bound_to_instance_and_client() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let (_, token) = tokens(&wallet).await;
        let mut other_instance = Wallet::new(&h, ATTESTED, 2);
        other_instance.dpop = Wallet::new(&h, ATTESTED, 1).dpop;
        let other_client = Wallet::new(&h, ATTESTED_TOO, 1);
        for wallet in [&other_instance, &other_client] {
            assert_eq!(refresh(wallet, &token, |_, _| {}).await.error(), grant());
        }
        let without = refresh(&wallet, &token, |_, headers| {
            headers.retain(|(name, _)| *name != "dpop");
        });
        assert_eq!(without.await.error(), (400, "invalid_dpop_proof".into()));
        let nobody = refresh(&wallet, &token, |fields, headers| {
            fields.retain(|(name, _)| *name != "client_id");
            headers.retain(|(name, _)| *name == "dpop");
        });
        assert_eq!(nobody.await.error(), (401, "invalid_client".into()));
        let name_alone = refresh(&wallet, &token, |_, headers| {
            headers.retain(|(name, _)| *name == "dpop");
        });
        assert_eq!(name_alone.await.error(), (401, "invalid_client".into()));
        assert_eq!(refresh(&wallet, &token, |_, _| {}).await.status, 200);
    })
    .await;
}

/// OpenID Foundation, `fapi2-security-profile-final-refresh-token`, condition
/// `CheckTokenEndpointHttpStatus200`: the suite makes a new DPoP key for each refresh. RFC 9449,
/// section 5: tokens of confidential clients are not bound to the key of the proof.
#[tokio::test]
async fn oidf_a_confidential_client_refreshes_with_another_dpop_key() {
    haip(async |h| {
        for (client_id, seed) in [(ATTESTED, 1), (KEYED, 2)] {
            let first = Wallet::new(&h, client_id, seed);
            let (old, token) = tokens(&first).await;
            let mut wallet = Wallet::new(&h, client_id, seed);
            wallet.dpop = SigningKey::generate(Algorithm::Es256, &SeededRng::new(4242));
            let answer = refresh(&wallet, &token, |_, _| {}).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            let (access, again) = both(&answer.json());
            assert_eq!(again, token);
            // Each access token is of the key that bought it, and of no other.
            let nonce = wallet.nonce();
            for (token, keeper, thief) in [(&access, &wallet, &first), (&old, &first, &wallet)] {
                let stolen = thief.credential(token, Some(&nonce)).await;
                assert_eq!(stolen.error(), (401, "invalid_token".into()));
                let answer = keeper.credential(token, Some(&nonce)).await;
                assert_eq!(answer.status, 200, "{}", answer.text);
            }
        }
    })
    .await;
}

/// RFC 9449, section 5: tokens of public clients are bound to the key of the proof.
#[tokio::test]
async fn cat_239_a_public_client_refreshes_with_the_same_dpop_key() {
    everywhere_with(&open_text(), async |h| {
        let key = |seed| SigningKey::generate(Algorithm::Es256, &SeededRng::new(seed));
        let (key, other) = (key(61), key(62));
        let code = h.code(&h.offer(json!({})).await).await;
        let fields = [
            ("grant_type", PRE_AUTHORIZED),
            ("pre-authorized_code", code.as_str()),
            ("client_id", WALLET),
        ];
        let proof = h.dpop(&key, "/token", None).await;
        let answer = h.form_with("/token", &fields, &[("dpop", &proof)]).await;
        let (_, token) = both(&answer.json());
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token.as_str()),
            ("client_id", WALLET),
        ];
        let stolen = h.dpop(&other, "/token", None).await;
        let answer = h.form_with("/token", &fields, &[("dpop", &stolen)]).await;
        assert_eq!(answer.error(), grant());
        assert_eq!(h.form("/token", &fields).await.error(), grant());
        let proof = h.dpop(&key, "/token", None).await;
        let answer = h.form_with("/token", &fields, &[("dpop", &proof)]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    })
    .await;
}

#[tokio::test]
async fn a_refresh_asks_for_no_more_than_was_granted() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let (_, token) = tokens(&wallet).await;
        for (scope, good) in [
            ("membership", true),
            ("membership nothing", true),
            ("nothing", true),
            ("age", false),
            ("membership age", false),
        ] {
            let answer = refresh(&wallet, &token, |fields, _| {
                fields.push(("scope", scope.to_owned()));
            });
            let answer = answer.await;
            match good {
                true => {
                    assert_eq!(answer.status, 200, "{scope}");
                    // RFC 6749, section 5.1: told where it differs.
                    let told = (scope != "membership").then_some("membership");
                    assert_eq!(answer.json()["scope"].as_str(), told, "{scope}");
                }
                false => assert_eq!(answer.error(), (400, "invalid_scope".into()), "{scope}"),
            }
        }
        let details = json!([{
            "type": "openid_credential", "credential_configuration_id": "age",
        }]);
        let answer = refresh(&wallet, &token, |fields, _| {
            fields.push(("authorization_details", details.to_string()));
        });
        let refused = (400, "invalid_authorization_details".to_owned());
        assert_eq!(answer.await.error(), refused);
        for bad in ["", "x"] {
            assert_eq!(refresh(&wallet, bad, |_, _| {}).await.error().0, 400);
        }
    })
    .await;
}

#[tokio::test]
async fn a_code_used_twice_kills_the_refresh_token_too() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let code = wallet.code().await;
        let answer = wallet.redeem(&code, |_, _| {}).await;
        let (access, token) = both(&answer.json());
        assert_eq!(wallet.redeem(&code, |_, _| {}).await.error(), grant());
        assert_eq!(refresh(&wallet, &token, |_, _| {}).await.error(), grant());
        let nonce = wallet.nonce();
        let answer = wallet.credential(&access, Some(&nonce)).await;
        assert_eq!(answer.error(), (401, "invalid_token".into()));
    })
    .await;
}

#[tokio::test]
async fn what_was_revoked_by_hand_is_not_issued_again() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let (access, token) = tokens(&wallet).await;
        let nonce = wallet.nonce();
        assert_eq!(wallet.credential(&access, Some(&nonce)).await.status, 200);
        let id = h.newest().await["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/credentials/{id}/revoke");
        assert_eq!(h.admin_post(&path, "", &[]).await.status, 200);
        assert_eq!(refresh(&wallet, &token, |_, _| {}).await.error(), grant());
    })
    .await;
}

fn open_text() -> String {
    config_text("refresh_tokens = true")
}

async fn bearer(h: &Harness) -> (String, String) {
    let code = h.code(&h.offer(json!({})).await).await;
    let fields = [
        ("grant_type", PRE_AUTHORIZED),
        ("pre-authorized_code", code.as_str()),
        ("client_id", WALLET),
    ];
    both(&h.form("/token", &fields).await.json())
}

async fn refresh_bearer(h: &Harness, client_id: &str, token: &str) -> Answer {
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", client_id),
    ];
    h.form("/token", &fields).await
}

#[tokio::test]
async fn a_bearer_refresh_token_works_once_and_its_replay_ends_the_family() {
    everywhere_with(&open_text(), async |h| {
        let (_, first) = bearer(&h).await;
        let wrong = refresh_bearer(&h, "other.example", &first).await;
        assert_eq!(wrong.error(), grant());
        let (access, second) = both(&refresh_bearer(&h, WALLET, &first).await.json());
        assert_ne!(first, second);
        h.issue_with(&access, &h.holder(5)).await;
        let (last, third) = both(&refresh_bearer(&h, WALLET, &second).await.json());
        // The first one comes again: somebody has a copy.
        assert_eq!(refresh_bearer(&h, WALLET, &first).await.error(), grant());
        assert_eq!(refresh_bearer(&h, WALLET, &third).await.error(), grant());
        let proof = h.proof(&h.holder(6), &h.nonce().await).await;
        let answer = h.credential(&last, &[proof]).await;
        assert_eq!(answer.error(), (401, "invalid_token".into()));
        // Thirty days from the first token on.
        let (_, token) = bearer(&h).await;
        h.clock.advance(29 * 86_400);
        let (_, token) = both(&refresh_bearer(&h, WALLET, &token).await.json());
        h.clock.advance(86_400);
        assert_eq!(refresh_bearer(&h, WALLET, &token).await.error(), grant());
    })
    .await;
}

#[tokio::test]
async fn of_many_at_once_one_gets_the_next_token() {
    everywhere_with(&open_text(), async |h| {
        let (_, token) = bearer(&h).await;
        let tries = (0..20).map(|_| {
            let (h, token) = (h.clone(), token.clone());
            tokio::spawn(async move { refresh_bearer(&h, WALLET, &token).await.status })
        });
        let mut won = 0;
        for attempt in tries.collect::<Vec<_>>() {
            won += u32::from(attempt.await.unwrap() == 200);
        }
        assert_eq!(won, 1);
    })
    .await;
}

#[tokio::test]
async fn without_the_setting_there_are_none() {
    super::harness::everywhere(async |h| {
        let code = h.code(&h.offer(json!({})).await).await;
        let fields = [
            ("grant_type", PRE_AUTHORIZED),
            ("pre-authorized_code", code.as_str()),
        ];
        let body = h.form("/token", &fields).await.json();
        assert!(body["refresh_token"].is_null());
        let answer = refresh_bearer(&h, WALLET, "x").await;
        assert_eq!(answer.error(), (400, "unsupported_grant_type".into()));
    })
    .await;
}

#[tokio::test]
async fn cat_460_the_database_alone_reads_no_claims_behind_a_refresh_token() {
    everywhere_with(&open_text(), async |h| {
        use vouchsafe_service::db::each;
        let (_, token) = bearer(&h).await;
        let db = &h.issuer.core().db;
        let sealed = each!(db, p => sqlx::query_scalar::<_, Vec<u8>>(
            "SELECT claims_sealed FROM issuer_refresh_tokens").fetch_one(p).await);
        let sealed = sealed.unwrap();
        let offer = each!(db, p => sqlx::query_scalar::<_, String>(
            "SELECT offer_id FROM issuer_refresh_tokens").fetch_one(p).await);
        let offer = crate::domain::ids::OfferId::parse(&offer.unwrap()).unwrap();
        assert!(crate::claims::open_from_offer(h.issuer.core(), &offer, &sealed).is_err());
        let token = crate::domain::secret::Secret::received(&token);
        assert!(crate::claims::open_under_refresh(&token, &offer, &sealed).is_ok());
        assert!(crate::claims::open_under_token(&token, &offer, &sealed).is_err());
        // Over is gone.
        h.clock.advance(30 * 86_400);
        h.issuer.purge().await.unwrap();
        let rows = each!(db, p => sqlx::query_scalar::<_, i64>(
            "SELECT COUNT(*) FROM issuer_refresh_tokens").fetch_one(p).await);
        assert_eq!(rows.unwrap(), 0);
    })
    .await;
}

/// RFC 6749, section 6: who asks for less gets less once; the next token is as the first.
#[tokio::test]
async fn rfc_6749_section_6_a_narrowed_refresh_leaves_its_successor_as_it_was() {
    everywhere_with(&open_text(), async |h| {
        let (_, token) = bearer(&h).await;
        let details = json!([{
            "type": "openid_credential", "credential_configuration_id": "membership",
        }]);
        let details = details.to_string();
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token.as_str()),
            ("client_id", WALLET),
            ("authorization_details", details.as_str()),
        ];
        let narrowed = h.form("/token", &fields).await.json();
        assert!(narrowed["authorization_details"].is_array(), "{narrowed}");
        let (_, next) = both(&narrowed);
        let answer = refresh_bearer(&h, WALLET, &next).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(
            answer.json()["authorization_details"].is_null(),
            "{}",
            answer.text
        );
    })
    .await;
}
