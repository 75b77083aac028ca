//! Presentations that must not be accepted, each with its own reason. What the person sees, what
//! the application is told and what the wallet gets are checked once, in `watcher`.

use axum::http::StatusCode;
use serde_json::{Value, json};
use vouchsafe_credentials::crypto::{Algorithm, SigningKey};
use vouchsafe_credentials::encoding::{b64url, b64url_decode};

use crate::world::browser::{Answer, Browser, form};
use crate::world::issuer::TestIssuer;
use crate::world::steps::{begin, rows, wallet_link};
use crate::world::wallet::{Asked, Wallet};
use crate::world::{NOW, World, on_sqlite};

const CARD: &[&[&str]] = &[&["member_id"], &["tier"], &["valid_until"]];

/// A login that waits for an answer.
pub struct Waiting {
    pub browser: Browser,
    pub path: String,
    pub wallet: Wallet,
    pub asked: Asked,
}

impl Waiting {
    pub async fn new(world: &World, wallet: Wallet) -> Self {
        let mut browser = world.browser();
        let (path, page) = begin(
            &mut browser,
            &world.shop().authorize("openid membership", &[]),
        )
        .await;
        let asked = wallet.open(&wallet_link(&page)).await;
        Self {
            browser,
            path,
            wallet,
            asked,
        }
    }

    fn audience(&self) -> String {
        self.asked.request.client_id().as_str().to_owned()
    }

    fn nonce(&self) -> String {
        self.asked.request.nonce().as_str().to_owned()
    }

    pub async fn presentation(&self) -> String {
        self.wallet
            .present(CARD, &self.audience(), &self.nonce())
            .await
    }

    pub async fn send(&self, presentation: &str) -> Answer {
        self.send_payload(&Wallet::payload(&self.asked, "card", presentation))
            .await
    }

    pub async fn send_payload(&self, payload: &Value) -> Answer {
        self.wallet
            .post(
                &self.asked.request,
                &self.wallet.encrypt(&self.asked, payload),
            )
            .await
    }

    /// The answer is refused for good: the login is over, and nobody is logged in.
    pub async fn refused(mut self, world: &World, answer: Answer, reason: &str) {
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
        assert_eq!(answer.json()["reason"], reason);
        assert_eq!(
            self.browser.get(&self.path).await.status,
            StatusCode::FORBIDDEN
        );
        assert_eq!(
            world
                .shop()
                .error(&self.browser.get(&format!("{}/leave", self.path)).await),
            "access_denied"
        );
        assert_eq!(
            rows(world, "subjects").await
                + rows(world, "login_sessions").await
                + rows(world, "consents").await,
            0
        );
    }

    /// The answer is not even looked at: the login goes on, and the honest answer still works.
    pub async fn ignored(mut self, world: &World, answer: Answer, reason: &str) {
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
        assert_eq!(answer.json()["reason"], reason);
        let honest = self.wallet.answer(&self.asked).await;
        assert_eq!(honest.status, StatusCode::OK, "{}", honest.body);
        let back = honest.json()["redirect_uri"].as_str().unwrap().to_owned();
        world.shop().code(&self.browser.get(&back).await);
    }
}

pub async fn member(world: &World) -> Waiting {
    Waiting::new(world, world.person("M-1").await).await
}

#[tokio::test]
async fn the_hand_made_presentation_of_these_tests_is_good_when_nothing_is_wrong() {
    on_sqlite(async |world| {
        let login = member(&world).await;
        let answer = login.send(&login.presentation().await).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    })
    .await;
}

#[tokio::test]
async fn cat_296_a_presentation_of_an_earlier_login() {
    on_sqlite(async |world| {
        let old = member(&world).await;
        let presentation = old.presentation().await;
        let login = member(&world).await;
        let answer = login.send(&presentation).await;
        login.refused(&world, answer, "kb_nonce").await;
    })
    .await;
}

#[tokio::test]
async fn a_presentation_for_another_verifier() {
    on_sqlite(async |world| {
        let login = member(&world).await;
        let presentation = login
            .wallet
            .present(CARD, "x509_hash:AAAA", &login.nonce())
            .await;
        let answer = login.send(&presentation).await;
        login.refused(&world, answer, "kb_audience").await;
    })
    .await;
}

