//! A hundred try at once, one succeeds.

use futures::future::join_all;
use vouchsafe_tests::hand::Hand;
use vouchsafe_tests::world::World;

use crate::support::{on_each_database, patiently, rounds};

const AT_ONCE: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn cat_230_a_hundred_redeem_one_pre_authorized_code() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let hand = Hand::of(&world);
        for round in 0..rounds(2, 1000) {
            let offer = world
                .admin()
                .offer_membership(&format!("M-{round}"))
                .await?;
            let code = hand.code(&offer).await?;
            let answers =
                join_all((0..AT_ONCE).map(|_| patiently(|| hand.token(&code, None)))).await;
            let answers = answers.into_iter().collect::<Result<Vec<_>, _>>()?;
            one_success(&answers);
        }
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cat_358_a_hundred_redeem_one_authorization_code() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let (wallet, shop) = (world.wallet()?, world.relying_party("shop").await?);
        let offer = world.admin().offer_membership("M-1").await?;
        wallet.take(&offer.link, None).await?;
        for _ in 0..rounds(2, 1000) {
            let mut browser = world.browser();
            let login = shop.begin(&mut browser, "membership").await?;
            let shown = wallet.show(&login.link).await?;
            let back = browser.open(shown.redirect_uri.as_str()).await?;
            let code = shop.code(&login.attempt, &back)?;
            let redeem = || shop.redeem(&login.attempt, &code);
            let attempts = (0..AT_ONCE).map(|_| patiently(redeem));
            let answers = join_all(attempts).await;
            let answers = answers.into_iter().collect::<Result<Vec<_>, _>>()?;
            let tokens = one_success(&answers);
            // The others tried a code that was used: its token is gone.
            let token = tokens["access_token"].as_str().unwrap();
            assert_eq!(shop.userinfo(token).await?.0, 401);
        }
        Ok(())
    })
    .await;
}

fn one_success(answers: &[(u16, serde_json::Value)]) -> serde_json::Value {
    let mut good = Vec::new();
    for (status, body) in answers {
        match (status, body["error"].as_str()) {
            (200, None) => good.push(body.clone()),
            (400, Some("invalid_grant")) => {}
            other => panic!("neither success nor invalid_grant: {other:?} {body}"),
        }
    }
    assert_eq!(answers.len(), AT_ONCE);
    assert_eq!(good.len(), 1);
    good.remove(0)
}
