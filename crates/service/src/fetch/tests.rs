//! The fetcher against hosts on loopback that misbehave.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::config::AllowedHost;

const DEV: DevConfig = DevConfig {
    loopback_http: true,
};
const PRODUCTION: DevConfig = DevConfig {
    loopback_http: false,
};

fn strict() -> Fetcher {
    Fetcher::new(&FetchConfig::default(), &PRODUCTION).unwrap()
}

fn dev() -> Fetcher {
    Fetcher::new(&FetchConfig::default(), &DEV).unwrap()
}

async fn refusal(fetcher: &Fetcher, url: &str) -> Refused {
    match fetcher.get(url, "*/*", Limits::METADATA).await {
        Err(FetchError::Refused(refused)) => refused,
        other => panic!("{url}: {other:?}"),
    }
}

/// A host that sends the same bytes to everybody and counts connections.
async fn host(answer: impl Into<Vec<u8>>) -> (SocketAddr, Arc<AtomicU32>) {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(&answer).await;
            });
        }
    });
    (address, connections)
}

fn answer(headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

/// A resolver with one answer after the other, then the last one for ever.
struct Scripted(Vec<Vec<SocketAddr>>, AtomicU32);

impl Scripted {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |texts: &&[&str]| {
            let parsed = texts.iter().map(|text| text.parse().unwrap());
            parsed.collect()
        };
        Arc::new(Self(answers.iter().map(parse).collect(), AtomicU32::new(0)))
    }
}

#[async_trait]
impl Resolve for Scripted {
    async fn resolve(&self, _: &str) -> io::Result<Vec<SocketAddr>> {
        let turn = self.1.fetch_add(1, Ordering::SeqCst) as usize;
        Ok(self.0[turn.min(self.0.len() - 1)].clone())
    }
}

fn resolving(answers: &[&[&str]], config: &FetchConfig) -> (Fetcher, Arc<Scripted>) {
    let resolver = Scripted::new(answers);
    let fetcher = Fetcher::with_resolver(config, &PRODUCTION, resolver.clone()).unwrap();
    (fetcher, resolver)
}

#[tokio::test]
async fn private_literals_in_every_spelling() {
    let fetcher = strict();
    for url in [
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "https://[fd00::1]/",
        "https://0.0.0.0/",
    ] {
        assert_eq!(refusal(&fetcher, url).await, Refused::Private, "{url}");
    }
}

#[tokio::test]
async fn cat_178_one_private_address_refuses_the_whole_answer() {
    for answers in [
        &["10.0.0.1:0"][..],
        &["93.184.216.34:0", "127.0.0.1:0"],
        &["[2606:4700::1111]:0", "[::1]:0"],
        &["93.184.216.34:0", "[::ffff:10.0.0.1]:0"],
    ] {
        let (fetcher, _) = resolving(&[answers], &FetchConfig::default());
        let refused = refusal(&fetcher, "https://issuer.example/").await;
        assert_eq!(refused, Refused::Private, "{answers:?}");
    }
    let (fetcher, _) = resolving(&[&[]], &FetchConfig::default());
    assert_eq!(
        refusal(&fetcher, "https://issuer.example/").await,
        Refused::Unresolved
    );
}

