//! What is known of the cards when they are listed and asked for.

use std::sync::{Arc, Mutex};

use serde_json::json as value;
use vouchsafe_credentials::status_list::Status;

use super::super::{NOW, PASSPHRASE, World, ports};
use super::{Script, at};
use crate::Wallet;
use crate::consent::Pick;
use crate::status::CardStatus;
use crate::storage::{
    Collection, MemoryStorage, RecordId, RecordName, Storage, StorageError, Write,
};

/// A revoked card of the cheap question, and a good one of the other.
async fn a_bad_and_a_good_card(sets: serde_json::Value) -> World {
    let mut world = World::with_status().await;
    world.issuer.claims =
        |_| value!({"member_id": "M-CANARY-7", "tier": "silver", "valid_until": "2027-05-31"});
    world.issuer.status = |copy| at(20 + copy as u64);
    world.add().await.unwrap();
    let entry = |id: &str, claims: serde_json::Value| {
        let meta = value!({"vct_values": ["urn:vouchsafe:membership:1"]});
        value!({"id": id, "format": "dc+sd-jwt", "meta": meta, "claims": claims})
    };
    let cheap = value!([{"path": ["tier"], "values": ["gold"]}]);
    let dear = value!([{"path": ["tier"], "values": ["silver"]}, {"path": ["member_id"]}]);
    world.verifier.query = value!({
        "credentials": [entry("cheap", cheap), entry("dear", dear)],
        "credential_sets": sets,
    });
    let asking = world.ask().await.unwrap();
    assert_eq!(asking.consent(&["en"]).questions.len(), 2);
    let bad = Script {
        statuses: &[
            (3, Status::Invalid),
            (4, Status::Invalid),
            (5, Status::Invalid),
        ],
        ..Script::default()
    };
    world.hear(&bad).await.unwrap();
    world
}

#[tokio::test]
async fn a_good_option_goes_before_a_cheaper_one_with_a_revoked_card() {
    let sets = value!([{"options": [["cheap"], ["dear"]]}]);
    let world = a_bad_and_a_good_card(sets).await;
    let asking = world.ask().await.unwrap();
    let consent = asking.consent(&["en"]);
    let questions = consent.questions.iter();
    let questions: Vec<&str> = questions.map(|question| question.id.as_str()).collect();
    assert_eq!(questions, ["dear"]);
    assert_eq!(consent.sets[0].options, [["dear"]]);
    assert_eq!(consent.suggested.picks[0].question, "dear");
    asking.respond(&consent.suggested).await.unwrap();
}

#[tokio::test]
async fn what_only_a_revoked_card_answers_is_told_though_nobody_insists_on_it() {
    let sets = value!([{"options": [["dear"]]}, {"options": [["cheap"]], "required": false}]);
    let world = a_bad_and_a_good_card(sets).await;
    let asking = world.ask().await.unwrap();
    let consent = asking.consent(&["en"]);
    assert_eq!(consent.suggested.picks.len(), 1);
    assert_eq!(consent.suggested.picks[0].question, "dear");
    let cheap = &consent.questions[0];
    assert_eq!(cheap.id, "cheap");
    let card = &cheap.cards[0];
    assert_eq!(card.status, CardStatus::Revoked { checked_at: NOW });
    let mut both = consent.suggested.clone();
    both.picks.push(Pick {
        question: cheap.id.clone(),
        credential: card.credential.clone(),
    });
    asking.respond(&both).await.unwrap();
}

/// A store that remembers what was read.
struct Watched {
    inner: Arc<MemoryStorage>,
    read: Mutex<Vec<RecordName>>,
}

impl Storage for Watched {
    fn get(&self, name: &RecordName) -> Result<Option<Vec<u8>>, StorageError> {
        self.read.lock().unwrap().push(name.clone());
        self.inner.get(name)
    }

    fn list(&self, collection: Collection) -> Result<Vec<RecordId>, StorageError> {
        self.inner.list(collection)
    }

    fn commit(&self, batch: Vec<Write>) -> Result<(), StorageError> {
        self.inner.commit(batch)
    }
}

#[tokio::test]
async fn what_is_known_of_a_list_is_read_once_for_all_its_cards() {
    let mut world = World::with_status().await;
    world.issuer.status = |copy| at(20 + copy as u64);
    world.add().await.unwrap();
    let before = world.storage.list(Collection::Index).unwrap();
    world.hear(&Script::default()).await.unwrap();
    let mut known = world.storage.list(Collection::Index).unwrap();
    known.retain(|id| !before.contains(id));
    let known = RecordName::new(Collection::Index, known.remove(0));
    let watched = Arc::new(Watched {
        inner: world.storage.clone(),
        read: Mutex::default(),
    });
    let mut ports = ports(&world.storage, &world.clock, 3);
    ports.storage = watched.clone();
    world.wallet = Wallet::open(world.config.clone(), ports, PASSPHRASE)
        .await
        .unwrap();
    let reads = || {
        let read = std::mem::take(&mut *watched.read.lock().unwrap());
        read.iter().filter(|name| **name == known).count()
    };
    reads();
    let cards = world.wallet.cards(&["en"]).unwrap();
    assert_eq!((cards.len(), reads()), (2, 1));
    let asking = world.ask().await.unwrap();
    assert_eq!(reads(), 1);
    let consent = asking.consent(&["en"]);
    assert_eq!((consent.questions[0].cards.len(), reads()), (2, 1));
}
