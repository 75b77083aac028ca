//! Dealings with issuers in a backup.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::PASSPHRASE;
use super::haip::{Land, ports_of};
use crate::Wallet;
use crate::backup::Restored;
use crate::issuance::Pending;
use crate::storage::{Collection, KdfParams, MemoryStorage, RecordName};

const BACKUP: &str = "paper in a drawer";

impl Land {
    /// An empty wallet in the place of this one.
    fn begin_anew(&mut self) {
        self.seed += 1000;
        self.storage = Arc::new(MemoryStorage::new());
        let all = ports_of(&self.storage, &self.clock, &self.attestations, self.seed);
        let wallet = Wallet::create(self.config.clone(), all, PASSPHRASE, KdfParams::MINIMUM);
        self.wallet = wallet.unwrap();
    }

    /// A backup, and what waits and is not in it.
    async fn back_up(&self) -> (Vec<u8>, Vec<Pending>) {
        let mut backup = self.wallet.backup(BACKUP, KdfParams::MINIMUM).unwrap();
        let mut file = Vec::new();
        while let Some(piece) = backup.next_piece().await.unwrap() {
            file.extend(piece);
        }
        (file, backup.left_behind().to_vec())
    }

    fn restore(&self, file: &[u8]) -> Restored {
        let mut restoring = self.wallet.restore(BACKUP);
        restoring.push(file).unwrap();
        restoring.finish().unwrap()
    }
}

#[tokio::test]
async fn cat_437_a_card_that_comes_later_comes_to_a_restored_wallet() {
    let mut land = Land::attested(30).await;
    land.issuer.defers = true;
    land.issuer.scripted.batch = 3;
    land.request().await.unwrap();
    let pending = land.wallet.pending().unwrap();
    let (file, left_behind) = land.back_up().await;
    assert!(left_behind.is_empty());
    land.begin_anew();
    let restored = land.restore(&file);
    assert_eq!((restored.cards, restored.pending), (0, 1));
    assert!(restored.left_behind.is_empty());
    assert_eq!(land.wallet.pending().unwrap(), pending);
    // Nothing of it is taken for what was left over.
    land.wallet
        .secure_area()
        .create_key(vouchsafe_credentials::crypto::Algorithm::Es256)
        .await
        .unwrap();
    land.reopen().await;
    assert_eq!(land.keys(), 4);
    let step = land.wallet.resume(&pending[0].id).unwrap();
    let card = land.done(step).await.unwrap().cards.remove(0);
    // These copies came to this wallet: nobody has seen them.
    assert_eq!(land.fresh(&card), (3, 3));
    // What came is not waited for again.
    let again = land.restore(&file);
    assert_eq!((again.pending, again.left_behind.len()), (0, 0));
    assert!(land.wallet.pending().unwrap().is_empty());
}

#[tokio::test]
async fn cat_451_a_restored_card_gets_new_copies() {
    let mut land = Land::attested(31).await;
    land.issuer.scripted.batch = 3;
    let card = land.request().await.unwrap().cards.remove(0);
    let (file, _) = land.back_up().await;
    land.begin_anew();
    assert_eq!(land.restore(&file).cards, 1);
    assert_eq!(land.fresh(&card), (0, 3));
    let only = std::slice::from_ref(&card);
    assert_eq!(land.wallet.cards_to_top_up().unwrap(), only);
    land.clock.advance(3600);
    let step = land.wallet.renew(&card).unwrap();
    assert_eq!(land.done(step).await.unwrap().cards, only);
    // What somebody may have seen is gone, with its keys.
    assert_eq!(land.fresh(&card), (3, 3));
    assert_eq!(land.keys(), 4);
    // A deleted card takes what belongs to it along, and its issuer hears of it.
    land.wallet.delete(&card).await.unwrap();
    land.tell().await;
    assert!(
        land.issuer
            .told
            .iter()
            .any(|(_, event)| *event == "credential_deleted")
    );
}

#[tokio::test]
async fn cat_440_what_waits_for_keys_that_do_not_move_is_named() {
    let mut land = Land::new(32);
    land.issuer.defers = true;
    land.request().await.unwrap();
    let vault = land.wallet.vault();
    for id in vault.list(Collection::Keys).unwrap() {
        let name = RecordName::new(Collection::Keys, id);
        let stored = vault.get(&name).unwrap().unwrap();
        // A key of an earlier version.
        vault
            .put(name, Zeroizing::new(stored[1..].to_vec()))
            .unwrap();
    }
    let pending = land.wallet.pending().unwrap();
    let (file, left_behind) = land.back_up().await;
    assert_eq!(left_behind, pending);
    assert_eq!(land.wallet.left_behind_by_backups().await.unwrap(), pending);
    land.begin_anew();
    let restored = land.restore(&file);
    assert_eq!((restored.pending, restored.left_behind), (0, pending));
    assert!(land.wallet.pending().unwrap().is_empty());
    assert!(land.storage.list(Collection::Issuance).unwrap().is_empty());
}
