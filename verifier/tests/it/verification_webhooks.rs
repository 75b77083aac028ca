//! Questions over REST: a caller's system is told that one ended, signed, and never what was shown.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use url::Url;
use vouchsafe_credentials::time::Clock as _;
use vouchsafe_service::db::testing;
use vouchsafe_service::webhooks::{Secrets, WebhookSecret};
use vouchsafe_verifier::config::Settings;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::world::browser::form;
use crate::world::pki::Pki;
use crate::world::rest::{CALLERS, Caller};
use crate::world::{World, parse, toml};

pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";

/// A system that is told; it takes nothing while `busy`.
#[derive(Clone, Default)]
pub struct System {
    got: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    busy: Arc<Mutex<bool>>,
}

impl System {
    pub async fn listen(&self) -> String {
        let hook = async |State(system): State<Self>, headers: HeaderMap, body: String| {
            if *system.busy.lock().unwrap() {
                return StatusCode::SERVICE_UNAVAILABLE;
            }
            system.got.lock().unwrap().push((headers, body));
            StatusCode::NO_CONTENT
        };
        let router = Router::new()
            .route("/hook", post(hook))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}/hook")
    }

    /// The messages since the last look, each signed as it must be.
    pub async fn told(&self, world: &World) -> Vec<Value> {
        world.tick().await;
        let got = std::mem::take(&mut *self.got.lock().unwrap());
        let secrets = Secrets::of(WebhookSecret::parse(SECRET).unwrap(), None);
        got.into_iter()
            .map(|(headers, body)| {
                let text = |name: &str| headers[name].to_str().unwrap().to_owned();
                assert_eq!(text("webhook-timestamp"), world.clock.now().0.to_string());
                let signed = secrets.header(&text("webhook-id"), world.clock.now(), &body);
                assert_eq!(text("webhook-signature"), signed);
                serde_json::from_str(&body).unwrap()
            })
            .collect()
    }
}

/// The door is told; the clinic is not.
fn with_hook(url: &str) -> String {
    let hook = format!("most_open = 3\nwebhook = {{ url = \"{url}\", secret = \"{SECRET}\" }}");
    CALLERS.replacen("most_open = 3", &hook, 1)
}

#[tokio::test]
async fn a_system_is_told_that_its_own_verification_ended_and_no_claim() {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        let system = System::default();
        let url = system.listen().await;
        let world = World::with_config(db, |toml| toml + &with_hook(&url)).await;
        world.tick().await;
        let (door, clinic) = (
            Caller::new(&world, "door").await,
            Caller::new(&world, "clinic").await,
        );
        let wallet = world.person("M-1").await;
        // Of others it hears nothing.
        let other = clinic.ask(&json!({ "query": "membership" })).await;
        wallet.answer(&wallet.open(&other.link).await).await;
        assert_eq!(system.told(&world).await, [] as [Value; 0]);

        let question = door.ask(&json!({ "query": "age" })).await;
        let asked = wallet.open(&question.link).await;
        let body = wallet.response(&asked).await;
        assert_eq!(system.told(&world).await, [] as [Value; 0]);
        *system.busy.lock().unwrap() = true;
        wallet.post(&asked.request, &body).await;
        wallet.post(&asked.request, &body).await;
        assert_eq!(system.told(&world).await, [] as [Value; 0]);
        // Once, however often the answer was sent; later, where it was busy.
        *system.busy.lock().unwrap() = false;
        world.clock.advance(5);
        let completed = json!({
            "type": "verification.completed", "timestamp": "2026-11-23T12:00:00Z",
            "data": { "verification_id": question.id, "status": "verified" },
        });
        assert_eq!(system.told(&world).await, [completed]);

        // The person says no.
        let question = door.ask(&json!({ "query": "age" })).await;
        let asked = wallet.open(&question.link).await;
        let state = asked.request.state().unwrap().as_str().to_owned();
        let no = form(&[("error", "access_denied"), ("state", &state)]);
        wallet.post(&asked.request, &no).await;
        let [failed] = system.told(&world).await.try_into().unwrap();
        assert_eq!(failed["type"], "verification.failed");
        assert_eq!(
            failed["data"],
            json!({ "verification_id": question.id, "status": "declined" })
        );

        // On the same device not before the browser is back.
        let back = json!({ "query": "age", "return_url": "https://door.example/back?lang=en" });
        let question = door.ask(&back).await;
        let back = Url::parse(&wallet.follow(&question.link).await).unwrap();
        assert_eq!(system.told(&world).await, [] as [Value; 0]);
        let (_, code) = back.query_pairs().last().unwrap();
        assert_eq!(door.redeem(&question, &code).await.status, StatusCode::OK);
        let [completed] = system.told(&world).await.try_into().unwrap();
        assert_eq!(completed["data"]["status"], "verified");
    })
    .await;
}

