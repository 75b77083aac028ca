use crate::credential::Held;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use proptest::prelude::*;
use vouchsafe_credentials::crypto::{Algorithm, Signer, SigningKey};
use vouchsafe_credentials::testing::SeededRng;

use super::*;
use crate::Wallet;
use crate::secure_area::{AuthorizationHint, KeyHandle, KeyId, SecureArea, SecureAreaError};
use crate::storage::{KdfParams, MemoryStorage, Storage, Write};
use crate::testing::{GivenCard, matching, new_key, put_cards, record};
use crate::tests::cards::{Like, card, query};
use crate::tests::{NOW, PASSPHRASE, World, ports};
use crate::wallet::CardFilter;

const TYPES: [&str; 4] = ["urn:a", "urn:b", "urn:c", "urn:d"];
const ISSUERS: [&str; 2] = ["https://one.example", "https://two.example"];

/// Cards of every kind, all bound to one key.
fn kinds() -> Vec<Like> {
    let mut kinds = Vec::new();
    for (number, vct) in TYPES.into_iter().enumerate() {
        let plain = Like {
            issuer: ISSUERS[number % 2],
            ..Like::of(vct)
        };
        kinds.push(Like {
            also: vec![TYPES[(number + 1) % 4].to_owned()],
            ..plain.clone()
        });
        kinds.push(Like {
            member: false,
            ..plain.clone()
        });
        kinds.push(Like {
            expires_at: Some(NOW),
            ..plain.clone()
        });
        kinds.push(plain);
    }
    kinds.push(Like {
        also: (0..40).map(|n| format!("urn:wide:{n}")).collect(),
        ..Like::of("urn:wide")
    });
    kinds
}

async fn given() -> Vec<GivenCard> {
    static CARDS: tokio::sync::OnceCell<Vec<GivenCard>> = tokio::sync::OnceCell::const_new();
    CARDS.get_or_init(issued).await.clone()
}

async fn issued() -> Vec<GivenCard> {
    let key = SigningKey::generate(Algorithm::Es256, &SeededRng::new(5));
    let mut cards = Vec::new();
    for like in kinds() {
        let id = KeyId::parse("shared").unwrap();
        cards.push(card(&like, id, key.public_key()).await);
    }
    cards
}

/// One step of a life: place in the list of kinds, or of cards that are there.
#[derive(Debug, Clone)]
enum Act {
    Put(Vec<(usize, i64)>),
    Replace(usize, usize),
    Delete(usize),
    Reopen,
}

fn act() -> impl Strategy<Value = Act> {
    let put = (0..17_usize, 0..3_i64);
    prop_oneof![
        5 => proptest::collection::vec(put, 1..6).prop_map(Act::Put),
        2 => (any::<usize>(), 0..17_usize).prop_map(|(card, kind)| Act::Replace(card, kind)),
        3 => any::<usize>().prop_map(Act::Delete),
        1 => Just(Act::Reopen),
    ]
}

/// What the index stands for: every card, looked at one by one.
fn by_looking(wallet: &Wallet, names: &[&str]) -> Vec<CredentialId> {
    let cards = wallet.store().list(NOW).unwrap().into_iter();
    let wanted = cards.filter(|card| {
        let Held::SdJwtVc(held) = &card.held else {
            return false;
        };
        let registered = held.registered();
        let of_type = names.contains(&registered.vct.as_str())
            || registered
                .aka_vcts
                .iter()
                .any(|t| names.contains(&t.as_str()));
        of_type && !card.is_expired(NOW) && card.claims["member"] == true
    });
    wanted.map(|card| card.record.id).collect()
}

fn check(wallet: &Wallet) {
    let wide = ["urn:wide:39"];
    let pairs = TYPES.windows(2);
    let asked = TYPES.chunks(1).chain(pairs).chain([&TYPES[..], &wide[..]]);
    for names in asked {
        let found = matching(wallet, &query(names), "shop").unwrap();
        assert_eq!(found, by_looking(wallet, names), "{names:?}");
    }
    let all = wallet.cards(&[]).unwrap();
    for issuer in ISSUERS {
        let filter = CardFilter {
            issuer: Some(issuer),
            kind: None,
        };
        let found = wallet.cards_where(&filter, &[]).unwrap();
        let host = |card: &&crate::credential::Card| card.issuer.as_str() == issuer;
        assert_eq!(found, all.iter().filter(host).cloned().collect::<Vec<_>>());
    }
    let filter = CardFilter {
        issuer: Some(ISSUERS[0]),
        kind: Some("urn:wide:3"),
    };
    assert!(wallet.cards_where(&filter, &[]).unwrap().is_empty());
}

