//! Resolution through real sockets: a canary on loopback that counts who calls it.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use vouchsafe_credentials::did::{
    Did, DidDocument, DidFetch, DidFetchError, DidUrl, ErrorCode, Fetched, Relationship,
    Resolution, ResolutionError, ResolutionOptions, Resolver, WebResolver,
};
use vouchsafe_credentials::testing::FixedClock;
use vouchsafe_credentials::time::UnixTime;

mod binding;
mod patience;

use binding::get;

use crate::config::{AllowedHost, DevConfig, FetchConfig};
use crate::did::{CachedResolver, GuardedFetch, Reach, http, resolver};
use crate::fetch::{Fetcher, Resolve};

const PRODUCTION: DevConfig = DevConfig {
    loopback_http: false,
};
const START: UnixTime = UnixTime(1_795_392_000);

/// A listener that answers everybody with the same bytes and counts connections.
async fn canary(answer: String) -> (SocketAddr, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (address, connections)
}

/// Every name has this address.
struct Everywhere(Vec<SocketAddr>);

#[async_trait]
impl Resolve for Everywhere {
    async fn resolve(&self, _: &str) -> io::Result<Vec<SocketAddr>> {
        Ok(self.0.clone())
    }
}

fn guarded(addresses: &[&str], config: &FetchConfig) -> Arc<dyn Resolver> {
    let names = Everywhere(addresses.iter().map(|text| text.parse().unwrap()).collect());
    let fetcher = Fetcher::with_resolver(config, &PRODUCTION, Arc::new(names)).unwrap();
    resolver(fetcher, Arc::new(FixedClock::new(START)), Reach::Any)
}

fn code(resolution: &Resolution) -> Option<ErrorCode> {
    resolution
        .resolution_metadata
        .error
        .as_ref()
        .map(|error| error.code)
}

async fn resolve(resolver: &dyn Resolver, did: &str) -> Resolution {
    resolver.resolve(did, &ResolutionOptions::default()).await
}

#[tokio::test]
async fn cat_178_private_addresses_are_not_asked() {
    for addresses in [
        &["10.0.0.1:0"][..],
        &["127.0.0.1:0"],
        &["[::1]:0"],
        &["169.254.169.254:0"],
        &["93.184.216.34:0", "127.0.0.1:0"],
        &["[2606:4700::1111]:0", "[::ffff:10.0.0.1]:0"],
    ] {
        let resolver = guarded(addresses, &FetchConfig::default());
        let resolution = resolve(resolver.as_ref(), "did:web:issuer.example").await;
        assert_eq!(
            code(&resolution),
            Some(ErrorCode::InvalidDid),
            "{addresses:?}"
        );
    }
}

