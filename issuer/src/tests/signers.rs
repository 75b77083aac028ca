//! Keys that are not plain files: behind an external signer, under a passphrase.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};
use tempfile::TempDir;
use vouchsafe_credentials::crypto::{Algorithm, Signer as _, SigningKey};
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_service::db::testing::for_each_database;
use vouchsafe_service::http::{bind, serve};
use vouchsafe_service::random::OsRandom;
use vouchsafe_service::shutdown::{self, ShutdownTrigger};
use vouchsafe_service::signers::encrypted::{self, Passphrase};
use vouchsafe_service::tls::TlsConfig;
use vouchsafe_service::webhooks::WebhookSecret;

use super::harness::{Harness, config_text};
use crate::{Config, store};

/// A signer of the organisation over https, which can be taken down.
struct Remote {
    folder: TempDir,
    port: u16,
    up: Arc<AtomicBool>,
    public: SigningKey,
    _running: ShutdownTrigger,
}

#[derive(Clone)]
struct Served {
    key: Arc<SigningKey>,
    up: Arc<AtomicBool>,
}

async fn answer(State(served): State<Served>, body: String) -> Response {
    if !served.up.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let question: Value = serde_json::from_str(&body).unwrap();
    let data = b64url_decode(question["data"].as_str().unwrap()).unwrap();
    let signature = served.key.sign(&data).await.unwrap();
    axum::Json(json!({ "signature": b64url(&signature) })).into_response()
}

