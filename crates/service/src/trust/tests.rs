use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use serde_json::{Value, json};
use vouchsafe_credentials::crypto::{Portable, Signer as _, SigningKey};
use vouchsafe_credentials::encoding::b64url;

use super::*;
use crate::config::{DevConfig, FetchConfig};

/// 2027-01-15T08:00:00Z
const NOW: UnixTime = UnixTime(1_800_000_000);
const DAY: i64 = 86_400;

/// A scheme operator below its own authority, and a folder for its list.
struct World {
    folder: tempfile::TempDir,
    signer: SigningKey,
    signer_der: Vec<u8>,
    root_der: Vec<u8>,
}

fn base64(bytes: &[u8]) -> String {
    // Standard base64 of what the crates at hand encode URL-safe.
    let url = b64url(bytes).replace('-', "+").replace('_', "/");
    let padding = "=".repeat((4 - url.len() % 4) % 4);
    url + &padding
}

impl World {
    fn new() -> Self {
        let params = |name: &str| {
            let mut params = CertificateParams::default();
            params.distinguished_name.push(DnType::CommonName, name);
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2060, 1, 1);
            params
        };
        let root_key = KeyPair::generate().unwrap();
        let mut root = params("Scheme");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root_der = root.self_signed(&root_key).unwrap().der().to_vec();
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::new(root, root_key);
        let signer = params("Signer").signed_by(&key, &issuer).unwrap();
        Self {
            folder: tempfile::tempdir().unwrap(),
            signer: SigningKey::from_pkcs8_der(&key.serialize_der()).unwrap(),
            signer_der: signer.der().to_vec(),
            root_der,
        }
    }

    async fn publish(&self, sequence: u64, next_update: &str) {
        let list = json!({"LoTE": {
            "ListAndSchemeInformation": {
                "LoTEVersionIdentifier": 1,
                "LoTESequenceNumber": sequence,
                "LoTEType": "http://uri.etsi.org/19602/LoTEType/EUWalletProvidersList",
                "SchemeOperatorName": [{"lang": "en", "value": "Operator"}],
                "ListIssueDateTime": "2027-01-10T00:00:00Z",
                "NextUpdate": next_update,
            },
            "TrustedEntitiesList": [{
                "TrustedEntityInformation": {"TEName": [{"lang": "en", "value": "Provider"}]},
                "TrustedEntityServices": [{"ServiceInformation": {
                    "ServiceTypeIdentifier": "http://uri.etsi.org/19602/SvcType/WalletSolution/Issuance",
                    "ServiceDigitalIdentity": {"X509Certificates": [{"val": base64(&self.root_der)}]},
                }}],
            }],
        }});
        let header = json!({"alg": "ES256", "x5c": [base64(&self.signer_der)]});
        let part = |value: &Value| b64url(value.to_string().as_bytes());
        let input = format!("{}.{}", part(&header), part(&list));
        let signature = self.signer.sign(input.as_bytes()).await.unwrap();
        std::fs::write(self.list(), format!("{input}.{}\n", b64url(&signature))).unwrap();
    }

    fn list(&self) -> PathBuf {
        self.folder.path().join("list.jws")
    }

    fn open(&self, checkpoint: bool) -> Result<TrustLists, TrustLoadError> {
        self.open_at(Location::File(self.list()), checkpoint)
    }

    fn open_at(&self, location: Location, checkpoint: bool) -> Result<TrustLists, TrustLoadError> {
        let mut operators = TrustAnchors::new(Role::ListOperator);
        operators.add_der(&self.root_der).unwrap();
        let source = TrustSource {
            location,
            form: Form::Lote,
            kind: ListKind::WalletProviders,
            territory: None,
            operators,
            checkpoint: checkpoint.then(|| self.folder.path().join("list.checkpoint")),
        };
        let dev = DevConfig {
            loopback_http: true,
        };
        let fetcher = Fetcher::new(&FetchConfig::default(), &dev).unwrap();
        TrustLists::open(source, fetcher, Arc::new(Portable))
    }
}

fn has_anchors(lists: &TrustLists, now: UnixTime) -> bool {
    lists.anchors(Role::WalletProvider, now).is_some()
}

