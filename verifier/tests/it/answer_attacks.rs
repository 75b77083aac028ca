//! Answers of wallets that say too much, too little or two things at once, and what wallets post to
//! get a question.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::refusals::{Waiting, member};
use crate::world::browser::{Answer, send};
use crate::world::rest::{Caller, with_callers};
use crate::world::wallet::Wallet;
use crate::world::{NOW, World, on_sqlite};

const TYPE: &str = "urn:vouchsafe:membership:1";
const CARD: &[&[&str]] = &[&["member_id"], &["tier"], &["valid_until"]];

/// Somebody whose card has a tier that is `null`.
async fn without_tier(world: &World) -> Wallet {
    let mut wallet = world.wallet();
    let claims = json!({ "member_id": "M-1", "tier": null, "valid_until": "2027-12-31" });
    wallet
        .receive(world, &world.issuer, TYPE, claims, CARD)
        .await;
    wallet
}

/// And no status is asked for, because the answer is refused in any case.
#[tokio::test]
async fn cat_307_a_claim_that_is_null_logs_nobody_in() {
    on_sqlite(async |world| {
        let login = Waiting::new(&world, without_tier(&world).await).await;
        let before = world.network.fetches();
        let answer = login.send(&login.presentation().await).await;
        assert_eq!(world.network.fetches(), before, "a status was asked for");
        login.refused(&world, answer, "query_claims").await;
    })
    .await;
}

#[tokio::test]
async fn cat_307_a_claim_that_is_null_is_no_result() {
    with_callers(async |world| {
        let clinic = Caller::new(&world, "clinic").await;
        let wallet = without_tier(&world).await;
        let question = clinic
            .ask(&json!({ "purpose": "Your tier", "dcql": { "credentials": [{
                "id": "card", "format": "dc+sd-jwt", "meta": { "vct_values": [TYPE] },
                "claims": [{ "path": ["tier"] }],
            }] } }))
            .await;
        let asked = wallet.open(&question.link).await;
        let (client, nonce) = (asked.request.client_id(), asked.request.nonce());
        let tier: &[&[&str]] = &[&["tier"]];
        let shown = wallet.present(tier, client.as_str(), nonce.as_str()).await;
        let payload = Wallet::payload(&asked, "card", &shown);
        let body = wallet.encrypt(&asked, &payload);
        let answer = wallet.post(&asked.request, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
        assert_eq!(answer.json()["reason"], "query_claims");
        assert_eq!(clinic.status(&question).await, "failed");
    })
    .await;
}

#[tokio::test]
async fn cat_089_what_an_answer_says_of_its_time_and_recipient_holds() {
    on_sqlite(async |world| {
        for (name, value, reason) in [
            ("exp", json!(NOW.plus(-60).seconds()), "response_expired"),
            (
                "nbf",
                json!(NOW.plus(61).seconds()),
                "response_not_yet_valid",
            ),
            (
                "aud",
                json!("https://elsewhere.example"),
                "response_audience",
            ),
            ("exp", json!("tomorrow"), "response_claim_malformed"),
        ] {
            let login = member(&world).await;
            let mut payload = Wallet::payload(&login.asked, "card", &login.presentation().await);
            payload[name] = value;
            let answer = login.send_payload(&payload).await;
            login.refused(&world, answer, reason).await;
        }
        let login = member(&world).await;
        let mut payload = Wallet::payload(&login.asked, "card", &login.presentation().await);
        payload["exp"] = json!(NOW.plus(60).seconds());
        payload["aud"] = json!(login.asked.request.client_id().as_str());
        payload["iss"] = json!("https://self-issued.me/v2");
        let answer = login.send_payload(&payload).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    })
    .await;
}

#[tokio::test]
async fn an_error_beside_a_presentation_logs_nobody_in() {
    on_sqlite(async |world| {
        let login = member(&world).await;
        let mut payload = Wallet::payload(&login.asked, "card", &login.presentation().await);
        payload["error"] = json!("access_denied");
        let answer = login.send_payload(&payload).await;
        let reason = "response_error_and_token";
        login.refused(&world, answer, reason).await;
    })
    .await;
}

#[tokio::test]
async fn cat_311_another_state_beside_an_answer_changes_nothing() {
    on_sqlite(async |world| {
        let login = member(&world).await;
        let payload = Wallet::payload(&login.asked, "card", &login.presentation().await);
        let form = login.wallet.encrypt(&login.asked, &payload);
        let form = format!("{form}&state=another");
        let answer = login.wallet.post(&login.asked.request, &form).await;
        login.ignored(&world, answer, "state_mismatch").await;

        let login = member(&world).await;
        let payload = Wallet::payload(&login.asked, "card", &login.presentation().await);
        let form = login.wallet.encrypt(&login.asked, &payload);
        let state = login.asked.request.state().unwrap().as_str();
        let form = format!("{form}&state={state}");
        let answer = login.wallet.post(&login.asked.request, &form).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    })
    .await;
}

/// OpenID4VP 1.0, section 5.10.
#[tokio::test]
async fn cat_104_cat_112_cat_113_what_a_wallet_posts_for_a_question_is_read_or_refused() {
    on_sqlite(async |world| {
        let login = member(&world).await;
        let address = login.asked.request.response_uri();
        let path = address.path().replace("/vp/response/", "/vp/request/");
        let post = async |headers: &[(header::HeaderName, &str)], body: &str| -> Answer {
            let mut request = Request::post(path.as_str());
            for (name, value) in headers {
                request = request.header(name, *value);
            }
            let body = Body::from(body.to_owned());
            send(&world.router(), request.body(body).unwrap()).await
        };
        let form = (header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for body in [
            "",
            "wallet_nonce=n-1",
            "wallet_nonce=n-1&wallet_metadata=%7B%22vp_formats_supported%22%3A%7B%7D%7D",
        ] {
            let answer = post(std::slice::from_ref(&form), body).await;
            assert_eq!(answer.status, StatusCode::OK, "{body}");
        }
        assert_eq!(post(&[], "").await.status, StatusCode::OK);
        for body in [
            "wallet_metadata=%7B",
            "wallet_metadata=%5B%5D",
            "wallet_metadata=%7B%22a%22%3A1%2C%22a%22%3A1%7D",
            "wallet_nonce=a%20b",
            "wallet_nonce=a&wallet_nonce=b",
        ] {
            let answer = post(std::slice::from_ref(&form), body).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
            assert_eq!(answer.json()["error"], "invalid_request", "{body}");
        }
        let typed = |value| (header::CONTENT_TYPE, value);
        let packed = (header::CONTENT_ENCODING, "gzip");
        for (headers, body) in [
            (vec![typed("application/json")], r#"{"wallet_nonce":"n"}"#),
            (vec![typed("text/plain")], "wallet_nonce=n"),
            (vec![form.clone(), packed], "wallet_nonce=n"),
            (vec![form.clone(), form.clone()], "wallet_nonce=n"),
            (vec![], "wallet_nonce=n"),
        ] {
            let answer = post(&headers, body).await;
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            assert_eq!(answer.status, status, "{headers:?}");
            let problem: Value = answer.json();
            assert_eq!(problem["code"], "request_media_type");
        }
    })
    .await;
}
