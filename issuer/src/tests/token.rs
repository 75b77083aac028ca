use serde_json::json;

use super::harness::{Harness, PRE_AUTHORIZED, config_text, everywhere, with_config};

async fn redeem(h: &Harness, code: &str, tx_code: Option<&str>) -> (u16, String) {
    let mut fields = vec![
        ("grant_type", PRE_AUTHORIZED),
        ("pre-authorized_code", code),
    ];
    fields.extend(tx_code.map(|code| ("tx_code", code)));
    h.form("/token", &fields).await.error()
}

#[tokio::test]
async fn cat_230_pre_authorized_code_works_once() {
    everywhere(async |h| {
        let offer = h.offer(json!({})).await;
        let code = h.code(&offer).await;
        assert_eq!(redeem(&h, &code, None).await, (200, String::new()));
        assert_eq!(redeem(&h, &code, None).await, (400, "invalid_grant".into()));
    })
    .await;
}

#[tokio::test]
async fn cat_232_every_bad_code_gets_the_same_answer() {
    everywhere(async |h| {
        let offer = h.offer(json!({ "expires_in_s": 60 })).await;
        let code = h.code(&offer).await;
        h.clock.advance(60);
        let mut bodies = Vec::new();
        for bad in [code.as_str(), &code[..42], "unknown", "x'--"] {
            let fields = [("grant_type", PRE_AUTHORIZED), ("pre-authorized_code", bad)];
            let answer = h.form("/token", &fields).await;
            assert_eq!(answer.error(), (400, "invalid_grant".into()));
            assert_eq!(answer.header("cache-control"), "no-store");
            bodies.push(answer.text);
        }
        assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
    })
    .await;
}

#[tokio::test]
async fn cat_233_tx_code_missing_or_unexpected() {
    everywhere(async |h| {
        let with = h.offer(json!({ "tx_code": true })).await;
        let code = h.code(&with).await;
        assert_eq!(
            redeem(&h, &code, None).await,
            (400, "invalid_request".into())
        );
        assert_eq!(
            redeem(&h, &code, with["tx_code"].as_str()).await,
            (200, String::new())
        );
        let without = h.offer(json!({})).await;
        let code = h.code(&without).await;
        assert_eq!(
            redeem(&h, &code, Some("493536")).await,
            (400, "invalid_request".into())
        );
        assert_eq!(redeem(&h, &code, None).await, (200, String::new()));
    })
    .await;
}

#[tokio::test]
async fn cat_235_five_tries_and_no_sixth() {
    everywhere(async |h| {
        let offer = h.offer(json!({ "tx_code": true })).await;
        let code = h.code(&offer).await;
        let right = offer["tx_code"].as_str().unwrap().to_owned();
        let wrong = if right == "000000" {
            "000001"
        } else {
            "000000"
        };
        for _ in 0..5 {
            assert_eq!(
                redeem(&h, &code, Some(wrong)).await,
                (400, "invalid_grant".into())
            );
        }
        assert_eq!(
            redeem(&h, &code, Some(&right)).await,
            (400, "invalid_grant".into())
        );
        let id = offer["id"].as_str().unwrap();
        let seen = h.admin_get(&format!("/v1/offers/{id}")).await.json();
        assert_eq!(
            (&seen["state"], &seen["tries"]),
            (&json!("locked"), &json!(5))
        );
    })
    .await;
}

#[tokio::test]
async fn cat_236_tx_code_is_compared_as_it_is() {
    everywhere(async |h| {
        let offer = h.offer(json!({ "tx_code": true })).await;
        let code = h.code(&offer).await;
        let right = offer["tx_code"].as_str().unwrap();
        let full_width: String = right
            .chars()
            .map(|c| char::from_u32(u32::from(c) - 0x30 + 0xff10).unwrap())
            .collect();
        for odd in [format!(" {right}"), format!("{right}\n"), full_width] {
            assert_eq!(
                redeem(&h, &code, Some(&odd)).await,
                (400, "invalid_grant".into())
            );
        }
        assert_eq!(redeem(&h, &code, Some(right)).await, (200, String::new()));
    })
    .await;
}

#[tokio::test]
async fn cat_238_anonymous_access_can_be_off() {
    with_config(&config_text("anonymous_access = false"), async |h| {
        let offer = h.offer(json!({})).await;
        let code = h.code(&offer).await;
        assert_eq!(
            redeem(&h, &code, None).await,
            (401, "invalid_client".into())
        );
        let base = [
            ("grant_type", PRE_AUTHORIZED),
            ("pre-authorized_code", code.as_str()),
        ];
        let named = |id| [base[0], base[1], ("client_id", id)];
        let answer = h.form("/token", &named("nobody")).await;
        assert_eq!(answer.error(), (401, "invalid_client".into()));
        let answer = h.form("/token", &named(super::harness::WALLET)).await;
        assert_eq!(answer.error(), (200, String::new()));
    })
    .await;
}

#[tokio::test]
async fn requests_of_another_form_are_refused() {
    everywhere(async |h| {
        for (fields, code) in [
            (vec![], "invalid_request"),
            (vec![("grant_type", "password")], "unsupported_grant_type"),
            (vec![("grant_type", PRE_AUTHORIZED)], "invalid_request"),
            (
                vec![
                    ("grant_type", PRE_AUTHORIZED),
                    ("grant_type", PRE_AUTHORIZED),
                ],
                "invalid_request",
            ),
        ] {
            assert_eq!(
                h.form("/token", &fields).await.error().1,
                code,
                "{fields:?}"
            );
        }
        let offer = h.offer(json!({})).await;
        let code = h.code(&offer).await;
        let fields = [
            ("grant_type", PRE_AUTHORIZED),
            ("pre-authorized_code", code.as_str()),
        ];
        // Catalogue 115.
        let answer = h.form("/token?client_id=a", &fields).await;
        assert_eq!(answer.error(), (400, "invalid_request".into()));
        // A public client has no secret.
        let answer = h
            .form_with("/token", &fields, &[("authorization", "Basic YTpi")])
            .await;
        assert_eq!(answer.error(), (401, "invalid_client".into()));
        assert_eq!(
            h.form("/token", &fields).await.error(),
            (200, String::new())
        );
    })
    .await;
}

#[tokio::test]
async fn cat_421_an_expired_code_does_not_revive_with_the_clock() {
    everywhere(async |h| {
        let offer = h.offer(json!({})).await;
        let code = h.code(&offer).await;
        let fields = [
            ("grant_type", PRE_AUTHORIZED),
            ("pre-authorized_code", code.as_str()),
        ];
        h.clock.advance(600);
        let refused = (400, "invalid_grant".into());
        assert_eq!(h.form("/token", &fields).await.error(), refused);
        h.clock.advance(-600);
        assert_eq!(h.form("/token", &fields).await.error(), refused);
    })
    .await;
}
