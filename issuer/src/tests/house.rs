//! Several issuers in one process: nothing of one is within reach of another.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use tower::ServiceExt;
use vouchsafe_credentials::crypto::{Algorithm, AwsLc, SigningKey};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::testing::{FixedClock, SeededRng};
use vouchsafe_credentials::time::Clock;
use vouchsafe_protocol::vci::proof::{self, ProofFor};
use vouchsafe_service::db::{Db, execute, testing};
use vouchsafe_service::tenant::Tenant;

use super::harness::{
    Answer, Harness, ISSUER, NOW, PRE_AUTHORIZED, REDIRECT, WALLET, config_text, offer_body,
};
use crate::instance::{InstanceError, move_to};
use crate::{Config, House, Issuer, OpenError, Ports};

pub(super) const GYM: &str = "https://gym.example";
const SECRET: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";

pub(super) fn pem(seed: u64) -> String {
    let key = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(seed));
    key.to_pkcs8_pem().to_string()
}

/// The configuration of a tenant with a secret and a key of its own.
pub(super) fn tenant_text(url: &str, seed: u64, database: &str) -> String {
    let secret: Vec<u8> = (0..32u64).map(|n| (n * n * seed + 7 * n) as u8).collect();
    config_text("")
        .replace(ISSUER, url)
        .replace(SECRET, &b64url(&secret))
        .replace(&pem(99), &pem(seed))
        .replace("sqlite:unused.db", database)
}

fn parse(text: &str) -> Config {
    vouchsafe_service::config::parse(text).unwrap()
}

pub(super) fn named(name: &str, text: &str) -> (Tenant, Config) {
    (Tenant::parse(name).unwrap(), parse(text))
}

pub(super) fn ports() -> (Ports, Arc<FixedClock>, Arc<SeededRng>) {
    let (clock, rng) = (Arc::new(FixedClock::new(NOW)), Arc::new(SeededRng::new(7)));
    let ports = Ports {
        clock: clock.clone(),
        rng: rng.clone(),
        crypto: Arc::new(AwsLc),
    };
    (ports, clock, rng)
}

/// A club and a gym behind one listener.
struct Two {
    router: Router,
    club: Harness,
    gym: Harness,
    databases: [String; 2],
}

impl Two {
    async fn open(databases: [String; 2]) -> Self {
        let (ports, clock, rng) = ports();
        let tenants = vec![
            named("club", &tenant_text(ISSUER, 3, &databases[0])),
            named("gym", &tenant_text(GYM, 5, &databases[1])),
        ];
        let house = House::of(tenants, &ports).await.unwrap();
        let mut harnesses = Vec::new();
        for (_, issuer) in house.residents() {
            harnesses.push(Harness {
                key: issuer.create_api_key("tests").await.unwrap(),
                router: issuer.router(),
                issuer: issuer.clone(),
                clock: clock.clone(),
                rng: rng.clone(),
            });
        }
        let gym = harnesses.pop().unwrap();
        let club = harnesses.pop().unwrap();
        Self {
            router: house.router(),
            club,
            gym,
            databases,
        }
    }

    /// Through the one listener.
    async fn send(&self, host: &str, request: axum::http::request::Builder, body: &str) -> Answer {
        let request = request.header("host", host);
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 4 << 20).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    async fn get(&self, host: &str, path: &str) -> Answer {
        self.send(host, Request::get(path), "").await
    }
}

/// A database each, and on PostgreSQL a schema each of one database.
async fn everywhere<F: AsyncFn(Two)>(test: F) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    test(Two::open([file("club.db"), file("gym.db")]).await).await;
    if let Some(url) = testing::postgres_url().await {
        let db = Db::open(&url).await.unwrap();
        execute!(db, sqlx::query("CREATE SCHEMA gym")).unwrap();
        let gym = format!("{url}?options[search_path]=gym");
        test(Two::open([url, gym]).await).await;
    }
}

