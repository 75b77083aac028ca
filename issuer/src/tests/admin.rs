use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use super::harness::{
    Answer, Harness, config_text, everywhere, membership, offer_body, with_config,
};

async fn create(h: &Harness, body: &str) -> Answer {
    h.admin_post("/v1/offers", body, &[]).await
}

#[tokio::test]
async fn without_a_key_nothing_is_told() {
    everywhere(async |h| {
        let paths = [
            "/v1/offers",
            "/v1/credentials",
            "/v1/offers/x",
            "/v1/credentials/x",
        ];
        let wrong = format!("Bearer {}", h.key.replace("vsk_", "vsk_A"));
        for path in paths {
            for header in [
                None,
                Some("Bearer x"),
                Some("Basic YTpi"),
                Some(wrong.as_str()),
            ] {
                let mut request = Request::get(path);
                if let Some(header) = header {
                    request = request.header("authorization", header);
                }
                let answer = h.send(request.body(Body::empty()).unwrap()).await;
                assert_eq!(answer.error(), (401, "unauthorized".into()), "{path}");
                assert_eq!(answer.header("content-type"), "application/problem+json");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn claims_are_checked_against_the_type() {
    everywhere(async |h| {
        let with = |name: &str, value: serde_json::Value| {
            let mut body = offer_body();
            body[name] = value;
            body.to_string()
        };
        let mut unknown = membership("M-1");
        unknown["shoe_size"] = json!(44);
        let mut wrong = membership("M-1");
        wrong["tier"] = json!(1);
        let wrong = create(&h, &with("claims", wrong)).await;
        assert_eq!(wrong.error(), (422, "invalid_claims".into()));
        assert_eq!(wrong.json()["errors"][0]["pointer"], "/claims/tier");
        for (body, code) in [
            (with("claims", unknown), (422, "invalid_claims")),
            (
                with("claims", json!({ "tier": "gold" })),
                (422, "invalid_claims"),
            ),
            (
                with("credential_type", json!("passport")),
                (422, "unknown_credential_type"),
            ),
            (with("record_id", json!("")), (422, "invalid_record_id")),
            (with("record_id", json!("a\nb")), (422, "invalid_record_id")),
            (with("expires_in_s", json!(0)), (422, "invalid_expiry")),
            (
                with("expires_in_s", json!(99_999_999)),
                (422, "invalid_expiry"),
            ),
            (with("surprise", json!(1)), (400, "invalid_body")),
            (with("grant", json!("implicit")), (400, "invalid_body")),
            (with("expires_in_s", json!(1.5)), (400, "invalid_body")),
        ] {
            let answer = create(&h, &body).await;
            assert_eq!(answer.error(), (code.0, code.1.into()), "{body}");
            assert!(!answer.text.contains("M-"), "{}", answer.text);
        }
    })
    .await;
}

#[tokio::test]
async fn cat_104_106_107_strict_json() {
    everywhere(async |h| {
        let good = offer_body().to_string();
        for bad in [
            good.replacen('{', "{\"grant\":\"authorization_code\",", 1),
            good.replace("\"gold\"", "1e9999"),
            good.replace("gold", "\\ud800"),
            format!("{good} x"),
            "null".into(),
        ] {
            assert_eq!(
                create(&h, &bad).await.error(),
                (400, "invalid_body".into()),
                "{bad}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn cat_394_idempotency_key() {
    everywhere(async |h| {
        let body = offer_body().to_string();
        let key = [("idempotency-key", "k-1")];
        let first = h.admin_post("/v1/offers", &body, &key).await;
        let again = h.admin_post("/v1/offers", &body, &key).await;
        assert_eq!((first.status.as_u16(), &first.text), (201, &again.text));
        assert_eq!(first.header("location"), again.header("location"));
        let other = body.replace("gold", "silver");
        let other = h.admin_post("/v1/offers", &other, &key).await;
        assert_eq!(other.error(), (422, "idempotency_key_reused".into()));
        for bad in ["", "with space", &"x".repeat(129)] {
            let answer = h
                .admin_post("/v1/offers", &body, &[("idempotency-key", bad)])
                .await;
            assert_eq!(answer.error(), (400, "invalid_idempotency_key".into()));
        }
        let list = h.admin_get("/v1/offers").await.json();
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        // A key that another caller uses is another key.
        let other = Harness {
            key: h.issuer.create_api_key("other").await.unwrap(),
            ..h.clone()
        };
        let theirs = other.admin_post("/v1/offers", &body, &key).await;
        assert_eq!(theirs.status, 201);
        assert_ne!(theirs.text, first.text);
    })
    .await;
}

#[tokio::test]
async fn a_failed_request_does_not_use_the_idempotency_key_up() {
    everywhere(async |h| {
        let key = [("idempotency-key", "k-1")];
        let bad = offer_body().to_string().replace("membership", "passport");
        assert_eq!(h.admin_post("/v1/offers", &bad, &key).await.status, 422);
        let good = offer_body().to_string();
        assert_eq!(h.admin_post("/v1/offers", &good, &key).await.status, 201);
    })
    .await;
}

#[tokio::test]
async fn cat_392_pages_and_their_parameters() {
    everywhere(async |h| {
        let mut made = Vec::new();
        for _ in 0..5 {
            made.push(h.offer(json!({})).await["id"].as_str().unwrap().to_owned());
        }
        made.reverse();
        let mut seen = Vec::new();
        let mut path = "/v1/offers?limit=2".to_owned();
        loop {
            let page = h.admin_get(&path).await.json();
            for item in page["items"].as_array().unwrap() {
                seen.push(item["id"].as_str().unwrap().to_owned());
            }
            match page["next"].as_str() {
                Some(next) => path = format!("/v1/offers?limit=2&before={next}"),
                None => break,
            }
        }
        assert_eq!(seen, made);
        for bad in [
            "limit=0",
            "limit=201",
            "limit=x",
            "limit=1&limit=2",
            "before=x",
            "sort=id",
            "before=%27%3B--",
            "record_id=x",
        ] {
            let answer = h.admin_get(&format!("/v1/offers?{bad}")).await;
            assert_eq!(answer.error(), (400, "invalid_query".into()), "{bad}");
        }
        for path in ["/v1/offers/x", "/v1/credentials/x", "/v1/credentials/%27"] {
            assert_eq!(h.admin_get(path).await.error(), (404, "not_found".into()));
        }
    })
    .await;
}

#[tokio::test]
async fn the_same_record_is_found_again() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        h.clock.advance(1);
        h.issue(&h.holder(2)).await;
        let of = async |record: &str| {
            let page = h
                .admin_get(&format!("/v1/credentials?record_id={record}"))
                .await
                .json();
            page["items"].as_array().unwrap().len()
        };
        assert_eq!((of("crm-4711").await, of("crm-4712").await), (2, 0));
        let newest = h.newest().await;
        assert!(newest.get("record_id").is_none());
        let path = format!("/v1/credentials/{}", newest["id"].as_str().unwrap());
        assert_eq!(h.admin_get(&path).await.json()["record_id"], "crm-4711");
    })
    .await;
}

#[tokio::test]
async fn cat_226_227_395_changes() {
    everywhere(async |h| {
        h.issue(&h.holder(1)).await;
        let id = h.newest().await["id"].as_str().unwrap().to_owned();
        let path = |verb: &str| format!("/v1/credentials/{id}/{verb}");
        let change = async |verb: &str, headers: &[(&str, &str)]| {
            h.admin_post(&path(verb), "", headers).await
        };
        for verb in ["suspend", "resume"] {
            let blind = change(verb, &[]).await;
            assert_eq!(blind.error(), (428, "if_match_required".into()), "{verb}");
        }
        assert_eq!(
            change("resume", &[("if-match", "\"1\"")]).await.error(),
            (409, "status_conflict".into())
        );
        let suspended = change("suspend", &[("if-match", "\"1\"")]).await;
        assert_eq!(suspended.json()["status"], "suspended");
        assert_eq!(suspended.header("etag"), "\"2\"");
        let stale = change("resume", &[("if-match", "\"1\"")]).await;
        assert_eq!(stale.error(), (412, "version_mismatch".into()));
        for bad in ["2", "W/\"2\"", "*", "\"1\", \"2\""] {
            let answer = change("resume", &[("if-match", bad)]).await;
            assert_eq!(answer.error(), (400, "invalid_if_match".into()), "{bad}");
        }
        let resumed = change("resume", &[("if-match", "\"2\"")]).await;
        assert_eq!(resumed.json()["status"], "valid");
        let key = [("idempotency-key", "r-1")];
        let revoked = change("revoke", &key).await;
        assert_eq!(revoked.json()["status"], "revoked");
        assert_eq!(change("revoke", &key).await.text, revoked.text);
        for verb in ["revoke", "resume", "suspend"] {
            let answer = change(verb, &[("if-match", "\"4\"")]).await;
            assert_eq!(answer.error(), (409, "status_conflict".into()), "{verb}");
        }
        let read = h.admin_get(&format!("/v1/credentials/{id}")).await;
        assert_eq!(read.header("etag"), "\"4\"");
        let gone = h.admin_post("/v1/credentials/x/revoke", "", &[]).await;
        assert_eq!(gone.error(), (404, "not_found".into()));
    })
    .await;
}

#[tokio::test]
async fn a_key_without_the_scope_is_refused() {
    everywhere(async |h| {
        use vouchsafe_service::api_keys::{self, ApiKeySecret, NewApiKey};
        let core = h.issuer.core().clone();
        let secret = ApiKeySecret::generate(&*core.rng);
        let key = secret.expose().to_owned();
        let new = NewApiKey {
            id: "reader".into(),
            name: "reader".into(),
            scopes: vec!["offers:read".into()],
            created_at: super::harness::NOW,
            expires_at: None,
        };
        core.db
            .write(async move |tx| api_keys::insert(tx, &new, &secret).await)
            .await
            .unwrap();
        let reader = Harness { key, ..h.clone() };
        assert_eq!(reader.admin_get("/v1/offers").await.status, 200);
        let forbidden = reader.admin_get("/v1/credentials").await;
        assert_eq!(forbidden.error(), (403, "forbidden".into()));
        // RFC 6750, section 3.1.
        assert_eq!(
            forbidden.header("www-authenticate"),
            "Bearer error=\"insufficient_scope\", scope=\"credentials:read\""
        );
        let answer = reader
            .admin_post("/v1/offers", &offer_body().to_string(), &[])
            .await;
        assert_eq!(answer.error(), (403, "forbidden".into()));
        let path = "/v1/credentials/0190a6f0-0000-7000-8000-000000000001/revoke";
        assert_eq!(
            reader.admin_post(path, "", &[]).await.error(),
            (403, "forbidden".into())
        );
    })
    .await;
}

/// RFC 6750, section 3: a token that was sent and does not work is named; who sent none is told the
/// scheme alone (section 3.1).
#[tokio::test]
async fn a_challenge_says_whether_a_token_was_bad() {
    everywhere(async |h| {
        let bad = "Bearer error=\"invalid_token\"";
        for (sent, challenge) in [
            (None, "Bearer"),
            (Some("Basic YTpi"), "Bearer"),
            (Some("Bearer vsk_unknown"), bad),
            (Some("bearer vst_unknown"), bad),
        ] {
            let mut request = Request::get("/v1/offers");
            if let Some(sent) = sent {
                request = request.header("authorization", sent);
            }
            let answer = h.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.error(), (401, "unauthorized".into()), "{sent:?}");
            assert_eq!(answer.header("www-authenticate"), challenge, "{sent:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn openapi_is_served() {
    with_config(&config_text(""), async |h| {
        let api = h.get("/openapi.json").await.json();
        assert!(api["paths"]["/v1/offers"]["post"].is_object());
        assert!(api["paths"]["/v1/credentials/{id}/revoke"]["post"].is_object());
    })
    .await;
}