fn names_in_index(storage: &MemoryStorage) -> Vec<RecordId> {
    storage.list(Collection::Index).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    /// Whatever happens to the cards, the index finds those that looking at each card finds, in the
    /// same order; and its pages are those of an index made anew.
    #[test]
    fn the_index_finds_what_looking_at_every_card_finds(
        acts in proptest::collection::vec(act(), 1..24),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = World::new();
            let kinds = given().await;
            let mut wallet = world.wallet.clone();
            let key = world.key();
            let mut here: Vec<CredentialId> = Vec::new();
            for act in acts {
                match act {
                    Act::Put(cards) => {
                        let cards = cards.into_iter().map(|(kind, later)| GivenCard {
                            added_at: NOW.plus(later),
                            ..kinds[kind].clone()
                        });
                        let put = put_cards(&wallet, cards).unwrap();
                        // The numbers of a wallet that is opened anew begin anew here: an id may be
                        // that of a card before, which is replaced then.
                        here.retain(|id| !put.contains(id));
                        here.extend(put);
                    }
                    Act::Replace(place, kind) if !here.is_empty() => {
                        let id = here[place % here.len()].clone();
                        let record = record(id, kinds[kind].clone());
                        let (name, bytes) = CredentialStore::encode(&record).unwrap();
                        wallet.commit(VaultBatch::new().put(name, bytes)).unwrap();
                    }
                    Act::Delete(place) if !here.is_empty() => {
                        let id = here.swap_remove(place % here.len());
                        wallet.delete(&id).await.unwrap();
                    }
                    Act::Replace(..) | Act::Delete(_) => {}
                    Act::Reopen => wallet = world.open_with(&key).await.unwrap(),
                }
            }
            check(&wallet);
            let count = names_in_index(&world.storage).len();
            wallet.index().rebuild().unwrap();
            check(&wallet);
            assert_eq!(names_in_index(&world.storage).len(), count);
        });
    }
}

/// A wallet with ten cards, so that lists have several pages.
async fn filled() -> World {
    let world = World::new();
    let cards = given().await;
    let ten = (0..10).map(|n| cards[n % 4].clone());
    put_cards(&world.wallet, ten).unwrap();
    world
}

#[tokio::test]
async fn a_missing_or_older_index_is_made_anew_at_opening() {
    let world = filled().await;
    let key = world.key();
    let before = by_looking(&world.wallet, &TYPES);
    assert!(!before.is_empty());
    let old = serde_json::to_vec(&serde_json::json!({ "version": 0 })).unwrap();
    world
        .wallet
        .vault()
        .put(rebuild::head(), Zeroizing::new(old))
        .unwrap();
    check(&world.open_with(&key).await.unwrap());

    for id in names_in_index(&world.storage) {
        let name = RecordName::new(Collection::Index, id);
        world.storage.delete(name).unwrap();
    }
    let wallet = world.open_with(&key).await.unwrap();
    check(&wallet);
    assert_eq!(by_looking(&wallet, &TYPES), before);
}

#[tokio::test]
async fn a_rebuilding_that_is_stopped_anywhere_begins_anew() {
    /// Fails from the n-th commit on.
    struct Failing(Arc<MemoryStorage>, AtomicUsize);
    impl Storage for Failing {
        fn get(&self, name: &RecordName) -> Result<Option<Vec<u8>>, StorageError> {
            self.0.get(name)
        }
        fn list(&self, collection: Collection) -> Result<Vec<RecordId>, StorageError> {
            self.0.list(collection)
        }
        fn commit(&self, batch: Vec<Write>) -> Result<(), StorageError> {
            match self
                .1
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
            {
                Ok(_) => self.0.commit(batch),
                Err(_) => Err(StorageError::Io(std::io::Error::other("stopped"))),
            }
        }
    }
    let world = filled().await;
    let key = world.key();
    let mut stops = 0;
    loop {
        world.storage.delete(rebuild::head()).unwrap();
        let failing = Failing(world.storage.clone(), AtomicUsize::new(stops));
        let mut stopped = ports(&world.storage, &world.clock, 2);
        stopped.storage = Arc::new(failing);
        let opened = Wallet::open_with_key(world.config.clone(), stopped, &key).await;
        let done = opened.is_ok();
        drop(opened);
        check(&world.open_with(&key).await.unwrap());
        if done {
            break;
        }
        stops += 1;
    }
    assert!(stops > 2);
}

