//! Issuers that refuse good nonces, put off, deliver later, and are busy half of the time; stores
//! that fail at any moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use vouchsafe_credentials::testing::SeededRng;

use super::haip::Land;

use crate::WalletError;
use crate::issuance::Added;
use crate::storage::{
    Collection, MemoryStorage, RecordId, RecordName, Storage, StorageError, Write,
};

/// How many cards are got in chaos.
const FLOWS: u64 = 60;

#[tokio::test]
async fn cat_259_every_card_comes_out_of_chaos() {
    let (mut later, mut busy, mut repeated) = (0, 0, 0);
    for seed in 0..FLOWS {
        let mut land = match seed % 3 {
            0 => Land::attested(seed).await,
            _ => Land::new(seed),
        };
        land.issuer.encrypts = seed % 4 == 0;
        land.issuer.scripted.batch = 2;
        land.issuer.chaos = Some(SeededRng::new(10_000 + seed));
        let added = match seed % 2 {
            0 => land.request().await.unwrap(),
            _ => land.add().await.unwrap(),
        };
        later += added.pending.len();
        let mut cards = added.cards;
        let mut pending = added.pending;
        if !pending.is_empty() {
            land.reopen().await;
        }
        for _ in 0..50 {
            let Some(id) = pending.pop() else { break };
            let step = land.wallet.resume(&id).unwrap();
            let Added {
                cards: came,
                pending: left,
            } = land.done(step).await.unwrap();
            cards.extend(came);
            pending.extend(left);
        }
        for _ in 0..20 {
            land.clock.advance(100);
            land.tell().await;
        }
        assert_eq!(cards.len(), 1, "flow {seed}");
        assert_eq!(land.fresh(&cards[0]), (2, 2), "flow {seed}");
        assert_eq!(land.issuer.told.len(), 1, "flow {seed}");
        busy += land.issuer.log.len();
        repeated += usize::from(land.issuer.count("POST /nonce") > 1);
    }
    // The chaos was there: about a fifth came later, every second request was refused.
    assert!(later >= 5, "{later} came later");
    assert!(busy > 60 * 14, "{busy} requests");
    assert!(repeated > 0);
}

/// A store that fails for good after so many changes.
struct Failing {
    inner: Arc<MemoryStorage>,
    left: AtomicUsize,
}

impl Storage for Failing {
    fn get(&self, name: &RecordName) -> Result<Option<Vec<u8>>, StorageError> {
        self.inner.get(name)
    }

    fn list(&self, collection: Collection) -> Result<Vec<RecordId>, StorageError> {
        self.inner.list(collection)
    }

    fn commit(&self, batch: Vec<Write>) -> Result<(), StorageError> {
        let one_less = |left: usize| left.checked_sub(1);
        let order = Ordering::SeqCst;
        match self.left.fetch_update(order, order, one_less) {
            Ok(_) => self.inner.commit(batch),
            Err(_) => Err(StorageError::Io(std::io::Error::other("power cut"))),
        }
    }
}

/// Adds a card, waits for it, tells the issuer, renews it; whatever fails ends it.
async fn life(land: &mut Land) -> Result<(), WalletError> {
    let added = land.request().await?;
    for id in &added.pending {
        let step = land.wallet.resume(id)?;
        land.done(step).await?;
    }
    while let Some(step) = land.wallet.notify().await? {
        land.drive(step).await?;
    }
    let cards = land.wallet.cards(&["en"])?;
    let step = land.wallet.renew(&cards[0].id)?;
    let renewed = land.done(step).await?;
    for id in &renewed.pending {
        let step = land.wallet.resume(id)?;
        land.done(step).await?;
    }
    Ok(())
}

#[tokio::test]
async fn cat_437_a_crash_at_any_step_leaves_nothing_or_the_card() {
    for defers in [false, true] {
        let mut outcomes = [0; 3];
        // One wallet in its first state, and a copy of it for every try.
        let mut land = Land::attested(70).await;
        land.issuer.defers = defers;
        land.issuer.scripted.batch = 2;
        let first = Arc::clone(&land.storage);
        for changes in 0.. {
            let failing = Arc::new(Failing {
                inner: Arc::new(MemoryStorage::new()),
                left: AtomicUsize::new(usize::MAX),
            });
            let inner = Arc::clone(&failing.inner);
            copy(first.as_ref(), &inner);
            land.storage = Arc::clone(&failing) as _;
            land.reopen().await;
            failing.left.store(changes, Ordering::SeqCst);
            let result = life(&mut land).await;
            let finished = result.is_ok();

            // The next start, with a store that works again.
            land.storage = inner;
            land.reopen().await;
            let cards = land.wallet.cards(&["en"]).unwrap();
            let pending = land.wallet.pending().unwrap();
            assert!(cards.len() <= 1 && pending.len() <= 1, "after {changes}");
            // Every key belongs to something: to copies, to what waits, or to the server.
            let copies: usize = cards.iter().map(|card| card.fresh_copies.1).sum();
            let keys = land.keys();
            let server = keys - copies - 2 * pending.len();
            assert!(server <= 1, "{keys} keys after {changes}");
            // Every copy that is there can be read and has its key; what waits still comes.
            for card in &cards {
                let record = land.wallet.store().record(&card.id).unwrap();
                let area = land.wallet.secure_area();
                let known = area.keys().await.unwrap();
                assert!(record.copies.iter().all(|copy| known.contains(&copy.key)));
            }
            for waiting in pending {
                let step = land.wallet.resume(&waiting.id).unwrap();
                let came = land.done(step).await;
                // The issuer delivers once: what was lost on the way is lost, and says so.
                let outcome = came.map(|added| added.cards.len());
                match outcome {
                    Ok(cards) => assert_eq!(cards, 1),
                    Err(error) => assert_eq!(error.code(), "card_refused"),
                }
            }
            outcomes[usize::from(!cards.is_empty()) + usize::from(finished)] += 1;
            if finished {
                break;
            }
        }
        assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
        assert!(outcomes.iter().sum::<usize>() > 8, "{outcomes:?}");
    }
}

fn copy(from: &dyn Storage, to: &MemoryStorage) {
    for collection in Collection::ALL {
        for id in from.list(collection).unwrap() {
            let name = RecordName::new(collection, id);
            let bytes = from.get(&name).unwrap().unwrap();
            to.put(name, bytes).unwrap();
        }
    }
}
