use std::sync::Arc;

use serde_json::Value;
use vouchsafe_credentials::crypto::AwsLc;
use vouchsafe_credentials::testing::{FixedClock, SeededRng};
use vouchsafe_credentials::time::UnixTime;

use super::*;
use crate::audit;
use crate::db::testing::for_each_database;
use crate::webauthn::testing::Device;
use crate::webauthn::{RegistrationResponse, SignInResponse, WebauthnError};

pub(super) const NOW: UnixTime = UnixTime(1_800_000_000);
pub(super) const ORIGIN: &str = "https://issuer.example";

pub(super) struct World {
    pub(super) own: Operators,
    pub(super) clock: Arc<FixedClock>,
}

fn world(db: Db, url: &str) -> World {
    let clock = Arc::new(FixedClock::new(NOW));
    let rng: Arc<dyn Rng> = Arc::new(SeededRng::new(3));
    World {
        own: Operators {
            db,
            audit: SymmetricKey::from_token("audit", "operators"),
            clock: clock.clone(),
            ids: Ids::new(clock.clone(), Arc::clone(&rng)),
            rng,
            crypto: Arc::new(AwsLc),
            site: Site::of(&url.parse().unwrap(), "The Club").unwrap(),
        },
        clock,
    }
}

pub(super) async fn everywhere<F: AsyncFn(World)>(url: &str, test: F) {
    for_each_database(&[], async |db| test(world(db, url)).await).await;
}

fn device() -> Device {
    another(8)
}

pub(super) fn another(seed: u64) -> Device {
    Device::new(ORIGIN, "issuer.example", &SeededRng::new(seed))
}

pub(super) fn registration(device: &mut Device, options: &Value) -> RegistrationResponse {
    serde_json::from_value(device.register(options)).unwrap()
}

pub(super) async fn answer(device: &Device, options: &Value) -> SignInResponse {
    serde_json::from_value(device.sign_in(options).await).unwrap()
}

impl World {
    /// An operator with a passkey and a session.
    pub(super) async fn joined(
        &self,
        name: &str,
        role: Role,
        device: &mut Device,
    ) -> (Operator, Session) {
        let invitation = self.own.invite("command", name, role).await.unwrap();
        let operator = self.own.invited(invitation.secret()).await.unwrap();
        let options = self.own.begin_registration(&operator).await.unwrap();
        let answer = registration(device, &options);
        let secret = self
            .own
            .accept_with_passkey(invitation.secret(), &answer)
            .await;
        let session = self.own.session(&secret.unwrap()).await.unwrap().unwrap();
        (operator, session)
    }

    pub(super) async fn actions(&self) -> Vec<String> {
        let page = audit::page(&self.own.db, None, None, 50).await.unwrap();
        let line = |entry: audit::Entry| match entry.action.as_str() {
            // The detail is the id of a passkey.
            "operator.passkey_add" | "operator.passkey_remove" => {
                assert!(OperatorId::parse(&entry.detail).is_some());
                entry.action
            }
            _ => format!("{} {}", entry.action, entry.detail),
        };
        page.into_iter().rev().map(line).collect()
    }
}