#[tokio::test]
async fn a_list_is_used_until_its_next_update() {
    let world = World::new();
    world.publish(3, "2027-01-20T00:00:00Z").await;
    let lists = world.open(false).unwrap();
    assert!(!has_anchors(&lists, NOW), "nothing before the first import");
    assert!(lists.is_due(NOW));
    lists.refresh(NOW).await.unwrap();
    assert!(has_anchors(&lists, NOW));
    assert!(lists.anchors(Role::Issuer, NOW).is_none());
    assert!(!lists.is_due(NOW.plus(REFRESH_S - 1)));
    assert!(lists.is_due(NOW.plus(REFRESH_S)));
    // The same list again is no news, and no fault.
    lists.refresh(NOW.plus(DAY)).await.unwrap();
    // 2027-01-20T00:00:00Z: nothing on it counts any more.
    let end = UnixTime(1_800_403_200);
    assert!(has_anchors(&lists, end.plus(-1)));
    assert!(!has_anchors(&lists, end));
    assert!(lists.refresh(end).await.is_err());
    assert!(!has_anchors(&lists, end));
    world.publish(4, "2027-02-20T00:00:00Z").await;
    assert!(!lists.is_due(end.plus(RETRY_S - 1)));
    lists.refresh(end.plus(RETRY_S)).await.unwrap();
    assert!(has_anchors(&lists, end.plus(RETRY_S)));
}

#[tokio::test]
async fn a_failure_keeps_what_is_there() {
    let world = World::new();
    world.publish(3, "2027-01-20T00:00:00Z").await;
    let lists = world.open(false).unwrap();
    lists.refresh(NOW).await.unwrap();
    std::fs::write(world.list(), "a.b.c").unwrap();
    assert!(matches!(
        lists.refresh(NOW).await,
        Err(TrustLoadError::List(_))
    ));
    std::fs::remove_file(world.list()).unwrap();
    assert!(matches!(
        lists.refresh(NOW).await,
        Err(TrustLoadError::File(_))
    ));
    assert!(has_anchors(&lists, NOW));
}

#[tokio::test]
async fn an_older_list_is_refused_across_restarts() {
    let world = World::new();
    world.publish(9, "2027-01-20T00:00:00Z").await;
    world.open(true).unwrap().refresh(NOW).await.unwrap();
    world.publish(8, "2027-03-20T00:00:00Z").await;
    let restarted = world.open(true).unwrap();
    let Err(TrustLoadError::List(error)) = restarted.refresh(NOW).await else {
        panic!("an older list was taken");
    };
    assert_eq!(error.code(), "trust_list_rollback");
    assert!(!has_anchors(&restarted, NOW));
    world.publish(9, "2027-03-20T00:00:00Z").await;
    let Err(TrustLoadError::List(error)) = restarted.refresh(NOW).await else {
        panic!("another list with the same number was taken");
    };
    assert_eq!(error.code(), "trust_list_fork");
    world.publish(10, "2027-03-20T00:00:00Z").await;
    restarted.refresh(NOW).await.unwrap();
    // A damaged memory is no empty memory.
    std::fs::write(world.folder.path().join("list.checkpoint"), "{").unwrap();
    assert!(matches!(
        world.open(true),
        Err(TrustLoadError::Checkpoint(_))
    ));
}

#[tokio::test]
async fn a_list_from_the_web_goes_through_the_guarded_fetcher() {
    use axum::{Router, routing::get};
    let world = World::new();
    world.publish(3, "2027-01-20T00:00:00Z").await;
    let list = std::fs::read_to_string(world.list()).unwrap();
    let body = list.clone();
    let router = Router::new()
        .route("/list", get(move || async move { body }))
        .route(
            "/error",
            get(move || async move { (axum::http::StatusCode::BAD_GATEWAY, list) }),
        );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let at = |url: String| world.open_at(Location::Url(url), false).unwrap();
    let lists = at(format!("http://{address}/list"));
    lists.refresh(NOW).await.unwrap();
    assert!(has_anchors(&lists, NOW));
    // The body of an error is never the list, and inside addresses are never asked.
    let failing = at(format!("http://{address}/error"));
    assert!(matches!(
        failing.refresh(NOW).await,
        Err(TrustLoadError::Status(502))
    ));
    let inside = at("https://10.0.0.1/list".to_owned());
    assert!(matches!(
        inside.refresh(NOW).await,
        Err(TrustLoadError::Fetch(FetchError::Refused(_)))
    ));
}

/// Of two refreshes at a time, the one with the older list could be the last to write.
#[tokio::test]
async fn refreshes_follow_each_other() {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    let world = World::new();
    world.publish(3, "2027-01-20T00:00:00Z").await;
    let body = std::fs::read_to_string(world.list()).unwrap();
    let (inside, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (now_inside, seen) = (Arc::clone(&inside), Arc::clone(&most));
    let answer = move || {
        let (inside, most, body) = (Arc::clone(&inside), Arc::clone(&most), body.clone());
        async move {
            most.fetch_max(inside.fetch_add(1, SeqCst) + 1, SeqCst);
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            inside.fetch_sub(1, SeqCst);
            body
        }
    };
    let router = axum::Router::new().route("/list", axum::routing::get(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/list", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let lists = world.open_at(Location::Url(url), false).unwrap();
    let (first, second) = tokio::join!(lists.refresh(NOW), lists.refresh(NOW));
    first.unwrap();
    second.unwrap();
    assert_eq!((now_inside.load(SeqCst), seen.load(SeqCst)), (0, 1));
}