/// A resolver that takes `did:web:127.0.0.1%3APORT` as plain http on loopback reaches this canary.
#[tokio::test]
async fn cat_178_no_spelling_of_loopback_reaches_the_canary() {
    let body = json!({"id": "did:web:127.0.0.1"}).to_string();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (address, connections) = canary(answer).await;
    let port = address.port();
    let fetcher = Fetcher::new(&FetchConfig::default(), &PRODUCTION).unwrap();
    let resolver = resolver(fetcher, Arc::new(FixedClock::new(START)), Reach::Any);
    for host in [
        "127.0.0.1",
        "127%2E0%2E0%2E1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "127.1",
        "%5B%3A%3A1%5D",
        "0.0.0.0",
    ] {
        for did in [
            format!("did:web:{host}%3A{port}"),
            format!("did:web:{host}%3a{port}:path"),
            format!("did:webvh:QmVVo7PVBXzxBAvYrSLaauyoRK1tHUe81J8TxCYyuRe8Vy:{host}%3A{port}"),
        ] {
            let resolution = resolve(resolver.as_ref(), &did).await;
            assert_eq!(code(&resolution), Some(ErrorCode::InvalidDid), "{did}");
        }
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
    // The canary can be reached: the test would see a call.
    tokio::net::TcpStream::connect(address).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

/// The name is looked up once, and the connection goes to what was checked.
#[tokio::test]
async fn cat_179_the_checked_address_is_the_one_that_is_called() {
    let (address, connections) = canary(String::new()).await;
    let config = FetchConfig {
        allow: vec![AllowedHost {
            host: "issuer.example".into(),
            ports: vec![address.port()],
            private: true,
        }],
        extra_ca: Vec::new(),
    };
    let resolver = guarded(&["127.0.0.1:0"], &config);
    let did = format!("did:web:issuer.example%3A{}", address.port());
    // The canary speaks no TLS: called, but no document.
    let resolution = resolve(resolver.as_ref(), &did).await;
    assert_eq!(code(&resolution), Some(ErrorCode::InternalError));
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    let other = format!("did:web:other.example%3A{}", address.port());
    assert_eq!(
        code(&resolve(resolver.as_ref(), &other).await),
        Some(ErrorCode::InvalidDid)
    );
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn cat_182_ports_that_are_not_allowed() {
    let resolver = guarded(&["93.184.216.34:0"], &FetchConfig::default());
    for did in [
        "did:web:example.com%3A22",
        "did:web:example.com%3A80",
        "did:web:example.com%3A8443",
    ] {
        assert_eq!(
            code(&resolve(resolver.as_ref(), did).await),
            Some(ErrorCode::InvalidDid),
            "{did}"
        );
    }
}

/// A resolver over a fetcher that may speak plain http to loopback: everything but TLS is as in production.
struct Plain {
    inner: GuardedFetch,
    port: u16,
}

#[async_trait]
impl DidFetch for Plain {
    async fn fetch(&self, url: &str, limit: usize) -> Result<Fetched, DidFetchError> {
        let path = url.strip_prefix("https://issuer.example").unwrap();
        self.inner
            .fetch(&format!("http://127.0.0.1:{}{path}", self.port), limit)
            .await
    }
}

async fn over_http(answer: String) -> Resolution {
    let (address, _) = canary(answer).await;
    let dev = DevConfig {
        loopback_http: true,
    };
    let fetcher = Fetcher::new(&FetchConfig::default(), &dev).unwrap();
    let fetch = Plain {
        inner: GuardedFetch::new(fetcher),
        port: address.port(),
    };
    let crypto = Arc::new(vouchsafe_credentials::crypto::Portable);
    let web = WebResolver::new(fetch, crypto, Arc::new(FixedClock::new(START)));
    resolve(&web, "did:web:issuer.example").await
}

fn answer(headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn cat_185_cat_191_answers_without_end_packed_and_of_another_type() {
    let body = json!({"id": "did:web:issuer.example"}).to_string();
    assert!(over_http(answer("", &body)).await.active().is_ok());
    let large = format!("{}{}", body, " ".repeat(64 * 1024));
    let endless = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{large}"
    );
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{large}\r\n{:x}\r\n{large}\r\n",
        large.len(),
        large.len()
    );
    for large in [answer("", &large), endless, chunked] {
        let resolution = over_http(large).await;
        assert_eq!(code(&resolution), Some(ErrorCode::InvalidDidDocumentLength));
    }
    let packed = over_http(answer("content-encoding: gzip\r\n", &body)).await;
    assert_eq!(code(&packed), Some(ErrorCode::InternalError));
    let html = over_http(answer("", &body).replace("application/json", "text/html")).await;
    assert_eq!(code(&html), Some(ErrorCode::InvalidDidDocument));
    let moved = over_http(
        "HTTP/1.1 302 Found\r\nlocation: https://other.example/\r\ncontent-length: 0\r\n\r\n"
            .into(),
    )
    .await;
    assert_eq!(code(&moved), Some(ErrorCode::InternalError));
    let gone = over_http("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n".into()).await;
    assert_eq!(code(&gone), Some(ErrorCode::NotFound));
}

/// A source whose answer can be changed and that counts questions.
#[derive(Clone)]
struct Source {
    answer: Arc<Mutex<Result<Value, ResolutionError>>>,
    asked: Arc<AtomicU32>,
}

#[async_trait]
impl Resolver for Source {
    async fn resolve(&self, did: &str, _: &ResolutionOptions) -> Resolution {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.answer.lock().unwrap().clone() {
            Err(error) => Resolution::failed(error),
            Ok(json) => {
                let document = DidDocument::from_json(json, &Did::parse(did).unwrap()).unwrap();
                Resolution::found(document, Default::default())
            }
        }
    }
}

const DID: &str = "did:web:issuer.example";

fn keys(ids: &[&str]) -> Value {
    let method = |id: &&str| {
        json!({
            "id": id, "type": "Multikey", "controller": DID,
            "publicKeyMultibase": "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
        })
    };
    json!({"id": DID, "assertionMethod": ids.iter().map(method).collect::<Vec<_>>()})
}

struct World {
    source: Source,
    clock: Arc<FixedClock>,
    resolver: CachedResolver<Source>,
}

impl World {
    fn new(ids: &[&str]) -> Self {
        let source = Source {
            answer: Arc::new(Mutex::new(Ok(keys(ids)))),
            asked: Arc::default(),
        };
        let clock = Arc::new(FixedClock::new(START));
        let resolver = CachedResolver::new(source.clone(), clock.clone(), Reach::Any);
        Self {
            source,
            clock,
            resolver,
        }
    }

    fn set(&self, answer: Result<Value, ResolutionError>) {
        *self.source.answer.lock().unwrap() = answer;
    }

    async fn key(&self, fragment: &str) -> Result<(), String> {
        let url = DidUrl::parse(&format!("{DID}#{fragment}")).unwrap();
        let found = self
            .resolver
            .method(&url, Relationship::AssertionMethod)
            .await;
        found.map(|_| ()).map_err(|error| error.code())
    }

    fn asked(&self) -> u32 {
        self.source.asked.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn cat_193_unknown_keys_refresh_once_a_minute() {
    let world = World::new(&["#a"]);
    assert_eq!(world.key("a").await, Ok(()));
    assert_eq!(world.asked(), 1);
    for n in 0..50 {
        assert_eq!(world.key(&format!("x{n}")).await, Err("not_found".into()));
    }
    assert_eq!(
        world.asked(),
        1,
        "a minute has not passed since the first question"
    );
    world.clock.advance(60);
    for n in 0..50 {
        assert_eq!(world.key(&format!("y{n}")).await, Err("not_found".into()));
    }
    assert_eq!(world.asked(), 2);
    // That there is no document is remembered too.
    let world = World::new(&[]);
    world.set(Err(ResolutionError::new(ErrorCode::NotFound, "none")));
    for _ in 0..50 {
        assert_eq!(world.key("a").await, Err("not_found".into()));
    }
    assert_eq!(world.asked(), 1);
}

#[tokio::test]
async fn cat_194_rotated_keys() {
    let world = World::new(&["#old"]);
    assert_eq!(world.key("old").await, Ok(()));
    world.set(Ok(keys(&["#new"])));
    world.clock.advance(60);
    assert_eq!(world.key("new").await, Ok(()), "one forced refresh");
    assert_eq!(
        world.key("old").await,
        Err("not_found".into()),
        "only while it is published"
    );
    assert_eq!(world.asked(), 2);
}

#[tokio::test]
async fn cat_196_nothing_is_accepted_while_the_source_is_down() {
    let world = World::new(&["#a"]);
    let down = ResolutionError::temporary("the host did not answer");
    world.set(Err(down.clone()));
    assert_eq!(world.key("a").await, Err("temporarily_unavailable".into()));
    world.set(Ok(keys(&["#a"])));
    world.clock.advance(60);
    assert_eq!(world.key("a").await, Ok(()));
    world.set(Err(down));
    world.clock.advance(60);
    // The document is believed for its time, an unknown key is not, and then it is over.
    assert_eq!(world.key("b").await, Err("not_found".into()));
    assert_eq!(world.key("a").await, Ok(()));
    world.clock.advance(300);
    assert_eq!(world.key("a").await, Err("temporarily_unavailable".into()));
}

#[tokio::test]
async fn cat_197_a_deactivated_did_has_no_keys() {
    struct Deactivated;
    #[async_trait]
    impl Resolver for Deactivated {
        async fn resolve(&self, did: &str, _: &ResolutionOptions) -> Resolution {
            let document =
                DidDocument::from_json(keys(&["#a"]), &Did::parse(did).unwrap()).unwrap();
            let mut resolution = Resolution::found(document, Default::default());
            resolution
                .document_metadata
                .0
                .insert("deactivated".into(), true.into());
            resolution
        }
    }
    let resolver = CachedResolver::new(Deactivated, Arc::new(FixedClock::new(START)), Reach::Any);
    let url = DidUrl::parse(&format!("{DID}#a")).unwrap();
    let error = resolver
        .method(&url, Relationship::AssertionMethod)
        .await
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::NotFound);
    let app = http::router(Arc::new(resolver));
    assert_eq!(
        get(&app, DID, Some("application/did-resolution")).await.0,
        StatusCode::GONE
    );
}

#[tokio::test]
async fn cat_199_only_trusted_dids_cause_a_request() {
    let world = World::new(&["#a"]);
    let trusted = BTreeSet::from([DID.to_owned()]);
    let clock = Arc::new(FixedClock::new(START));
    let resolver = CachedResolver::new(world.source.clone(), clock, Reach::Only(Arc::new(trusted)));
    for did in [
        "did:web:evil.example",
        "did:web:issuer.example:path",
        "did:webvh:x:issuer.example",
        "did:web:ISSUER.example",
    ] {
        assert_eq!(
            code(&resolve(&resolver, did).await),
            Some(ErrorCode::NotFound),
            "{did}"
        );
    }
    for did in ["not-a-did", "did:web:issuer.example#a", ""] {
        assert_eq!(
            code(&resolve(&resolver, did).await),
            Some(ErrorCode::InvalidDid),
            "{did}"
        );
    }
    assert_eq!(world.asked(), 0);
    assert!(resolve(&resolver, DID).await.active().is_ok());
    assert_eq!(world.asked(), 1);
    // What needs no request is resolved for everybody.
    let local = resolve(
        &resolver,
        "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
    )
    .await;
    assert!(local.active().is_ok());
}