#[tokio::test]
async fn a_request_reaches_the_issuer_that_it_names_and_no_other() {
    everywhere(async |two| {
        let metadata = "/.well-known/openid-credential-issuer";
        for (host, url) in [("issuer.example", ISSUER), ("gym.example:443", GYM)] {
            let answer = two.get(host, metadata).await;
            assert_eq!(answer.json()["credential_issuer"], url);
        }
        // RFC 9110, section 15.5.20.
        for path in [metadata, "/", "/v1/offers", "/token", "/openapi.json"] {
            for host in [
                "unknown.example",
                "127.0.0.1:8702",
                "issuer.example.evil.example",
            ] {
                let answer = two.get(host, path).await;
                assert_eq!(
                    answer.error(),
                    (421, "misdirected_request".to_owned()),
                    "{host} {path}"
                );
            }
        }
        let answer = two
            .send("unknown.example", Request::post("/token"), "")
            .await;
        assert_eq!(answer.status, 421);
        let nobody = Request::get(metadata).body(Body::empty()).unwrap();
        assert_eq!(
            two.router.clone().oneshot(nobody).await.unwrap().status(),
            400
        );
        // Who watches the process asks under any name.
        for path in ["/healthz", "/readyz"] {
            assert_eq!(two.get("10.0.0.7:8702", path).await.status, 200);
            assert_eq!(two.get("gym.example", path).await.status, 200);
        }
    })
    .await;
}

/// Everything that the club has an id for.
async fn furnish(club: &Harness) -> Vec<String> {
    let offer = club.offer(json!({ "record_id": "CANARY-RECORD" })).await;
    club.issue(&club.holder(1)).await;
    let held = club.offer(json!({ "hold": true })).await;
    let hook = json!({ "url": "https://canary.example/hook", "events": [] }).to_string();
    let hook = club.admin_post("/v1/webhooks", &hook, &[]).await;
    assert_eq!(hook.status, 201, "{}", hook.text);
    let hook = hook.json()["id"].as_str().unwrap().to_owned();
    club.offer(json!({})).await;
    let path = format!("/v1/webhooks/{hook}/deliveries");
    let deliveries = club.admin_get(&path).await.json();
    let credential = club.newest().await["id"].as_str().unwrap().to_owned();
    let job = club
        .admin_post("/v1/status-jobs", &suspend_all().to_string(), &[])
        .await;
    assert_eq!(job.status, 202, "{}", job.text);
    let job = job.json()["id"].as_str().unwrap().to_owned();
    let mut ids = vec![credential, hook, job];
    for offer in [offer, held] {
        ids.push(offer["id"].as_str().unwrap().to_owned());
    }
    ids.extend(
        deliveries["items"][0]["message_id"]
            .as_str()
            .map(str::to_owned),
    );
    ids
}

/// A change of every membership card.
fn suspend_all() -> Value {
    json!({
        "action": "suspend",
        "filter": { "credential_type": "membership" },
        "reason": "drill",
    })
}

fn body_of(operation: &str) -> String {
    match operation {
        "create_status_job" => suspend_all().to_string(),
        "create_offer" => offer_body().to_string(),
        "create_webhook" => json!({ "url": "https://hook.example/", "events": [] }).to_string(),
        "create_offer_batch" => json!([]).to_string(),
        "put_credential_type" | "renew_credential" | "expire_credential" => "{}".to_owned(),
        "supersede_credential" => {
            json!({ "by": "01900000-0000-7000-8000-000000000001" }).to_string()
        }
        _ => String::new(),
    }
}

