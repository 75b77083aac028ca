//! The bridge as an app uses it, without a peer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use vouchsafe_mobile_bindings::{
    AddressRule, Clock, CredentialPolicy, HardwarePolicy, HistoryResult, HttpReply, HttpRequest,
    HttpTransport, IssuanceState, KeyDerivation, KeyPolicy, Party, Ports, PresentationState, Rng,
    StorageDriver, TransportFault, UserAuthentication, Wallet, WalletConfig, WalletError,
    file_storage,
};

use crate::scenario::{FixedClock, PASSPHRASE, SeededRng, Store, now};

/// A transport that is not there.
pub struct Nobody;

#[async_trait::async_trait]
impl HttpTransport for Nobody {
    async fn send(&self, _: HttpRequest) -> Result<HttpReply, TransportFault> {
        Err(TransportFault::Unreachable)
    }
}

fn config() -> WalletConfig {
    WalletConfig {
        locales: vec!["en".into()],
        issuers: Vec::new(),
        ask_about_unknown_issuers: true,
        verifier_anchors: String::new(),
        redirect_uri: "https://wallet.example.com/callback".into(),
        client_id: "vouchsafe-wallet".into(),
        addresses: AddressRule::PublicHttps,
        credentials: CredentialPolicy { batch_size: 2 },
        keys: KeyPolicy {
            user_authentication: UserAuthentication::NotRequired,
            hardware: HardwarePolicy::Preferred,
        },
        key_derivation: KeyDerivation::Low,
        check_status: true,
    }
}

fn ports(storage: Arc<dyn StorageDriver>, http: impl HttpTransport + 'static) -> Ports {
    Ports {
        storage,
        http: Arc::new(http),
        secure_area: None,
        clock: Some(Arc::new(FixedClock(1_780_272_000))),
        rng: Some(Arc::new(SeededRng::new(1))),
    }
}

fn wallet() -> Arc<Wallet> {
    let ports = ports(Arc::new(Store::default()), Nobody);
    now(Wallet::create(config(), ports, PASSPHRASE.into())).unwrap()
}

fn code<T>(result: Result<T, WalletError>) -> String {
    match result {
        Ok(_) => panic!("no error"),
        Err(error) => error.code().to_owned(),
    }
}

fn offer(issuer: &str) -> String {
    let offer = serde_json::json!({
        "credential_issuer": issuer, "credential_configuration_ids": ["a"],
    });
    format!("openid-credential-offer://?credential_offer={offer}")
}

