use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::crypto::Portable;
use crate::did::{
    DidFetch, DidFetchError, ErrorCode, Fetched, Resolution, ResolutionOptions, Resolver,
    WebResolver,
};
use crate::testing::FixedClock;
use crate::time::UnixTime;

/// Answers every question alike and writes down who was asked.
#[derive(Clone)]
struct Canned {
    answer: Result<Fetched, DidFetchError>,
    asked: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl DidFetch for Canned {
    async fn fetch(&self, url: &str, _: usize) -> Result<Fetched, DidFetchError> {
        self.asked.lock().unwrap().push(url.to_owned());
        self.answer.clone()
    }
}

fn fetched(content_type: Option<&str>, body: impl Into<Vec<u8>>) -> Result<Fetched, DidFetchError> {
    Ok(Fetched {
        content_type: content_type.map(str::to_owned),
        body: body.into(),
    })
}

fn resolve(did: &str, answer: Result<Fetched, DidFetchError>) -> (Resolution, Vec<String>) {
    let canned = Canned {
        answer,
        asked: Arc::default(),
    };
    let clock = Arc::new(FixedClock::new(UnixTime(1_795_392_000)));
    let resolver = WebResolver::new(canned.clone(), Arc::new(Portable), clock);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let resolution = runtime.block_on(resolver.resolve(did, &ResolutionOptions::default()));
    let asked = canned.asked.lock().unwrap().clone();
    (resolution, asked)
}

fn code(resolution: &Resolution) -> Option<ErrorCode> {
    resolution
        .resolution_metadata
        .error
        .as_ref()
        .map(|error| error.code)
}

fn document(did: &str) -> String {
    json!({"@context": ["https://www.w3.org/ns/did/v1"], "id": did}).to_string()
}

#[test]
fn addresses_of_did_web() {
    for (did, url) in [
        (
            "did:web:w3c-ccg.github.io",
            "https://w3c-ccg.github.io/.well-known/did.json",
        ),
        (
            "did:web:w3c-ccg.github.io:user:alice",
            "https://w3c-ccg.github.io/user/alice/did.json",
        ),
        (
            "did:web:example.com%3A3000:user:alice",
            "https://example.com:3000/user/alice/did.json",
        ),
        (
            "did:web:example.com%3a3000",
            "https://example.com:3000/.well-known/did.json",
        ),
        (
            "did:web:localhost%3A8443",
            "https://localhost:8443/.well-known/did.json",
        ),
        ("did:web:EXAMPLE.com:A", "https://example.com/A/did.json"),
        (
            "did:web:example.com:a%20b:%E7%94%A8",
            "https://example.com/a%20b/%E7%94%A8/did.json",
        ),
        (
            "did:web:example.com:%252e%252e",
            "https://example.com/%252e%252e/did.json",
        ),
    ] {
        let (resolution, asked) = resolve(did, fetched(Some("application/json"), document(did)));
        assert_eq!(asked, [url], "{did}");
        assert_eq!(resolution.active().unwrap().id().as_str(), did);
    }
}

#[test]
fn cat_181_traversal_causes_no_request() {
    for did in [
        "did:web:example.com:..:admin",
        "did:web:example.com:.:admin",
        "did:web:example.com:%2e%2e:admin",
        "did:web:example.com:%2E%2E:admin",
        "did:web:example.com:.%2e",
        "did:web:example.com:a%2fb",
        "did:web:example.com:a%2Fb",
        "did:web:example.com:a%5cb",
        "did:web:example.com:%00",
        "did:web:example.com:a%0d%0ab",
        "did:web:example.com:%20a",
        "did:web:example.com::a",
        "did:web:example.com:%ff",
        "did:web:example.com%2fadmin",
        "did:web:example.com%40evil.example",
        "did:web:user%40example.com",
        "did:web:example.com%23a",
        "did:web:example.com%3Fa",
        "did:web:example.com%5c",
        "did:web:example.com%00",
    ] {
        let (resolution, asked) = resolve(did, fetched(Some("application/json"), document(did)));
        assert_eq!(code(&resolution), Some(ErrorCode::InvalidDid), "{did}");
        assert!(asked.is_empty(), "{did}");
    }
}

#[test]
fn cat_182_ports_and_addresses_cause_no_request() {
    for did in [
        "did:web:127.0.0.1",
        "did:web:127.0.0.1%3A8080",
        "did:web:127%2E0%2E0%2E1",
        "did:web:2130706433",
        "did:web:0x7f000001",
        "did:web:0x7f.1",
        "did:web:127.1",
        "did:web:0177.0.0.1",
        "did:web:%5B%3A%3A1%5D",
        "did:web:169.254.169.254",
        "did:web:example.com%3A",
        "did:web:example.com%3A0",
        "did:web:example.com%3A65536",
        "did:web:example.com%3A+80",
        "did:web:example.com%3A22%3A22",
        "did:web:example.com%3Aabc",
        "did:web:.example.com",
        "did:web:example.com.",
        "did:web:example..com",
        "did:web:-a.example",
        "did:web:a_b.example",
    ] {
        let (resolution, asked) = resolve(did, fetched(Some("application/json"), document(did)));
        assert_eq!(code(&resolution), Some(ErrorCode::InvalidDid), "{did}");
        assert!(asked.is_empty(), "{did}");
    }
    // A port that is well formed is the fetcher's to refuse.
    let (resolution, _) = resolve("did:web:example.com%3A22", Err(DidFetchError::Refused));
    assert_eq!(code(&resolution), Some(ErrorCode::InvalidDid));
}

#[test]
fn cat_184_names_beyond_ascii() {
    // A Cyrillic letter that looks like a Latin one; the A-label is the only spelling.
    let (resolution, asked) = resolve("did:web:%D0%B0pple.example", fetched(None, ""));
    assert_eq!(
        (code(&resolution), asked.len()),
        (Some(ErrorCode::InvalidDid), 0)
    );
    let did = "did:web:xn--pple-43d.example";
    let (resolution, asked) = resolve(did, fetched(Some("application/json"), document(did)));
    assert_eq!(asked, ["https://xn--pple-43d.example/.well-known/did.json"]);
    assert!(resolution.active().is_ok());
    // It is not the DID without the prefix, and no document can say so.
    let (resolution, _) = resolve(
        did,
        fetched(Some("application/json"), document("did:web:apple.example")),
    );
    assert_eq!(code(&resolution), Some(ErrorCode::InvalidDidDocument));
}

#[test]
fn cat_187_cat_191_answers_that_are_no_document() {
    let did = "did:web:example.com";
    let good = document(did);
    for (content_type, body, expected) in [
        (Some("application/json; charset=utf-8"), good.clone(), None),
        (Some("application/did"), good.clone(), None),
        (Some("application/did+json"), good.clone(), None),
        (Some("application/did+ld+json"), good.clone(), None),
        (
            Some("text/html"),
            good.clone(),
            Some(ErrorCode::InvalidDidDocument),
        ),
        (
            Some("text/plain"),
            good.clone(),
            Some(ErrorCode::InvalidDidDocument),
        ),
        (
            Some("application/jsonp"),
            good.clone(),
            Some(ErrorCode::InvalidDidDocument),
        ),
        (None, good.clone(), Some(ErrorCode::InvalidDidDocument)),
        (
            Some("application/json"),
            format!("\u{feff}{good}"),
            Some(ErrorCode::InvalidDidDocument),
        ),
        (
            Some("application/json"),
            document("did:web:other.example"),
            Some(ErrorCode::InvalidDidDocument),
        ),
        (
            Some("application/json"),
            document("did:web:EXAMPLE.com"),
            Some(ErrorCode::InvalidDidDocument),
        ),
    ] {
        let (resolution, _) = resolve(did, fetched(content_type, body));
        assert_eq!(code(&resolution), expected, "{content_type:?}");
    }
}

#[test]
fn cat_196_a_source_that_is_down() {
    for (error, expected, own) in [
        (DidFetchError::NotFound, ErrorCode::NotFound, "not_found"),
        (DidFetchError::Refused, ErrorCode::InvalidDid, "invalid_did"),
        (
            DidFetchError::TooLarge,
            ErrorCode::InvalidDidDocumentLength,
            "invalid_did_document_length",
        ),
        (
            DidFetchError::Unavailable,
            ErrorCode::InternalError,
            "temporarily_unavailable",
        ),
    ] {
        for did in [
            "did:web:example.com",
            "did:webvh:QmVVo7PVBXzxBAvYrSLaauyoRK1tHUe81J8TxCYyuRe8Vy:example.com",
        ] {
            let (resolution, _) = resolve(did, Err(error));
            assert_eq!(code(&resolution), Some(expected));
            let refused = resolution.active().unwrap_err();
            assert_eq!(refused.code(), own);
        }
    }
}

#[test]
fn results_as_json() {
    let (resolution, _) = resolve(
        "did:web:example.com",
        fetched(Some("application/json"), document("did:web:example.com")),
    );
    let json = resolution.to_json();
    assert_eq!(
        json["didResolutionMetadata"]["contentType"],
        "application/did"
    );
    assert_eq!(json["didDocument"]["id"], "did:web:example.com");
    let (resolution, _) = resolve("not-a-did", fetched(None, ""));
    let json = resolution.to_json();
    assert_eq!(json["didDocument"], Value::Null);
    assert_eq!(json["didDocumentMetadata"], json!({}));
    assert_eq!(
        json["didResolutionMetadata"]["error"]["type"],
        "https://www.w3.org/ns/did#INVALID_DID"
    );
}