#[tokio::test]
async fn cat_391_no_route_shows_anything_of_one_tenant_to_a_key_of_another() {
    everywhere(async |two| {
        let ids = furnish(&two.club).await;
        assert!(ids.len() >= 4);
        let own = two.gym.offer(json!({})).await["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let api = serde_json::to_value(crate::handlers::openapi::document()).unwrap();
        let unknown = "01900000-0000-7000-8000-000000000000";
        let mut asked = 0;
        for (path, methods) in api["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let name = operation["operationId"].as_str().unwrap();
                if operation["security"] != json!([{ "api_key": [] }]) {
                    // Where a client of the interface gets its token it has none yet.
                    assert_eq!(name, "create_access_token");
                    continue;
                }
                let ask = async |host: &str, id: &str, other: &str| {
                    let path = path.replace("{id}", id).replace("{message}", other);
                    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                    let request = Request::builder()
                        .method(method)
                        .uri(path)
                        .header("authorization", format!("Bearer {}", two.gym.key))
                        .header("content-type", "application/json")
                        .header("if-match", "\"1\"");
                    let answer = two.send(host, request, &body_of(name)).await;
                    (answer.status.as_u16(), answer.text)
                };
                // At the other tenant the key is no key, whatever is asked for.
                let refused = ask("issuer.example", unknown, unknown).await;
                assert_eq!(refused.0, 401, "{name}: {}", refused.1);
                // At its own, ids of the other tenant are ids of nothing.
                let nothing = ask("gym.example", unknown, unknown).await;
                for id in &ids {
                    assert_eq!(ask("issuer.example", id, id).await, refused, "{name} {id}");
                    if !path.contains('{') {
                        continue;
                    }
                    let (status, text) = ask("gym.example", id, id).await;
                    let same = text.replace(id.as_str(), unknown);
                    assert_eq!((status, same), nothing.clone(), "{name} {id}");
                    assert!(status >= 400, "{name}: {status}");
                    asked += 1;
                }
                // What is listed is the gym's alone.
                for id in ids.iter().map(String::as_str).chain(["CANARY", "canary"]) {
                    assert!(!nothing.1.contains(id), "{name}: {}", nothing.1);
                }
            }
        }
        assert!(asked > 50, "{asked}");
        // No count leaks: the gym sees its own offer, and what the matrix made.
        let listed = two.gym.admin_get("/v1/offers").await.json();
        let listed = listed["items"].as_array().unwrap();
        assert!(listed.iter().any(|offer| offer["id"] == own.as_str()));
        assert_eq!(
            two.gym.admin_get("/v1/credentials").await.json()["items"],
            json!([])
        );
        // And the club is as it was.
        assert_eq!(two.club.newest().await["status"], "valid");
        let listed = two.club.admin_get("/v1/offers").await.json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 4);
    })
    .await;
}

async fn token(two: &Two, host: &str, code: &str) -> Answer {
    let fields = [
        ("grant_type", PRE_AUTHORIZED),
        ("pre-authorized_code", code),
    ];
    let request =
        Request::post("/token").header("content-type", "application/x-www-form-urlencoded");
    let body = serde_urlencoded::to_string(fields).unwrap();
    two.send(host, request, &body).await
}

