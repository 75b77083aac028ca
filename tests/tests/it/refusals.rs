//! Cards and answers that log nobody in.

use vouchsafe_tests::world::World;

use crate::support::on_each_database;

#[tokio::test]
async fn a_card_of_an_issuer_that_is_not_trusted() {
    on_each_database(async |kind| {
        let (world, stranger) = (World::start(kind).await?, World::start(kind).await?);
        let shop = world.relying_party("shop").await?;
        let wallet = world.wallet_that_trusts(&[&world, &stranger])?;
        let offer = stranger.admin().offer_membership("M-1").await?;
        wallet.take(&offer.link, None).await?;
        let refused = shop
            .log_in_refused(&mut world.browser(), &wallet, "membership")
            .await?;
        assert_eq!(
            refused,
            (
                Some("issuer_certificate".to_owned()),
                "access_denied".to_owned()
            )
        );
        assert!(
            world.verifier.log().contains("issuer_certificate"),
            "no reason in the log"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_type_that_the_issuer_is_not_trusted_for() {
    on_each_database(async |kind| {
        let (mut world, stranger) = (World::start(kind).await?, World::start(kind).await?);
        // Trusted for memberships, but not for ages.
        let anchors = |file: &str| format!("{:?}", stranger.folder.join(file));
        let file = world.folder.join("verifier.toml");
        let trust = format!(
            "\n[[trust.issuer]]\nid = {:?}\ntypes = [\"urn:vouchsafe:membership:1\"]\nstable_claims = {{ \"urn:vouchsafe:membership:1\" = [\"member_id\"] }}\nanchors_file = {}\nstatus_anchors_file = {}\n",
            stranger.issuer_url,
            anchors("trusted-issuers.pem"),
            anchors("trusted-status.pem"),
        );
        std::fs::write(&file, std::fs::read_to_string(&file)? + &trust)?;
        world.verifier.restart().await?;
        let shop = world.relying_party("shop").await?;
        let wallet = world.wallet_that_trusts(&[&world, &stranger])?;
        let offer = stranger.admin().offer_age("crm-1").await?;
        wallet.take(&offer.link, None).await?;
        let refused = shop
            .log_in_refused(&mut world.browser(), &wallet, "age")
            .await?;
        assert_eq!(refused.0.as_deref(), Some("issuer_not_for_type"));
        assert_eq!(refused.1, "access_denied");
        // Its memberships are believed, and its member 1 is another person than ours.
        let offer = stranger.admin().offer_membership("M-1").await?;
        wallet.take(&offer.link, None).await?;
        let (theirs, _) = shop
            .log_in(&mut world.browser(), &wallet, "membership")
            .await?;
        let ours = world.wallet()?;
        let offer = world.admin().offer_membership("M-1").await?;
        ours.take(&offer.link, None).await?;
        let (ours, _) = shop
            .log_in(&mut world.browser(), &ours, "membership")
            .await?;
        assert_ne!(theirs.sub(), ours.sub(), "catalogue 343");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_wallet_without_a_fitting_card() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let (wallet, shop) = (world.wallet()?, world.relying_party("shop").await?);
        let offer = world.admin().offer_membership("M-1").await?;
        wallet.take(&offer.link, None).await?;
        let mut browser = world.browser();
        let login = shop.begin(&mut browser, "age").await?;
        let refusal = wallet.refused(&login.link).await?;
        assert_eq!(refusal.code, "no_matching_card");
        assert_eq!(
            shop.told_error(&mut browser, &login).await?,
            "access_denied"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn cat_296_298_an_answer_that_is_sent_again() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let (wallet, shop) = (world.wallet()?, world.relying_party("shop").await?);
        let offer = world.admin().offer_membership("M-1").await?;
        wallet.take(&offer.link, None).await?;
        let mut browser = world.browser();
        let (tokens, shown) = shop.log_in(&mut browser, &wallet, "membership").await?;

        // To the same login.
        let again = wallet.send(&shown.request).await?;
        assert!(again.status >= 400, "{}", again.status);
        // The way back, again and in another browser.
        for browser in [&mut browser, &mut world.browser()] {
            let page = browser.open(shown.redirect_uri.as_str()).await?;
            assert!(page.status >= 400, "{}", page.status);
        }
        // To the next login of somebody else.
        let mut attacker = world.browser();
        let login = shop.begin(&mut attacker, "membership").await?;
        let response_uri = response_uri(&world, &login.link).await?;
        let mut replayed = shown.request.clone();
        replayed.url = response_uri;
        let answer = wallet.send(&replayed).await?;
        assert_eq!(answer.status, 400);
        let waiting = attacker.get(login.url.as_str()).await?;
        assert!(waiting.headers.get("location").is_none());
        // The first login is what it was.
        assert_eq!(shop.userinfo(&tokens.access_token).await?.0, 200);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn cat_358_a_code_that_is_used_again_takes_its_tokens_along() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let (wallet, shop) = (world.wallet()?, world.relying_party("shop").await?);
        let offer = world.admin().offer_membership("M-1").await?;
        wallet.take(&offer.link, None).await?;
        let mut browser = world.browser();
        let login = shop.begin(&mut browser, "membership").await?;
        let shown = wallet.show(&login.link).await?;
        let back = browser.open(shown.redirect_uri.as_str()).await?;
        let code = shop.code(&login.attempt, &back)?;
        let tokens = shop.tokens(&login.attempt, &code).await?;
        let (status, body) = shop.redeem(&login.attempt, &code).await?;
        assert_eq!(
            (status, body["error"].as_str()),
            (400, Some("invalid_grant"))
        );
        assert_eq!(shop.userinfo(&tokens.access_token).await?.0, 401);
        Ok(())
    })
    .await;
}

/// Where the answer to a request goes, read from the request object without any check.
async fn response_uri(world: &World, link: &str) -> anyhow::Result<url::Url> {
    let link = url::Url::parse(link)?;
    let (_, address) = link
        .query_pairs()
        .find(|(name, _)| name == "request_uri")
        .unwrap();
    let request = world.client.post(address.as_ref()).send().await?;
    let object = request.error_for_status()?.text().await?;
    let payload = object.split('.').nth(1).unwrap();
    let payload = vouchsafe_credentials::encoding::b64url_decode(payload)?;
    let payload: serde_json::Value = serde_json::from_slice(&payload)?;
    Ok(payload["response_uri"].as_str().unwrap().parse()?)
}
