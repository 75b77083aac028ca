use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::HeaderMap;
use serde_json::json;
use vouchsafe_credentials::testing::{FixedClock, SeededRng};
use vouchsafe_credentials::time::UnixTime;

use super::*;
use crate::{
    config::{DevConfig, FetchConfig},
    db::{Db, DbError, testing::for_each_database},
    fetch::{FetchError, Fetcher},
    keys::SymmetricKey,
    seal::Sealer,
};

const NOW: UnixTime = UnixTime(1_800_000_000);

/// An endpoint that answers as it is told and keeps what it got.
#[derive(Default)]
struct Listener {
    answers: Mutex<Vec<Result<u16, FetchError>>>,
    got: Mutex<Vec<(String, HeaderMap, String)>>,
}

impl Listener {
    fn answering(answers: impl IntoIterator<Item = Result<u16, FetchError>>) -> Arc<Self> {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        Arc::new(Self {
            answers: Mutex::new(answers),
            got: Mutex::default(),
        })
    }

    fn got(&self) -> Vec<(String, HeaderMap, String)> {
        self.got.lock().unwrap().clone()
    }
}

#[async_trait]
impl Post for Listener {
    async fn post(&self, url: &str, headers: HeaderMap, body: String) -> Result<u16, FetchError> {
        self.got
            .lock()
            .unwrap()
            .push((url.to_owned(), headers, body));
        self.answers.lock().unwrap().pop().unwrap_or(Ok(204))
    }
}

struct World {
    db: Db,
    clock: Arc<FixedClock>,
    secrets: Secrets,
    sealer: Sealer,
}

impl World {
    async fn new(db: Db, events: &[&str]) -> Self {
        let world = Self {
            db,
            clock: Arc::new(FixedClock::new(NOW)),
            secrets: Secrets::generate(&SeededRng::new(1)),
            sealer: Sealer::new(SymmetricKey::from_token("webhooks", "a test")),
        };
        world.endpoint("one", events).await;
        world
    }

    async fn endpoint(&self, id: &'static str, events: &[&str]) {
        let new = NewEndpoint {
            id: id.to_owned(),
            url: format!("https://{id}.example/hook"),
            events: events.iter().map(|event| (*event).to_owned()).collect(),
            created_at: NOW,
        };
        let (secrets, sealer) = (self.secrets.clone(), self.sealer.clone());
        self.db
            .write(async move |tx| create(tx, &new, &secrets, &sealer, &SeededRng::new(2)).await)
            .await
            .unwrap();
    }

    async fn publish(&self, id: &'static str, event: &'static str) -> u64 {
        self.db
            .write(async move |tx| publish(tx, id, event, &json!({ "id": "c-1" }), NOW).await)
            .await
            .unwrap()
    }

    async fn run(&self, listener: &Arc<Listener>) -> usize {
        let post: Arc<dyn Post> = listener.clone();
        deliver_due(&Delivery {
            db: self.db.clone(),
            clock: self.clock.clone(),
            sealer: self.sealer.clone(),
            post,
            busy: Busy::default(),
        })
        .await
        .unwrap()
    }

    async fn state(&self, endpoint: &str) -> DeliveryRow {
        deliveries(&self.db, endpoint, None, 10)
            .await
            .unwrap()
            .remove(0)
    }
}

#[tokio::test]
async fn a_message_arrives_once_and_is_signed() {
    for_each_database(&[], async |db| {
        let world = World::new(db, &["credential.revoked"]).await;
        assert_eq!(world.publish("a-1", "credential.revoked").await, 1);
        let listener = Listener::answering([]);
        assert_eq!(world.run(&listener).await, 1);
        assert_eq!(world.run(&listener).await, 0);
        let [(url, headers, body)] = listener.got().try_into().unwrap();
        assert_eq!(url, "https://one.example/hook");
        assert_eq!(headers["webhook-id"], "a-1");
        assert_eq!(headers["webhook-timestamp"], "1800000000");
        let signature = world.secrets.header("a-1", NOW, &body);
        assert_eq!(headers["webhook-signature"], signature.as_str());
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let expected = json!({
            "type": "credential.revoked",
            "timestamp": "2027-01-15T08:00:00Z",
            "data": { "id": "c-1" },
        });
        assert_eq!(body, expected);
        let state = world.state("one").await;
        assert_eq!((state.attempts, state.next_at), (1, None));
        assert_eq!(state.delivered_at, Some(NOW.0));
        assert_eq!(state.last_result.as_deref(), Some("204"));
    })
    .await;
}

