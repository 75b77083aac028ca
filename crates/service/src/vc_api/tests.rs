//! What the endpoints refuse, and one way through each.

mod issuing;
mod log;
mod names;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;
use vouchsafe_credentials::bitstring_status_list::{FetchedList, RetrievalError, StatusListSource};
use vouchsafe_credentials::crypto::{Algorithm, AwsLc, SigningKey};
use vouchsafe_credentials::did::LocalResolver;
use vouchsafe_credentials::testing::{FixedClock, SeededRng};
use vouchsafe_credentials::time::UnixTime;

use super::{ISSUE, Outbound, Ports, VERIFY, VcApi, VcApiConfig};
use crate::api_keys::{self, ApiKeySecret, NewApiKey};
use crate::config::{HttpConfig, parse};
use crate::db::Db;
use crate::db::testing::for_each_database;
use crate::id::Ids;

const NOW: UnixTime = UnixTime(1_800_000_000);

/// What a list's host answers, and how often it was asked.
#[derive(Default)]
struct Lists {
    answer: Mutex<Option<FetchedList>>,
    asked: AtomicUsize,
}

#[async_trait::async_trait]
impl StatusListSource for Lists {
    async fn fetch(&self, _: &str) -> Result<FetchedList, RetrievalError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answer.lock().unwrap().clone();
        answer.ok_or_else(|| RetrievalError("no network here".into()))
    }
}

struct Harness {
    router: Router,
    api: VcApi,
    clock: Arc<FixedClock>,
    db: Db,
    issuers: Vec<String>,
    lists: Arc<Lists>,
}

/// An answer.
struct Answer {
    status: u16,
    body: Value,
}

impl Answer {
    fn refused(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }
}

fn key(algorithm: Algorithm, seed: u64) -> String {
    let key = SigningKey::generate(algorithm, &SeededRng::new(seed));
    key.to_pkcs8_pem().to_string()
}

fn configuration(extra: &str) -> String {
    let ed25519 = key(Algorithm::EdDsa, 1);
    let p256 = key(Algorithm::Es256, 2);
    let with_status = key(Algorithm::EdDsa, 3);
    format!(
        "enabled = true\n{extra}
[[identity]]
cryptosuites = ['eddsa-jcs-2022']
key = '''{ed25519}'''
[[identity]]
cryptosuites = ['ecdsa-jcs-2019']
key = '''{p256}'''
[[identity]]
cryptosuites = ['eddsa-rdfc-2022']
key = '''{with_status}'''
status = true
"
    )
}

impl Harness {
    fn new(db: Db, extra: &str) -> Self {
        Self::reached_at(db, extra, "https://localhost")
    }

    fn reached_at(db: Db, extra: &str, url: &str) -> Self {
        Self::with(db, &configuration(extra), url)
    }

    fn with(db: Db, text: &str, url: &str) -> Self {
        let config: VcApiConfig = parse(text).unwrap();
        let http = format!("listen = '127.0.0.1:1'\npublic_url = '{url}'");
        let http: HttpConfig = parse(&http).unwrap();
        let clock = Arc::new(FixedClock::new(NOW));
        let rng = Arc::new(SeededRng::new(7));
        let lists = Arc::new(Lists::default());
        let ports = Ports {
            db: db.clone(),
            audit: log::key(),
            clock: clock.clone(),
            rng: rng.clone(),
            crypto: Arc::new(AwsLc),
            ids: Ids::new(clock.clone(), rng),
            outbound: Outbound {
                resolver: Arc::new(LocalResolver),
                identifiers: Arc::new(LocalResolver),
                status_lists: lists.clone(),
            },
        };
        let api = VcApi::open(&config, &http, ports).unwrap().unwrap();
        Self {
            router: api.router(),
            api: api.clone(),
            clock: clock.clone(),
            issuers: api.issuers().map(str::to_owned).collect(),
            db,
            lists,
        }
    }

    async fn issue(&self, credential: &Value) -> Value {
        let answer = self
            .post("/credentials/issue", &json!({"credential": credential}))
            .await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body["verifiableCredential"].clone()
    }

    /// Status and code of a verification.
    async fn verify(&self, secured: &Value) -> (u16, String) {
        let body = json!({"verifiableCredential": secured});
        let answer = self.post("/credentials/verify", &body).await;
        let (status, code) = answer.refused();
        (status, code.to_owned())
    }

