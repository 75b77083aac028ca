use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;
use vouchsafe_credentials::crypto::Algorithm;
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_credentials::time::UnixTime;

use super::*;
use crate::random::OsRandom;
use crate::webhooks::{Secrets, WebhookSecret};

/// What the signer of the test does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Signs,
    /// Signs only every third question.
    Flaky,
    Down,
    Refuses,
    Hangs,
    /// Signs something else.
    Lies,
    Babbles,
    Floods,
}

struct Remote {
    key: SigningKey,
    secret: WebhookSecret,
    mood: Mutex<Mood>,
    asked: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    ids: Mutex<Vec<String>>,
}

async fn answer(State(remote): State<Arc<Remote>>, headers: HeaderMap, body: String) -> Response {
    let asked = remote.asked.fetch_add(1, Ordering::SeqCst) + 1;
    let now = remote.at_once.fetch_add(1, Ordering::SeqCst) + 1;
    remote.most_at_once.fetch_max(now, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(2)).await;
    remote.at_once.fetch_sub(1, Ordering::SeqCst);
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let id = header("webhook-id");
    let at = UnixTime(header("webhook-timestamp").parse().unwrap());
    assert_eq!(
        header("webhook-signature"),
        Secrets::of(remote.secret.clone(), None).header(&id, at, &body)
    );
    remote.ids.lock().unwrap().push(id);
    let question: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&question["key"], &question["algorithm"]),
        (&json!("cards"), &json!("ES256"))
    );
    let data = b64url_decode(question["data"].as_str().unwrap()).unwrap();
    let mood = *remote.mood.lock().unwrap();
    let signature = match mood {
        Mood::Flaky if !asked.is_multiple_of(3) => {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        Mood::Signs | Mood::Flaky => remote.key.sign(&data).await.unwrap(),
        Mood::Lies => remote.key.sign(b"something else").await.unwrap(),
        Mood::Down => return StatusCode::BAD_GATEWAY.into_response(),
        Mood::Refuses => return StatusCode::FORBIDDEN.into_response(),
        Mood::Babbles => return "no".into_response(),
        Mood::Floods => return "x".repeat(8_192).into_response(),
        Mood::Hangs => std::future::pending().await,
    };
    axum::Json(json!({ "signature": b64url(&signature) })).into_response()
}

async fn remote() -> (Arc<Remote>, SocketAddr) {
    let remote = Arc::new(Remote {
        key: SigningKey::generate(Algorithm::Es256, &OsRandom),
        secret: WebhookSecret::generate(&OsRandom),
        mood: Mutex::new(Mood::Signs),
        asked: AtomicUsize::new(0),
        at_once: AtomicUsize::new(0),
        most_at_once: AtomicUsize::new(0),
        ids: Mutex::default(),
    });
    let router = axum::Router::new()
        .route("/sign", post(answer))
        .with_state(Arc::clone(&remote));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (remote, address)
}

fn write(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

fn public_pem(key: &SigningKey) -> String {
    let pair = rcgen::KeyPair::from_pem(&key.to_pkcs8_pem()).unwrap();
    rcgen::KeyPair::public_key_pem(&pair)
}

fn config(folder: &TempDir, remote: &Remote, address: SocketAddr) -> ExternalConfig {
    ExternalConfig {
        url: format!("http://{address}/sign"),
        key: "cards".into(),
        secret_file: write(folder, "secret", &remote.secret.expose()),
        public_key_file: write(folder, "public.pem", &public_pem(&remote.key)),
        timeout_ms: 1_000,
    }
}

fn open(place: &Place<'_>) -> Result<Arc<dyn Signer>, OpenSignerError> {
    let dev = DevConfig {
        loopback_http: true,
    };
    place.open(&FetchConfig::default(), &dev)
}

const NOWHERE: Place<'static> = Place {
    key: None,
    key_file: None,
    passphrase_file: None,
    passphrase_environment: None,
    external: None,
    pkcs11: None,
};

fn external(config: &ExternalConfig) -> Place<'_> {
    Place {
        external: Some(config),
        ..NOWHERE
    }
}

#[tokio::test]
async fn an_external_signer_signs_and_is_not_believed() {
    let ((remote, address), folder) = (remote().await, tempfile::tempdir().unwrap());
    let mut config = config(&folder, &remote, address);
    let signer = open(&external(&config)).unwrap();
    assert_eq!(signer.public_key(), remote.key.public_key());
    let signature = signer.sign(b"message").await.unwrap();
    AwsLc
        .verify(signer.public_key(), b"message", &signature)
        .unwrap();
    assert_eq!(remote.asked.load(Ordering::SeqCst), 1);

    let set = |mood| *remote.mood.lock().unwrap() = mood;
    // Each is said to be temporary, and only what may change is asked again.
    for (mood, again) in [
        (Mood::Lies, false),
        (Mood::Babbles, false),
        (Mood::Refuses, false),
        (Mood::Floods, false),
        (Mood::Down, true),
    ] {
        set(mood);
        let before = remote.asked.load(Ordering::SeqCst);
        let error = signer.sign(b"message").await.unwrap_err();
        assert!(is_unavailable(&error), "{mood:?}");
        let asked = remote.asked.load(Ordering::SeqCst) - before;
        assert!(
            asked == 1 || again && (2..=3).contains(&asked),
            "{mood:?}: {asked}"
        );
    }
    // A repeated question keeps its name, another one has another.
    config.timeout_ms = 20_000;
    let signer = open(&external(&config)).unwrap();
    remote.asked.store(0, Ordering::SeqCst);
    remote.ids.lock().unwrap().clear();
    set(Mood::Flaky);
    signer.sign(b"message").await.unwrap();
    set(Mood::Signs);
    signer.sign(b"message").await.unwrap();
    let ids = remote.ids.lock().unwrap().clone();
    assert_eq!(ids.len(), 4);
    assert!(ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3]);
}