#[tokio::test]
async fn events_go_to_whoever_wants_them() {
    for_each_database(&[], async |db| {
        let world = World::new(db, &["offer.opened", "offer.expired"]).await;
        world.endpoint("all", &[]).await;
        assert_eq!(world.publish("a-1", "offer.expired").await, 2);
        assert_eq!(world.publish("a-2", "offer").await, 1);
        assert_eq!(world.publish("a-3", "offer.open").await, 1);
        world
            .db
            .write(async |tx| remove(tx, "all").await)
            .await
            .unwrap();
        assert_eq!(world.publish("a-4", "credential.issued").await, 0);
        let listener = Listener::answering([]);
        assert_eq!(world.run(&listener).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_failure_is_tried_again_for_three_days_and_then_given_up() {
    for_each_database(&[], async |db| {
        let world = World::new(db, &[]).await;
        world.publish("a-1", "offer.opened").await;
        let failures = (0..10).map(|n| match n % 3 {
            0 => Ok(500),
            1 => Err(FetchError::Timeout),
            _ => Ok(302),
        });
        let listener = Listener::answering(failures);
        for wait in RETRY_AFTER_S {
            assert_eq!(world.run(&listener).await, 1);
            world.clock.advance(wait - 1);
            assert_eq!(world.run(&listener).await, 0, "{wait}");
            world.clock.advance(1);
        }
        assert_eq!(world.run(&listener).await, 1);
        let state = world.state("one").await;
        assert_eq!((state.attempts, state.next_at), (10, None));
        assert_eq!(state.delivered_at, None);
        assert_eq!(state.last_result.as_deref(), Some("500"));
        world.clock.advance(KEPT_S);
        assert_eq!(world.run(&listener).await, 0);
        let total: i64 = RETRY_AFTER_S.iter().sum();
        assert!((259_200..400_000).contains(&total), "{total}");
    })
    .await;
}

#[tokio::test]
async fn sent_again_on_demand() {
    for_each_database(&[], async |db| {
        let world = World::new(db, &[]).await;
        world.publish("a-1", "offer.opened").await;
        let listener = Listener::answering([]);
        world.run(&listener).await;
        let again = async |endpoint: &'static str, message: &'static str| {
            world
                .db
                .write(async move |tx| replay(tx, endpoint, message, NOW).await)
                .await
                .unwrap()
        };
        assert_eq!(again("one", "a-2").await, Replay::Unknown);
        assert_eq!(again("two", "a-1").await, Replay::Unknown);
        assert_eq!(again("one", "a-1").await, Replay::Due);
        assert_eq!(world.run(&listener).await, 1);
        let got = listener.got();
        // The same id, so that whoever has it already can tell.
        assert_eq!(got[0].1["webhook-id"], got[1].1["webhook-id"]);
        assert_eq!(got[0].2, got[1].2);
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_that_is_gone_gets_nothing_until_it_has_a_new_secret() {
    for_each_database(&[], async |db| {
        let world = World::new(db, &[]).await;
        world.publish("a-1", "offer.opened").await;
        let listener = Listener::answering([Ok(410)]);
        world.run(&listener).await;
        let found = endpoint(&world.db, "one").await.unwrap().unwrap();
        assert_eq!(found.disabled_at, Some(NOW));
        assert_eq!(world.publish("a-2", "offer.opened").await, 0);
        let again = world
            .db
            .write(async |tx| replay(tx, "one", "a-1", NOW).await)
            .await
            .unwrap();
        assert_eq!(again, Replay::Disabled);
        let sealer = world.sealer.clone();
        let secrets = world
            .db
            .write(async move |tx| rotate(tx, "one", 1, &sealer, &SeededRng::new(3), NOW).await)
            .await
            .unwrap();
        let Rotated::Done(secrets, 2) = secrets else {
            panic!("{secrets:?}");
        };
        assert_eq!(world.publish("a-3", "offer.opened").await, 1);
        world.run(&listener).await;
        let (_, headers, body) = listener.got().pop().unwrap();
        let both = secrets.header("a-3", NOW, &body);
        assert_eq!(headers["webhook-signature"], both.as_str());
        assert!(both.contains(&world.secrets.header("a-3", NOW, &body)));
        let found = endpoint(&world.db, "one").await.unwrap().unwrap();
        assert_eq!((found.disabled_at, found.version), (None, 2));
    })
    .await;
}

#[tokio::test]
async fn what_did_not_happen_is_not_told() {
    for_each_database(&[], async |db| {
        let world = World::new(db, &[]).await;
        let undone: Result<(), DbError> = world
            .db
            .write(async |tx| {
                publish(tx, "a-1", "offer.opened", &json!({}), NOW).await?;
                Err(DbError::Closed)
            })
            .await;
        assert!(undone.is_err());
        assert_eq!(world.run(&Listener::answering([])).await, 0);
    })
    .await;
}

/// Two processes do not send the same message at the same time; a process that dies while it
/// sends leaves the message to the others.
#[tokio::test]
async fn a_message_is_sent_by_one_process_at_a_time() {
    for_each_database(&[], async |db| {
        let world = World::new(db, &[]).await;
        for id in ["a-1", "a-2", "a-3"] {
            world.publish(id, "offer.opened").await;
        }
        let listener = Listener::answering([]);
        let (a, b) = tokio::join!(world.run(&listener), world.run(&listener));
        assert_eq!((a + b, listener.got().len()), (3, 3));
    })
    .await;
}

/// Catalogue 398: the way out is the guarded fetcher, whatever address an endpoint has.
#[tokio::test]
async fn cat_398_an_internal_address_is_never_asked() {
    let fetcher = Fetcher::new(&FetchConfig::default(), &DevConfig::default()).unwrap();
    for url in [
        "http://hooks.example/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "https://hooks.example:8443/",
        "https://user:password@hooks.example/",
        "file:///etc/passwd",
    ] {
        let sent = Post::post(&fetcher, url, HeaderMap::new(), "{}".to_owned()).await;
        assert!(
            matches!(sent, Err(FetchError::Refused(_))),
            "{url} {sent:?}"
        );
        assert!(fetcher.allows(url).is_err(), "{url}");
    }
    assert!(fetcher.allows("https://hooks.example/hook?a=b").is_ok());
}

#[tokio::test]
async fn old_messages_are_forgotten() {
    for_each_database(&[], async |db| {
        let world = World::new(db, &[]).await;
        world.publish("a-1", "offer.opened").await;
        let gone = async |now: UnixTime| {
            world
                .db
                .write(async move |tx| purge(tx, now).await)
                .await
                .unwrap()
        };
        assert_eq!(gone(NOW.plus(KEPT_S)).await, 0);
        assert_eq!(gone(NOW.plus(KEPT_S + 1)).await, 1);
        assert_eq!(world.run(&Listener::answering([])).await, 0);
    })
    .await;
}

/// An endpoint that never answers keeps no other waiting.
#[tokio::test]
async fn a_slow_endpoint_delays_nobody_else() {
    struct OneHangs(tokio::sync::mpsc::UnboundedSender<String>);

    #[async_trait]
    impl Post for OneHangs {
        async fn post(&self, url: &str, _: HeaderMap, _: String) -> Result<u16, FetchError> {
            if url.contains("one") {
                std::future::pending::<()>().await;
            }
            self.0
                .send(url.to_owned())
                .map_err(|_| FetchError::Unreachable)?;
            Ok(204)
        }
    }

    for_each_database(&[], async |db| {
        let world = World::new(db, &[]).await;
        for id in ["a-1", "a-2", "a-3", "a-4", "a-5", "a-6"] {
            world.publish(id, "offer.opened").await;
        }
        world.endpoint("two", &[]).await;
        for id in ["b-1", "b-2", "b-3", "b-4", "b-5", "b-6"] {
            world.publish(id, "offer.opened").await;
        }
        let (sent, mut arrived) = tokio::sync::mpsc::unbounded_channel();
        let delivery = Delivery {
            db: world.db.clone(),
            clock: world.clock.clone(),
            sealer: world.sealer.clone(),
            post: Arc::new(OneHangs(sent)),
            busy: Busy::default(),
        };
        let tasks = start_due(&delivery).await.unwrap();
        for _ in 0..6 {
            assert!(arrived.recv().await.unwrap().contains("two"));
        }
        // The endpoint that hangs is served by its task still, and by no second one.
        assert_eq!(tasks.len(), 2);
        assert!(start_due(&delivery).await.unwrap().is_empty());
    })
    .await;
}
