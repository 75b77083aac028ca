//! What the endpoints refuse, and one way through each.

use std::sync::Arc;

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

/// No list can be had.
struct NoLists;

#[async_trait::async_trait]
impl StatusListSource for NoLists {
    async fn fetch(&self, _: &str) -> Result<FetchedList, RetrievalError> {
        Err(RetrievalError("no network here".into()))
    }
}

struct Harness {
    router: Router,
    db: Db,
    issuers: Vec<String>,
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
    format!(
        "enabled = true\n{extra}
[[identity]]
cryptosuites = ['eddsa-jcs-2022']
key = '''{ed25519}'''
[[identity]]
cryptosuites = ['ecdsa-jcs-2019']
key = '''{p256}'''
"
    )
}

impl Harness {
    fn new(db: Db, extra: &str) -> Self {
        let config: VcApiConfig = parse(&configuration(extra)).unwrap();
        let http: HttpConfig =
            parse("listen = '127.0.0.1:1'\npublic_url = 'https://issuer.example'").unwrap();
        let clock = Arc::new(FixedClock::new(NOW));
        let rng = Arc::new(SeededRng::new(7));
        let ports = Ports {
            db: db.clone(),
            clock: clock.clone(),
            rng: rng.clone(),
            crypto: Arc::new(AwsLc),
            ids: Ids::new(clock, rng),
            outbound: Outbound {
                resolver: Arc::new(LocalResolver),
                status_lists: Arc::new(NoLists),
            },
        };
        let api = VcApi::open(&config, &http, ports).unwrap().unwrap();
        Self {
            router: api.router(),
            issuers: api.issuers().map(str::to_owned).collect(),
            db,
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
