use vouchsafe_credentials::crypto::Algorithm;
use vouchsafe_credentials::random::Rng;

use super::{PASSPHRASE, World, ports};
use crate::Wallet;
use crate::history::EventKind;
use crate::storage::{Collection, KdfParams, Storage};

#[tokio::test]
async fn cards_and_history_survive_and_the_wrong_passphrase_is_told_apart() {
    let mut world = World::new();
    let added = world.add().await.unwrap();
    assert_eq!(
        world.reopen("not the one").await.unwrap_err().code(),
        "wrong_passphrase"
    );
    let wallet = world.reopen(PASSPHRASE).await.unwrap();
    assert_eq!(wallet.cards(&["en"]).unwrap()[0].id, added.cards[0]);
    assert_eq!(wallet.history().unwrap().len(), 1);
}

#[tokio::test]
async fn cat_434_cat_460_nothing_lies_in_the_store_in_plain() {
    let mut world = World::new();
    world.add().await.unwrap();
    let stored = world.storage.dump();
    for canary in [
        "CANARY",
        "gold",
        "membership",
        "club.example",
        PASSPHRASE,
        "eyJ",
    ] {
        let found = stored.windows(canary.len()).any(|w| w == canary.as_bytes());
        assert!(!found, "{canary} in the store");
    }
}

#[tokio::test]
async fn cat_437_a_deleted_card_takes_its_keys_with_it() {
    let mut world = World::new();
    let added = world.add().await.unwrap();
    world.wallet.delete(&added.cards[0]).await.unwrap();
    assert!(world.storage.list(Collection::Keys).unwrap().is_empty());
    assert!(
        world
            .storage
            .list(Collection::Credentials)
            .unwrap()
            .is_empty()
    );
    let history = world.wallet.history().unwrap();
    assert!(history.iter().any(|entry| entry.kind == EventKind::Deleted));
    assert_eq!(
        world
            .wallet
            .delete(&added.cards[0])
            .await
            .unwrap_err()
            .code(),
        "card_unknown"
    );
}

#[tokio::test]
async fn cat_437_keys_of_an_interrupted_issuance_are_destroyed_at_the_next_start() {
    let mut world = World::new();
    world.add().await.unwrap();
    world
        .wallet
        .secure_area()
        .create_key(Algorithm::Es256)
        .await
        .unwrap();
    assert_eq!(world.storage.list(Collection::Keys).unwrap().len(), 2);
    let wallet = world.reopen(PASSPHRASE).await.unwrap();
    assert_eq!(world.storage.list(Collection::Keys).unwrap().len(), 1);
    assert_eq!(wallet.cards(&["en"]).unwrap().len(), 1);
}

#[tokio::test]
async fn cat_452_a_random_source_that_repeats_itself_is_refused() {
    struct Stuck;
    impl Rng for Stuck {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(4);
        }
    }
    let world = World::new();
    let mut ports = ports(&world.storage, &world.clock, 3);
    ports.rng = std::sync::Arc::new(Stuck);
    let error = Wallet::create(world.config, ports, PASSPHRASE, KdfParams::MINIMUM).unwrap_err();
    assert_eq!(error.code(), "rng_broken");
}
