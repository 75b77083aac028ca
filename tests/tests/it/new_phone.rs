//! A person changes phones. The keys of the old one do not move.

use std::time::Duration;

use anyhow::ensure;
use vouchsafe_tests::world::World;
use vouchsafe_wallet_core::storage::KdfParams;

use crate::support::on_each_database;

const PASSPHRASE: &str = "paper in a drawer";
/// The status refresh of the tests (1 s) and five seconds.
const SESSION_END: Duration = Duration::from_secs(6);

#[tokio::test]
async fn cat_440_a_new_phone_has_the_same_account_and_the_old_one_is_refused() {
    on_each_database(async |kind| {
        let world = World::start(kind).await?;
        let (old, shop) = (world.phone()?, world.relying_party("shop").await?);
        let offer = world.admin().offer_membership("M-1").await?;
        old.take(&offer.link, None).await?;
        let (before, _) = shop
            .log_in(&mut world.browser(), &old, "membership")
            .await?;

        let mut backup = old.core().backup(PASSPHRASE, KdfParams::MINIMUM)?;
        let new = world.phone()?;
        let mut restoring = new.core().restore(PASSPHRASE);
        while let Some(piece) = backup.next_piece().await? {
            restoring.push(&piece)?;
        }
        let restored = restoring.finish()?;
        ensure!(
            (restored.cards, restored.to_reissue) == (0, 1),
            "{restored:?}"
        );
        let waiting = new.core().to_reissue(&["en"])?;
        ensure!(waiting[0].credential_issuer == world.issuer_url);
        // What was seen of the person comes along, and no card can be shown.
        ensure!(new.history()? == old.history()?);
        let login = shop.begin(&mut world.browser(), "membership").await?;
        ensure!(new.refused(&login.link).await?.code == "no_matching_card");

        // The person asks the club for the card again, and the club ends the old one.
        world.admin().change("crm-M-1", "revoke").await?;
        let logout = shop.logged_out(SESSION_END).await?;
        ensure!(logout["sub"] == before.sub());
        let offer = world.admin().offer_membership("M-1").await?;
        new.take(&offer.link, None).await?;
        ensure!(new.core().to_reissue(&["en"])?.is_empty());

        let (after, _) = shop
            .log_in(&mut world.browser(), &new, "membership")
            .await?;
        ensure!(after.sub() == before.sub(), "another account");
        let refused = shop
            .log_in_refused(&mut world.browser(), &old, "membership")
            .await?;
        ensure!(
            refused.0.as_deref() == Some("credential_revoked"),
            "{refused:?}"
        );
        Ok(())
    })
    .await;
}
