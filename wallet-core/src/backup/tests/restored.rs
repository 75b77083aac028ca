//! What a restored wallet knows, and what it does not.

use super::*;
use crate::issuance::CopyPolicy;
use crate::tests::PASSPHRASE as LOCK;

/// An empty wallet that believes whom this world believes, in its place.
fn empty(world: &mut World) {
    world.storage = Arc::new(MemoryStorage::new());
    let ports = ports(&world.storage, &world.clock, 9);
    world.wallet =
        Wallet::create(world.config.clone(), ports, LOCK, KdfParams::MINIMUM).unwrap();
}

/// A wallet whose card was shown to the shop after the backup was made, and the backup.
async fn used_since() -> (World, Vec<u8>) {
    let mut world = World::new();
    world.issuer.batch = 2;
    world.add().await.unwrap();
    let file = file_of(&world.wallet).await;
    world.show().await;
    assert_eq!(world.wallet.cards(&[]).unwrap()[0].fresh_copies, (1, 2));
    (world, file)
}

#[tokio::test]
async fn cat_451_a_backup_does_not_make_a_used_copy_fresh() {
    let (mut world, file) = used_since().await;
    empty(&mut world);
    take(&world.wallet, &file, PASSPHRASE).unwrap();
    assert_eq!(world.wallet.cards(&[]).unwrap()[0].fresh_copies, (0, 2));
    // Nothing better is there: the person is told that somebody may have seen it.
    let consent = world.ask().await.unwrap().consent(&["en"]);
    let card = consent.option(&consent.suggested.picks[0]).unwrap();
    assert!(card.linkable);
    world.show().await;
    // A copy that is fresh for sure goes first.
    let id = world.wallet.cards(&[]).unwrap()[0].id.clone();
    let mut record = world.wallet.store().record(&id).unwrap();
    record.copies[1].unsure = false;
    let (name, bytes) = crate::credential::CredentialStore::encode(&record).unwrap();
    world.wallet.vault().put(name, bytes).unwrap();
    let now = world.wallet.now();
    let chosen = record.copy_for("bar", now).unwrap().unwrap();
    assert_eq!((chosen.place, chosen.linkable), (1, false));
}

#[tokio::test]
async fn cat_451_a_restored_copy_that_serves_once_serves_nobody() {
    let (mut world, file) = used_since().await;
    world.config.issuance.copies = CopyPolicy::OneTime;
    empty(&mut world);
    take(&world.wallet, &file, PASSPHRASE).unwrap();
    let refused = world.ask().await.unwrap_err();
    assert_eq!(refused.error.code(), "no_matching_card");
}

#[tokio::test]
async fn cat_451_who_saw_a_copy_before_the_backup_sees_it_again() {
    let mut world = World::new();
    world.add().await.unwrap();
    world.show().await;
    let file = file_of(&world.wallet).await;
    world.config.issuance.copies = CopyPolicy::OneTime;
    empty(&mut world);
    take(&world.wallet, &file, PASSPHRASE).unwrap();
    let consent = world.ask().await.unwrap().consent(&["en"]);
    let card = consent.option(&consent.suggested.picks[0]).unwrap();
    assert!(!card.linkable);
}
