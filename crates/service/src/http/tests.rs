//! The layers and the server, spoken to as a client does.

use std::{
    net::{SocketAddr, TcpListener},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::DefaultBodyLimit,
    http::{Request, Response, StatusCode, header},
    middleware::from_fn_with_state,
    routing::{get, post},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tower::ServiceExt;

use super::*;
use crate::{clock::SystemClock, config::PublicUrl, id::Ids, random::OsRandom, tls::TlsConfig};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    name: String,
}

fn app(public_url: &str) -> Router {
    let router = Router::new()
        .route(
            "/form",
            post(async |StrictForm(form): StrictForm| {
                form.get("name").unwrap_or("none").to_owned()
            }),
        )
        .route(
            "/json",
            post(async |StrictJson(input): StrictJson<Input>| input.name),
        )
        .route(
            "/query",
            get(async |StrictQuery(query): StrictQuery| {
                query.get("name").unwrap_or("none").to_owned()
            }),
        )
        .route(
            "/oauth",
            post(async |form: Result<StrictForm, ExtractError>| {
                form.map(|_| "fine").map_err(OAuthError::from)
            }),
        )
        .route(
            "/big",
            post(async |StrictForm(_): StrictForm| "big").layer(DefaultBodyLimit::max(64 * 1024)),
        )
        .route("/panic", get(async || -> &'static str { panic!("a bug") }))
        .route(
            "/peer",
            get(async |ClientAddress(ip): ClientAddress| ip.to_string()),
        )
        .route("/host", get(async || "host"));
    let url: PublicUrl = public_url.parse().unwrap();
    standard(
        router,
        &url,
        Ids::new(Arc::new(SystemClock), Arc::new(OsRandom)),
    )
}

async fn send(request: Request<Body>) -> Response<Body> {
    app("https://op.example").oneshot(request).await.unwrap()
}

fn request(method: &str, path: &str, media_type: &str, body: &str) -> Request<Body> {
    let mut builder = Request::builder().method(method).uri(path);
    if !media_type.is_empty() {
        builder = builder.header(header::CONTENT_TYPE, media_type);
    }
    builder.body(Body::from(body.to_owned())).unwrap()
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

async fn text(response: Response<Body>) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20)
        .await
        .unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn good_requests_pass() {
    for (request, answer) in [
        (request("POST", "/form", FORM, "name=a+b"), "a b"),
        (
            request(
                "POST",
                "/form?other=1",
                "application/x-www-form-urlencoded;charset=UTF-8",
                "name=x",
            ),
            "x",
        ),
        (
            request("POST", "/json", "Application/JSON", r#"{"name":"x"}"#),
            "x",
        ),
        (request("GET", "/query?name=x", "", ""), "x"),
    ] {
        let response = send(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(text(response).await, answer);
    }
}

#[tokio::test]
async fn cat_113_only_the_right_content_type() {
    for (path, media_type) in [
        ("/json", ""),
        ("/json", "text/plain"),
        ("/json", FORM),
        ("/json", "application/jsonp"),
        ("/json", "multipart/form-data"),
        ("/form", JSON),
        ("/form", "text/plain"),
        ("/form", ""),
    ] {
        let response = send(request("POST", path, media_type, r#"{"name":"x"}"#)).await;
        assert_eq!(
            response.status(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{path} {media_type}"
        );
    }
    let mut twice = request("POST", "/json", JSON, r#"{"name":"x"}"#);
    twice
        .headers_mut()
        .append(header::CONTENT_TYPE, "text/plain".parse().unwrap());
    assert_eq!(
        send(twice).await.status(),
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
}

#[tokio::test]
async fn cat_112_compressed_bodies_are_refused() {
    for coding in ["gzip", "deflate", "br", "identity", "gzip, gzip"] {
        let mut packed = request("POST", "/form", FORM, "name=x");
        packed
            .headers_mut()
            .insert(header::CONTENT_ENCODING, coding.parse().unwrap());
        assert_eq!(
            send(packed).await.status(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE
        );
    }
}

#[tokio::test]
async fn cat_104_cat_115_duplicates_are_refused() {
    for request in [
        request("POST", "/json", JSON, r#"{"name":"a","name":"b"}"#),
        request("POST", "/form", FORM, "name=a&name=b"),
        request("POST", "/form?name=a", FORM, "name=a"),
        request("GET", "/query?name=a&name=b", "", ""),
    ] {
        let uri = request.uri().clone();
        assert_eq!(
            send(request).await.status(),
            StatusCode::BAD_REQUEST,
            "{uri}"
        );
    }
}

#[tokio::test]
async fn cat_106_json_of_another_shape() {
    for body in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"name":1}"#,
        r#"{"name":"a","more":1}"#,
        r#"{"name":"a"} x"#,
        "\u{feff}{\"name\":\"a\"}",
        r#"{"name":"\ud800"}"#,
        r#"{"name":"a","x":1e9999}"#,
    ] {
        let response = send(request("POST", "/json", JSON, body)).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{body}");
    }
}

#[tokio::test]
async fn bodies_have_limits() {
    let body = |length: usize| format!("name={}", "x".repeat(length));
    let status = async |path: &str, length| {
        send(request("POST", path, FORM, &body(length)))
            .await
            .status()
    };
    assert_eq!(status("/form", limits::FORM - 5).await, StatusCode::OK);
    assert_eq!(
        status("/form", limits::FORM - 4).await,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(status("/big", limits::FORM).await, StatusCode::OK);
    assert_eq!(status("/big", 65_536).await, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn oauth_errors_have_their_form() {
    let response = send(request("POST", "/oauth", FORM, "a=canary&a=canary")).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    let body = text(response).await;
    assert!(
        body.starts_with(r#"{"error":"invalid_request","error_description":"#),
        "{body}"
    );
    assert!(!body.contains("canary"));
}

#[tokio::test]
async fn cat_121_methods_are_what_they_are() {
    for method in ["GET", "HEAD", "PUT", "TRACE", "OPTIONS", "PROPFIND"] {
        let mut request = request(method, "/form", FORM, "");
        request
            .headers_mut()
            .insert("x-http-method-override", "POST".parse().unwrap());
        let response = send(request).await;
        assert_eq!(
            response.status(),
            StatusCode::METHOD_NOT_ALLOWED,
            "{method}"
        );
    }
    let missing = send(request("GET", "/nowhere", "", "")).await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        missing.headers()[header::CONTENT_TYPE],
        "application/problem+json"
    );
}

#[tokio::test]
async fn cat_122_other_origins_get_no_permission() {
    let mut cross = request("POST", "/form", FORM, "name=x");
    cross
        .headers_mut()
        .insert(header::ORIGIN, "https://evil.example".parse().unwrap());
    let response = send(cross).await;
    let cors = response
        .headers()
        .keys()
        .any(|name| name.as_str().starts_with("access-control"));
    assert!(!cors);
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    for path in ["/host", "/nowhere", "/panic"] {
        let response = send(request("GET", path, "", "")).await;
        let headers = response.headers();
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"));
        assert!(!policy.contains("unsafe"));
        assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
        assert_eq!(headers["x-request-id"].len(), 36);
    }
    let plain = app("http://127.0.0.1:4000");
    let response = plain
        .oneshot(request("GET", "/host", "", ""))
        .await
        .unwrap();
    assert!(
        !response
            .headers()
            .contains_key(header::STRICT_TRANSPORT_SECURITY)
    );
}

#[tokio::test]
async fn a_panic_is_an_answer_without_details() {
    let mut request = request("GET", "/panic", "", "");
    request
        .headers_mut()
        .insert("x-request-id", "forged".parse().unwrap());
    let response = send(request).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_ne!(response.headers()["x-request-id"], "forged");
    assert!(!text(response).await.contains("a bug"));
}

#[tokio::test]
async fn too_many_requests_are_told_when_to_come_back() {
    let one = NonZeroU32::MIN;
    let limit = RateLimit::per_minute(one, NonZeroU32::new(3).unwrap());
    let app = Router::new()
        .route("/", get(async || "fine"))
        .layer(from_fn_with_state(limit.clone(), RateLimit::layer));
    for expected in [200, 200, 200, 429] {
        let response = app
            .clone()
            .oneshot(request("GET", "/", "", ""))
            .await
            .unwrap();
        assert_eq!(response.status().as_u16(), expected);
        if expected == 429 {
            let wait: u64 = response.headers()[header::RETRY_AFTER]
                .to_str()
                .unwrap()
                .parse()
                .unwrap();
            assert!((1..=61).contains(&wait), "{wait}");
        }
    }
    // Another network is not affected; addresses of one /64 are one network.
    let client = |text: &str| ClientAddress(text.parse().unwrap());
    for text in ["2001:db8::1", "2001:db8::2", "2001:db8::ffff:1"] {
        assert!(limit.check(client(text)).is_ok());
    }
    assert!(limit.check(client("2001:db8::3")).is_err());
    assert!(limit.check(client("2001:db8:0:1::1")).is_ok());
}

/// What the edge refuses is an answer like any other: it has an id, and the headers.
#[tokio::test]
async fn what_is_refused_at_the_edge_has_an_id() {
    let config = "listen = \"127.0.0.1:0\"\npublic_url = \"https://op.example\"\n\
                  requests_per_minute = 1\nburst = 1";
    let edge = Edge::new(&crate::config::parse(config).unwrap()).unwrap();
    let ids = Ids::new(Arc::new(SystemClock), Arc::new(OsRandom));
    let router = Router::new().route("/", get(async || "fine"));
    let url: PublicUrl = "https://op.example".parse().unwrap();
    let router = standard_at(&edge, router, &url, ids);
    // The limit holds for what there is and for what there is not.
    for (path, expected) in [("/", 200), ("/", 429), ("/nowhere", 429)] {
        let mut request = request("GET", path, "", "");
        let peer: SocketAddr = "198.51.100.7:1".parse().unwrap();
        request
            .extensions_mut()
            .insert(axum::extract::ConnectInfo(peer));
        let response = router.clone().oneshot(request).await.unwrap();
        let headers = response.headers();
        assert_eq!(response.status().as_u16(), expected, "{path}");
        assert_eq!(headers["x-request-id"].len(), 36, "{path}");
        assert!(headers.contains_key(header::CONTENT_SECURITY_POLICY));
    }
}

struct Running {
    address: SocketAddr,
    trigger: crate::shutdown::ShutdownTrigger,
    server: tokio::task::JoinHandle<Result<(), ServeError>>,
}

fn start(router: Router, tls: Option<TlsConfig>) -> Running {
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let (trigger, shutdown) = crate::shutdown::channel();
    let server = tokio::spawn(serve(listener, tls, router, shutdown));
    Running {
        address,
        trigger,
        server,
    }
}

/// Sends bytes and reads until the server closes or is silent for a while.
async fn raw(address: SocketAddr, bytes: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let _ = tokio::time::timeout(Duration::from_secs(2), read).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn cat_116_ambiguous_requests_are_refused() {
    let running = start(app("http://127.0.0.1:4000"), None);
    for (bad, name) in [
        (
            "POST /form HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nname=",
            "two lengths",
        ),
        (
            "POST /form HTTP/1.1\r\nhost: x\r\ncontent-length: +5\r\n\r\nname=",
            "signed length",
        ),
        (
            "POST /form HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
            "unknown coding",
        ),
        (
            "POST /form HTTP/1.1\r\nhost: x\r\nx y: 1\r\n\r\n",
            "space in a name",
        ),
        (
            "GET /host HTTP/1.1\r\nhost: x\r\n folded: 1\r\n\r\n",
            "folded header",
        ),
        ("GET /host HTTP/9.9\r\nhost: x\r\n\r\n", "unknown version"),
    ] {
        let answer = raw(running.address, bad).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
            "{name}: {answer}"
        );
        assert!(answer.matches("HTTP/1.1").count() <= 1, "{name}: {answer}");
    }
    // Both: the length counts for nothing, and what follows the chunks is not a second request.
    let both = "POST /form HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
        content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /host HTTP/1.1\r\nhost: x\r\n\r\n";
    let answer = raw(running.address, both).await;
    assert!(
        answer.starts_with("HTTP/1.1 400") || answer.matches("HTTP/1.1").count() <= 2,
        "{answer}"
    );
}

#[tokio::test]
async fn headers_have_a_limit() {
    let running = start(app("http://127.0.0.1:4000"), None);
    let large = format!(
        "GET /host HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n",
        "x".repeat(20_000)
    );
    let answer = raw(running.address, &large).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let many = "x: 1\r\n".repeat(200);
    let answer = raw(
        running.address,
        &format!("GET /host HTTP/1.1\r\nhost: x\r\n{many}\r\n"),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn cat_119_forwarded_addresses_are_not_believed() {
    let running = start(app("http://127.0.0.1:4000"), None);
    let answer = raw(
        running.address,
        "GET /peer HTTP/1.1\r\nhost: evil.example\r\nx-forwarded-for: 1.2.3.4\r\n\
         forwarded: for=1.2.3.4\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(answer.ends_with("127.0.0.1"), "{answer}");
}

#[tokio::test]
async fn cat_433_running_requests_end_before_the_server() {
    let (started, mut is_started) = tokio::sync::mpsc::channel::<()>(1);
    let (release, released) = tokio::sync::watch::channel(false);
    let slow = Router::new().route(
        "/slow",
        get(async move || {
            let _ = started.send(()).await;
            let mut released = released.clone();
            let _ = released.wait_for(|go| *go).await;
            "done"
        }),
    );
    let Running {
        address,
        trigger,
        server,
    } = start(slow, None);
    let client = tokio::spawn(raw(
        address,
        "GET /slow HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    ));
    is_started.recv().await.unwrap();
    trigger.trigger();
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!server.is_finished());
    release.send_replace(true);
    let answer = client.await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"),
        "{answer}"
    );
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn https_from_certificate_files() {
    let folder = tempfile::tempdir().unwrap();
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate_file = folder.path().join("certificate.pem");
    let key_file = folder.path().join("key.pem");
    std::fs::write(&certificate_file, certified.cert.pem()).unwrap();
    std::fs::write(&key_file, certified.signing_key.serialize_pem()).unwrap();
    let files = crate::tls::TlsFiles {
        certificate_file: certificate_file.clone(),
        key_file: key_file.clone(),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode =
            |mode| std::fs::set_permissions(&key_file, std::fs::Permissions::from_mode(mode));
        mode(0o644).unwrap();
        assert!(
            TlsConfig::load(&files).is_err(),
            "a key that everybody may read"
        );
        mode(0o600).unwrap();
    }
    let running = start(
        app("https://localhost"),
        Some(TlsConfig::load(&files).unwrap()),
    );
    let config = crate::config::FetchConfig {
        allow: vec![crate::config::AllowedHost {
            host: "localhost".into(),
            ports: vec![running.address.port()],
            private: true,
        }],
        extra_ca: vec![certificate_file],
    };
    let production = crate::config::DevConfig::default();
    let fetcher = crate::fetch::Fetcher::new(&config, &production).unwrap();
    let url = format!("https://localhost:{}/host", running.address.port());
    let limits = crate::fetch::Limits::METADATA;
    let response = fetcher.get(&url, "*/*", limits).await.unwrap();
    assert_eq!(response.body, b"host");
    // Without the certificate the connection is refused.
    let config = crate::config::FetchConfig {
        extra_ca: Vec::new(),
        ..config
    };
    let fetcher = crate::fetch::Fetcher::new(&config, &production).unwrap();
    assert!(fetcher.get(&url, "*/*", limits).await.is_err());
}

#[test]
fn an_address_that_is_taken_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(matches!(
        bind(taken.local_addr().unwrap()),
        Err(ServeError::Bind { .. })
    ));
}

/// Callers who come at once are connected, although the service has not yet taken one of them.
#[test]
fn cat_397_a_crowd_is_held_until_it_is_served() {
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    // What the system allows at most; Linux says 4096.
    let allowed = std::fs::read_to_string("/proc/sys/net/core/somaxconn")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(128);
    let crowd: Vec<_> = (0..300.min(allowed))
        .map(|_| std::net::TcpStream::connect_timeout(&address, Duration::from_secs(10)).unwrap())
        .collect();
    for _ in &crowd {
        listener.accept().unwrap();
    }
}