    async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 8 << 20)
            .await
            .unwrap();
        Answer {
            status,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    async fn key(&self, scopes: &[&str]) -> String {
        let secret = ApiKeySecret::generate(&SeededRng::new(scopes.len() as u64 + 40));
        let text = secret.expose().to_owned();
        let key = NewApiKey {
            id: scopes.join("+"),
            name: "tests".into(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            created_at: NOW,
            expires_at: None,
        };
        let insert = async move |tx: &mut crate::db::Tx| api_keys::insert(tx, &key, &secret).await;
        self.db.write(insert).await.unwrap();
        text
    }

    async fn raw(&self, path: &str, key: &str, kind: &str, body: Vec<u8>) -> Answer {
        let mut request = Request::post(path).header("content-type", kind);
        if !key.is_empty() {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let request = request.body(Body::from(body)).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 8 << 20)
            .await
            .unwrap();
        Answer {
            status,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        let body = body.to_string().into_bytes();
        self.raw(path, "", "application/json", body).await
    }
}

fn credential(issuer: &str) -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": issuer,
        "credentialSubject": {"id": "did:example:subject", "name": "canary-of-the-vc-api"}
    })
}

const ENDPOINTS: [&str; 5] = [
    "/credentials/issue",
    "/credentials/derive",
    "/credentials/status",
    "/credentials/verify",
    "/presentations/verify",
];