#[tokio::test]
async fn a_presentation_for_another_response_uri() {
    on_sqlite(async |world| {
        let other = member(&world).await;
        let login = member(&world).await;
        // Encrypted for the one request, posted to the other.
        let body = login.wallet.encrypt(
            &login.asked,
            &Wallet::payload(&login.asked, "card", &login.presentation().await),
        );
        let answer = login
            .wallet
            .post_to(other.asked.request.response_uri(), &body)
            .await;
        other.ignored(&world, answer, "jwe_other_key").await;
    })
    .await;
}

#[tokio::test]
async fn a_tampered_disclosure() {
    on_sqlite(async |world| {
        let login = member(&world).await;
        let presentation = login.presentation().await;
        let mut parts: Vec<String> = presentation.split('~').map(str::to_owned).collect();
        let disclosure = String::from_utf8(b64url_decode(&parts[1]).unwrap()).unwrap();
        parts[1] = b64url(
            disclosure
                .replacen("M-1", "M-2", 1)
                .replacen("gold", "lead", 1)
                .as_bytes(),
        );
        let answer = login.send(&parts.join("~")).await;
        assert_ne!(answer.json()["reason"], "jwe_decryption");
        let reason = answer.json()["reason"].as_str().unwrap().to_owned();
        assert!(
            reason.contains("disclosure") || reason.contains("digest") || reason == "kb_sd_hash",
            "{reason}"
        );
        login.refused(&world, answer, &reason).await;
    })
    .await;
}

#[tokio::test]
async fn cat_307_a_dropped_disclosure() {
    on_sqlite(async |world| {
        let login = member(&world).await;
        let presentation = login
            .wallet
            .present(
                &[&["member_id"], &["tier"]],
                &login.audience(),
                &login.nonce(),
            )
            .await;
        let answer = login.send(&presentation).await;
        login.refused(&world, answer, "query_claims").await;
    })
    .await;
}

#[tokio::test]
async fn a_doubled_disclosure() {
    on_sqlite(async |world| {
        let login = member(&world).await;
        let presentation = login.presentation().await;
        let mut parts: Vec<&str> = presentation.split('~').collect();
        parts.insert(1, parts[1]);
        let answer = login.send(&parts.join("~")).await;
        let reason = answer.json()["reason"].as_str().unwrap().to_owned();
        assert!(
            !reason.starts_with("jwe") && reason != "query_claims",
            "{reason}"
        );
        login.refused(&world, answer, &reason).await;
    })
    .await;
}

#[tokio::test]
async fn a_stripped_key_binding() {
    on_sqlite(async |world| {
        let login = member(&world).await;
        let presentation = login.presentation().await;
        let stripped = &presentation[..=presentation.rfind('~').unwrap()];
        let answer = login.send(stripped).await;
        login.refused(&world, answer, "kb_missing").await;
    })
    .await;
}

#[tokio::test]
async fn a_foreign_key_binding() {
    on_sqlite(async |world| {
        let login = member(&world).await;
        let thief = SigningKey::generate(Algorithm::Es256, world.rng.as_ref());
        let presentation = login
            .wallet
            .present_with(CARD, &login.audience(), &login.nonce(), &thief)
            .await;
        let answer = login.send(&presentation).await;
        login.refused(&world, answer, "kb_signature").await;
    })
    .await;
}

