//! The key of the wallet at a server, which lasts as long as there is access.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::haip::Land;
use crate::storage::{Collection, RecordId, RecordName, Storage, StorageError, Write};

/// Fails from the n-th commit on.
struct Failing(Arc<dyn Storage>, AtomicUsize);

impl Storage for Failing {
    fn get(&self, name: &RecordName) -> Result<Option<Vec<u8>>, StorageError> {
        self.0.get(name)
    }
    fn list(&self, collection: Collection) -> Result<Vec<RecordId>, StorageError> {
        self.0.list(collection)
    }
    fn commit(&self, batch: Vec<Write>) -> Result<(), StorageError> {
        let left = &self.1;
        match left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)) {
            Ok(_) => self.0.commit(batch),
            Err(_) => Err(StorageError::Io(std::io::Error::other("killed"))),
        }
    }
}

impl Land {
    /// The wallet is killed at the n-th commit of its opening, and opened again. Whether it came so
    /// far.
    async fn killed_while_opening(&mut self, commits: usize) -> bool {
        let storage = Arc::clone(&self.storage);
        self.storage = Arc::new(Failing(storage.clone(), AtomicUsize::new(commits)));
        let killed = self.open().await.is_err();
        self.storage = storage;
        self.reopen().await;
        killed
    }

    fn of_issuers(&self) -> usize {
        self.storage.list(Collection::Issuance).unwrap().len()
    }
}

#[tokio::test]
async fn cat_437_the_key_of_a_failed_issuance_goes() {
    for commits in 0.. {
        let mut land = Land::attested(40).await;
        land.issuer.scripted.edit_credentials = |c| c[0] = c[0].replacen('~', "x~", 1);
        land.request().await.unwrap_err();
        assert_eq!(land.keys(), 1);
        // As long as the issuer is to hear of it, the key is needed.
        land.reopen().await;
        assert_eq!(land.keys(), 1);
        land.tell().await;
        let killed = land.killed_while_opening(commits).await;
        assert_eq!((land.keys(), land.of_issuers()), (0, 0));
        if !killed {
            assert!(commits > 2);
            break;
        }
    }
}

#[tokio::test]
async fn cat_437_the_key_of_an_issuance_that_nobody_finished_goes() {
    let mut land = Land::attested(41).await;
    land.issuer.defers = true;
    let added = land.request().await.unwrap();
    land.reopen().await;
    assert_eq!(land.keys(), 2);
    land.wallet.forget(&added.pending[0]).await.unwrap();
    land.reopen().await;
    assert_eq!((land.keys(), land.of_issuers()), (0, 0));
    // The same server gets another key.
    land.issuer.defers = false;
    land.request().await.unwrap();
    land.reopen().await;
    assert_eq!(land.keys(), 2);
}

#[tokio::test]
async fn cat_437_no_key_goes_that_is_needed() {
    for commits in 0.. {
        let mut land = Land::attested(42).await;
        land.issuer.scripted.batch = 3;
        let card = land.request().await.unwrap().cards.remove(0);
        // A key without a card makes the next opening look through all of them.
        let area = land.wallet.secure_area().clone();
        let algorithm = vouchsafe_credentials::crypto::Algorithm::Es256;
        area.create_key(algorithm).await.unwrap();
        let killed = land.killed_while_opening(commits).await;
        assert_eq!(land.keys(), 4);
        land.clock.advance(3600);
        let step = land.wallet.renew(&card).unwrap();
        land.done(step).await.unwrap();
        // With the last card of a server its key goes.
        land.wallet.delete(&card).await.unwrap();
        land.tell().await;
        land.reopen().await;
        assert_eq!((land.keys(), land.of_issuers()), (0, 0));
        if !killed {
            break;
        }
    }
}
