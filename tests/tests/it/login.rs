//! People log in: what the application learns and what it does not.

use vouchsafe_tests::database;
use vouchsafe_tests::world::{Options, World};

use crate::support::{accounts, on_each_database};

#[tokio::test]
async fn age_tells_one_fact_and_leaves_no_account() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let (wallet, shop) = (world.wallet()?, world.relying_party("shop").await?);
        let offer = world.admin().offer_age("crm-1").await?;
        wallet.take(&offer.link, None).await?;
        let (tokens, shown) = shop.log_in(&mut world.browser(), &wallet, "age").await?;
        let members: Vec<&String> = tokens.userinfo.as_object().unwrap().keys().collect();
        assert_eq!(members.len(), 2, "{members:?}");
        assert_eq!(tokens.userinfo["age_over_18"], true);
        assert_eq!(tokens.claims["acr"], "urn:vouchsafe:acr:vc");
        for stays in ["12 or older", "21 or older"] {
            assert!(shown.kept.iter().any(|kept| kept == stays), "{shown:?}");
        }
        let (again, _) = shop.log_in(&mut world.browser(), &wallet, "age").await?;
        assert_ne!(tokens.sub(), again.sub(), "a guest is recognised");
        assert_eq!(accounts(&world).await?, 0);
        let bindings = "SELECT COUNT(*) FROM subject_means";
        assert_eq!(
            database::number(&world.verifier_database, bindings).await?,
            0
        );
        let linked = "SELECT COUNT(*) FROM login_sessions WHERE subject_id IS NOT NULL OR cookie_hash IS NOT NULL";
        assert_eq!(database::number(&world.verifier_database, linked).await?, 0);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_member_is_the_same_person_at_one_application_and_another_at_the_next() {
    on_each_database(async |kind| {
        let world = World::with(Options {
            clients: vec![("shop", "127.0.0.1"), ("cafe", "127.0.0.2")],
            ..Options::new(kind)
        })
        .await?;
        let shop = world.relying_party("shop").await?;
        let cafe = world.relying_party("cafe").await?;
        let (anna, bert) = (world.wallet()?, world.wallet()?);
        let admin = world.admin();
        anna.take(&admin.offer_membership("M-1").await?.link, None)
            .await?;
        bert.take(&admin.offer_membership("M-2").await?.link, None)
            .await?;

        let (first, shown) = shop
            .log_in(&mut world.browser(), &anna, "membership")
            .await?;
        assert_eq!(first.userinfo["membership_tier"], "gold");
        assert_eq!(first.userinfo["membership_valid_until"], "2027-12-31");
        assert_eq!(first.userinfo.as_object().unwrap().len(), 3);
        assert!(shown.kept.iter().any(|kept| kept == "Member since"));
        assert!(
            !first.userinfo.to_string().contains("M-1")
                && !first.claims.to_string().contains("M-1"),
            "the member number is told"
        );

        let (second, _) = shop
            .log_in(&mut world.browser(), &anna, "membership")
            .await?;
        assert_eq!(first.sub(), second.sub());
        assert_ne!(first.sid(), second.sid());
        let (elsewhere, _) = cafe
            .log_in(&mut world.browser(), &anna, "membership")
            .await?;
        assert_ne!(
            first.sub(),
            elsewhere.sub(),
            "one identifier in two sectors"
        );
        let (other, _) = shop
            .log_in(&mut world.browser(), &bert, "membership")
            .await?;
        assert_ne!(first.sub(), other.sub(), "two people with equal attributes");

        // A new phone, a new card with a new key, the same member.
        let new_phone = world.wallet()?;
        let offer = admin.offer_membership("M-1").await?;
        new_phone.take(&offer.link, None).await?;
        let (again, _) = shop
            .log_in(&mut world.browser(), &new_phone, "membership")
            .await?;
        assert_eq!(first.sub(), again.sub(), "a card with a new key");
        assert_eq!(accounts(&world).await?, 2);
        Ok(())
    })
    .await;
}