#[tokio::test]
async fn no_endpoint_answers_without_a_key_of_its_scope() {
    for_each_database(&[], async |db| {
        let harness = Harness::new(db, "");
        let issue = harness.key(&[ISSUE]).await;
        let verify = harness.key(&[VERIFY, "x"]).await;
        for path in ENDPOINTS {
            let send = async |key: &str| {
                let answer = harness
                    .raw(path, key, "application/json", b"{}".to_vec())
                    .await;
                (
                    answer.status,
                    answer.body["code"].as_str().unwrap_or("").to_owned(),
                )
            };
            for wrong in ["", "vsk_nobody", "x"] {
                assert_eq!(send(wrong).await, (401, "unauthorized".into()), "{path}");
            }
            let (right, other) = match path.ends_with("verify") {
                true => (&verify, &issue),
                false => (&issue, &verify),
            };
            assert_eq!(send(other).await, (403, "forbidden".into()), "{path}");
            // The right key comes through to the body, which is wrong.
            assert_eq!(send(right).await, (400, "invalid_members".into()), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_not_a_request_is_refused_before_anything_is_looked_at() {
    for_each_database(&[], async |db| {
        let harness = Harness::new(db, "open = true");
        for path in ENDPOINTS {
            let send = async |kind: &str, body: Vec<u8>| {
                let answer = harness.raw(path, "", kind, body).await;
                let (status, code) = answer.refused();
                (status, code.to_owned())
            };
            let json = "application/json";
            let large = vec![b' '; 2 * 1024 * 1024];
            let deep = [vec![b'['; 40], vec![b']'; 40]].concat();
            assert_eq!(send(json, large).await, (413, "too_large".into()), "{path}");
            assert_eq!(
                send(json, deep).await,
                (400, "invalid_json".into()),
                "{path}"
            );
            assert_eq!(
                send(json, b"{".to_vec()).await,
                (400, "invalid_json".into())
            );
            let twice = br#"{"credential":1,"credential":2}"#.to_vec();
            assert_eq!(
                send(json, twice).await,
                (400, "invalid_json".into()),
                "{path}"
            );
            let unknown = br#"{"unknown":1}"#.to_vec();
            assert_eq!(
                send(json, unknown).await,
                (400, "invalid_members".into()),
                "{path}"
            );
            let other = send("text/plain", b"{}".to_vec()).await;
            assert_eq!(other, (415, "unsupported_media_type".into()), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_service_signs_in_no_name_but_its_own() {
    for_each_database(&[], async |db| {
        let harness = Harness::new(db, "open = true");
        let issue = async |credential: Value, options: Value| {
            let body = json!({"credential": credential, "options": options});
            let answer = harness.post("/credentials/issue", &body).await;
            let (status, code) = answer.refused();
            (status, code.to_owned())
        };
        let own = &harness.issuers[0];
        let other = credential("did:example:somebody");
        assert_eq!(
            issue(other, json!({})).await,
            (400, "issuer_unknown".into())
        );
        for issuer in [
            json!(null),
            json!({}),
            json!({"id": null}),
            json!(7),
            json!([own]),
        ] {
            let mut without = credential(own);
            without["issuer"] = issuer;
            assert_eq!(
                issue(without, json!({})).await,
                (400, "issuer_missing".into())
            );
        }
        for none in [json!(null), json!("x"), json!([]), json!({})] {
            assert_eq!(issue(none, json!({})).await, (400, "issuer_missing".into()));
        }
        let another = json!({"cryptosuite": "ecdsa-jcs-2019"});
        let refused = issue(credential(own), another).await;
        assert_eq!(refused, (400, "cryptosuite_unknown".into()));
        let pointers = json!({"mandatoryPointers": ["/issuer"]});
        let refused = issue(credential(own), pointers).await;
        assert_eq!(refused, (400, "proof_options".into()));
        let many = json!({"mandatoryPointers": vec!["/issuer"; 300]});
        let refused = issue(credential(own), many).await;
        assert_eq!(refused, (400, "too_many_pointers".into()));
    })
    .await;
}

#[tokio::test]
async fn refusals_say_false_and_why_with_a_type_of_the_specifications() {
    for_each_database(&[], async |db| {
        let harness = Harness::new(db, "open = true");
        let body = json!({"verifiableCredential": credential("did:example:somebody")});
        let answer = harness.post("/credentials/verify", &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST.as_u16());
        assert_eq!(answer.body["verified"], json!(false));
        let kind = answer.body["problemDetails"][0]["type"].as_str().unwrap();
        assert!(kind.starts_with("https://"), "{kind}");
        assert!(!answer.body.to_string().contains("canary-of-the-vc-api"));
    })
    .await;
}

#[tokio::test]
async fn what_was_issued_verifies_and_nothing_that_was_altered_does() {
    for_each_database(&[], async |db| {
        let harness = Harness::new(db, "open = true");
        for issuer in &harness.issuers[..2] {
            let secured = harness.issue(&credential(issuer)).await;
            assert_eq!(harness.verify(&secured).await, (200, String::new()));
            let mut altered = secured.clone();
            altered["credentialSubject"]["name"] = json!("another");
            assert_eq!(
                harness.verify(&altered).await,
                (400, "proof_signature".into())
            );
            let mut unsigned = secured.clone();
            unsigned.as_object_mut().unwrap().remove("proof");
            assert_eq!(
                harness.verify(&unsigned).await,
                (400, "proof_missing".into())
            );
            let mut purpose = secured.clone();
            purpose["proof"]["proofPurpose"] = json!("authentication");
            assert_eq!(
                harness.verify(&purpose).await,
                (400, "proof_purpose".into())
            );
        }
        for shape in [json!("x"), json!(null), json!([]), json!({}), json!(7)] {
            assert_eq!(harness.verify(&shape).await.0, 400, "{shape}");
            let body = json!({"verifiablePresentation": shape});
            assert_eq!(
                harness.post("/presentations/verify", &body).await.status,
                400
            );
            let body = json!({"verifiableCredential": shape});
            assert_eq!(harness.post("/credentials/derive", &body).await.status, 400);
        }
    })
    .await;
}

/// `ssi` 0.16 accepts a credential whose issuer is another than who signed it.
#[tokio::test]
async fn ssi_a_key_of_somebody_else_signs_for_no_issuer() {
    use vouchsafe_credentials::data_integrity::{
        EddsaJcs2022, ProofOptions, ProofPurpose, SuiteSigner, add_proof,
    };
    for_each_database(&[], async |db| {
        let harness = Harness::new(db, "open = true");
        let rng = SeededRng::new(11);
        let signer = SigningKey::generate(Algorithm::EdDsa, &rng);
        let key = super::IssuerKey::read(&signer.to_pkcs8_pem()).unwrap();
        let options = ProofOptions::new(key.verification_method(), ProofPurpose::AssertionMethod);
        let signer = SuiteSigner::Signature(&signer);
        for (issuer, code) in [
            (key.did(), ""),
            (harness.issuers[0].clone(), "issuer_mismatch"),
            ("https://vc.example/issuer".to_owned(), "issuer_mismatch"),
        ] {
            let document = credential(&issuer);
            let secured = add_proof(&document, &options, &EddsaJcs2022, signer, &rng).await;
            let (_, found) = harness.verify(&secured.unwrap()).await;
            assert_eq!(found, code, "{issuer}");
        }
    })
    .await;
}

/// `ssi` 0.16 ends the process at a status list of media type `application/statuslist+cwt`.
#[tokio::test]
async fn ssi_status_lists_of_other_kinds_are_refused_and_end_nothing() {
    for_each_database(&[], async |db| {
        let harness = Harness::new(db, "open = true");
        let mut document = credential(&harness.issuers[0]);
        let list = "https://status.example/lists/1";
        document["credentialStatus"] = json!({
            "type": "BitstringStatusListEntry", "statusPurpose": "revocation",
            "statusListIndex": "7", "statusListCredential": list
        });
        let secured = harness.issue(&document).await;
        for media_type in [
            "application/statuslist+cwt",
            "statuslist+cwt",
            "text/html",
            "",
        ] {
            *harness.lists.answer.lock().unwrap() = Some(FetchedList {
                media_type: media_type.to_owned(),
                body: vec![0xd2, 0x84, 0x40, 0xa0, 0x40, 0x40],
            });
            assert_eq!(harness.verify(&secured).await.0, 400, "{media_type}");
        }
        let asked = harness.lists.asked.load(Ordering::SeqCst);
        assert_eq!(asked, 4);
        for kind in [
            "TokenStatusListEntry",
            "StatusList2021Entry",
            "statuslist+cwt",
        ] {
            document["credentialStatus"]["type"] = json!(kind);
            let secured = harness.issue(&document).await;
            assert_eq!(harness.verify(&secured).await.0, 400, "{kind}");
        }
        assert_eq!(
            harness.lists.asked.load(Ordering::SeqCst),
            asked,
            "nobody was asked"
        );
    })
    .await;
}

/// `ssi` 0.16 asks private addresses over plain http for a did:web.
#[tokio::test]
async fn ssi_a_did_on_a_private_address_makes_no_request() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let outbound = Outbound::guarded(
        &VcApiConfig::default(),
        &crate::config::FetchConfig::default(),
        &crate::config::DevConfig::default(),
        Arc::new(FixedClock::new(NOW)),
    )
    .unwrap();
    let options = vouchsafe_credentials::did::ResolutionOptions::default();
    for host in [
        "127.0.0.1",
        "localhost",
        "a.localhost",
        "10.0.0.1",
        "169.254.169.254",
    ] {
        let did = format!("did:web:{host}%3A{port}");
        let resolution = outbound.resolver.resolve(&did, &options).await;
        assert!(resolution.active().is_err(), "{did}");
    }
    let url = format!("https://127.0.0.1:{port}/list");
    assert!(outbound.status_lists.fetch(&url).await.is_err());
    let error = listener.accept().unwrap_err();
    assert_eq!(
        error.kind(),
        std::io::ErrorKind::WouldBlock,
        "nobody called"
    );
}

#[tokio::test]
async fn a_status_can_be_looked_up_and_changed() {
    for_each_database(&[], async |db| {
        let harness = Harness::new(db, "open = true");
        let mut document = credential(&harness.issuers[2]);
        document["credentialSubject"] = json!({"id": "did:example:subject"});
        document["id"] = json!("urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33");
        let secured = harness.issue(&document).await;
        let entry = &secured["credentialStatus"];
        assert_eq!(entry["type"], "BitstringStatusListEntry");
        let url = entry["statusListCredential"].as_str().unwrap();
        let path = url.strip_prefix("https://localhost").unwrap().to_owned();
        let publish = async || {
            let list = harness.get(&path).await;
            assert_eq!(list.status, 200);
            *harness.lists.answer.lock().unwrap() = Some(FetchedList {
                media_type: "application/vc".to_owned(),
                body: list.body.to_string().into_bytes(),
            });
        };
        publish().await;
        assert_eq!(harness.verify(&secured).await, (200, String::new()));
        let change = async |id: &str, set: bool| {
            let body = json!({
                "credentialId": id, "status": set,
                "credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}
            });
            harness.post("/credentials/status", &body).await.status
        };
        assert_eq!(change("urn:uuid:nobody", true).await, 404);
        assert_eq!(change(document["id"].as_str().unwrap(), true).await, 200);
        publish().await;
        assert_eq!(harness.verify(&secured).await.0, 400);
        // Nothing takes it back.
        assert_eq!(change(document["id"].as_str().unwrap(), false).await, 400);
        publish().await;
        assert_eq!(
            harness.verify(&secured).await,
            (400, "status_revoked".into())
        );
        // The same id again: nobody could say later which of the two was meant.
        let body = json!({"credential": document});
        assert_eq!(harness.post("/credentials/issue", &body).await.status, 409);
        // A status that the caller brings would be one that we do not keep.
        document["credentialStatus"] = entry.clone();
        let body = json!({"credential": document});
        let refused = harness.post("/credentials/issue", &body).await;
        assert_eq!(refused.refused(), (400, "status_given"));
        assert_eq!(harness.get("/credentials/status/nobody").await.status, 404);
    })
    .await;
}

#[tokio::test]
async fn logs_hold_no_claims() {
    use tracing::instrument::WithSubscriber;
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let work = for_each_database(&[], async |db| {
        let harness = Harness::new(db, "open = true");
        let secured = harness.issue(&credential(&harness.issuers[0])).await;
        harness.verify(&secured).await;
        let mut altered = secured;
        altered["credentialSubject"]["more"] = json!("canary-of-the-vc-api");
        harness.verify(&altered).await;
        // What is logged is seen here.
        tracing::info!("planted-value");
    });
    work.with_subscriber(subscriber).await;
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("planted-value"));
    assert!(!text.contains("canary-of-the-vc-api"));
}