#[tokio::test]
async fn alg_none_and_another_typ() {
    on_sqlite(async |world| {
        for (change, reason) in [
            (
                json!({ "alg": "none", "typ": "dc+sd-jwt" }),
                "issuer_jwt_alg",
            ),
            (json!({ "alg": "ES256", "typ": "JWT" }), "issuer_jwt_typ"),
        ] {
            let login = member(&world).await;
            let presentation = login.presentation().await;
            let (header, rest) = presentation.split_once('.').unwrap();
            let mut header: Value =
                serde_json::from_slice(&b64url_decode(header).unwrap()).unwrap();
            header
                .as_object_mut()
                .unwrap()
                .extend(change.as_object().unwrap().clone());
            let changed = format!("{}.{rest}", b64url(header.to_string().as_bytes()));
            let answer = login.send(&changed).await;
            login.refused(&world, answer, reason).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_key_binding_that_is_too_old() {
    on_sqlite(async |world| {
        let login = member(&world).await;
        world.clock.advance(-400);
        let presentation = login.presentation().await;
        world.clock.advance(400);
        let answer = login.send(&presentation).await;
        login.refused(&world, answer, "kb_too_old").await;
    })
    .await;
}

#[tokio::test]
async fn an_expired_card() {
    on_sqlite(async |world| {
        let mut wallet = world.wallet();
        let claims = json!({ "member_id": "M-1", "tier": "gold", "valid_until": "2026-11-23" });
        wallet
            .receive_until(
                &world,
                &world.issuer,
                "urn:vouchsafe:membership:1",
                claims,
                CARD,
                NOW.plus(100),
            )
            .await;
        world.clock.advance(200);
        world.issuer.publish(NOW.plus(200)).await;
        let login = Waiting::new(&world, wallet).await;
        let answer = login.send(&login.presentation().await).await;
        login.refused(&world, answer, "credential_expired").await;
    })
    .await;
}

#[tokio::test]
async fn a_card_of_an_issuer_that_is_not_trusted() {
    on_sqlite(async |world| {
        // It calls itself like a trusted one.
        let forger = TestIssuer::new(
            &world.pki.untrusted_issuer,
            "https://club.example",
            world.network.clone(),
        );
        let mut wallet = world.wallet();
        wallet.receive_membership_of(&world, &forger, "M-1").await;
        let login = Waiting::new(&world, wallet).await;
        let answer = login.send(&login.presentation().await).await;
        let reason = answer.json()["reason"].as_str().unwrap().to_owned();
        assert!(
            ["issuer_untrusted", "issuer_certificate"].contains(&reason.as_str()),
            "{reason}"
        );
        login.refused(&world, answer, &reason).await;
    })
    .await;
}

#[tokio::test]
async fn a_card_of_another_type() {
    on_sqlite(async |world| {
        let mut wallet = world.wallet();
        wallet.receive_age(&world).await;
        let login = Waiting::new(&world, wallet).await;
        let presentation = login
            .wallet
            .present(
                &[&["age_equal_or_over", "18"]],
                &login.audience(),
                &login.nonce(),
            )
            .await;
        let answer = login.send(&presentation).await;
        login.refused(&world, answer, "type_not_accepted").await;
    })
    .await;
}

#[tokio::test]
async fn a_trusted_issuer_that_may_not_issue_the_type() {
    on_sqlite(async |world| {
        let mut wallet = world.wallet();
        let claims = json!({ "age_equal_or_over": { "18": true } });
        wallet
            .receive(
                &world,
                &world.other_issuer,
                "urn:vouchsafe:age:1",
                claims,
                &[&["age_equal_or_over", "18"]],
            )
            .await;
        let mut browser = world.browser();
        let (path, page) = begin(&mut browser, &world.shop().authorize("openid age", &[])).await;
        let asked = wallet.open(&wallet_link(&page)).await;
        let answer = wallet.answer(&asked).await;
        let login = Waiting {
            browser,
            path,
            wallet,
            asked,
        };
        login.refused(&world, answer, "issuer_not_for_type").await;
    })
    .await;
}

#[tokio::test]
async fn somebody_under_age() {
    on_sqlite(async |world| {
        let mut wallet = world.wallet();
        let claims = json!({ "age_equal_or_over": { "18": false } });
        wallet
            .receive(
                &world,
                &world.issuer,
                "urn:vouchsafe:age:1",
                claims,
                &[&["age_equal_or_over", "18"]],
            )
            .await;
        let mut browser = world.browser();
        let (path, page) = begin(&mut browser, &world.shop().authorize("openid age", &[])).await;
        let asked = wallet.open(&wallet_link(&page)).await;
        let login = Waiting {
            browser,
            path,
            wallet,
            asked,
        };
        let presentation = login
            .wallet
            .present(
                &[&["age_equal_or_over", "18"]],
                &login.audience(),
                &login.nonce(),
            )
            .await;
        let payload = Wallet::payload(&login.asked, "proof", &presentation);
        let answer = login.send_payload(&payload).await;
        login.refused(&world, answer, "query_claims").await;
    })
    .await;
}

#[tokio::test]
async fn cat_301_an_answer_that_is_not_encrypted() {
    on_sqlite(async |world| {
        let login = member(&world).await;
        let state = login.asked.request.state().unwrap().as_str().to_owned();
        let body = form(&[("vp_token", "{}"), ("state", &state)]);
        let answer = login.wallet.post(&login.asked.request, &body).await;
        login
            .ignored(&world, answer, "response_not_encrypted")
            .await;
    })
    .await;
}

#[tokio::test]
async fn cat_302_an_answer_to_the_key_of_another_login() {
    on_sqlite(async |world| {
        let other = member(&world).await;
        let login = member(&world).await;
        let payload = Wallet::payload(&login.asked, "card", &login.presentation().await);
        let body = other.wallet.encrypt(&other.asked, &payload);
        let answer = login.wallet.post(&login.asked.request, &body).await;
        login.ignored(&world, answer, "jwe_other_key").await;
    })
    .await;
}

#[tokio::test]
async fn cat_304_305_tokens_of_the_wrong_shape() {
    on_sqlite(async |world| {
        let good = member(&world).await.presentation().await;
        let cases = [
            (json!({ "other": [good] }), "vp_token_unknown_id"),
            (
                json!({ "card": [good], "more": [good] }),
                "vp_token_unknown_id",
            ),
            (json!({}), "query_credential_missing"),
            (json!({ "card": [] }), "vp_token_count"),
            (json!({ "card": [good, good] }), "vp_token_count"),
            (json!({ "card": good }), "vp_token_shape"),
            (json!("text"), "vp_token_shape"),
        ];
        for (token, reason) in cases {
            let login = member(&world).await;
            let state = login.asked.request.state().unwrap().as_str().to_owned();
            let answer = login
                .send_payload(&json!({ "vp_token": token, "state": state }))
                .await;
            let found = answer.json()["reason"].as_str().unwrap().to_owned();
            assert!(
                found == reason || found.starts_with("vp_token"),
                "{found} instead of {reason}"
            );
            login.refused(&world, answer, &found).await;
        }
    })
    .await;
}

#[tokio::test]
async fn cat_311_an_answer_without_the_state_changes_nothing() {
    on_sqlite(async |world| {
        let login = member(&world).await;
        let mut payload = Wallet::payload(&login.asked, "card", &login.presentation().await);
        payload["state"] = json!("another");
        let answer = login.send_payload(&payload).await;
        login.ignored(&world, answer, "state_mismatch").await;
    })
    .await;
}

#[tokio::test]
async fn an_error_without_the_state_does_not_end_somebody_elses_login() {
    on_sqlite(async |world| {
        let login = member(&world).await;
        let answer = login
            .wallet
            .post(&login.asked.request, &form(&[("error", "access_denied")]))
            .await;
        login.ignored(&world, answer, "wallet_error").await;
    })
    .await;
}

#[tokio::test]
async fn garbage_of_many_kinds_changes_nothing() {
    on_sqlite(async |world| {
        for body in [
            "",
            "response=",
            "response=a.b.c.d.e",
            "response=x&response=y",
            "error=a&response=b",
            "%",
            "vp_token=%ff",
        ] {
            let login = member(&world).await;
            let answer = login.wallet.post(&login.asked.request, body).await;
            let reason = answer.json()["reason"].as_str().unwrap().to_owned();
            login.ignored(&world, answer, &reason).await;
        }
    })
    .await;
}

#[tokio::test]
async fn cat_062_cat_298_a_second_answer_keeps_the_first_result() {
    on_sqlite(async |world| {
        let mut login = member(&world).await;
        let first = login.wallet.answer(&login.asked).await;
        let second = login.wallet.answer(&login.asked).await;
        assert_eq!(second.status, StatusCode::BAD_REQUEST);
        assert_eq!(second.json()["reason"], "already_answered");
        let back = first.json()["redirect_uri"].as_str().unwrap().to_owned();
        world.shop().code(&login.browser.get(&back).await);
    })
    .await;
}