/// The name points to a checked address at first and somewhere else on every later question:
/// there is only one question, and the connection goes where it answered.
#[tokio::test]
async fn cat_179_rebinding_has_no_second_question() {
    let (checked, checked_hits) = host("").await;
    let (_, other_hits) = host("").await;
    let config = FetchConfig {
        allow: vec![AllowedHost {
            host: "issuer.example".into(),
            ports: vec![checked.port()],
            private: true,
        }],
        extra_ca: Vec::new(),
    };
    let (fetcher, resolver) = resolving(&[&["127.0.0.1:0"], &["127.0.0.2:0"]], &config);
    let url = format!("https://issuer.example:{}/", checked.port());
    // The host speaks no TLS, so there is no answer; what matters is who was called.
    let outcome = fetcher.get(&url, "*/*", Limits::METADATA).await;
    assert!(
        matches!(outcome, Err(FetchError::Unreachable)),
        "{outcome:?}"
    );
    assert_eq!(resolver.1.load(Ordering::SeqCst), 1);
    assert_eq!(checked_hits.load(Ordering::SeqCst), 1);
    assert_eq!(other_hits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn cat_215_redirects_are_checked_like_the_first_address() {
    let (inner, inner_hits) = host(answer("", "secret")).await;
    for (target, refused) in [
        ("https://10.0.0.1/".to_owned(), true),
        ("file:///etc/passwd".to_owned(), true),
        ("http://example.com/".to_owned(), true),
        (format!("http://{inner}/"), false),
    ] {
        let redirect =
            format!("HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n");
        let (outer, _) = host(redirect).await;
        let url = format!("http://{outer}/");
        let outcome = dev().get(&url, "*/*", Limits::STATUS_LIST).await;
        match refused {
            true => assert!(
                matches!(outcome, Err(FetchError::Refused(_))),
                "{target}: {outcome:?}"
            ),
            false => assert_eq!(outcome.unwrap().body, b"secret"),
        }
    }
    assert_eq!(inner_hits.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn cat_215_redirects_are_counted_and_not_followed_where_forbidden() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let text = format!(
        "HTTP/1.1 302 Found\r\nlocation: http://{address}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    let listener = TcpListener::bind(address).await.unwrap();
    let hits = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&hits);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(text.as_bytes()).await;
        }
    });
    let url = format!("http://{address}/");
    let endless = dev().get(&url, "*/*", Limits::STATUS_LIST).await;
    assert!(matches!(endless, Err(FetchError::Redirect)), "{endless:?}");
    assert_eq!(hits.swap(0, Ordering::SeqCst), 4);
    // Without permission the redirect itself is the answer.
    let plain = dev()
        .get(&url, "*/*", Limits::REQUEST_OBJECT)
        .await
        .unwrap();
    assert_eq!((plain.status, plain.is_success()), (302, false));
    let posted = dev()
        .post_form(&url, &[("a", "b")], HeaderMap::new(), Limits::STATUS_LIST)
        .await;
    assert_eq!(posted.unwrap().status, 302);
    assert_eq!(hits.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn cat_182_only_port_443() {
    let fetcher = strict();
    for url in [
        "https://example.com:22/",
        "https://example.com:8443/",
        "https://example.com:80/",
    ] {
        assert_eq!(refusal(&fetcher, url).await, Refused::Port, "{url}");
    }
    let config = FetchConfig {
        allow: vec![AllowedHost {
            host: "example.com".into(),
            ports: vec![8443],
            private: false,
        }],
        extra_ca: Vec::new(),
    };
    // The exception is for one port of one host, and is no permission for private addresses.
    let (fetcher, _) = resolving(&[&["10.0.0.1:0"]], &config);
    assert_eq!(
        refusal(&fetcher, "https://example.com:22/").await,
        Refused::Port
    );
    assert_eq!(
        refusal(&fetcher, "https://www.example.com:8443/").await,
        Refused::Port
    );
    assert_eq!(
        refusal(&fetcher, "https://example.com:8443/").await,
        Refused::Private
    );
}

#[tokio::test]
async fn only_https() {
    let fetcher = strict();
    for url in [
        "http://example.com/",
        "http://127.0.0.1/",
        "http://localhost/",
        "ftp://example.com/",
        "gopher://example.com/",
        "file:///etc/passwd",
        "data:text/plain,x",
    ] {
        let refused = refusal(&fetcher, url).await;
        assert!(
            matches!(refused, Refused::Scheme | Refused::Syntax),
            "{url}: {refused:?}"
        );
    }
    for url in ["", "example.com", "//example.com/", "https://"] {
        assert_eq!(refusal(&fetcher, url).await, Refused::Syntax, "{url}");
    }
    for url in ["https://user@example.com/", "https://a:b@example.com/"] {
        assert_eq!(refusal(&fetcher, url).await, Refused::UserInfo, "{url}");
    }
}

#[tokio::test]
async fn the_loopback_exception_is_for_loopback() {
    let fetcher = dev();
    for url in [
        "http://example.com/",
        "http://10.0.0.1/",
        "http://127.0.0.1.example.com/",
    ] {
        assert_eq!(refusal(&fetcher, url).await, Refused::Scheme, "{url}");
    }
    assert_eq!(
        refusal(&fetcher, "https://10.0.0.1/").await,
        Refused::Private
    );
    let (address, _) = host(answer(
        "content-type: application/json; charset=utf-8\r\n",
        "{}",
    ))
    .await;
    let response = fetcher
        .get(&format!("http://{address}/"), "*/*", Limits::METADATA)
        .await
        .unwrap();
    assert!(response.is("application/json") && response.is_success());
    let refused = refusal(&strict(), &format!("http://{address}/")).await;
    assert_eq!(refused, Refused::Scheme);
}

#[tokio::test]
async fn cat_185_large_answers_are_cut() {
    let limits = Limits {
        body: 1000,
        ..Limits::METADATA
    };
    let announced = answer("", &"x".repeat(1001));
    let lying = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}",
        "x".repeat(100_000)
    );
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}",
        "3e8\r\n".to_owned() + &"x".repeat(1000) + "\r\n3e8\r\n" + &"x".repeat(1000) + "\r\n"
    );
    for large in [announced, lying, chunked] {
        let (address, _) = host(large).await;
        let outcome = dev()
            .get(&format!("http://{address}/"), "*/*", limits)
            .await;
        assert!(matches!(outcome, Err(FetchError::TooLarge)), "{outcome:?}");
    }
    let (address, _) = host(answer("", &"x".repeat(1000))).await;
    let fits = dev()
        .get(&format!("http://{address}/"), "*/*", limits)
        .await;
    assert_eq!(fits.unwrap().body.len(), 1000);
    let (address, _) = host(answer("content-encoding: gzip\r\n", "xxxx")).await;
    let packed = dev()
        .get(&format!("http://{address}/"), "*/*", limits)
        .await;
    assert!(matches!(packed, Err(FetchError::Encoded)), "{packed:?}");
}

