//! Ways to get a card.

use anyhow::ensure;
use serde_json::json;
use vouchsafe_tests::admin::{Admin, Offer, membership};
use vouchsafe_tests::hand::Hand;
use vouchsafe_tests::world::World;

use crate::support::on_each_database;

#[tokio::test]
async fn with_a_code_typed_on_the_issuers_page() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let (wallet, shop) = (world.wallet()?, world.relying_party("shop").await?);
        let offer = offer(&world.admin(), json!({ "grant": "authorization_code" })).await?;
        let code = offer.one_time_code.unwrap();
        assert!(!offer.link.contains(&code));
        let sign_in = wallet.sign_in(&offer.link).await?;

        let mut browser = world.browser();
        let page = browser.get(sign_in.url().as_str()).await?;
        assert_eq!(page.status, 200, "{}", page.body);
        let address = page.url.join("/authorize")?;
        let flow = page.attribute("name=\"flow\"", "value")?;
        let wrong = browser
            .post(
                address.as_str(),
                &[("flow", &flow), ("code", "AAAA-AAAA"), ("step", "confirm")],
            )
            .await?;
        assert_eq!(wrong.status, 422, "{}", wrong.body);
        // Another browser cannot use this page.
        let stolen = world
            .browser()
            .post(
                address.as_str(),
                &[("flow", &flow), ("code", &code), ("step", "confirm")],
            )
            .await?;
        assert_eq!(stolen.status, 400, "{}", stolen.body);
        let flow = wrong.attribute("name=\"flow\"", "value")?;
        let back = browser
            .post(
                address.as_str(),
                &[("flow", &flow), ("code", &code), ("step", "confirm")],
            )
            .await?;
        wallet.come_back(sign_in, &back.location()?).await?;
        let (tokens, _) = shop
            .log_in(&mut world.browser(), &wallet, "membership")
            .await?;
        assert_eq!(tokens.userinfo["membership_tier"], "gold");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn cat_233_with_a_transaction_code() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let (wallet, admin) = (world.wallet()?, world.admin());
        let with_code = offer(&admin, json!({ "tx_code": true })).await?;
        let tx_code = with_code.tx_code.clone().unwrap();
        let hand = Hand::of(&world);
        let code = hand.code(&with_code).await?;
        let (status, body) = hand.token(&code, None).await?;
        assert_eq!(
            (status, body["error"].as_str()),
            (400, Some("invalid_request"))
        );
        wallet.take(&with_code.link, Some(&tx_code)).await?;
        assert_eq!(wallet.core().cards(&["en"])?.len(), 1);

        let without = offer(&admin, json!({})).await?;
        let code = hand.code(&without).await?;
        let (status, body) = hand.token(&code, Some("123456")).await?;
        assert_eq!(
            (status, body["error"].as_str()),
            (400, Some("invalid_request"))
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn cat_235_five_wrong_transaction_codes_end_the_offer() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let offer = offer(&world.admin(), json!({ "tx_code": true })).await?;
        let right = offer.tx_code.clone().unwrap();
        let wrong = if right == "000000" {
            "000001"
        } else {
            "000000"
        };
        let hand = Hand::of(&world);
        let code = hand.code(&offer).await?;
        for _ in 0..5 {
            let (status, body) = hand.token(&code, Some(wrong)).await?;
            assert_eq!(
                (status, body["error"].as_str()),
                (400, Some("invalid_grant"))
            );
        }
        let (status, body) = hand.token(&code, Some(&right)).await?;
        assert_eq!(
            (status, body["error"].as_str()),
            (400, Some("invalid_grant"))
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn cat_230_a_code_works_once() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let offer = offer(&world.admin(), json!({})).await?;
        let hand = Hand::of(&world);
        let code = hand.code(&offer).await?;
        let (status, body) = hand.token(&code, None).await?;
        ensure!(status == 200, "{status} {body}");
        let (status, body) = hand.token(&code, None).await?;
        assert_eq!(
            (status, body["error"].as_str()),
            (400, Some("invalid_grant"))
        );
        assert!(world.wallet()?.take(&offer.link, None).await.is_err());
        Ok(())
    })
    .await;
}

async fn offer(admin: &Admin, changes: serde_json::Value) -> anyhow::Result<Offer> {
    let mut body = membership("M-1");
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    admin.offer(&body).await
}
