//! What an app is told of cards that are not simply good: status, pending, damaged.

use std::sync::{Arc, Mutex};

use vouchsafe_mobile_bindings::{
    CredentialStatus, HttpReply, HttpRequest, HttpTransport, IssuanceState, PresentationState,
    TransportFault, Wallet,
};

use crate::golden::VECTORS;
use crate::scenario::{PASSPHRASE, Store, Vector, now};

/// Answers as recorded, in the recorded order; afterwards it reaches nobody.
struct Recorded {
    vector: Vector,
    asked: Mutex<Vec<HttpRequest>>,
}

#[async_trait::async_trait]
impl HttpTransport for Recorded {
    async fn send(&self, request: HttpRequest) -> Result<HttpReply, TransportFault> {
        let mut asked = self.asked.lock().unwrap();
        let recorded = self.vector.exchanges.get(asked.len());
        asked.push(request.clone());
        let recorded = recorded.filter(|recorded| recorded.url == request.url);
        recorded
            .map(|recorded| recorded.reply())
            .ok_or(TransportFault::Unreachable)
    }
}

fn vector() -> Vector {
    serde_json::from_str(VECTORS[0]).unwrap()
}

fn wallet(store: &Arc<Store>) -> (Arc<Wallet>, Arc<Recorded>) {
    let http = Arc::new(Recorded {
        vector: vector(),
        asked: Mutex::default(),
    });
    let ports = vector().ports(store.clone(), http.clone(), None);
    let wallet = now(Wallet::create(vector().config(), ports, PASSPHRASE.into())).unwrap();
    let adding = wallet.issuance().start(vector().offer).unwrap();
    now(adding.prepare()).unwrap();
    now(adding.accept()).unwrap();
    let IssuanceState::Completed {
        credentials,
        pending,
    } = adding.state()
    else {
        panic!("{:?}", adding.state())
    };
    assert_eq!((credentials.len(), pending.len()), (1, 0));
    assert!(wallet.issuance().pending().unwrap().is_empty());
    (wallet, http)
}

fn reopened(store: Store, check_status: bool) -> Arc<Wallet> {
    let http = Arc::new(Recorded {
        vector: Vector {
            exchanges: Vec::new(),
            ..vector()
        },
        asked: Mutex::default(),
    });
    let mut config = vector().config();
    config.check_status = check_status;
    let ports = vector().ports(Arc::new(store), http, None);
    now(Wallet::open(config, ports, PASSPHRASE.into())).unwrap()
}

const UNKNOWN: CredentialStatus = CredentialStatus::NotChecked { valid_at: None };

#[test]
fn a_status_that_cannot_be_had_is_not_valid_and_no_error() {
    let store = Arc::new(Store::default());
    let (wallet, http) = wallet(&store);
    let before = http.asked.lock().unwrap().len();
    let credentials = wallet.credentials();
    let card = credentials.list().unwrap().remove(0);
    assert_eq!(card.status, UNKNOWN);
    assert!(!card.unchecked && !card.expires_soon);
    // Listing asks nobody; the app does, when the person looks.
    assert_eq!(http.asked.lock().unwrap().len(), before);
    assert!(now(credentials.refresh_status()).unwrap());
    let asked = http.asked.lock().unwrap()[before].clone();
    assert!(asked.url.contains("/status/"), "{}", asked.url);
    assert!(asked.body.is_empty());
    assert_eq!(credentials.get(card.id).unwrap().status, UNKNOWN);
    // It is not asked again at once.
    assert!(!now(credentials.refresh_status()).unwrap());
    let wallet = reopened(Store::with(store.records()), false);
    assert!(!now(wallet.credentials().refresh_status()).unwrap());
}

#[test]
fn the_question_says_what_is_known_of_the_card_and_asks_no_list() {
    let store = Arc::new(Store::default());
    let (wallet, http) = wallet(&store);
    let showing = wallet.presentation().start(vector().request).unwrap();
    now(showing.resolve()).unwrap();
    let PresentationState::RequestResolved { request } = showing.state() else {
        panic!("{:?}", showing.state())
    };
    let card = &request.queries[0].candidates[0];
    assert_eq!((card.status, card.expires_soon), (UNKNOWN, false));
    assert!(card.expires_at.is_some());
    let asked = http.asked.lock().unwrap();
    assert!(
        asked
            .iter()
            .all(|request| !request.url.contains("/status/"))
    );
}

#[test]
fn a_damaged_card_is_named_and_can_be_deleted() {
    let store = Arc::new(Store::default());
    wallet(&store);
    let mut records = store.records();
    for (key, value) in &mut records {
        if key.collection == "credentials" {
            *value.last_mut().unwrap() ^= 1;
        }
    }
    let credentials = reopened(Store::with(records), true).credentials();
    assert!(credentials.list().unwrap().is_empty());
    let damaged = credentials.damaged().unwrap().remove(0);
    assert_eq!(
        credentials.get(damaged.clone()).unwrap_err().code(),
        "record_damaged"
    );
    now(credentials.delete(damaged)).unwrap();
    assert!(credentials.damaged().unwrap().is_empty());
}

#[test]
fn a_damaged_entry_keeps_no_other_away_and_can_be_deleted() {
    let store = Arc::new(Store::default());
    let (wallet, _) = wallet(&store);
    let id = wallet.history().list().unwrap().remove(0).id;
    assert_eq!(
        wallet.history().delete_damaged(id).unwrap_err().code(),
        "history_entry_readable"
    );
    let showing = wallet.presentation().start(vector().request).unwrap();
    now(showing.resolve()).unwrap();
    now(showing.decline()).unwrap();
    let mut records = store.records();
    let (_, last) = records
        .iter_mut()
        .rfind(|(key, _)| key.collection == "history")
        .unwrap();
    *last.last_mut().unwrap() ^= 1;
    let history = reopened(Store::with(records), true).history();
    assert_eq!(history.list().unwrap().len(), 1);
    let damaged = history.damaged().unwrap().remove(0);
    assert_eq!(
        history.get(damaged.clone()).unwrap_err().code(),
        "record_damaged"
    );
    history.delete_damaged(damaged).unwrap();
    assert!(history.damaged().unwrap().is_empty());
    assert_eq!(history.list().unwrap().len(), 1);
}
