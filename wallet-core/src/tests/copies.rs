//! Which copy of a card a verifier sees.

use super::cards::{Like, card, query};
use super::{NOW, World};
use crate::credential::{CredentialId, CredentialStore, Record};
use crate::storage::VaultBatch;
use crate::testing::{matching, new_key, record};
use crate::wallet::CardFilter;

fn good() -> Like {
    Like::of("urn:a")
}

fn ended() -> Like {
    Like {
        expires_at: Some(NOW),
        ..good()
    }
}

/// A card with copies like these, each shown to whom the second half says.
async fn with_copies(world: &World, copies: &[(Like, Option<&str>)]) -> CredentialId {
    let mut made: Option<Record> = None;
    for (like, shown_to) in copies {
        let key = new_key(&world.wallet).await.unwrap();
        let given = card(like, key.id, &key.public_key).await;
        let mut one = record(world.wallet.store().new_id(), given);
        one.copies[0].shown_to = shown_to.map(str::to_owned);
        match &mut made {
            Some(record) => record.copies.append(&mut one.copies),
            None => made = Some(one),
        }
    }
    let record = made.unwrap();
    let (name, bytes) = CredentialStore::encode(&record).unwrap();
    world
        .wallet
        .commit(VaultBatch::new().put(name, bytes))
        .unwrap();
    record.id
}

fn place_for(world: &World, id: &CredentialId, verifier: &str) -> Option<(usize, bool)> {
    let found = world.wallet.store().get_for(id, verifier, NOW).unwrap();
    found.map(|card| (card.place, card.linkable))
}

#[tokio::test]
async fn cat_451_a_copy_that_ended_shadows_no_other() {
    let world = World::new();
    let copies = [
        (ended(), Some("shop")),
        (good(), Some("bar")),
        (ended(), None),
        (good(), None),
    ];
    let id = with_copies(&world, &copies).await;
    // Who has seen the one that ended sees a fresh one, not one that somebody else has seen.
    assert_eq!(place_for(&world, &id, "shop"), Some((3, false)));
    assert_eq!(place_for(&world, &id, "bar"), Some((1, false)));
    let found = matching(&world.wallet, &query(&["urn:a"]), "shop").unwrap();
    assert_eq!(found, std::slice::from_ref(&id));
    // The person is told of the good ones.
    let shown = world.wallet.card(&id, &[]).unwrap();
    assert!(!shown.expired);
    assert_eq!(shown.fresh_copies, (1, 4));
}

#[tokio::test]
async fn cat_451_a_copy_that_has_not_begun_waits() {
    let world = World::new();
    let later = Like {
        not_before: Some(NOW.plus(3600)),
        ..good()
    };
    let id = with_copies(&world, &[(later.clone(), None), (good(), Some("bar"))]).await;
    assert_eq!(place_for(&world, &id, "shop"), Some((1, true)));
    let id = with_copies(&world, &[(later, None), (ended(), None)]).await;
    assert_eq!(place_for(&world, &id, "shop"), None);
    // A clock that is a little slow keeps no card from being shown, where there is no other copy.
    let soon = Like {
        not_before: Some(NOW.plus(30)),
        ..good()
    };
    let id = with_copies(&world, &[(soon.clone(), None)]).await;
    assert_eq!(place_for(&world, &id, "shop"), Some((0, false)));
    let id = with_copies(&world, &[(soon, None), (good(), None)]).await;
    assert_eq!(place_for(&world, &id, "shop"), Some((1, false)));
}

#[tokio::test]
async fn cat_451_without_a_valid_copy_a_card_answers_nobody() {
    let world = World::new();
    let id = with_copies(&world, &[(ended(), None), (ended(), Some("shop"))]).await;
    assert_eq!(place_for(&world, &id, "shop"), None);
    let found = matching(&world.wallet, &query(&["urn:a"]), "shop").unwrap();
    assert!(found.is_empty());
    let filter = CardFilter {
        kind: Some("urn:a"),
        issuer: None,
    };
    let shown = world.wallet.cards_where(&filter, &[]).unwrap();
    assert!(shown[0].expired);
    assert_eq!(shown[0].fresh_copies, (0, 2));
}