#[tokio::test]
async fn an_invitation_becomes_a_passkey_and_a_session() {
    everywhere(ORIGIN, async |world| {
        let own = &world.own;
        let mut device = device();
        let (operator, session) = world.joined("Ada", Role::Admin, &mut device).await;
        assert_eq!(session.operator, operator);
        assert!(session.is_recent(world.clock.now()));
        // Later, from another browser.
        world.clock.advance(3600);
        let options = own.begin_sign_in("browser").await.unwrap();
        let signed = answer(&device, &options).await;
        let secret = own.sign_in("browser", &signed).await.unwrap();
        let again = own.session(&secret).await.unwrap().unwrap();
        assert_eq!(again.operator, operator);
        own.sign_out(&again).await.unwrap();
        assert_eq!(own.session(&secret).await.unwrap(), None);
        assert_eq!(
            world.actions().await,
            [
                "operator.invite admin",
                "operator.passkey_add",
                "operator.sign_in passkey",
                "operator.sign_in passkey",
                "operator.sign_out ",
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn a_link_works_once_for_a_day_and_for_its_operator() {
    everywhere(ORIGIN, async |world| {
        let own = &world.own;
        let first = own.invite("command", "Ada", Role::Viewer).await.unwrap();
        assert!(matches!(
            own.invite("command", " Ada ", Role::Admin).await,
            Err(OperatorError::NameTaken)
        ));
        let again = own
            .invite_again("command", &first.operator.id)
            .await
            .unwrap();
        // The new link ends the old one.
        assert!(matches!(
            own.invited(first.secret()).await,
            Err(OperatorError::Link)
        ));
        // Looking uses nothing up.
        for _ in 0..3 {
            assert_eq!(own.invited(again.secret()).await.unwrap().name, "Ada");
        }
        // A challenge of somebody else does not fit this link.
        let bob = own.invite("command", "Bob", Role::Admin).await.unwrap();
        let options = own.begin_registration(&bob.operator).await.unwrap();
        let stolen = registration(&mut device(), &options);
        let refused = own.accept_with_passkey(again.secret(), &stolen).await;
        assert!(matches!(
            refused,
            Err(OperatorError::Webauthn(WebauthnError::ClientData))
        ));
        // And is used up by the attempt.
        let refused = own.accept_with_passkey(bob.secret(), &stolen).await;
        assert!(matches!(
            refused,
            Err(OperatorError::Webauthn(WebauthnError::ClientData))
        ));
        let options = own.begin_registration(&first.operator).await.unwrap();
        let good = registration(&mut device(), &options);
        own.accept_with_passkey(again.secret(), &good)
            .await
            .unwrap();
        assert!(matches!(
            own.invited(again.secret()).await,
            Err(OperatorError::Link)
        ));
        world.clock.advance(INVITATION_S);
        assert!(matches!(
            own.invited(bob.secret()).await,
            Err(OperatorError::Link)
        ));
        assert!(matches!(
            own.accept_with_link(bob.secret()).await,
            Err(OperatorError::Way)
        ));
    })
    .await;
}

#[tokio::test]
async fn of_many_who_hold_a_link_one_gets_in() {
    everywhere("http://127.0.0.1:4001", async |world| {
        let own = &world.own;
        let link = own.invite("command", "Ada", Role::Admin).await.unwrap();
        let tries = (0..20).map(|_| own.accept_with_link(link.secret()));
        let results = futures::future::join_all(tries).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        let secret = results.into_iter().find_map(Result::ok).unwrap();
        assert!(own.session(&secret).await.unwrap().is_some());
        assert!(matches!(
            own.begin_sign_in("b").await,
            Err(OperatorError::Way)
        ));
    })
    .await;
}

#[tokio::test]
async fn a_challenge_is_for_one_browser_and_one_answer() {
    everywhere(ORIGIN, async |world| {
        let own = &world.own;
        let mut device = device();
        world.joined("Ada", Role::Admin, &mut device).await;
        let options = own.begin_sign_in("mine").await.unwrap();
        let signed = answer(&device, &options).await;
        let is_stale = |result: Result<SessionSecret, OperatorError>| {
            matches!(
                result,
                Err(OperatorError::Webauthn(WebauthnError::ClientData))
            )
        };
        assert!(is_stale(own.sign_in("theirs", &signed).await));
        assert!(is_stale(own.sign_in("mine", &signed).await));
        let options = own.begin_sign_in("mine").await.unwrap();
        let signed = answer(&device, &options).await;
        assert!(own.sign_in("mine", &signed).await.is_ok());
        assert!(is_stale(own.sign_in("mine", &signed).await));
        let options = own.begin_sign_in("mine").await.unwrap();
        let signed = answer(&device, &options).await;
        world.clock.advance(CHALLENGE_S);
        assert!(is_stale(own.sign_in("mine", &signed).await));
    })
    .await;
}

#[tokio::test]
async fn foreign_keys_counters_and_disabled_operators_are_refused() {
    everywhere(ORIGIN, async |world| {
        let own = &world.own;
        let mut device = device();
        device.count = 7;
        let (ada, _) = world.joined("Ada", Role::Admin, &mut device).await;
        let sign_in = async |device: &Device| {
            let options = own.begin_sign_in("b").await.unwrap();
            own.sign_in("b", &answer(device, &options).await).await
        };
        device.count = 8;
        assert!(sign_in(&device).await.is_ok());
        // A copy that has not seen the last signature.
        assert!(matches!(
            sign_in(&device).await,
            Err(OperatorError::Webauthn(WebauthnError::Counter))
        ));
        device.count = 9;
        let mut forged = Device::new(ORIGIN, "issuer.example", &SeededRng::new(99));
        (forged.id, forged.user) = (device.id.clone(), device.user.clone());
        forged.count = 20;
        assert!(matches!(
            sign_in(&forged).await,
            Err(OperatorError::Webauthn(WebauthnError::Signature))
        ));
        forged.id = vec![1, 2, 3];
        assert!(matches!(
            sign_in(&forged).await,
            Err(OperatorError::Unknown)
        ));
        // The last admin stays; a second one can disable the first.
        let actor = ada.actor();
        assert!(matches!(
            own.disable(&actor, &ada.id).await,
            Err(OperatorError::LastAdmin)
        ));
        let demoted = own.set_role(&actor, &ada.id, Role::Viewer).await;
        assert!(matches!(demoted, Err(OperatorError::LastAdmin)));
        let (bob, _) = world.joined("Bob", Role::Admin, &mut another(5)).await;
        own.disable(&bob.actor(), &ada.id).await.unwrap();
        assert!(matches!(
            sign_in(&device).await,
            Err(OperatorError::Disabled)
        ));
        assert!(matches!(
            own.invite_again("command", &ada.id).await,
            Err(OperatorError::Disabled)
        ));
        own.enable(&bob.actor(), &ada.id).await.unwrap();
        device.count = 30;
        assert!(sign_in(&device).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn the_last_passkey_stays() {
    everywhere(ORIGIN, async |world| {
        let own = &world.own;
        let (ada, session) = world.joined("Ada", Role::Operator, &mut device()).await;
        let first = own.passkeys(&ada.id).await.unwrap()[0].id.clone();
        assert!(matches!(
            own.remove_passkey(&session, &first).await,
            Err(OperatorError::LastPasskey)
        ));
        let options = own.begin_registration(&ada).await.unwrap();
        assert_eq!(options["excludeCredentials"].as_array().unwrap().len(), 1);
        // The same device again.
        let same = registration(&mut device(), &options);
        assert!(matches!(
            own.add_passkey(&session, &same).await,
            Err(OperatorError::PasskeyTaken)
        ));
        let options = own.begin_registration(&ada).await.unwrap();
        let mut other = another(44);
        own.add_passkey(&session, &registration(&mut other, &options))
            .await
            .unwrap();
        // Not somebody else's.
        let (_, bob) = world.joined("Bob", Role::Admin, &mut another(45)).await;
        for (session, id) in [(&bob, first.as_str()), (&session, "x"), (&session, "\0")] {
            assert!(matches!(
                own.remove_passkey(session, id).await,
                Err(OperatorError::Unknown)
            ));
        }
        let passkeys = own.passkeys(&ada.id).await.unwrap();
        let removals = passkeys
            .iter()
            .map(|passkey| own.remove_passkey(&session, &passkey.id));
        let removed = futures::future::join_all(removals).await;
        assert_eq!(removed.iter().filter(|result| result.is_ok()).count(), 1);
        assert_eq!(own.passkeys(&ada.id).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn sessions_end_with_time_and_with_the_operator() {
    everywhere("http://127.0.0.1:4001", async |world| {
        let own = &world.own;
        let sign_in = async |name: &str| {
            let link = own
                .invite_or_again("command", name, Some(Role::Admin))
                .await
                .unwrap();
            own.accept_with_link(link.secret()).await.unwrap()
        };
        let idle = sign_in("Ada").await;
        world.clock.advance(IDLE_S);
        assert_eq!(own.session(&idle).await.unwrap(), None);
        // Used all day: it ends at last.
        let used = sign_in("Ada").await;
        for _ in 0..(SESSION_S / 1000) {
            world.clock.advance(1000);
            assert!(own.session(&used).await.unwrap().is_some());
        }
        world.clock.advance(1000);
        assert_eq!(own.session(&used).await.unwrap(), None);
        let (one, two) = (sign_in("Ada").await, sign_in("Bob").await);
        let ada = own.session(&one).await.unwrap().unwrap().operator;
        let bob = own.session(&two).await.unwrap().unwrap().operator;
        own.set_role(&bob.actor(), &ada.id, Role::Viewer)
            .await
            .unwrap();
        // It counts at once.
        let session = own.session(&one).await.unwrap().unwrap();
        assert_eq!(session.operator.role, Role::Viewer);
        own.disable(&bob.actor(), &ada.id).await.unwrap();
        assert_eq!(own.session(&one).await.unwrap(), None);
        own.enable(&bob.actor(), &ada.id).await.unwrap();
        assert_eq!(own.session(&one).await.unwrap(), None);
        assert!(SessionSecret::parse("x").is_none());
        let other = SessionSecret::generate(&*own.rng);
        assert_eq!(own.session(&other).await.unwrap(), None);
    })
    .await;
}
