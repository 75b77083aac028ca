//! The HTTPS binding in process.

use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use vouchsafe_credentials::testing::FixedClock;

use super::{DID, START, Source, keys};
use crate::did::{CachedResolver, Reach, http};

const KEY: &str = "did:key:z6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b";
const LEGACY: &str = "application/ld+json;profile=\"https://w3id.org/did-resolution\"";

pub(super) async fn get(
    app: &axum::Router,
    path: &str,
    accept: Option<&str>,
) -> (StatusCode, String, Value) {
    let mut request = Request::get(format!("/1.0/identifiers/{path}"));
    if let Some(accept) = accept {
        request = request.header(header::ACCEPT, accept);
    }
    let response = app
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let status = response.status();
    let header = |name| {
        response
            .headers()
            .get(name)
            .map(|v: &header::HeaderValue| v.to_str().unwrap().to_owned())
    };
    let kind = header(header::CONTENT_TYPE)
        .or(header(header::LOCATION))
        .unwrap_or_default();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (
        status,
        kind,
        serde_json::from_slice(&body).unwrap_or(Value::Null),
    )
}

fn app() -> axum::Router {
    let mut json = keys(&["#a"]);
    json["service"] = json!([
        {"id": "#files", "type": "relativeRef", "serviceEndpoint": "https://files.example/base/"},
        {"id": "#mail", "type": "Mail", "serviceEndpoint": "mailto:a@b.example"},
    ]);
    let source = Source {
        answer: Arc::new(Mutex::new(Ok(json))),
        asked: Arc::default(),
    };
    let clock = Arc::new(FixedClock::new(START));
    http::router(Arc::new(CachedResolver::new(source, clock, Reach::Any)))
}

#[tokio::test]
async fn statuses_and_forms_of_resolution() {
    let app = app();
    let result = Some("application/did-resolution");
    for (path, accept, status) in [
        (KEY, result, 200),
        (KEY, None, 200),
        (KEY, Some("*/*"), 200),
        (KEY, Some("application/did"), 200),
        (
            "did%3Akey%3Az6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b",
            result,
            200,
        ),
        ("", result, 400),
        ("not-a-did", result, 400),
        ("did:example", result, 400),
        ("did:key:z6Mk%23a", result, 400),
        ("did:web:issuer.example", Some("application/did"), 200),
        (KEY, Some("application/x-unsupported"), 406),
        (KEY, Some("application/did;q=0"), 406),
    ] {
        let (own, ..) = get(&app, path, accept).await;
        assert_eq!(own.as_u16(), status, "{path} {accept:?}");
    }
    for (query, status) in [
        ("versionId=1", 501),
        ("somethingElse=1", 501),
        ("noCache=maybe", 400),
        ("noCache=true&noCache=true", 400),
        ("versionTime=now", 400),
        ("publicKeyFormat=unknown", 400),
        (
            "publicKeyFormat=JsonWebKey2020&enableEncryptionKeyDerivation=true",
            200,
        ),
    ] {
        let (own, ..) = get(&app, &format!("{KEY}?{query}"), result).await;
        assert_eq!(own.as_u16(), status, "{query}");
    }
    let (_, kind, body) = get(&app, KEY, result).await;
    assert_eq!(kind, "application/did-resolution");
    assert_eq!(
        body["didResolutionMetadata"]["contentType"],
        "application/did"
    );
    let (_, kind, body) = get(&app, KEY, Some("application/did+ld+json")).await;
    assert_eq!(
        (kind.as_str(), body["id"].as_str()),
        ("application/did+ld+json", Some(KEY))
    );
    let (_, _, body) = get(&app, "not-a-did", Some(LEGACY)).await;
    assert_eq!(body["didResolutionMetadata"]["error"], "invalidDid");
    assert_eq!(body["didDocument"], json!({}));
}

