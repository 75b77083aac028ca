//! Who comes back keeps thieves out; who may do nothing any more does nothing more.

use futures::future::join_all;

use super::domain::SessionSecret;
use super::tests::{NOW, ORIGIN, World, another, answer, everywhere, registration};
use super::*;
use crate::webauthn::testing::Device;

const LOOPBACK: &str = "http://127.0.0.1:4001";

/// Redeems a link with a device.
async fn redeem(
    own: &Operators,
    link: &Invitation,
    device: &mut Device,
) -> Result<SessionSecret, OperatorError> {
    let options = own.begin_redemption(&link.operator).await.unwrap();
    assert_eq!(options["excludeCredentials"].as_array().unwrap().len(), 0);
    let answer = registration(device, &options);
    own.accept_with_passkey(link.secret(), &answer).await
}

async fn sign_in(own: &Operators, device: &Device) -> Result<SessionSecret, OperatorError> {
    let options = own.begin_sign_in("b").await.unwrap();
    own.sign_in("b", &answer(device, &options).await).await
}

async fn count(world: &World, action: &str) -> usize {
    let actions = world.actions().await;
    actions
        .iter()
        .filter(|line| line.starts_with(action))
        .count()
}

#[tokio::test]
async fn a_new_link_evicts_whoever_came_in_before() {
    everywhere(ORIGIN, async |world| {
        let own = &world.own;
        let mut thief = another(1);
        let stolen = own.invite("command", "Ada", Role::Admin).await.unwrap();
        let inside = redeem(own, &stolen, &mut thief).await.unwrap();
        // Ada finds that her link does not work, which is written down, once.
        for _ in 0..3 {
            assert!(matches!(
                own.invited(stolen.secret()).await,
                Err(OperatorError::Link)
            ));
        }
        assert_eq!(count(&world, "operator.link_again").await, 1);
        let id = &stolen.operator.id;
        let again = own.invite_again("command", id).await.unwrap();
        let mut hers = another(2);
        let secret = redeem(own, &again, &mut hers).await.unwrap();
        assert_eq!(own.session(&inside).await.unwrap(), None);
        assert!(matches!(
            sign_in(own, &thief).await,
            Err(OperatorError::Unknown)
        ));
        assert!(own.session(&secret).await.unwrap().is_some());
        assert!(sign_in(own, &hers).await.is_ok());
        assert_eq!(own.passkeys(id).await.unwrap().len(), 1);
        let evicted = "operator.evict passkeys 1, identities 0, sessions 1";
        assert_eq!(count(&world, evicted).await, 1);
        assert_eq!(count(&world, "operator.passkey_add").await, 2);
        // Nothing was known of this one, and nothing is written.
        assert!(matches!(
            own.invited("unknown").await,
            Err(OperatorError::Link)
        ));
        assert_eq!(count(&world, "operator.link_again").await, 1);
        // The same device may take the next link.
        let third = own.invite_again("command", id).await.unwrap();
        assert!(redeem(own, &third, &mut hers).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_passkey_less_ends_the_other_sessions() {
    everywhere(ORIGIN, async |world| {
        let own = &world.own;
        let (mut lost, mut kept) = (another(1), another(2));
        let (ada, joined) = world.joined("Ada", Role::Admin, &mut lost).await;
        let (_, bob) = world.joined("Bob", Role::Admin, &mut another(3)).await;
        let options = own.begin_registration(&ada).await.unwrap();
        let first = own.passkeys(&ada.id).await.unwrap()[0].id.clone();
        own.add_passkey(&joined, &registration(&mut kept, &options))
            .await
            .unwrap();
        let theirs = sign_in(own, &lost).await.unwrap();
        let mine = sign_in(own, &kept).await.unwrap();
        let session = own.session(&mine).await.unwrap().unwrap();
        own.remove_passkey(&session, &first).await.unwrap();
        assert_eq!(own.session(&theirs).await.unwrap(), None);
        assert!(own.session(&mine).await.unwrap().is_some());
        assert!(own.recheck(&bob).await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn a_former_admin_changes_nothing() {
    everywhere(ORIGIN, async |world| {
        let own = &world.own;
        let (ada, _) = world.joined("Ada", Role::Admin, &mut another(1)).await;
        let (bob, _) = world.joined("Bob", Role::Admin, &mut another(2)).await;
        let refused = async || {
            let actor = bob.actor();
            let before = own.all().await.unwrap();
            assert!(matches!(
                own.invite(&actor, "Mallory", Role::Admin).await,
                Err(OperatorError::Forbidden)
            ));
            assert!(matches!(
                own.invite_again(&actor, &ada.id).await,
                Err(OperatorError::Forbidden)
            ));
            for result in [
                own.disable(&actor, &ada.id).await,
                own.enable(&actor, &bob.id).await,
                own.set_role(&actor, &bob.id, Role::Admin).await,
            ] {
                assert!(matches!(result, Err(OperatorError::Forbidden)));
            }
            assert_eq!(own.all().await.unwrap(), before);
        };
        own.set_role(&ada.actor(), &bob.id, Role::Operator)
            .await
            .unwrap();
        refused().await;
        own.set_role(&ada.actor(), &bob.id, Role::Admin)
            .await
            .unwrap();
        own.disable(&ada.actor(), &bob.id).await.unwrap();
        refused().await;
    })
    .await;
}

#[tokio::test]
async fn a_link_from_the_command_line_keeps_the_role() {
    everywhere(ORIGIN, async |world| {
        let own = &world.own;
        let new = own.invite_or_again("command", "Ada", None).await.unwrap();
        assert_eq!(new.operator.role, Role::Admin);
        let eve = own.invite("command", "Eve", Role::Viewer).await.unwrap();
        let again = own.invite_or_again("command", "Eve", None).await.unwrap();
        assert_eq!(again.operator.id, eve.operator.id);
        assert_eq!(again.operator.role, Role::Viewer);
        let role = Some(Role::Operator);
        let given = own.invite_or_again("command", "Eve", role).await.unwrap();
        assert_eq!(given.operator.role, Role::Operator);
        own.disable("command", &eve.operator.id).await.unwrap();
        // Nobody was invited, so nothing changed.
        let before = own.all().await.unwrap();
        let refused = own
            .invite_or_again("command", "Eve", Some(Role::Admin))
            .await;
        assert!(matches!(refused, Err(OperatorError::Disabled)));
        assert_eq!(own.all().await.unwrap(), before);
    })
    .await;
}

#[tokio::test]
async fn who_was_disabled_comes_back_with_nothing_old() {
    everywhere(ORIGIN, async |world| {
        let own = &world.own;
        let (ada, _) = world.joined("Ada", Role::Operator, &mut another(1)).await;
        let link = own.invite_again("command", &ada.id).await.unwrap();
        own.disable("command", &ada.id).await.unwrap();
        // A sign-in that was under way as the operator was disabled.
        let late = SessionSecret::generate(&*own.rng);
        let (hash, owner) = (late.hash(), ada.id.clone());
        own.db
            .write(async move |tx| {
                let new = store::NewSession {
                    id: "late",
                    operator: &owner,
                    secret_hash: &hash,
                    method: Method::Passkey,
                    proven_at: NOW,
                    now: NOW,
                    expires_at: NOW.plus(SESSION_S),
                };
                store::insert_session(tx, &new).await
            })
            .await
            .unwrap();
        own.enable("command", &ada.id).await.unwrap();
        assert_eq!(own.session(&late).await.unwrap(), None);
        assert!(matches!(
            own.invited(link.secret()).await,
            Err(OperatorError::Link)
        ));
    })
    .await;
}

#[tokio::test]
async fn of_many_links_made_at_once_one_works() {
    everywhere(ORIGIN, async |world| {
        let own = &world.own;
        let first = own.invite("command", "Ada", Role::Admin).await.unwrap();
        let again = (0..10).map(|_| own.invite_again("command", &first.operator.id));
        let links = join_all(again).await.into_iter().map(Result::unwrap);
        let mut working = Vec::new();
        for link in links {
            if own.invited(link.secret()).await.is_ok() {
                working.push(link);
            }
        }
        assert_eq!(working.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn of_many_devices_one_redeems_a_link() {
    everywhere(ORIGIN, async |world| {
        let own = &world.own;
        let link = own.invite("command", "Ada", Role::Admin).await.unwrap();
        let mut answers = Vec::new();
        for seed in 0..10 {
            let options = own.begin_redemption(&link.operator).await.unwrap();
            answers.push(registration(&mut another(seed), &options));
        }
        let tries = answers
            .iter()
            .map(|answer| own.accept_with_passkey(link.secret(), answer));
        let tries = join_all(tries).await;
        assert_eq!(tries.iter().filter(|one| one.is_ok()).count(), 1);
        for refused in tries.iter().filter_map(|one| one.as_ref().err()) {
            assert!(matches!(refused, OperatorError::Link), "{refused}");
        }
        assert_eq!(own.passkeys(&link.operator.id).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn of_admins_who_leave_at_once_one_stays() {
    everywhere(ORIGIN, async |world| {
        let own = &world.own;
        let mut admins = Vec::new();
        for seed in 0..4 {
            let name = format!("Admin {seed}");
            let joined = world.joined(&name, Role::Admin, &mut another(seed)).await;
            admins.push(joined.0);
        }
        let leaving = admins.iter().map(|one| own.disable("command", &one.id));
        let results = join_all(leaving).await;
        let stayed = results.iter().filter(|one| one.is_err()).count();
        assert_eq!(stayed, 1);
        let left = own.all().await.unwrap().into_iter();
        assert_eq!(left.filter(|one| one.disabled_at.is_none()).count(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_admin_who_never_joined_is_not_the_one_who_is_left() {
    everywhere(ORIGIN, async |world| {
        let own = &world.own;
        let (ada, _) = world.joined("Ada", Role::Admin, &mut another(1)).await;
        own.invite("command", "Bob", Role::Admin).await.unwrap();
        assert!(matches!(
            own.disable("command", &ada.id).await,
            Err(OperatorError::LastAdmin)
        ));
        world.joined("Cleo", Role::Admin, &mut another(2)).await;
        own.disable("command", &ada.id).await.unwrap();
    })
    .await;
    // Where links sign in, nobody has more than a link.
    everywhere(LOOPBACK, async |world| {
        let own = &world.own;
        let ada = own.invite("command", "Ada", Role::Admin).await.unwrap();
        own.invite("command", "Bob", Role::Admin).await.unwrap();
        own.disable("command", &ada.operator.id).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_operator_has_no_more_passkeys_than_are_shown() {
    everywhere(ORIGIN, async |world| {
        let own = &world.own;
        let (ada, session) = world.joined("Ada", Role::Admin, &mut another(1)).await;
        for seed in 2..=51 {
            let options = own.begin_registration(&ada).await.unwrap();
            let answer = registration(&mut another(seed), &options);
            let added = own.add_passkey(&session, &answer).await;
            match seed <= 50 {
                true => added.unwrap(),
                false => assert!(matches!(added, Err(OperatorError::TooManyPasskeys))),
            }
        }
        assert_eq!(own.passkeys(&ada.id).await.unwrap().len(), 50);
    })
    .await;
}
