//! `kill -9` while people are served: nothing that was acknowledged is lost,
//! nothing that works once works twice.

use std::time::Duration;

use anyhow::ensure;
use vouchsafe_tests::world::World;

use crate::load::{Breaks, Load};
use crate::support::{on_each_database, rounds};

/// Cards that are issued between two kills.
const BETWEEN: u32 = 6;
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn cat_410_the_issuer_is_killed_while_it_issues() {
    on_each_database(async |kind| {
        let mut world = World::start(kind).await?;
        let load = Load::start(&world, Breaks::Issuer)?;
        for _ in 0..rounds(3, 1000) {
            load.more_cards(BETWEEN, PATIENCE).await?;
            world.issuer.kill().await?;
            world.issuer.restart().await?;
        }
        load.nothing_was_lost_or_doubled(&world).await
    })
    .await;
}

#[tokio::test]
async fn the_verifier_is_killed_at_every_step_of_a_login() {
    on_each_database(async |kind| {
        let mut world = World::start(kind).await?;
        let (wallet, shop) = (world.wallet()?, world.relying_party("shop").await?);
        let offer = world.admin().offer_membership("M-1").await?;
        wallet.take(&offer.link, None).await?;
        let mut browser = world.browser();

        let login = shop.begin(&mut browser, "membership").await?;
        world.verifier.restart().await?;
        let shown = wallet.show(&login.link).await?;
        world.verifier.restart().await?;
        let back = browser.open(shown.redirect_uri.as_str()).await?;
        let code = shop.code(&login.attempt, &back)?;
        world.verifier.restart().await?;
        let page = browser.open(shown.redirect_uri.as_str()).await?;
        ensure!(
            page.status >= 400,
            "the way back works twice: {}",
            page.status
        );
        let tokens = shop.tokens(&login.attempt, &code).await?;
        world.verifier.restart().await?;
        ensure!(shop.userinfo(&tokens.access_token).await?.0 == 200);
        let again = wallet.send(&shown.request).await?;
        ensure!(
            again.status >= 400,
            "the answer is taken twice: {}",
            again.status
        );
        // A logout that was not delivered yet survives, too.
        let entry = wallet.withdraw(&shown.history).await?;
        world.verifier.restart().await?;
        ensure!(entry.withdrawn_at.is_some());
        let logout = shop.logged_out(Duration::from_secs(30)).await?;
        ensure!(logout["sid"] == tokens.sid());
        let (status, body) = shop.redeem(&login.attempt, &code).await?;
        ensure!(
            (status, &body["error"]) == (400, &"invalid_grant".into()),
            "{status} {body}"
        );
        Ok(())
    })
    .await;
}