#[tokio::test]
async fn a_damaged_page_is_made_anew_while_the_wallet_works() {
    let world = filled().await;
    let fixed = [rebuild::head(), keys::marker()];
    for id in names_in_index(&world.storage) {
        let name = RecordName::new(Collection::Index, id);
        if fixed.contains(&name) {
            continue;
        }
        let Some(mut bytes) = world.storage.get(&name).unwrap() else {
            continue;
        };
        *bytes.last_mut().unwrap() ^= 1;
        world.storage.put(name.clone(), bytes.clone()).unwrap();
        check(&world.wallet);
        world.storage.put(name, bytes).unwrap();
        let cards = given().await;
        put_cards(&world.wallet, [cards[0].clone()]).unwrap();
        check(&world.wallet);
    }
}

#[tokio::test]
async fn a_damaged_card_can_be_deleted() {
    let world = filled().await;
    let id = world.wallet.cards(&[]).unwrap()[0].id.clone();
    let name = CredentialStore::name_of(&id).unwrap();
    world.storage.put(name, vec![1, 2, 3]).unwrap();
    let key = world.key();
    // It is listed as what it is, and the rest goes on: here, after a restart, with the lists made anew.
    let unreadable = std::slice::from_ref(&id);
    for remade in [false, true] {
        if remade {
            world.storage.delete(rebuild::head()).unwrap();
        }
        let wallet = world.open_with(&key).await.unwrap();
        for wallet in [&world.wallet, &wallet] {
            assert_eq!(wallet.cards(&[]).unwrap().len(), 9);
            assert_eq!(wallet.unreadable_cards().unwrap(), unreadable);
            assert_eq!(wallet.card(&id, &[]).unwrap_err().code(), "record_damaged");
            check(wallet);
        }
    }
    world.wallet.delete(&id).await.unwrap();
    check(&world.wallet);
    assert_eq!(world.wallet.cards(&[]).unwrap().len(), 9);
    assert!(world.wallet.unreadable_cards().unwrap().is_empty());
    let gone = world.wallet.delete(&id).await.unwrap_err();
    assert_eq!(gone.code(), "card_unknown");
}

#[tokio::test]
async fn a_card_that_was_committed_is_never_said_to_have_failed() {
    let world = filled().await;
    let broken = world.wallet.cards(&[]).unwrap()[0].id.clone();
    let broken = CredentialStore::name_of(&broken).unwrap();
    let good = world.storage.get(&broken).unwrap().unwrap();
    world.storage.put(broken.clone(), vec![1, 2, 3]).unwrap();
    for id in names_in_index(&world.storage) {
        let name = RecordName::new(Collection::Index, id);
        world.storage.put(name, vec![1, 2, 3]).unwrap();
    }
    // Neither the lists nor that card can be read: the new card is kept all the same.
    let cards = given().await;
    let new = put_cards(&world.wallet, [cards[0].clone()]).unwrap();
    let found = matching(&world.wallet, &query(&TYPES), "shop").unwrap();
    assert!(found.contains(&new[0]));
    world.storage.put(broken, good).unwrap();
    check(&world.wallet);
    let found = matching(&world.wallet, &query(&TYPES), "shop").unwrap();
    assert!(found.contains(&new[0]));
}

#[tokio::test]
async fn cat_434_names_of_pages_say_nothing_of_the_types() {
    let (one, other) = (filled().await, World::new());
    let rng = Arc::new(SeededRng::new(77));
    let mut ports = ports(&other.storage, &other.clock, 77);
    ports.rng = rng;
    ports.storage = Arc::new(MemoryStorage::new());
    let second = ports.storage.clone();
    let config = other.config.clone();
    let wallet = Wallet::create(config, ports, PASSPHRASE, KdfParams::MINIMUM).unwrap();
    put_cards(&wallet, [given().await[0].clone()]).unwrap();
    let first = names_in_index(&one.storage);
    let shared: Vec<_> = second.list(Collection::Index).unwrap();
    let shared = shared.iter().filter(|id| first.contains(id));
    let fixed: Vec<&str> = shared.map(RecordId::as_str).collect();
    assert!(
        fixed.iter().all(|id| ["head", "keys"].contains(id)),
        "{fixed:?}"
    );
}

/// Counts how often its keys are listed.
struct Counting(AtomicUsize);