#[tokio::test]
async fn cat_232_a_code_of_another_tenant_is_like_no_code() {
    everywhere(async |two| {
        let offer = two.club.offer(json!({})).await;
        let code = two.club.code(&offer).await;
        let foreign = token(&two, "gym.example", &code).await;
        let unknown = token(&two, "gym.example", &b64url(&[9; 32])).await;
        assert_eq!(foreign.error(), (400, "invalid_grant".to_owned()));
        assert_eq!(foreign.text, unknown.text);
        // It was not used up by that.
        assert_eq!(token(&two, "issuer.example", &code).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn cat_245_an_issuer_state_of_another_tenant_authenticates_nobody() {
    everywhere(async |two| {
        let offer = two
            .club
            .offer(json!({ "grant": "authorization_code" }))
            .await;
        let object = two.club.offer_object(&offer).await;
        let state = object["grants"]["authorization_code"]["issuer_state"]
            .as_str()
            .unwrap();
        let ask = async |host: &str, state: &str| {
            let query = serde_urlencoded::to_string([
                ("response_type", "code"),
                ("client_id", WALLET),
                ("redirect_uri", REDIRECT),
                ("scope", "membership"),
                (
                    "code_challenge",
                    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                ),
                ("code_challenge_method", "S256"),
                ("issuer_state", state),
            ]);
            let answer = two
                .get(host, &format!("/authorize?{}", query.unwrap()))
                .await;
            (answer.status.as_u16(), answer.header("location").to_owned())
        };
        assert_eq!(ask("issuer.example", state).await.0, 200);
        let foreign = ask("gym.example", state).await;
        assert!(foreign.1.contains("error=invalid_request"), "{foreign:?}");
        assert_eq!(foreign, ask("gym.example", "forged").await);
    })
    .await;
}

#[tokio::test]
async fn cat_247_an_access_token_of_another_tenant_is_no_token() {
    everywhere(async |two| {
        let foreign = two.club.token().await;
        let ask = async |token: &str| {
            let request = Request::post("/credential")
                .header("content-type", "application/json")
                .header("authorization", format!("Bearer {token}"));
            let body =
                json!({ "credential_configuration_id": "membership", "proofs": { "jwt": ["x"] } });
            two.send("gym.example", request, &body.to_string()).await
        };
        let answer = ask(&foreign).await;
        assert_eq!(answer.error(), (401, "invalid_token".to_owned()));
        assert_eq!(answer.text, ask(&b64url(&[9; 32])).await.text);
        // At home it is good.
        two.club.issue_with(&foreign, &two.club.holder(1)).await;
    })
    .await;
}

#[tokio::test]
async fn cat_259_a_nonce_of_another_tenant_is_no_nonce() {
    everywhere(async |two| {
        let offer = two.gym.offer(json!({})).await;
        let object = two.gym.get(
            offer["credential_offer_uri"]
                .as_str()
                .unwrap()
                .strip_prefix(GYM)
                .unwrap(),
        );
        let object = object.await.json();
        let code = object["grants"][PRE_AUTHORIZED]["pre-authorized_code"]
            .as_str()
            .unwrap();
        let token = token(&two, "gym.example", code).await.json()["access_token"]
            .as_str()
            .unwrap()
            .to_owned();
        let ask = async |nonce: &str| {
            let request = ProofFor {
                issuer: GYM,
                client_id: None,
                nonce: Some(nonce),
            };
            let key = two.gym.holder(1);
            let proof = proof::build(&request, &key, two.gym.clock.now())
                .await
                .unwrap();
            two.gym.credential(&token, &[proof]).await
        };
        let (foreign, own) = (two.club.nonce().await, two.gym.nonce().await);
        assert_eq!(
            ask(&foreign).await.error(),
            (400, "invalid_nonce".to_owned())
        );
        assert_eq!(ask(&own).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn cat_394_the_same_idempotency_key_at_two_tenants_is_two_keys() {
    everywhere(async |two| {
        let headers = [("idempotency-key", "the-same")];
        let body = offer_body().to_string();
        let one = two.club.admin_post("/v1/offers", &body, &headers).await;
        let other = two.gym.admin_post("/v1/offers", &body, &headers).await;
        assert_eq!((one.status.as_u16(), other.status.as_u16()), (201, 201));
        assert_ne!(one.json()["id"], other.json()["id"]);
        let again = two.club.admin_post("/v1/offers", &body, &headers).await;
        assert_eq!(again.text, one.text);
    })
    .await;
}

#[tokio::test]
async fn cat_430_rows_that_were_exchanged_between_tenants_do_not_open() {
    everywhere(async |two| {
        let (club, gym) = (two.club.offer(json!({})).await, two.gym.offer(json!({})).await);
        let sealed = async |h: &Harness, offer: &Value| {
            let db = &h.issuer.core().db;
            let id = offer["id"].as_str().unwrap();
            vouchsafe_service::db::each!(db, p => sqlx::query_scalar::<_, Vec<u8>>(
                "SELECT claims_sealed FROM issuer_offers WHERE id = $1").bind(id).fetch_one(p).await)
            .unwrap()
        };
        let (of_club, of_gym) = (sealed(&two.club, &club).await, sealed(&two.gym, &gym).await);
        for (h, offer, claims) in [(&two.club, &club, of_gym), (&two.gym, &gym, of_club)] {
            let db = &h.issuer.core().db;
            let id = offer["id"].as_str().unwrap();
            execute!(db, sqlx::query("UPDATE issuer_offers SET claims_sealed = $2 WHERE id = $1")
                .bind(id).bind(claims)).unwrap();
        }
        let url = gym["credential_offer_uri"].as_str().unwrap();
        let object = two.gym.get(url.strip_prefix(GYM).unwrap()).await.json();
        let code = object["grants"][PRE_AUTHORIZED]["pre-authorized_code"].as_str().unwrap();
        assert_eq!(token(&two, "gym.example", code).await.status, 500);
        let code = two.club.code(&club).await;
        assert_eq!(token(&two, "issuer.example", &code).await.status, 500);
    })
    .await;
}

#[tokio::test]
async fn a_status_list_of_one_tenant_is_not_there_at_another() {
    everywhere(async |two| {
        two.club.issue(&two.club.holder(1)).await;
        let uri = two.club.newest().await["status_list"]["uri"]
            .as_str()
            .unwrap()
            .to_owned();
        let path = uri.strip_prefix(ISSUER).unwrap();
        assert_eq!(two.get("issuer.example", path).await.status, 200);
        assert_eq!(two.get("gym.example", path).await.status, 404);
        assert_eq!(two.get("issuer.example", path).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn a_database_belongs_to_one_issuer_until_it_is_moved() {
    everywhere(async |two| {
        let (ports, ..) = ports();
        // The gym's configuration, and the club's database by mistake.
        let wrong = parse(&tenant_text(GYM, 5, &two.databases[0]));
        let error = Issuer::open(wrong.clone(), ports.clone()).await.err();
        let Some(OpenError::Instance(InstanceError::OtherIssuer { owner, here })) = error else {
            panic!("{error:?}");
        };
        assert_eq!((owner.as_str(), here.as_str()), (ISSUER, GYM));
        // The club gets another address: that is said once, and stands in its audit log.
        let moved = parse(&tenant_text("https://new.example", 3, &two.databases[0]));
        assert!(Issuer::open(moved.clone(), ports.clone()).await.is_err());
        let error = move_to(&moved, &ports, GYM).await.err();
        assert!(
            matches!(error, Some(InstanceError::NotConfigured { .. })),
            "{error:?}"
        );
        let before = move_to(&moved, &ports, "https://new.example/")
            .await
            .unwrap();
        assert_eq!(before, ISSUER);
        let issuer = Issuer::open(moved, ports.clone()).await.unwrap();
        assert!(issuer.verify_audit(None).await.unwrap().is_ok());
        let log = two.club.admin_get("/v1/audit").await.json();
        assert_eq!(log["items"][0]["action"], "issuer.move", "{log}");
        let old = parse(&tenant_text(ISSUER, 3, &two.databases[0]));
        assert!(Issuer::open(old, ports).await.is_err());
    })
    .await;
}

#[test]
fn a_file_names_tenants_by_files_and_folders() {
    use crate::house::Hosted;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let write = |name: &str, text: &str| std::fs::write(at(name), text).unwrap();
    let listen = "[http]\nlisten = \"127.0.0.1:0\"\n";
    std::fs::create_dir(at("more")).unwrap();
    write("club.toml", &tenant_text(ISSUER, 3, "sqlite:club.db"));
    write("more/gym.toml", &tenant_text(GYM, 5, "sqlite:gym.db"));
    write("more/readme.txt", "not a configuration");
    let tenants = |text: &str| {
        write("house.toml", text);
        match Hosted::load(&at("house.toml"), "VOUCHSAFE_NOBODY_").unwrap() {
            Hosted::One(_) => panic!("one"),
            Hosted::Several(config) => {
                let tenants = config.tenants(&at("house.toml"));
                tenants.map(|all| {
                    all.iter()
                        .map(|(name, _)| name.to_string())
                        .collect::<Vec<_>>()
                })
            }
        }
    };
    let two =
        format!("{listen}[[tenant]]\nconfig = \"club.toml\"\n[[tenant]]\nconfig = \"more\"\n");
    assert_eq!(tenants(&two).unwrap(), ["club", "gym"]);
    let named = format!("{listen}[[tenant]]\nconfig = \"club.toml\"\nname = \"first\"\n");
    assert_eq!(tenants(&named).unwrap(), ["first"]);
    for bad in [
        format!("tenant = []\n{listen}"),
        two.replace("more", "nowhere.toml"),
        two.replace("\"more\"", "\"club.toml\""),
        named.replace("first", "The First"),
        two.replace("config = \"more\"", "config = \"more\"\nname = \"x\""),
        two.replace("127.0.0.1:0", "127.0.0.1:1"),
    ] {
        assert!(tenants(&bad).is_err(), "{bad}");
    }
    let one = Hosted::load(&at("club.toml"), "VOUCHSAFE_NOBODY_").unwrap();
    assert!(matches!(one, Hosted::One(_)));
}
