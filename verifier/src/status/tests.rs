use std::collections::BTreeSet;
use std::sync::Mutex as SyncMutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use url::Url;
use vouchsafe_credentials::crypto::{Algorithm, Portable, Signer as _, SigningKey};
use vouchsafe_credentials::did;
use vouchsafe_credentials::sd_jwt_vc::{IssuerAuthority, IssuerKey};
use vouchsafe_credentials::status_list::{
    Bits, Status, StatusList, StatusTokenInput, sign_status_list,
};
use vouchsafe_credentials::testing::{FixedClock, SeededRng};

use super::*;
use crate::config::{TrustConfig, TrustedIssuerConfig};
use vouchsafe_protocol::oauth::values::Secret;

use crate::outbound::{OutboundError, Pushed, StatusToken};

const NOW: UnixTime = UnixTime(1_795_435_200);
const LIST: &str = "https://issuer.example/status/1";
const HOUR: i64 = 3600;
const STRICT: StatusPolicy = StatusPolicy {
    min_refresh_s: 60,
    stale_grace_s: 0,
    most_lists: None,
};

type Answer = Box<dyn Fn() -> Result<String, OutboundError> + Send + Sync>;

/// A host of lists that takes some time and counts its requests.
struct Host {
    clock: Arc<FixedClock>,
    takes_s: i64,
    answer: SyncMutex<Answer>,
    fetches: AtomicUsize,
}

impl Host {
    fn set(&self, answer: impl Fn() -> Result<String, OutboundError> + Send + Sync + 'static) {
        *self.answer.lock().unwrap() = Box::new(answer);
    }
}

#[async_trait]
impl Outbound for Host {
    async fn status_list(&self, _: &str) -> Result<StatusToken, OutboundError> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        self.clock.advance(self.takes_s);
        (self.answer.lock().unwrap())().map(StatusToken::Jwt)
    }

    async fn key_set(&self, _: &Url) -> Result<Vec<u8>, OutboundError> {
        Err(OutboundError::Status(504))
    }

    async fn logout(&self, _: &Url, _: &str) -> Result<(), OutboundError> {
        Err(OutboundError::Status(504))
    }

    async fn security_event(
        &self,
        _: &Url,
        _: Option<&Secret>,
        _: String,
    ) -> Result<Pushed, OutboundError> {
        Err(OutboundError::Status(504))
    }
}

struct World {
    clock: Arc<FixedClock>,
    host: Arc<Host>,
    issuer: IssuerIdentity,
    key: SigningKey,
    lists: StatusLists,
}

impl World {
    fn new(policy: StatusPolicy, seed: u64, takes_s: i64) -> Self {
        let clock = Arc::new(FixedClock::new(NOW));
        let host = Arc::new(Host {
            clock: Arc::clone(&clock),
            takes_s,
            answer: SyncMutex::new(Box::new(|| Err(OutboundError::Status(504)))),
            fetches: AtomicUsize::new(0),
        });
        let key = SigningKey::generate(Algorithm::Es256, &SeededRng::new(1));
        let did = did::key::encode(key.public_key());
        let trust = TrustConfig {
            issuer: vec![TrustedIssuerConfig {
                id: did.clone(),
                did: Some(did.clone()),
                types: vec!["urn:example:card".to_owned()],
                ..TrustedIssuerConfig::default()
            }],
        };
        let ports = StatusPorts {
            outbound: host.clone(),
            crypto: Arc::new(Portable),
            clock: clock.clone(),
            rng: Arc::new(SeededRng::new(seed)),
        };
        Self {
            clock,
            host,
            issuer: IssuerIdentity {
                trusted: did.clone(),
                authority: IssuerAuthority::Did(did),
            },
            key,
            lists: StatusLists::new(ports, Trust::parse(&trust).unwrap(), policy),
        }
    }