#[tokio::test]
async fn dereferencing_of_parts_and_services() {
    let app = app();
    let deref = Some("application/did-url-dereferencing");
    let url = |rest: &str| format!("did%3Aweb%3Aissuer.example{rest}");
    let (status, kind, body) = get(&app, &url("%23a"), deref).await;
    assert_eq!(
        (status.as_u16(), kind.as_str()),
        (200, "application/did-url-dereferencing")
    );
    assert_eq!(body["contentStream"]["type"], "Multikey");
    let (status, _, body) = get(&app, &url("%23b"), deref).await;
    assert_eq!(
        (status.as_u16(), &body["contentStream"]),
        (404, &Value::Null)
    );
    for (relationship, status) in [
        ("assertionMethod", 200),
        ("authentication", 500),
        ("x", 400),
    ] {
        let path = format!("{}?verificationRelationship={relationship}", url("%23a"));
        assert_eq!(
            get(&app, &path, deref).await.0.as_u16(),
            status,
            "{relationship}"
        );
    }
    let (status, location, _) = get(
        &app,
        &url("%3Fservice%3Dfiles%26relativeRef%3Da%252Fb"),
        deref,
    )
    .await;
    assert_eq!(
        (status.as_u16(), location.as_str()),
        (303, "https://files.example/base/a/b")
    );
    for (rest, status) in [
        ("?service=files&relativeRef=https://evil.example/", 500),
        ("?service=files&relativeRef=//evil.example/", 500),
        ("?service=files&relativeRef=/resume.pdf", 303),
        ("?service=files&relativeRef=a..b/..c", 303),
        ("?service=files&relativeRef=a?x=../b", 303),
        ("?service=files&relativeRef=..", 400),
        ("?service=files&relativeRef=.%09./x", 400),
        ("?service=files&relativeRef=%20../x", 400),
        ("?service=files&relativeRef=../other/x", 400),
        ("?service=files&relativeRef=a/../../other/x", 400),
        ("?service=files&relativeRef=/base/../other", 400),
        ("?service=files&relativeRef=..%255Cother", 400),
        ("?service=files&relativeRef=%252E%252e/other", 400),
        ("?service=files&relativeRef=a%252F..%252f..%252Fother", 400),
        ("?service=mail", 500),
        ("?service=none", 404),
        ("?relativeRef=/a", 400),
        ("/path", 404),
        ("%2F%5Ebar%5E", 400),
    ] {
        assert_eq!(
            get(&app, &url(rest), deref).await.0.as_u16(),
            status,
            "{rest}"
        );
    }
    let (_, _, body) = get(&app, &url("?serviceType=Mail"), Some("application/did")).await;
    assert_eq!(body["service"].as_array().map(Vec::len), Some(1));
    let (_, _, body) = get(&app, &url("%23a"), Some("application/did")).await;
    assert_eq!(body["id"], "#a");
    let (_, _, body) = get(
        &app,
        &url("?expandRelativeUrls=true"),
        Some("application/did-resolution"),
    )
    .await;
    assert_eq!(
        body["didDocument"]["assertionMethod"][0]["id"],
        format!("{DID}#a")
    );
    let (status, _, body) = get(&app, &url("%23a%2F%5E"), Some(LEGACY)).await;
    assert_eq!(
        (
            status.as_u16(),
            body["didDereferencingMetadata"]["error"].as_str()
        ),
        (400, Some("invalidDidUrl"))
    );
}

/// did:webvh 1.0, "DID URL Resolution": a path is appended to the address of the files.
#[tokio::test]
async fn cat_181_a_path_does_not_leave_the_files_of_its_did() {
    const WEBVH: &str = "did:webvh:QmVVo7PVBXzxBAvYrSLaauyoRK1tHUe81J8TxCYyuRe8Vy:host.example:a";
    let json = json!({"id": WEBVH, "service": [
        {"id": "#files", "type": "relativeRef", "serviceEndpoint": "https://host.example/a/"},
    ]});
    let source = Source {
        answer: Arc::new(Mutex::new(Ok(json))),
        asked: Arc::default(),
    };
    let clock = Arc::new(FixedClock::new(START));
    let app = http::router(Arc::new(CachedResolver::new(source, clock, Reach::Any)));
    let open = async |path: &str| {
        let path = format!("{}{path}", WEBVH.replace(':', "%3A"));
        let accept = Some("application/did-url-dereferencing");
        let (status, location, _) = get(&app, &path, accept).await;
        (status.as_u16(), location)
    };
    let good = (303, "https://host.example/a/cards/1.json".to_owned());
    assert_eq!(open("%2Fcards%2F1.json").await, good);
    for path in [
        "%2F..%2Fb%2Fcards%2F1.json",
        "%2Fcards%2F..%2F..%2Fb",
        "%2F%252e%252E%2Fb",
        "%2F..%252Fb",
        "%2F%252e.%255cb",
    ] {
        assert_eq!(open(path).await.0, 400, "{path}");
    }
}