fn tls(folder: &TempDir) -> TlsConfig {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".into()]).unwrap();
    let leaf = leaf.signed_by(&key, &authority).unwrap();
    TlsConfig::from_pem(leaf.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap()
}

fn private(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

async fn remote() -> Remote {
    let folder = tempfile::tempdir().unwrap();
    let public = SigningKey::generate(Algorithm::Es256, &OsRandom);
    let key = SigningKey::from_pkcs8_der(&public.to_pkcs8_der()).unwrap();
    let up = Arc::new(AtomicBool::new(true));
    let served = Served {
        key: Arc::new(key),
        up: Arc::clone(&up),
    };
    let router = Router::new().route("/", post(answer)).with_state(served);
    let listener = bind(([127, 0, 0, 1], 0).into()).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (running, stop) = shutdown::channel();
    tokio::spawn(serve(listener, Some(tls(&folder)), router, stop));
    let pair = KeyPair::from_pem(&public.to_pkcs8_pem()).unwrap();
    private(&folder, "public.pem", &pair.public_key_pem());
    let secret = WebhookSecret::generate(&OsRandom).expose();
    private(&folder, "secret", &secret);
    Remote {
        folder,
        port,
        up,
        public,
        _running: running,
    }
}

impl Remote {
    fn config(&self) -> String {
        let (folder, port) = (self.folder.path().display(), self.port);
        with_signing(&format!(
            "[fetch]\nextra_ca = [\"{folder}/ca.pem\"]\n\
             allow = [{{ host = \"localhost\", ports = [{port}], private = true }}]\n\
             [signing]\nmethod = \"did_jwk\"\n\
             external = {{ url = \"https://localhost:{port}/\", key = \"cards\", \
             secret_file = \"{folder}/secret\", public_key_file = \"{folder}/public.pem\", \
             timeout_ms = 2000 }}\n"
        ))
    }
}

/// The configuration of the harness with another `[signing]`.
fn with_signing(signing: &str) -> String {
    let text = config_text("");
    let (from, to) = (
        text.find("[signing]").unwrap(),
        text.find("[[client]]").unwrap(),
    );
    format!("{}{signing}{}", &text[..from], &text[to..])
}

/// An issuer that cannot sign burns nothing: neither the offer, nor the token, nor the nonce, nor a
/// place in a list (security.md, K1 and K4).
#[tokio::test]
async fn cat_424_while_the_signer_is_down_nothing_is_used_up() {
    let remote = remote().await;
    let text = remote.config();
    for_each_database(&[store::MIGRATIONS], async |db| {
        let h = Harness::with_config(db, &text).await;
        assert_eq!(h.issuer_key(), *remote.public.public_key());
        let holder = h.holder(1);
        h.issue(&holder).await;

        remote.up.store(false, Ordering::SeqCst);
        let token = h.token().await;
        let nonce = h.nonce().await;
        let proofs = [h.proof(&holder, &nonce).await];
        for _ in 0..2 {
            let answer = h.credential(&token, &proofs).await;
            assert_eq!(answer.error(), (503, "temporarily_unavailable".into()));
            assert!(answer.header("retry-after").parse::<u32>().is_ok());
        }
        let listed = h.admin_get("/v1/credentials?limit=10").await.json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);

        // The same token, the same nonce.
        remote.up.store(true, Ordering::SeqCst);
        let answer = h.credential(&token, &proofs).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let listed = h.admin_get("/v1/credentials?limit=10").await.json();
        let items = listed["items"].as_array().unwrap();
        assert_eq!(items.len(), 2);
        let place = |n: usize| items[n]["status_list"]["idx"].as_u64().unwrap();
        assert_ne!(place(0), place(1));
        // And once: the nonce is used now.
        let again = h.credential(&token, &proofs).await;
        assert_eq!(again.error().0, 400);
    })
    .await;
}

/// Relying parties are told to come again; they do not get an older list.
#[tokio::test]
async fn a_list_that_cannot_be_signed_is_not_there_for_now() {
    let remote = remote().await;
    let database = vouchsafe_service::db::testing::sqlite(&[store::MIGRATIONS]).await;
    let h = Harness::with_config(database.db.clone(), &remote.config()).await;
    h.issue(&h.holder(1)).await;
    let uri = h.newest().await["status_list"]["uri"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = uri.strip_prefix(super::harness::ISSUER).unwrap();
    remote.up.store(false, Ordering::SeqCst);
    assert_eq!(
        h.get(path).await.error(),
        (503, "temporarily_unavailable".into())
    );
    remote.up.store(true, Ordering::SeqCst);
    assert_eq!(h.get(path).await.status, StatusCode::OK);
    // Metadata stay readable, unsigned.
    remote.up.store(false, Ordering::SeqCst);
    let metadata = h.get("/.well-known/openid-credential-issuer").await;
    assert_eq!(metadata.status, StatusCode::OK);
}

#[tokio::test]
async fn an_encrypted_key_signs_and_says_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let words = "correct horse battery staple".to_owned();
    let file = private(&folder, "words", &words);
    let key = SigningKey::generate(Algorithm::EdDsa, &OsRandom);
    let sealed = encrypted::encrypt(&key.to_pkcs8_der(), &Passphrase::from(words), &OsRandom);
    let key_file = private(&folder, "key.pem", &sealed.unwrap());
    let table = |more: &str| {
        let key_file = key_file.display();
        with_signing(&format!(
            "[signing]\nmethod = \"did_key\"\nkey_file = \"{key_file}\"\n{more}\n"
        ))
    };
    let good = table(&format!("key_passphrase_file = \"{}\"", file.display()));
    let database = vouchsafe_service::db::testing::sqlite(&[store::MIGRATIONS]).await;
    let h = Harness::with_config(database.db.clone(), &good).await;
    assert_eq!(h.issuer_key(), *key.public_key());
    h.issue(&h.holder(1)).await;

    let refused = |text: &str| {
        let config: Config = vouchsafe_service::config::parse(text).unwrap();
        config.signers(super::harness::NOW).unwrap_err().to_string()
    };
    assert!(refused(&table("")).contains("key_passphrase_file"));
    let unset = table("key_passphrase_environment = \"VOUCHSAFE_NOT_SET_ANYWHERE\"");
    assert!(refused(&unset).contains("key_passphrase"));
    std::fs::write(&file, "something else entirely").unwrap();
    assert!(refused(&good).contains("does not open"));
    let both = table(
        "external = { url = \"https://a.example/\", key = \"k\", secret_file = \"s\", public_key_file = \"p\" }",
    );
    assert!(refused(&both).contains("give one of"));
}

#[cfg(not(feature = "pkcs11"))]
#[test]
fn a_build_without_pkcs11_says_so() {
    let text = with_signing(
        "[signing]\nmethod = \"did_key\"\n\
         pkcs11 = { module = \"m.so\", token = \"t\", key = \"k\", pin_file = \"p\" }\n",
    );
    let config: Config = vouchsafe_service::config::parse(&text).unwrap();
    let error = config.signers(super::harness::NOW).unwrap_err().to_string();
    assert!(error.contains("pkcs11"));
}
