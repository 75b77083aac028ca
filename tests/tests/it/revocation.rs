//! What happens to people who are logged in when something ends.

use std::time::Duration;

use anyhow::ensure;
use tokio::time::Instant;
use vouchsafe_tests::wait;
use vouchsafe_tests::world::World;
use vouchsafe_wallet_core::consent::ConsentRequest;

use crate::support::on_each_database;

/// The status refresh of the tests (1 s) and five seconds.
const SESSION_END: Duration = Duration::from_secs(6);

#[tokio::test]
async fn cat_346_a_revoked_card_ends_the_session_and_logs_nobody_in() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let (wallet, shop) = (world.wallet()?, world.relying_party("shop").await?);
        let offer = world.admin().offer_membership("M-1").await?;
        wallet.take(&offer.link, None).await?;
        let mut browser = world.browser();
        let (tokens, _) = shop.log_in(&mut browser, &wallet, "membership").await?;

        let revoked = Instant::now();
        world.admin().change("crm-M-1", "revoke").await?;
        let logout = shop.logged_out(SESSION_END).await?;
        eprintln!("{kind:?}: logout token after {:?}", revoked.elapsed());
        assert_eq!(logout["sid"], tokens.sid());
        assert_eq!(logout["sub"], tokens.sub());
        let (status, _) = shop.userinfo(&tokens.access_token).await?;
        assert_eq!(status, 401, "the access token outlives the session");

        for scope in ["membership"] {
            let refused = shop
                .log_in_refused(&mut world.browser(), &wallet, scope)
                .await?;
            assert_eq!(refused.1, "access_denied");
            assert_eq!(refused.0.as_deref(), Some("credential_revoked"));
        }
        // For good.
        assert!(world.admin().change("crm-M-1", "resume").await.is_err());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_wallet_says_what_was_taken_back_before_the_card_is_shown() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let (wallet, shop) = (world.wallet()?, world.relying_party("shop").await?);
        for member in ["M-1", "M-2"] {
            let offer = world.admin().offer_membership(member).await?;
            wallet.take(&offer.link, None).await?;
        }
        // Six copies of two cards on one list of the issuer.
        ensure!(wallet.ask_statuses().await? == 1);
        let login = shop.begin(&mut world.browser(), "membership").await?;
        let question = wallet.question(&login.link).await?;
        let states = |question: &ConsentRequest| {
            let cards = question.questions.iter().flat_map(|one| &one.cards);
            cards.map(|card| card.status.as_str()).collect::<Vec<_>>()
        };
        ensure!(states(&question) == ["valid", "valid"]);

        world.admin().change("crm-M-2", "revoke").await?;
        wait::until("the wallet has heard of it", SESSION_END, async || {
            wallet.ask_statuses().await?;
            let cards = wallet.core().cards(&["en"])?;
            let revoked = cards.iter().filter(|card| card.status.is_bad()).count();
            Ok((revoked == 1).then_some(()))
        })
        .await?;
        let question = wallet.question(&login.link).await?;
        ensure!(states(&question) == ["valid"], "{:?}", states(&question));

        // Where there is no other card, it is said, and the person may show it: the verifier refuses it.
        world.admin().change("crm-M-1", "suspend").await?;
        wait::until("the wallet has heard of both", SESSION_END, async || {
            wallet.ask_statuses().await?;
            let cards = wallet.core().cards(&["en"])?;
            Ok(cards.iter().all(|card| card.status.is_bad()).then_some(()))
        })
        .await?;
        let question = wallet.question(&login.link).await?;
        let mut said = states(&question);
        said.sort_unstable();
        ensure!(said == ["revoked", "suspended"], "{said:?}");
        let (mut browser, scope) = (world.browser(), "membership");
        let refused = shop.log_in_refused(&mut browser, &wallet, scope).await?;
        ensure!(refused.1 == "access_denied");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_suspended_card_logs_in_again_after_it_was_resumed() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let (wallet, shop) = (world.wallet()?, world.relying_party("shop").await?);
        let offer = world.admin().offer_membership("M-1").await?;
        wallet.take(&offer.link, None).await?;
        let (before, _) = shop
            .log_in(&mut world.browser(), &wallet, "membership")
            .await?;
        world.admin().change("crm-M-1", "suspend").await?;
        let logout = shop.logged_out(SESSION_END).await?;
        assert_eq!(logout["sid"], before.sid());
        let refused = shop
            .log_in_refused(&mut world.browser(), &wallet, "membership")
            .await?;
        assert_eq!(
            refused,
            (
                Some("credential_suspended".to_owned()),
                "access_denied".to_owned()
            )
        );

        world.admin().change("crm-M-1", "resume").await?;
        let after = wait::until("the card is good again", SESSION_END, async || {
            let mut browser = world.browser();
            let login = shop.begin(&mut browser, "membership").await?;
            let Ok(shown) = wallet.show(&login.link).await else {
                return Ok(None);
            };
            let back = browser.open(shown.redirect_uri.as_str()).await?;
            let code = shop.code(&login.attempt, &back)?;
            Ok(Some(shop.tokens(&login.attempt, &code).await?))
        })
        .await?;
        assert_eq!(before.sub(), after.sub());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_withdrawn_consent_ends_the_session() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let (wallet, shop) = (world.wallet()?, world.relying_party("shop").await?);
        let offer = world.admin().offer_membership("M-1").await?;
        wallet.take(&offer.link, None).await?;
        let (tokens, shown) = shop
            .log_in(&mut world.browser(), &wallet, "membership")
            .await?;
        let entry = wallet.withdraw(&shown.history).await?;
        assert!(entry.withdrawn_at.is_some());
        let logout = shop.logged_out(Duration::from_secs(5)).await?;
        assert_eq!(logout["sid"], tokens.sid());
        assert_eq!(shop.userinfo(&tokens.access_token).await?.0, 401);
        Ok(())
    })
    .await;
}