#[tokio::test]
async fn cat_214_slow_hosts_are_left() {
    let limits = Limits {
        total: Duration::from_millis(300),
        ..Limits::METADATA
    };
    // Headers, then nothing more of the announced body; and no answer at all.
    for slow in ["HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nx", ""] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(slow.as_bytes()).await;
            std::future::pending::<()>().await;
        });
        let outcome = dev()
            .get(&format!("http://{address}/"), "*/*", limits)
            .await;
        assert!(matches!(outcome, Err(FetchError::Timeout)), "{outcome:?}");
    }
}

#[tokio::test]
async fn cat_196_a_host_that_is_down_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let outcome = dev()
        .get(&format!("http://{address}/"), "*/*", Limits::JWKS)
        .await;
    assert!(
        matches!(outcome, Err(FetchError::Unreachable)),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn requests_carry_what_was_asked_and_nothing_else() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 8192];
        let mut length = 0;
        while !String::from_utf8_lossy(&request[..length]).contains("a=b") {
            length += stream.read(&mut request[length..]).await.unwrap();
        }
        stream
            .write_all(answer("set-cookie: a=1\r\n", "").as_bytes())
            .await
            .unwrap();
        String::from_utf8_lossy(&request[..length]).to_lowercase()
    });
    let url = format!("http://{address}/token");
    let form = [("a", "b c&"), ("x", "ü")];
    let sent = dev()
        .post_form(&url, &form, HeaderMap::new(), Limits::EXCHANGE)
        .await;
    assert!(sent.unwrap().is_success());
    let request = seen.await.unwrap();
    assert!(request.starts_with("post /token http/1.1\r\n"), "{request}");
    assert!(request.contains("content-type: application/x-www-form-urlencoded\r\n"));
    assert!(request.ends_with("a=b+c%26&x=%c3%bc"), "{request}");
    assert!(request.contains("accept-encoding: identity"));
    for absent in ["cookie:", "referer:", "gzip", "authorization:"] {
        assert!(!request.contains(absent), "{request}");
    }
}

#[tokio::test]
async fn errors_name_no_address() {
    let outcome = strict()
        .get("https://10.0.0.1/canary", "*/*", Limits::JWKS)
        .await;
    let error = outcome.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"));
}