    async fn publish(&self, lifetime_s: i64, ttl_s: u32) {
        let now = self.clock.now();
        let did = &self.issuer.trusted;
        let kid = format!("{did}#{}", did.trim_start_matches("did:key:"));
        let input = StatusTokenInput {
            uri: LIST,
            issuer: None,
            list: &StatusList::new(Bits::Two, 100).unwrap(),
            issued_at: now,
            expires_at: now.plus(lifetime_s),
            ttl_s,
            key: IssuerKey::Did(&kid),
        };
        let token = sign_status_list(&input, &self.key).await.unwrap();
        self.host.set(move || Ok(token.clone()));
    }

    /// What a login learns.
    async fn ask(&self) -> Result<Status, StatusSourceError> {
        let reference = reference();
        let list = self.lists.list(&reference, &self.issuer).await?;
        list.status(&reference, self.clock.now())
            .map_err(StatusSourceError::Rejected)
    }

    fn fetches(&self) -> usize {
        self.host.fetches.load(Ordering::SeqCst)
    }
}

fn reference() -> StatusRef {
    StatusRef {
        uri: LIST.to_owned(),
        idx: 7,
    }
}

/// How a host can fail to give a list.
fn failures() -> [fn() -> OutboundError; 4] {
    [
        || OutboundError::Status(404),
        || OutboundError::Status(500),
        || OutboundError::MediaType,
        || OutboundError::Failed("timeout".into()),
    ]
}

#[tokio::test]
async fn a_list_is_at_hand_until_its_ttl_and_for_its_issuer_alone() {
    let world = World::new(STRICT, 1, 0);
    world.publish(HOUR, 300).await;
    let (first, lists) = (reference(), &world.lists);
    assert!(lists.at_hand(&first, &world.issuer).is_none());
    world.ask().await.unwrap();
    assert!(lists.at_hand(&first, &world.issuer).is_some());
    let other = IssuerIdentity {
        trusted: "did:example:other".to_owned(),
        authority: world.issuer.authority.clone(),
    };
    assert!(lists.at_hand(&first, &other).is_none());
    let elsewhere = StatusRef {
        uri: format!("{LIST}0"),
        idx: 0,
    };
    assert!(lists.at_hand(&elsewhere, &world.issuer).is_none());
    world.clock.advance(300);
    assert!(lists.at_hand(&first, &world.issuer).is_none());
    world.ask().await.unwrap();
    assert_eq!(world.fetches(), 2);
}

/// A busy verifier checks a status for every login: the list is neither copied nor is anything
/// else put on the heap.
#[tokio::test]
async fn a_check_against_a_list_at_hand_allocates_nothing() {
    let world = World::new(STRICT, 1, 0);
    world.publish(HOUR, 300).await;
    world.ask().await.unwrap();
    let reference = reference();
    let check = || {
        let list = world.lists.at_hand(&reference, &world.issuer).unwrap();
        assert!(list.issuer() == &world.issuer);
        list.status(&reference, NOW).unwrap()
    };
    let mut seen = Status::Suspended;
    let counted = allocation_counter::measure(|| seen = check());
    assert_eq!(seen, Status::Valid);
    assert_eq!(counted.count_total, 0);
    // The counter does count.
    let copied = allocation_counter::measure(|| drop(reference.clone()));
    assert_eq!(copied.count_total, 1);
}

#[tokio::test]
async fn who_waits_for_a_hanging_host_does_not_ask_it_again() {
    let world = World::new(STRICT, 1, 5);
    for _ in 0..3 {
        assert!(world.ask().await.is_err());
    }
    assert_eq!(world.fetches(), 1);
}

#[tokio::test]
async fn cat_214_a_login_fails_closed_when_no_fresh_list_can_be_had() {
    for failure in failures() {
        let world = World::new(STRICT, 1, 0);
        world.publish(HOUR, 300).await;
        assert_eq!(world.ask().await.unwrap(), Status::Valid);
        world.host.set(move || Err(failure()));
        world.clock.advance(200);
        assert!(world.ask().await.is_ok(), "within its ttl");
        world.clock.advance(100);
        let refused = world.ask().await.unwrap_err();
        assert!(matches!(refused, StatusSourceError::Unavailable(_)));
    }
}