#[test]
fn a_wallet_in_files_is_made_opened_and_refuses_the_wrong_passphrase() {
    let folder = tempfile::tempdir().unwrap();
    let files = || file_storage(folder.path().to_str().unwrap().to_owned());
    let open = |passphrase: &str| {
        let ports = ports(files()?, Nobody);
        now(Wallet::open(config(), ports, passphrase.into()))
    };
    assert_eq!(code(open(PASSPHRASE)), "no_wallet");
    let first = ports(files().unwrap(), Nobody);
    let wallet = now(Wallet::create(config(), first, PASSPHRASE.into())).unwrap();
    assert!(wallet.credentials().list().unwrap().is_empty());
    assert_eq!(code(open(PASSPHRASE)), "wallet_locked");
    drop(wallet);
    assert_eq!(code(open("not the one")), "wrong_passphrase");
    assert!(
        open(PASSPHRASE)
            .unwrap()
            .history()
            .list()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn an_offer_goes_through_its_states_and_errors_have_codes() {
    let wallet = wallet();
    let refused = wallet.issuance().start(offer("http://a.example.com"));
    assert_eq!(code(refused), "offer_issuer_refused");
    let session = wallet
        .issuance()
        .start(offer("https://a.example.com"))
        .unwrap();
    assert_eq!(session.state(), IssuanceState::Preparing);
    now(session.prepare()).unwrap();
    let host = "a.example.com".to_owned();
    assert_eq!(session.state(), IssuanceState::IssuerUnknown { host });
    let wrong = [
        code(now(session.prepare())),
        code(now(session.submit_tx_code("1234".into()))),
        code(now(session.complete_authorization("x://y?code=1".into()))),
    ];
    assert_eq!(wrong, ["wrong_state", "wrong_state", "wrong_state"]);
    assert_eq!(code(now(session.accept())), "issuer_unreachable");
    let IssuanceState::Failed { error } = session.state() else {
        panic!("{:?}", session.state())
    };
    let unreachable = WalletError::Issuance {
        code: "issuer_unreachable".into(),
        party: Party::Network,
    };
    assert_eq!(error, unreachable);
    assert_eq!(code(now(session.decline())), "wrong_state");
    session.cancel().unwrap();
    assert!(matches!(session.state(), IssuanceState::Failed { .. }));
    let history = wallet.history().list().unwrap();
    let failed = HistoryResult::Failed {
        code: "issuer_unreachable".into(),
    };
    assert_eq!((&history[0].result, history.len()), (&failed, 1));
}

#[test]
fn who_declines_or_gives_up_ends_the_session() {
    let wallet = wallet();
    let session = || {
        let session = wallet
            .issuance()
            .start(offer("https://a.example.com"))
            .unwrap();
        now(session.prepare()).unwrap();
        session
    };
    let declined = session();
    now(declined.decline()).unwrap();
    assert_eq!(declined.state(), IssuanceState::Declined);
    let canceled = session();
    canceled.cancel().unwrap();
    assert_eq!(canceled.state(), IssuanceState::Canceled);
    canceled.cancel().unwrap();
    let history = wallet.history().list().unwrap();
    let results: Vec<_> = history.iter().map(|entry| &entry.result).collect();
    assert_eq!(
        results,
        [&HistoryResult::Declined, &HistoryResult::Declined]
    );
}

#[test]
fn a_question_from_a_private_address_is_refused() {
    let wallet = wallet();
    let hash = "Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk";
    let link = |host: &str| {
        format!("openid4vp://?client_id=x509_hash:{hash}&request_uri=https%3A%2F%2F{host}%2Fr")
    };
    let refused = wallet.presentation().start(link("10.0.0.1"));
    assert_eq!(code(refused), "request_uri_unacceptable");
    let session = wallet
        .presentation()
        .start(link("shop.example.com"))
        .unwrap();
    assert_eq!(session.state(), PresentationState::ResolvingRequest);
    assert_eq!(code(now(session.decline())), "wrong_state");
    assert_eq!(code(now(session.notify_verifier())), "wrong_state");
    assert_eq!(code(now(session.resolve())), "verifier_unreachable");
    assert!(matches!(session.state(), PresentationState::Failed { .. }));
    assert_eq!(code(now(session.resolve())), "wrong_state");
}

#[test]
fn settings_that_do_not_read_are_named() {
    let try_with = |edit: fn(&mut WalletConfig)| {
        let mut config = config();
        edit(&mut config);
        let ports = ports(Arc::new(Store::default()), Nobody);
        code(now(Wallet::create(config, ports, PASSPHRASE.into())))
    };
    let codes = [
        try_with(|config| config.verifier_anchors = "no pem".into()),
        try_with(|config| config.redirect_uri = "nowhere".into()),
        try_with(|config| config.credentials.batch_size = 0),
        // Nothing here could keep these promises.
        try_with(|config| config.keys.hardware = HardwarePolicy::Required),
        try_with(|config| {
            config.keys.user_authentication = UserAuthentication::Required { timeout: 0 };
        }),
    ];
    let wanted = [
        "setting_verifier_anchors",
        "setting_redirect_uri",
        "setting_batch_size",
        "hardware_unavailable",
        "hardware_unavailable",
    ];
    assert_eq!(codes, wanted);
}

/// Gives nothing but zeros, or too little.
struct Broken(bool);

impl Rng for Broken {
    fn bytes(&self, count: u32) -> Vec<u8> {
        vec![0; if self.0 { count as usize } else { 3 }]
    }
}

#[test]
fn a_broken_random_source_makes_no_key() {
    let with = |rng: Broken| {
        let mut ports = ports(Arc::new(Store::default()), Nobody);
        ports.rng = Some(Arc::new(rng));
        now(Wallet::create(config(), ports, PASSPHRASE.into()))
    };
    assert_eq!(code(with(Broken(true))), "rng_broken");
    // One that gives too little is not used: the bytes of the operating system are.
    assert!(with(Broken(false)).is_ok());
}

/// Stands still, or panics.
struct Panicking(AtomicBool);

impl Clock for Panicking {
    fn now(&self) -> i64 {
        assert!(!self.0.load(Ordering::SeqCst), "a clock that is broken");
        1_780_272_000
    }
}

/// The bridge turns the panic into an exception (`faults` of the Kotlin driver); what it leaves
/// behind is in order.
#[test]
fn cat_448_after_a_panic_the_session_has_ended_and_the_next_call_works() {
    let clock = Arc::new(Panicking(AtomicBool::new(false)));
    let mut ports = ports(Arc::new(Store::default()), Nobody);
    ports.clock = Some(clock.clone());
    let wallet = now(Wallet::create(config(), ports, PASSPHRASE.into())).unwrap();
    let start = || {
        let session = wallet.issuance().start(offer("https://a.example.com"));
        let session = session.unwrap();
        now(session.prepare()).unwrap();
        session
    };
    let session = start();
    clock.0.store(true, Ordering::SeqCst);
    let panicked = catch_unwind(AssertUnwindSafe(|| now(session.accept())));
    assert!(panicked.is_err());
    clock.0.store(false, Ordering::SeqCst);
    assert_eq!(session.state(), IssuanceState::Canceled);
    assert_eq!(code(now(session.accept())), "wrong_state");
    assert_eq!(code(now(start().accept())), "issuer_unreachable");
    assert_eq!(wallet.history().list().unwrap().len(), 1);
}