const ENDPOINTS: &str = "SELECT COUNT(*) FROM webhook_endpoint";

/// One person at one door, to the end.
async fn verify(world: &World) {
    let door = Caller::new(world, "door").await;
    let wallet = world.person("M-1").await;
    let question = door.ask(&json!({ "query": "age" })).await;
    wallet.answer(&wallet.open(&question.link).await).await;
    assert_eq!(door.status(&question).await, "verified");
}

#[tokio::test]
async fn an_endpoint_of_an_earlier_configuration_is_told_nothing_and_forgotten_after_a_day() {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        let (old, new) = (System::default(), System::default());
        let first = with_hook(&old.listen().await);
        World::with_config(db.clone(), |toml| toml + &first)
            .await
            .tick()
            .await;
        let second = with_hook(&new.listen().await);
        let world = World::with_config(db, |toml| toml + &second).await;
        world.tick().await;
        assert_eq!(world.count(ENDPOINTS).await, 2);
        verify(&world).await;
        assert_eq!(new.told(&world).await.len(), 1);
        assert!(old.got.lock().unwrap().is_empty());
        world.clock.advance(86_399);
        world.tick().await;
        assert_eq!(world.count(ENDPOINTS).await, 2);
        world.clock.advance(1);
        world.tick().await;
        assert_eq!(world.count(ENDPOINTS).await, 1);
    })
    .await;
}

/// Two processes with different configurations, as while an update rolls out: neither loses what it
/// has to tell, whoever arranged the endpoints last.
#[tokio::test]
async fn processes_of_two_configurations_lose_no_message() {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        let (old, new) = (System::default(), System::default());
        let first = with_hook(&old.listen().await);
        let second = with_hook(&new.listen().await);
        let before = World::with_config(db.clone(), |toml| toml + &first).await;
        let after = World::with_config(db.clone(), |toml| toml + &second).await;
        before.tick().await;
        after.tick().await;
        verify(&before).await;
        after.tick().await;
        assert_eq!(old.told(&before).await.len(), 1);
        // Told since: it stays for another day, and without its endpoint it makes it anew.
        for sql in [
            "DELETE FROM webhook_delivery",
            "DELETE FROM webhook_endpoint",
        ] {
            let emptied = async move |tx: &mut vouchsafe_service::db::Tx| {
                vouchsafe_service::execute!(tx, sqlx::query(sql))
            };
            db.write(emptied).await.unwrap();
        }
        verify(&before).await;
        assert_eq!(after.count(ENDPOINTS).await, 1);
        after.tick().await;
        assert_eq!(old.told(&before).await.len(), 1);
        assert!(new.got.lock().unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_that_was_given_up_is_used_again_after_a_start() {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        let system = System::default();
        let config = with_hook(&system.listen().await);
        let world = World::with_config(db.clone(), |toml| toml + &config).await;
        world.tick().await;
        let gone = "UPDATE webhook_endpoint SET disabled_at = 1";
        db.write(async move |tx| vouchsafe_service::execute!(tx, sqlx::query(gone)))
            .await
            .unwrap();
        world.tick().await;
        verify(&world).await;
        assert_eq!(system.told(&world).await, [] as [Value; 0]);
        let again = world.another_process().await;
        again.run_background_once().await.unwrap();
        verify(&world).await;
        assert_eq!(system.told(&world).await.len(), 1);
    })
    .await;
}

#[test]
fn cat_398_addresses_and_secrets_that_are_refused() {
    let pki = Pki::new();
    let refused = |hook: &str| {
        let section = CALLERS.replacen("most_open = 3", &format!("webhook = {hook}"), 1);
        let config = parse(&(toml(&pki) + &section));
        Settings::parse(&config).unwrap_err().to_string()
    };
    for url in [
        "http://door.example/hook",
        "https://10.0.0.1/hook",
        "ftp://door.example",
        "door.example",
        "https://a:b@door.example/",
    ] {
        let said = refused(&format!("{{ url = \"{url}\", secret = \"{SECRET}\" }}"));
        assert!(
            said.contains("verifications.caller door: webhook"),
            "{said}"
        );
    }
    for secret in [
        "",
        "whsec_",
        "whsec_c2hvcnQ=",
        "a secret of some other kind",
    ] {
        let said = refused(&format!(
            "{{ url = \"https://door.example/hook\", secret = \"{secret}\" }}"
        ));
        assert!(
            said.contains("webhook") && !said.contains("other kind"),
            "{said}"
        );
    }
    assert!(refused("{ url = \"https://door.example/hook\" }").contains("webhook"));
}
