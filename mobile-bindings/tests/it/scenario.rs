//! One card is taken and shown: against the services themselves when it is recorded, and from the
//! record afterwards. The same scenario is driven from Kotlin and from Swift.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use vouchsafe_credentials::crypto::{Signer as _, SigningKey};
use vouchsafe_mobile_bindings::{
    AddressRule, AuthorizationHint, Clock, CredentialPolicy, HardwarePolicy, HttpField, HttpReply,
    HttpRequest, HttpTransport, IssuanceState, KeyAlgorithm, KeyDerivation, KeyFault, KeyInfo,
    KeyPolicy, KeySpec, Ports, PresentationState, Rng, SecureArea, SecureAreaCapabilities,
    Signature, StorageChange, StorageDriver, StorageFault, StorageKey, TrustedIssuer,
    UserAuthentication, Wallet, WalletConfig, WalletError,
};

pub const PASSPHRASE: &str = "a passphrase of vectors";

/// What was recorded: inputs, and every byte that crossed a port.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Vector {
    /// What the random bytes are made of.
    pub seed: u64,
    /// The time, in seconds since 1970. It stands still.
    pub now: i64,
    pub credential_issuer: String,
    pub issuer_anchors: String,
    pub verifier_anchors: String,
    /// The link of the offer.
    pub offer: String,
    /// The link of the request.
    pub request: String,
    /// Keys of the secure area in the order in which they are made; empty: software keys.
    pub keys: Vec<VectorKey>,
    pub exchanges: Vec<Exchange>,
    /// Where the browser is sent in the end.
    pub redirect_uri: String,
    /// [`Store::digest`] in the end.
    pub storage: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VectorKey {
    /// PKCS #8, base64.
    pub pkcs8: String,
    /// `04 || x || y`, base64.
    pub point: String,
}

/// A request and the answer to it. Bodies are text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub status: u16,
    pub reply_headers: Vec<(String, String)>,
    pub reply_body: String,
}

impl Vector {
    pub fn config(&self) -> WalletConfig {
        WalletConfig {
            locales: vec!["en".to_owned()],
            issuers: vec![TrustedIssuer {
                credential_issuer: self.credential_issuer.clone(),
                anchors: self.issuer_anchors.clone(),
                types: Vec::new(),
                status_anchors: String::new(),
            }],
            ask_about_unknown_issuers: false,
            verifier_anchors: self.verifier_anchors.clone(),
            redirect_uri: "https://wallet.example.com/callback".to_owned(),
            client_id: "vouchsafe-wallet".to_owned(),
            addresses: AddressRule::LoopbackForDevelopment,
            credentials: CredentialPolicy { batch_size: 2 },
            keys: KeyPolicy {
                user_authentication: UserAuthentication::NotRequired,
                hardware: HardwarePolicy::Software,
            },
            key_derivation: KeyDerivation::Low,
            check_status: true,
        }
    }

    pub fn ports(
        &self,
        storage: Arc<dyn StorageDriver>,
        http: Arc<dyn HttpTransport>,
        secure_area: Option<Arc<dyn SecureArea>>,
    ) -> Ports {
        Ports {
            storage,
            http,
            secure_area,
            clock: Some(Arc::new(FixedClock(self.now))),
            rng: Some(Arc::new(SeededRng::new(self.seed))),
        }
    }
}

/// Runs a future that waits for nothing outside.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("the bridge waited"),
    }
}

/// A clock that stands still.
pub struct FixedClock(pub i64);

impl Clock for FixedClock {
    fn now(&self) -> i64 {
        self.0
    }
}

/// SHA-256 over a seed and a counter, 32 bytes at a time.
pub struct SeededRng {
    seed: u64,
    counter: Mutex<u64>,
}

impl SeededRng {
    pub fn new(seed: u64) -> Self {
        let counter = Mutex::new(0);
        Self { seed, counter }
    }
}

impl Rng for SeededRng {
    fn bytes(&self, count: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut counter = self.counter.lock().unwrap();
        while bytes.len() < count as usize {
            let mut block = Sha256::new();
            block.update(self.seed.to_be_bytes());
            block.update(counter.to_be_bytes());
            bytes.extend_from_slice(&block.finalize());
            *counter += 1;
        }
        bytes.truncate(count as usize);
        bytes
    }
}

/// A store in memory that outlives its wallet.
#[derive(Default)]
pub struct Store(Mutex<BTreeMap<StorageKey, Vec<u8>>>);

impl Store {
    /// SHA-256 over all records in order: `collection/id`, length, bytes.
    pub fn digest(&self) -> String {
        let mut all = Sha256::new();
        for (key, value) in self.0.lock().unwrap().iter() {
            let name = format!("{}/{} {}\n", key.collection, key.id, value.len());
            all.update(name.as_bytes());
            all.update(value);
        }
        let digest = all.finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub fn records(&self) -> BTreeMap<StorageKey, Vec<u8>> {
        self.0.lock().unwrap().clone()
    }

    pub fn with(records: BTreeMap<StorageKey, Vec<u8>>) -> Self {
        Self(Mutex::new(records))
    }
}

impl StorageDriver for Store {
    fn get(&self, key: StorageKey) -> Result<Option<Vec<u8>>, StorageFault> {
        Ok(self.0.lock().unwrap().get(&key).cloned())
    }