#[tokio::test]
async fn cat_214_the_last_good_list_counts_until_the_grace_is_over_and_never_after_exp() {
    let graceful = |stale_grace_s| StatusPolicy {
        stale_grace_s,
        ..STRICT
    };
    for failure in failures() {
        for (grace, last) in [(0, 299), (600, 899), (86_400, HOUR - 1)] {
            let world = World::new(graceful(grace), 1, 0);
            world.publish(HOUR, 300).await;
            world.ask().await.unwrap();
            world.host.set(move || Err(failure()));
            world.clock.advance(last);
            if grace > 0 {
                assert_eq!(world.ask().await.unwrap(), Status::Valid, "{grace}");
            }
            // Whoever watches sessions has a limit of its own and wants to know.
            if grace > 0 {
                let fresh = world.lists.fresh(&reference(), &world.issuer).await;
                assert!(fresh.is_err());
            }
            world.clock.advance(1);
            assert!(world.ask().await.is_err(), "{grace}");
        }
    }
}

#[tokio::test]
async fn cat_214_a_list_that_is_refused_has_no_grace() {
    let world = World::new(
        StatusPolicy {
            stale_grace_s: 86_400,
            ..STRICT
        },
        1,
        0,
    );
    world.publish(HOUR, 300).await;
    world.ask().await.unwrap();
    world.clock.advance(300);
    world.host.set(|| Ok("e30.e30.AA".to_owned()));
    let refused = world.ask().await.unwrap_err();
    assert!(matches!(refused, StatusSourceError::Rejected(_)));
}

#[tokio::test]
async fn cat_229_verifiers_do_not_refresh_at_the_same_second() {
    let mut seconds = BTreeSet::new();
    for seed in 0..100 {
        let world = World::new(STRICT, seed, 0);
        // No `ttl` that matters: a fresh list is due at `exp`, the same for everybody.
        world.publish(HOUR, 86_400).await;
        world.ask().await.unwrap();
        world.clock.advance(HOUR * 9 / 10 - 1);
        while world.lists.at_hand(&reference(), &world.issuer).is_some() {
            world.clock.advance(1);
        }
        let due = world.clock.now();
        assert!((HOUR * 9 / 10..=HOUR).contains(&due.since(NOW)), "{due:?}");
        seconds.insert(due);
        // And it does refresh then, once.
        assert_eq!(world.fetches(), 1);
        world.publish(HOUR, 86_400).await;
        world.ask().await.unwrap();
        assert_eq!(world.fetches(), 2);
    }
    assert!(seconds.len() > 50, "{}", seconds.len());
}

#[tokio::test]
async fn cat_229_no_list_is_fetched_earlier_than_the_configured_time() {
    for seed in 0..20 {
        let world = World::new(STRICT, seed, 0);
        world.publish(HOUR, 1).await;
        world.ask().await.unwrap();
        world.clock.advance(59);
        world.ask().await.unwrap();
        assert_eq!(world.fetches(), 1);
    }
}

#[tokio::test]
async fn cat_221_the_list_of_a_tracker_is_not_fetched() {
    let world = World::new(
        StatusPolicy {
            most_lists: Some(50),
            ..STRICT
        },
        1,
        0,
    );
    let mut refused = 0;
    for list in 0..40 {
        let reference = StatusRef {
            uri: format!("https://issuer.example/status/{list}"),
            idx: 0,
        };
        let outcome = world.lists.list(&reference, &world.issuer).await;
        refused += usize::from(matches!(outcome, Err(StatusSourceError::Refused(_))));
    }
    assert_eq!((refused, world.fetches()), (21, 19));
}