#[async_trait]
impl SecureArea for Counting {
    async fn create_key(&self, algorithm: Algorithm) -> Result<KeyHandle, SecureAreaError> {
        let key = SigningKey::generate(algorithm, &SeededRng::new(3));
        Ok(KeyHandle {
            id: KeyId::parse("hardware").unwrap(),
            public_key: key.public_key().clone(),
        })
    }
    async fn sign(
        &self,
        _: &KeyId,
        _: &[u8],
        _: &AuthorizationHint,
    ) -> Result<Vec<u8>, SecureAreaError> {
        Err(SecureAreaError::Unsupported)
    }
    async fn delete_key(&self, _: &KeyId) -> Result<(), SecureAreaError> {
        Ok(())
    }
    async fn keys(&self) -> Result<Vec<KeyId>, SecureAreaError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn cat_437_keys_are_looked_through_after_an_interruption_only() {
    let world = filled().await;
    let key = world.key();
    let area = Arc::new(Counting(AtomicUsize::new(0)));
    let open = async || {
        let mut ports = ports(&world.storage, &world.clock, 2);
        ports.secure_area = Some(area.clone());
        Wallet::open_with_key(world.config.clone(), ports, &key).await
    };
    let listed = || area.0.load(Ordering::Relaxed);
    // The shared key of these cards was never made by the wallet: nothing is in doubt.
    let wallet = open().await.unwrap();
    assert_eq!(listed(), 0);
    let handle = new_key(&wallet).await.unwrap();
    drop(wallet);
    let wallet = open().await.unwrap();
    assert_eq!(listed(), 1);
    // Bound in the end: nothing is left to look for.
    new_key(&wallet).await.unwrap();
    let bound = card(&Like::of("urn:a"), handle.id, &handle.public_key).await;
    put_cards(&wallet, [bound]).unwrap();
    drop(wallet);
    open().await.unwrap();
    assert_eq!(listed(), 1);
}

#[tokio::test]
async fn cat_437_a_list_that_is_wrong_destroys_no_key() {
    let world = World::new();
    let key = world.key();
    let handle = new_key(&world.wallet).await.unwrap();
    let bound = card(&Like::of("urn:a"), handle.id.clone(), &handle.public_key).await;
    put_cards(&world.wallet, [bound]).unwrap();
    let orphan = new_key(&world.wallet).await.unwrap();
    // Pages without a card, with a head that says that all is well.
    for id in names_in_index(&world.storage) {
        if id.as_str().len() > 8 {
            let name = RecordName::new(Collection::Index, id);
            world.storage.delete(name).unwrap();
        }
    }
    let wallet = world.open_with(&key).await.unwrap();
    let left = wallet.secure_area().keys().await.unwrap();
    assert_eq!(left, [handle.id]);
    assert!(!left.contains(&orphan.id));
}

#[tokio::test]
async fn a_list_is_not_believed_about_what_a_card_says() {
    let world = World::new();
    let cards = given().await;
    // The second kind is no member; put where a member was, behind the back of the index.
    let ids = put_cards(&world.wallet, [cards[0].clone()]).unwrap();
    let (name, bytes) = CredentialStore::encode(&record(ids[0].clone(), cards[1].clone())).unwrap();
    world.wallet.vault().put(name, bytes).unwrap();
    let found = matching(&world.wallet, &query(&TYPES), "shop").unwrap();
    assert!(found.is_empty());
}

#[tokio::test]
async fn cat_437_a_card_that_cannot_be_read_keeps_its_keys_until_it_is_deleted() {
    let world = World::new();
    let key = world.key();
    let handle = new_key(&world.wallet).await.unwrap();
    let bound = card(&Like::of("urn:a"), handle.id.clone(), &handle.public_key).await;
    let id = put_cards(&world.wallet, [bound]).unwrap().remove(0);
    let name = CredentialStore::name_of(&id).unwrap();
    let good = world.storage.get(&name).unwrap().unwrap();
    world.storage.put(name.clone(), vec![1, 2, 3]).unwrap();
    // An interruption makes the next opening look through the keys.
    new_key(&world.wallet).await.unwrap();
    let wallet = world.open_with(&key).await.unwrap();
    assert_eq!(wallet.secure_area().keys().await.unwrap().len(), 2);
    world.storage.put(name.clone(), good).unwrap();
    let wallet = world.open_with(&key).await.unwrap();
    assert_eq!(wallet.secure_area().keys().await.unwrap(), [handle.id]);
    // Deleted while it cannot be read: its keys go at the next opening.
    world.storage.put(name, vec![1, 2, 3]).unwrap();
    wallet.delete(&id).await.unwrap();
    let wallet = world.open_with(&key).await.unwrap();
    assert!(wallet.secure_area().keys().await.unwrap().is_empty());
}