#[tokio::test]
async fn a_signer_that_hangs_keeps_nobody_longer_than_its_time() {
    let ((remote, address), folder) = (remote().await, tempfile::tempdir().unwrap());
    let mut config = config(&folder, &remote, address);
    config.timeout_ms = 200;
    let signer = open(&external(&config)).unwrap();
    *remote.mood.lock().unwrap() = Mood::Hangs;
    let began = Instant::now();
    let mut waiting = JoinSet::new();
    for _ in 0..20 {
        let signer = Arc::clone(&signer);
        waiting.spawn(async move { signer.sign(b"message").await.is_err() });
    }
    assert!(waiting.join_all().await.into_iter().all(|failed| failed));
    // Those that waited for a place waited no longer.
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(remote.asked.load(Ordering::SeqCst) < 20);
}

#[tokio::test]
async fn few_questions_are_open_at_once() {
    let ((remote, address), folder) = (remote().await, tempfile::tempdir().unwrap());
    let mut config = config(&folder, &remote, address);
    config.timeout_ms = 30_000;
    let signer = open(&external(&config)).unwrap();
    let mut waiting = JoinSet::new();
    for _ in 0..100 {
        let signer = Arc::clone(&signer);
        waiting.spawn(async move { signer.sign(b"message").await.is_ok() });
    }
    assert!(waiting.join_all().await.into_iter().all(|signed| signed));
    assert!(remote.most_at_once.load(Ordering::SeqCst) <= 4);
}

#[tokio::test]
async fn wrong_settings_of_an_external_signer_are_refused() {
    let ((remote, address), folder) = (remote().await, tempfile::tempdir().unwrap());
    let good = config(&folder, &remote, address);
    let refused = |config: &ExternalConfig| open(&external(config)).err().unwrap();
    let change = |change: fn(&mut ExternalConfig)| {
        let mut config = good.clone();
        change(&mut config);
        config
    };
    assert!(matches!(
        refused(&change(|config| config.timeout_ms = 30_001)),
        OpenSignerError::Setting(_)
    ));
    // The private network is closed unless it is named.
    for url in [
        "http://signer.example/",
        "https://10.0.0.1/",
        "file:///etc/passwd",
    ] {
        let mut config = good.clone();
        config.url = url.into();
        assert!(
            matches!(refused(&config), OpenSignerError::Fetch(_)),
            "{url}"
        );
    }
    let mut config = good.clone();
    config.secret_file = write(&folder, "bad", "whsec_c2hvcnQ=");
    assert!(matches!(refused(&config), OpenSignerError::Secret));
    let mut config = good.clone();
    config.public_key_file = config.secret_file.clone();
    assert!(matches!(refused(&config), OpenSignerError::PublicKey));
    let key = remote.key.to_pkcs8_pem();
    let mut both = external(&good);
    both.key = Some(&key);
    assert!(matches!(open(&both), Err(OpenSignerError::Place)));
}

#[tokio::test]
async fn a_key_file_has_a_passphrase_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let key = SigningKey::generate(Algorithm::EdDsa, &OsRandom);
    let words = write(&folder, "words", "correct horse battery staple\n");
    let passphrase = Passphrase::from_file(&words).unwrap();
    let sealed = encrypted::encrypt(&key.to_pkcs8_der(), &passphrase, &OsRandom).unwrap();
    let file = write(&folder, "key.pem", &sealed);
    let with = Place {
        key_file: Some(&file),
        passphrase_file: Some(&words),
        ..NOWHERE
    };
    let signer = open(&with).unwrap();
    assert_eq!(signer.public_key(), key.public_key());
    let without = Place {
        passphrase_file: None,
        ..with
    };
    assert!(matches!(open(&without), Err(OpenSignerError::NoPassphrase)));
    let unset = Place {
        passphrase_environment: Some("VOUCHSAFE_NOT_SET_ANYWHERE"),
        ..without
    };
    assert!(matches!(open(&unset), Err(OpenSignerError::NoPassphrase)));
    let other = write(&folder, "other", "correct horse battery stable");
    let wrong = Place {
        passphrase_file: Some(&other),
        ..with
    };
    let error = open(&wrong).err().unwrap();
    assert!(matches!(
        error,
        OpenSignerError::Encrypted(EncryptedKeyError::Passphrase)
    ));
    let plain = write(&folder, "plain.pem", &key.to_pkcs8_pem());
    let believed = Place {
        key_file: Some(&plain),
        ..with
    };
    assert!(matches!(
        open(&believed),
        Err(OpenSignerError::NotEncrypted)
    ));
    assert!(matches!(open(&NOWHERE), Err(OpenSignerError::Place)));
    // Who may read the passphrase may read the key.
    std::fs::set_permissions(&words, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(
        open(&with),
        Err(OpenSignerError::File(KeyError::Exposed { .. }))
    ));
}
