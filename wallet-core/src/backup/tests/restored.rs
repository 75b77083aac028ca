//! What a restored wallet knows, and what it does not.

use super::*;
use crate::issuance::CopyPolicy;
use crate::tests::PASSPHRASE as LOCK;

/// An empty wallet that believes whom this world believes, in its place.
fn empty(world: &mut World) {
    world.storage = Arc::new(MemoryStorage::new());
    let ports = ports(&world.storage, &world.clock, 9);
    world.wallet = Wallet::create(world.config.clone(), ports, LOCK, KdfParams::MINIMUM).unwrap();
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

#[tokio::test]
async fn cat_292_a_restored_card_is_checked_before_anybody_is_shown_it() {
    let mut world = World::new();
    let added = world.add().await.unwrap();
    let file = file_of(&world.wallet).await;
    empty(&mut world);
    let restored = take(&world.wallet, &file, PASSPHRASE).unwrap();
    assert_eq!((restored.cards, restored.unchecked), (1, 0));
    assert!(!world.wallet.cards(&[]).unwrap()[0].unchecked);
    world.show().await;

    // A wallet that does not know the issuer keeps it for its owner.
    let issuers = std::mem::take(&mut world.config.trust.issuers);
    empty(&mut world);
    let restored = take(&world.wallet, &file, PASSPHRASE).unwrap();
    assert_eq!((restored.cards, restored.unchecked), (1, 1));
    assert!(world.wallet.card(&added.cards[0], &[]).unwrap().unchecked);
    let refused = world.ask().await.unwrap_err();
    assert_eq!(refused.error.code(), "no_matching_card");
    // When it knows it, the card is checked at its next use.
    world.config.trust.issuers = issuers;
    world.wallet = world.reopen(LOCK).await.unwrap();
    world.show().await;
    assert!(!world.wallet.card(&added.cards[0], &[]).unwrap().unchecked);
}

#[tokio::test]
async fn cat_292_a_card_that_its_issuer_did_not_sign_is_shown_to_nobody() {
    let mut world = World::new();
    let added = world.add().await.unwrap();
    let id = &added.cards[0];
    let mut record = world.wallet.store().record(id).unwrap();
    // The same claims under another signature, and under the same identity.
    let compact = &mut record.copies[0].compact;
    let (signed, disclosures) = compact.split_once('~').unwrap();
    let (payload, _) = signed.rsplit_once('.').unwrap();
    *compact = format!("{payload}.{}~{disclosures}", "A".repeat(86));
    let (name, bytes) = crate::credential::CredentialStore::encode(&record).unwrap();
    world.wallet.vault().put(name, bytes).unwrap();
    let file = file_of(&world.wallet).await;
    empty(&mut world);
    let restored = take(&world.wallet, &file, PASSPHRASE).unwrap();
    assert_eq!((restored.cards, restored.unchecked), (1, 1));
    let refused = world.ask().await.unwrap_err();
    assert_eq!(refused.error.code(), "no_matching_card");
    world.wallet.delete(id).await.unwrap();
}

#[tokio::test]
async fn cat_292_the_issuer_of_a_restored_card_is_who_signed_it() {
    let mut world = World::new();
    let added = world.add().await.unwrap();
    let id = &added.cards[0];
    let mut record = world.wallet.store().record(id).unwrap();
    let issuer = record.issuer.clone();
    record.issuer.trusted = "https://bank.example".to_owned();
    let (name, bytes) = crate::credential::CredentialStore::encode(&record).unwrap();
    world.wallet.vault().put(name, bytes).unwrap();
    let file = file_of(&world.wallet).await;
    empty(&mut world);
    take(&world.wallet, &file, PASSPHRASE).unwrap();
    assert_eq!(world.wallet.store().record(id).unwrap().issuer, issuer);
    // A card that has ended was signed all the same.
    world.clock.advance(90_000);
    empty(&mut world);
    let restored = take(&world.wallet, &file, PASSPHRASE).unwrap();
    assert_eq!((restored.cards, restored.unchecked), (1, 0));
    assert!(world.wallet.cards(&[]).unwrap()[0].expired);
}

#[tokio::test]
async fn cat_440_what_comes_later_brings_its_own_keys() {
    use serde_json::{Value, json};
    use vouchsafe_credentials::encoding::b64url;
    let [own, other] =
        [1, 2].map(|seed| SigningKey::generate(Algorithm::Es256, &SeededRng::new(seed)));
    let moved =
        |id: &str, key: &SigningKey| json!({"id": id, "pkcs8": b64url(&key.to_pkcs8_der())});
    let waiting = json!({
        "access": "aa", "configuration": "card", "identifier": null, "transaction_id": "t",
        "keys": [{"id": "k1", "jwk": own.public_key().to_jwk()}], "renews": null,
        "not_before": 1, "since": 1, "title": "Card", "issuer": "Club",
    });
    let dealing = |keys: Value| {
        json!({
            "kind": "dealing", "keys": keys,
            "dealing": {"of": "pending", "id": "ab", "waiting": waiting},
        })
    };
    let made = json!({"kind": "made", "at": 1});
    let world = World::new();
    for keys in [
        json!([]),
        json!([moved("k1", &other)]),
        json!([moved("k2", &own)]),
        json!([moved("k1", &own), moved("k1", &own)]),
    ] {
        let file = forged(&[made.clone(), dealing(keys.clone())]);
        let code = code_of(&world.wallet, &file, PASSPHRASE);
        assert_eq!(code, "backup_content_invalid", "{keys}");
    }
    let good = dealing(json!([moved("k1", &own)]));
    let twice = forged(&[made.clone(), good.clone(), good.clone()]);
    let code = code_of(&world.wallet, &twice, PASSPHRASE);
    assert_eq!(code, "backup_content_invalid");
    // Without the access to ask with it is only named.
    let restored = take(&world.wallet, &forged(&[made, good]), PASSPHRASE).unwrap();
    assert_eq!((restored.pending, restored.left_behind.len()), (0, 1));
    assert!(world.storage.list(Collection::Keys).unwrap().is_empty());
}
