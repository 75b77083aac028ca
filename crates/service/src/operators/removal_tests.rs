//! What an admin takes away from a colleague, and who is left.

use super::domain::SessionSecret;
use super::tests::{NOW, ORIGIN, World, another, answer, everywhere, registration};
use super::*;
use crate::webauthn::testing::Device;

const THERE: (&str, &str) = ("https://login.example", "248289761001");

async fn sign_in(own: &Operators, device: &Device) -> Result<SessionSecret, OperatorError> {
    let options = own.begin_sign_in("b").await.unwrap();
    own.sign_in("b", &answer(device, &options).await).await
}

/// Ties an account to an operator, as redeeming a link at a provider does.
async fn tie(own: &Operators, id: &OperatorId, (issuer, subject): (&str, &str)) {
    let (id, account) = (id.clone(), (issuer.to_owned(), subject.to_owned()));
    own.db
        .write(async move |tx| store::insert_identity(tx, (&account.0, &account.1), &id, NOW).await)
        .await
        .unwrap();
}

async fn is_logged(world: &World, line: &str) -> bool {
    world.actions().await.iter().any(|one| one == line)
}

fn is_last<T>(result: &Result<T, OperatorError>) -> bool {
    matches!(result, Err(OperatorError::LastAdmin))
}

fn is_unknown<T>(result: &Result<T, OperatorError>) -> bool {
    matches!(result, Err(OperatorError::Unknown))
}

#[tokio::test]
async fn an_admin_sees_and_removes_what_signs_a_colleague_in() {
    everywhere(ORIGIN, async |world| {
        let own = &world.own;
        let mut lost = another(2);
        let (ada, hers) = world.joined("Ada", Role::Admin, &mut another(1)).await;
        let (bob, his) = world.joined("Bob", Role::Operator, &mut lost).await;
        let eve = own.invite("command", "Eve", Role::Viewer).await.unwrap();
        tie(own, &bob.id, THERE).await;
        let ways = own.ways_in().await.unwrap();
        assert_eq!(ways[bob.id.as_str()].passkeys, 1);
        assert_eq!(ways[bob.id.as_str()].accounts[0].issuer, THERE.0);
        assert!(ways[ada.id.as_str()].accounts.is_empty());
        assert!(!ways.contains_key(eve.operator.id.as_str()));
        assert_eq!(own.accounts(&bob.id).await.unwrap()[0].subject, THERE.1);

        let actor = ada.actor();
        let key = own.passkeys(&bob.id).await.unwrap()[0].id.clone();
        for wrong in ["x", "\0", eve.operator.id.as_str()] {
            assert!(is_unknown(
                &own.remove_passkey_of(&actor, &bob.id, wrong).await
            ));
        }
        // A colleague's, by its owner alone.
        assert!(is_unknown(
            &own.remove_passkey_of(&actor, &ada.id, &key).await
        ));
        let by_bob = own.remove_passkey_of(&bob.actor(), &ada.id, &key).await;
        assert!(matches!(by_bob, Err(OperatorError::Forbidden)));
        // A registration that was begun before comes too late.
        let options = own.begin_registration(&bob).await.unwrap();
        own.remove_passkey_of(&actor, &bob.id, &key).await.unwrap();
        let late = registration(&mut another(3), &options);
        let late = own.add_passkey(&his, &late).await;
        assert!(matches!(late, Err(OperatorError::Forbidden)));
        assert!(own.recheck(&his).await.unwrap().is_none());
        assert!(is_unknown(&sign_in(own, &lost).await));
        assert!(is_logged(&world, "operator.passkey_remove").await);
        assert!(own.recheck(&hers).await.unwrap().is_some());

        for wrong in [
            ("https://other.example", THERE.1),
            (THERE.0, "2"),
            (THERE.0, "\0"),
        ] {
            assert!(is_unknown(
                &own.remove_account(&actor, &bob.id, wrong).await
            ));
        }
        assert!(is_unknown(
            &own.remove_account(&actor, &ada.id, THERE).await
        ));
        own.remove_account(&actor, &bob.id, THERE).await.unwrap();
        assert!(is_logged(&world, &format!("operator.identity_remove {}", THERE.0)).await);
        assert!(!own.ways_in().await.unwrap().contains_key(bob.id.as_str()));
        // The way back is a new link.
        assert!(own.invite_again(&actor, &bob.id).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn who_is_removed_comes_back_with_a_new_link_alone() {
    everywhere(ORIGIN, async |world| {
        let own = &world.own;
        let mut device = another(2);
        let (ada, _) = world.joined("Ada", Role::Admin, &mut another(1)).await;
        let (bob, his) = world.joined("Bob", Role::Admin, &mut device).await;
        tie(own, &bob.id, THERE).await;
        let link = own.invite_again("command", &bob.id).await.unwrap();
        let actor = ada.actor();
        own.remove(&actor, &bob.id).await.unwrap();
        let gone = "operator.remove passkeys 1, identities 1, sessions 1";
        assert!(is_logged(&world, gone).await);
        assert!(own.recheck(&his).await.unwrap().is_none());
        assert!(matches!(
            own.invited(link.secret()).await,
            Err(OperatorError::Link)
        ));
        assert!(is_unknown(&sign_in(own, &device).await));
        let before = world.actions().await.len();
        own.remove(&actor, &bob.id).await.unwrap();
        assert_eq!(world.actions().await.len(), before);
        // The name stays in the log, so nobody else gets it.
        let again = own.invite(&actor, "Bob", Role::Viewer).await;
        assert!(matches!(again, Err(OperatorError::NameTaken)));
        own.enable(&actor, &bob.id).await.unwrap();
        assert!(is_unknown(&sign_in(own, &device).await));
        assert!(own.invite_again(&actor, &bob.id).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn the_last_admin_who_can_sign_in_keeps_a_way_in() {
    everywhere(ORIGIN, async |world| {
        let own = &world.own;
        let (ada, session) = world.joined("Ada", Role::Admin, &mut another(1)).await;
        // Invited, but never joined; and somebody who is no admin.
        own.invite("command", "Bob", Role::Admin).await.unwrap();
        let (eve, _) = world.joined("Eve", Role::Viewer, &mut another(2)).await;
        let (actor, key) = (
            ada.actor(),
            own.passkeys(&ada.id).await.unwrap()[0].id.clone(),
        );
        assert!(is_last(&own.remove(&actor, &ada.id).await));
        assert!(is_last(&own.remove_passkey_of(&actor, &ada.id, &key).await));
        assert!(own.recheck(&session).await.unwrap().is_some());
        assert_eq!(own.passkeys(&ada.id).await.unwrap().len(), 1);
        // With an account the passkey may go, and then the account stays.
        tie(own, &ada.id, THERE).await;
        own.remove_passkey_of("command", &ada.id, &key)
            .await
            .unwrap();
        assert!(is_last(
            &own.remove_account("command", &ada.id, THERE).await
        ));
        assert_eq!(own.accounts(&ada.id).await.unwrap().len(), 1);
        own.remove("command", &eve.id).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn of_two_admins_who_remove_each_other_one_stays() {
    everywhere(ORIGIN, async |world| {
        let own = &world.own;
        let (ada, _) = world.joined("Ada", Role::Admin, &mut another(1)).await;
        let (bob, _) = world.joined("Bob", Role::Admin, &mut another(2)).await;
        let (by_ada, by_bob) = (ada.actor(), bob.actor());
        let (one, two) = futures::join!(own.remove(&by_ada, &bob.id), own.remove(&by_bob, &ada.id));
        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
        assert_eq!(own.ways_in().await.unwrap().len(), 1);
    })
    .await;
}
