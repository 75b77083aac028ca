//! Every call of every port fails once, in every way that it can: no card is lost, no session stays
//! half open, and the wallet goes on with what it has.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use vouchsafe_mobile_bindings::{
    AuthorizationHint, HistoryKind, HttpReply, HttpRequest, HttpTransport, IssuanceState,
    KeyAlgorithm, KeyFault, KeyInfo, KeySpec, Party, Ports, PresentationState, Rng, SecureArea,
    SecureAreaCapabilities, Signature, StorageChange, StorageDriver, StorageFault, StorageKey,
    TransportFault, Wallet, WalletError,
};

use crate::golden::VECTORS;
use crate::scenario::{FixedArea, PASSPHRASE, SeededRng, Store, Vector, now};

/// What happens at the call that is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    Key(KeyFault),
    Storage(StorageFault),
    Unreachable,
    /// It never answers, and the app lets go of its call.
    SlowThenDropped,
    /// It never answers, and the app cancels the session.
    SlowThenCanceled,
}

const FAULTS: [Fault; 10] = [
    Fault::Key(KeyFault::Unknown),
    Fault::Key(KeyFault::UserAuthDenied),
    Fault::Key(KeyFault::UserAuthCanceled),
    Fault::Key(KeyFault::HardwareUnavailable),
    Fault::Key(KeyFault::KeyInvalidated),
    Fault::Storage(StorageFault::Full),
    Fault::Storage(StorageFault::Failed),
    Fault::Unreachable,
    Fault::SlowThenDropped,
    Fault::SlowThenCanceled,
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Port {
    Key,
    Storage,
    Http,
}

impl Fault {
    fn fits(self, port: Port) -> bool {
        match self {
            Self::Key(_) => port == Port::Key,
            Self::Storage(_) => port == Port::Storage,
            Self::Unreachable => port == Port::Http,
            // A store is not asked in the background.
            Self::SlowThenDropped | Self::SlowThenCanceled => port != Port::Storage,
        }
    }
}

impl Fault {
    /// What the app is told, where it is told anything.
    fn code(self, unreachable: &'static str) -> &'static str {
        match self {
            Self::Key(KeyFault::Unknown) => "key_unknown",
            Self::Key(KeyFault::UserAuthDenied) => "user_auth_denied",
            Self::Key(KeyFault::UserAuthCanceled) => "user_auth_canceled",
            Self::Key(KeyFault::HardwareUnavailable) => "hardware_unavailable",
            Self::Key(KeyFault::KeyInvalidated) => "key_invalidated",
            Self::Key(KeyFault::Failed) => "key_failed",
            Self::Storage(StorageFault::Full) => "storage_full",
            Self::Storage(_) => "storage_failed",
            Self::Unreachable => unreachable,
            Self::SlowThenDropped => DROPPED,
            Self::SlowThenCanceled => "canceled",
        }
    }
}

/// What a call says that the app let go of.
const DROPPED: &str = "dropped";

/// Counts the calls of all ports, and hits one of them.
struct Hits {
    seen: Mutex<Vec<Port>>,
    at: usize,
    fault: Fault,
}

impl Hits {
    fn new(at: usize, fault: Fault) -> Self {
        let seen = Mutex::default();
        Self { seen, at, fault }
    }

    fn next(&self, port: Port) -> Option<Fault> {
        let mut seen = self.seen.lock().unwrap();
        seen.push(port);
        let hits = seen.len() == self.at.saturating_add(1) && self.fault.fits(port);
        hits.then_some(self.fault)
    }
}

/// All ports of a wallet, with one fault in them.
struct Faulty {
    hits: Hits,
    store: Arc<Store>,
    area: Arc<FixedArea>,
    vector: Vector,
    random: SeededRng,
    /// The next random bytes are the nonce of the wallet that the recorded request holds.
    replays: AtomicBool,
}

impl Rng for Faulty {
    fn bytes(&self, count: u32) -> Vec<u8> {
        if !self.replays.swap(false, Ordering::SeqCst) {
            return self.random.bytes(count);
        }
        let mut bodies = self.vector.exchanges.iter().map(|e| e.body.as_str());
        let nonce = bodies.find_map(|body| {
            let mut fields = body.split('&');
            fields.find_map(|field| field.strip_prefix("wallet_nonce="))
        });
        URL_SAFE_NO_PAD.decode(nonce.unwrap()).unwrap()
    }
}

impl Faulty {
    fn new(vector: &Vector, records: &Store, at: usize, fault: Fault) -> Arc<Self> {
        Arc::new(Self {
            hits: Hits::new(at, fault),
            store: Arc::new(Store::with(records.records())),
            area: Arc::new(FixedArea::new(&vector.keys)),
            vector: vector.clone(),
            random: SeededRng::new(vector.seed),
            replays: AtomicBool::new(false),
        })
    }

    fn ports(self: &Arc<Self>) -> Ports {
        let area: Arc<dyn SecureArea> = self.clone();
        let ports = self.vector.ports(self.clone(), self.clone(), Some(area));
        Ports {
            rng: Some(self.clone()),
            ..ports
        }
    }

    async fn key(&self) -> Result<(), KeyFault> {
        match self.hits.next(Port::Key) {
            None => Ok(()),
            Some(Fault::Key(fault)) => Err(fault),
            Some(_) => std::future::pending().await,
        }
    }

    fn storage(&self) -> Result<(), StorageFault> {
        match self.hits.next(Port::Storage) {
            Some(Fault::Storage(fault)) => Err(fault),
            _ => Ok(()),
        }
    }
}

#[async_trait::async_trait]
impl HttpTransport for Faulty {
    /// Answers as recorded, whatever the wallet says of its keys and nonces.
    async fn send(&self, request: HttpRequest) -> Result<HttpReply, TransportFault> {
        match self.hits.next(Port::Http) {
            None => {}
            Some(Fault::Unreachable) => return Err(TransportFault::Unreachable),
            Some(_) => std::future::pending().await,
        }
        let mut recorded = self.vector.exchanges.iter();
        let found = recorded.find(|e| e.method == request.method && e.url == request.url);
        Ok(found.expect("a request that was recorded").reply())
    }
}

#[async_trait::async_trait]
impl SecureArea for Faulty {
    fn capabilities(&self) -> SecureAreaCapabilities {
        self.area.capabilities()
    }

    async fn create_key(&self, spec: KeySpec) -> Result<KeyInfo, KeyFault> {
        self.key().await?;
        self.area.create_key(spec).await
    }

    async fn sign(
        &self,
        key: String,
        algorithm: KeyAlgorithm,
        data: Vec<u8>,
        hint: AuthorizationHint,
    ) -> Result<Signature, KeyFault> {
        self.key().await?;
        self.area.sign(key, algorithm, data, hint).await
    }

    async fn delete_key(&self, key: String) -> Result<(), KeyFault> {
        self.key().await?;
        self.area.delete_key(key).await
    }

    async fn keys(&self) -> Result<Vec<String>, KeyFault> {
        self.key().await?;
        self.area.keys().await
    }
}

impl StorageDriver for Faulty {
    fn get(&self, key: StorageKey) -> Result<Option<Vec<u8>>, StorageFault> {
        self.storage()?;
        self.store.get(key)
    }

    fn keys(&self, collection: String) -> Result<Vec<String>, StorageFault> {
        self.storage()?;
        self.store.keys(collection)
    }

    fn transaction(&self, changes: Vec<StorageChange>) -> Result<(), StorageFault> {
        self.storage()?;
        self.store.transaction(changes)
    }
}

/// Polls until the call is over, or hangs: then the app lets go or cancels.
fn until_it_hangs(
    call: impl Future<Output = Result<(), WalletError>>,
    fault: Fault,
    cancel: impl FnOnce(),
) -> Result<(), WalletError> {
    let mut call = pin!(call);
    let mut context = Context::from_waker(Waker::noop());
    if let Poll::Ready(result) = call.as_mut().poll(&mut context) {
        return result;
    }
    if fault == Fault::SlowThenCanceled {
        cancel();
        match call.as_mut().poll(&mut context) {
            Poll::Ready(result) => return result,
            Poll::Pending => panic!("a cancelled call goes on"),
        }
    }
    // Dropped at the end of this function.
    Err(WalletError::Session {
        code: DROPPED.to_owned(),
        party: Party::Host,
    })
}

/// Takes the card; gives whether it was told that the card is there.
fn take(wallet: &Wallet, vector: &Vector, fault: Fault) -> bool {
    let Ok(session) = wallet.issuance().start(vector.offer.clone()) else {
        return false;
    };
    let cancel = || session.cancel().unwrap();
    let prepared = until_it_hangs(session.prepare(), fault, cancel);
    let taken = prepared.and_then(|()| until_it_hangs(session.accept(), fault, cancel));
    match session.state() {
        IssuanceState::Completed { .. } => assert!(taken.is_ok()),
        IssuanceState::Failed { error } => {
            assert_eq!(error.code(), fault.code("issuer_unreachable"));
            assert_eq!(taken, Err(error));
        }
        IssuanceState::Canceled => assert!(taken.is_err()),
        // The end, whatever happened.
        other => panic!("half open: {other:?} after {fault:?}"),
    }
    taken.is_ok()
}

/// Shows the card; gives whether it was told that the verifier has it.
fn show(wallet: &Wallet, faulty: &Faulty, fault: Fault) -> bool {
    faulty.replays.store(true, Ordering::SeqCst);
    let started = wallet.presentation().start(faulty.vector.request.clone());
    let session = started.expect("what the link says needs no port");
    let cancel = || session.cancel();
    let resolved = until_it_hangs(session.resolve(), fault, cancel);
    let PresentationState::RequestResolved { request } = session.state() else {
        assert!(resolved.is_err(), "{:?} after {fault:?}", session.state());
        assert!(!matches!(
            session.state(),
            PresentationState::ResolvingRequest | PresentationState::Submitting
        ));
        return false;
    };
    let selection = request.suggested;
    let shown = until_it_hangs(session.respond(selection.clone()), fault, cancel);
    if let Err(error) = &shown {
        assert_eq!(error.code(), fault.code("verifier_unreachable"));
    }
    match session.state() {
        PresentationState::Completed { .. } => shown.is_ok(),
        PresentationState::Failed { error, .. } => {
            assert_eq!(shown, Err(error));
            false
        }
        PresentationState::Canceled => false,
        // Denied or out of room: the person may try again, and it works.
        PresentationState::RequestResolved { .. } => {
            assert!(shown.is_err());
            now(session.respond(selection)).unwrap();
            true
        }
        other => panic!("half open: {other:?} after {fault:?}"),
    }
}

/// What happened in a run.
struct Ran {
    /// The ports that were called until the app started again.
    seen: Vec<Port>,
    hit: bool,
}

/// Hits one call, and looks whether everything is in order afterwards.
fn run(vector: &Vector, made: &Store, at: usize, fault: Fault) -> Ran {
    let faulty = Faulty::new(vector, made, at, fault);
    let open = || Wallet::open(vector.config(), faulty.ports(), PASSPHRASE.to_owned());
    let mut opening = pin!(open());
    let opened = match opening
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(opened) => opened.ok(),
        Poll::Pending => None,
    };
    let mut told = (false, false);
    if let Some(wallet) = opened {
        told.0 = take(&wallet, vector, fault);
        if told.0 {
            told.1 = show(&wallet, &faulty, fault);
        }
    }
    let seen = faulty.hits.seen.lock().unwrap().clone();
    let hit = seen.len() > at;
    // The app starts again. The chosen call is over, so nothing fails now.
    assert!(hit || at == usize::MAX);
    let wallet = now(open()).expect("a wallet that opens");
    let cards = wallet.credentials().list().expect("cards that read");
    if told.0 {
        assert_eq!(cards.len(), 1, "a card is lost: call {at}, {fault:?}");
    }
    assert!(cards.len() <= 1);
    // Every key belongs to a card and every copy has its key.
    let keys = now(faulty.area.keys()).unwrap();
    let copies: u32 = cards.iter().map(|card| card.copies).sum();
    assert_eq!(keys.len(), copies as usize, "call {at}, {fault:?}");
    if !cards.is_empty() {
        assert!(show(&wallet, &faulty, fault), "call {at}, {fault:?}");
    }
    let presented = wallet.history().list().expect("a history that reads");
    if told.1 {
        let kind = HistoryKind::Presented;
        assert!(presented.iter().filter(|entry| entry.kind == kind).count() >= 2);
    }
    Ran { seen, hit }
}

/// A store with a new wallet in it.
fn made(vector: &Vector) -> Store {
    let faulty = Faulty::new(vector, &Store::default(), usize::MAX, Fault::Unreachable);
    let passphrase = PASSPHRASE.to_owned();
    now(Wallet::create(vector.config(), faulty.ports(), passphrase)).unwrap();
    Store::with(faulty.store.records())
}

#[test]
fn no_fault_of_a_port_loses_a_card_or_leaves_a_session_half_open() {
    let vector: Vector = serde_json::from_str(VECTORS[1]).unwrap();
    let made = made(&vector);
    // Without a fault: which ports are called, in which order.
    let ports = run(&vector, &made, usize::MAX, Fault::Unreachable).seen;
    let count = |port| ports.iter().filter(|seen| **seen == port).count();
    let counts = [Port::Http, Port::Key, Port::Storage].map(count);
    assert!(
        counts[0] == 8 && counts[1] >= 5 && counts[2] >= 10,
        "{counts:?}"
    );
    for (at, port) in ports.iter().enumerate() {
        for fault in FAULTS.into_iter().filter(|fault| fault.fits(*port)) {
            // Two ways in which a store says no are tried in turns: there are many calls.
            let other_turn = match fault {
                Fault::Storage(StorageFault::Full) => at % 2 == 1,
                Fault::Storage(_) => at % 2 == 0,
                _ => false,
            };
            if !other_turn {
                assert!(run(&vector, &made, at, fault).hit, "call {at}, {fault:?}");
            }
        }
    }
}
