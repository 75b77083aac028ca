use vouchsafe_credentials::crypto::Algorithm;
use vouchsafe_credentials::random::Rng;

use super::{NOW, PASSPHRASE, World, ports};
use crate::Wallet;
use crate::history::{EventKind, RequestKind, Way};
use crate::storage::{Collection, KdfParams, Lock, RecordName, Storage};

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

#[tokio::test]
async fn the_history_is_found_by_party_and_exported_without_values() {
    let mut world = World::new();
    world.add().await.unwrap();
    world.show().await;
    let wallet = &world.wallet;
    let found = |party: &str| wallet.history_with(party).unwrap().len();
    for party in ["shop.example.com", "EXAMPLE.com", "wine", " Wine Shop "] {
        let expected = if party == "EXAMPLE.com" { 2 } else { 1 };
        assert_eq!(found(party), expected, "{party}");
    }
    for party in ["", "op.example.com", "shop.example.co", "beer"] {
        assert_eq!(found(party), 0, "{party}");
    }
    let export = wallet.export_history(Some("wine")).unwrap();
    assert_eq!(export.entries.len(), 1);
    let json = serde_json::to_value(wallet.export_history(None).unwrap()).unwrap();
    assert_eq!(json["format"], "vouchsafe-wallet-history");
    assert_eq!(json["exported_at"], NOW.seconds());
    assert_eq!(json["entries"].as_array().unwrap().len(), 2);
    let text = json.to_string();
    assert!(text.contains("Wine Shop"));
    for canary in ["CANARY", "gold", "2027-05-31"] {
        assert!(!text.contains(canary), "{canary} in the export");
    }
}

#[tokio::test]
async fn who_was_shown_a_card_is_asked_to_forget_it_and_anybody_can_be_reported() {
    let mut world = World::new();
    world.add().await.unwrap();
    world.show().await;
    let asking = world.ask().await.unwrap();
    asking.decline().unwrap();
    let history = world.wallet.history().unwrap();
    let (declined, shown, issued) = (&history[0], &history[1], &history[2]);
    for entry in [declined, issued] {
        assert_eq!(entry.erasure().unwrap_err().code(), "nothing_to_erase");
    }
    let erasure = shown.erasure().unwrap();
    assert_eq!(erasure.kind, RequestKind::Erasure);
    assert_eq!(erasure.facts, shown.facts);
    assert!(!erasure.facts.is_empty());
    match (&erasure.way, &shown.consent_uri) {
        (Way::Withdraw { uri }, Some(published)) => assert_eq!(uri, published),
        (way, published) => assert_eq!((way, published), (&Way::Text, &None)),
    }
    let mut silent = shown.clone();
    silent.consent_uri = None;
    assert_eq!(silent.erasure().unwrap().way, Way::Text);
    assert_eq!(declined.report().kind, RequestKind::Report);
    assert_eq!(declined.report().party, declined.party);
}

#[tokio::test]
async fn a_wallet_changes_its_passphrase_for_a_pin_and_back() {
    let mut world = World::new();
    world.add().await.unwrap();
    let pin = Lock::Pin {
        digits: "482916",
        attempts: 5,
    };
    let change = |old: &str, new: Lock<'_>| {
        let changed = world.wallet.change_passphrase(old, new, KdfParams::MINIMUM);
        changed.map_err(|error| error.code())
    };
    assert_eq!(change("not the one", pin), Err("wrong_passphrase"));
    change(PASSPHRASE, pin).unwrap();
    assert_eq!(
        world.reopen(PASSPHRASE).await.unwrap_err().code(),
        "wrong_passphrase"
    );
    let wallet = world.reopen("482916").await.unwrap();
    assert_eq!(wallet.cards(&["en"]).unwrap().len(), 1);
    change("482916", Lock::Passphrase("battery staple")).unwrap();
    world.reopen("battery staple").await.unwrap();
}

#[tokio::test]
async fn an_unreadable_entry_keeps_no_other_away_and_is_counted() {
    let mut world = World::new();
    world.add().await.unwrap();
    world.show().await;
    world.show().await;
    let all = world.wallet.history().unwrap();
    assert_eq!(all.len(), 3);
    // Nothing that can be read is deleted.
    let error = world
        .wallet
        .delete_unreadable_entry(&all[1].id)
        .unwrap_err();
    assert_eq!(error.code(), "history_entry_readable");
    let ids = world.storage.list(Collection::History).unwrap();
    // One was altered, one is of a version to come.
    for (id, bytes) in ids.iter().zip([vec![1, 2, 3], vec![9; 40]]) {
        let name = RecordName::new(Collection::History, id.clone());
        world.storage.put(name, bytes).unwrap();
    }
    let wallet = world.reopen(PASSPHRASE).await.unwrap();
    assert_eq!(wallet.history().unwrap(), all[..1]);
    let unreadable = wallet.unreadable_history().unwrap();
    assert_eq!(unreadable, [all[1].id.clone(), all[2].id.clone()]);
    let export = wallet.export_history(Some("shop.example.com")).unwrap();
    assert_eq!((export.entries.len(), export.unreadable), (1, 2));
    let mut backup = wallet
        .backup("a passphrase of the backup", KdfParams::MINIMUM)
        .unwrap();
    while backup.next_piece().await.unwrap().is_some() {}
    assert_eq!((backup.cards(), backup.unreadable_entries()), (1, 2));
    for id in &unreadable {
        wallet.delete_unreadable_entry(id).unwrap();
    }
    let gone = wallet.delete_unreadable_entry(&unreadable[0]).unwrap_err();
    assert_eq!(gone.code(), "history_entry_unknown");
    assert_eq!(wallet.export_history(None).unwrap().unreadable, 0);
    assert_eq!(wallet.history().unwrap(), all[..1]);
}