    fn keys(&self, collection: String) -> Result<Vec<String>, StorageFault> {
        let records = self.0.lock().unwrap();
        let named = records.keys().filter(|key| key.collection == collection);
        Ok(named.map(|key| key.id.clone()).collect())
    }

    fn transaction(&self, changes: Vec<StorageChange>) -> Result<(), StorageFault> {
        let mut records = self.0.lock().unwrap();
        for change in changes {
            match change {
                StorageChange::Put { key, value } => records.insert(key, value),
                StorageChange::Delete { key } => records.remove(&key),
            };
        }
        Ok(())
    }
}

impl Exchange {
    pub fn new(request: &HttpRequest, reply: &HttpReply) -> Self {
        let fields = |fields: &[HttpField]| {
            let pairs = fields.iter().map(|f| (f.name.clone(), f.value.clone()));
            pairs.collect()
        };
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            method: request.method.clone(),
            url: request.url.clone(),
            headers: fields(&request.headers),
            body: text(&request.body),
            status: reply.status,
            reply_headers: fields(&reply.headers),
            reply_body: text(&reply.body),
        }
    }

    pub fn reply(&self) -> HttpReply {
        let fields = self.reply_headers.iter().map(|(name, value)| HttpField {
            name: name.clone(),
            value: value.clone(),
        });
        HttpReply {
            status: self.status,
            headers: fields.collect(),
            body: self.reply_body.clone().into_bytes(),
        }
    }
}

/// Takes the card and shows it; gives the address for the browser.
pub async fn take_and_show(
    wallet: &Wallet,
    offer: &str,
    request: impl AsyncFnOnce() -> String,
) -> Result<Option<String>, WalletError> {
    let adding = wallet.issuance().start(offer.to_owned())?;
    adding.prepare().await?;
    assert!(matches!(
        adding.state(),
        IssuanceState::OfferResolved { .. }
    ));
    adding.accept().await?;
    assert!(matches!(adding.state(), IssuanceState::Completed { .. }));
    let showing = wallet.presentation().start(request().await)?;
    showing.resolve().await?;
    let PresentationState::RequestResolved { request } = showing.state() else {
        panic!("{:?}", showing.state());
    };
    showing.respond(request.suggested).await?;
    match showing.state() {
        PresentationState::Completed { redirect_uri, .. } => Ok(redirect_uri),
        other => panic!("{other:?}"),
    }
}

/// A secure area whose keys are known beforehand.
pub struct FixedArea {
    keys: Vec<(SigningKey, Vec<u8>)>,
    /// Names of the keys that exist; `k0` is the first of `keys`.
    made: Mutex<Vec<String>>,
    count: AtomicUsize,
}

impl FixedArea {
    pub fn new(keys: &[VectorKey]) -> Self {
        let bytes = |text: &str| BASE64.decode(text).unwrap();
        let keys = keys.iter().map(|key| {
            let pkcs8 = bytes(&key.pkcs8);
            (
                SigningKey::from_pkcs8_der(&pkcs8).unwrap(),
                bytes(&key.point),
            )
        });
        Self {
            keys: keys.collect(),
            made: Mutex::default(),
            count: AtomicUsize::new(0),
        }
    }

    fn key(&self, name: &str) -> Result<&SigningKey, KeyFault> {
        let exists = self.made.lock().unwrap().iter().any(|made| made == name);
        let number = name.strip_prefix('k').and_then(|n| n.parse::<usize>().ok());
        let key = number.filter(|_| exists).and_then(|n| self.keys.get(n));
        key.map(|(key, _)| key).ok_or(KeyFault::Unknown)
    }
}

#[async_trait::async_trait]
impl SecureArea for FixedArea {
    fn capabilities(&self) -> SecureAreaCapabilities {
        SecureAreaCapabilities {
            algorithms: vec![KeyAlgorithm::Es256],
            hardware: true,
            user_authentication: true,
        }
    }

    async fn create_key(&self, _: KeySpec) -> Result<KeyInfo, KeyFault> {
        let number = self.count.fetch_add(1, Ordering::SeqCst);
        let (_, point) = self.keys.get(number).ok_or(KeyFault::Failed)?;
        let id = format!("k{number}");
        self.made.lock().unwrap().push(id.clone());
        Ok(KeyInfo {
            id,
            public_key: point.clone(),
        })
    }

    async fn sign(
        &self,
        key: String,
        _: KeyAlgorithm,
        data: Vec<u8>,
        _: AuthorizationHint,
    ) -> Result<Signature, KeyFault> {
        let bytes = self.key(&key)?.sign(&data).await;
        let bytes = bytes.map_err(|_| KeyFault::Failed)?;
        Ok(Signature::Raw { bytes })
    }

    async fn delete_key(&self, key: String) -> Result<(), KeyFault> {
        self.made.lock().unwrap().retain(|made| *made != key);
        Ok(())
    }

    async fn keys(&self) -> Result<Vec<String>, KeyFault> {
        Ok(self.made.lock().unwrap().clone())
    }
}
