//! What a listener asks of each request, and adds to each answer, before any service sees it.

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, StatusCode, Version, header, uri::Authority},
    middleware::{Next, from_fn, map_response},
    response::{IntoResponse, Response},
};

use super::error::Problem;

/// `Strict-Transport-Security`: a year, this host alone. What else has a name below it is not ours to
/// decide.
pub(super) const STRICT: &str = "max-age=31536000";

/// Around everything that a listener serves.
pub(super) fn around(router: Router, tls: bool) -> Router {
    let router = router.layer(from_fn(with_host));
    match tls {
        // RFC 6797, section 7.1; section 7.2: never on a connection without TLS.
        true => router.layer(map_response(strictly)),
        false => router,
    }
}

async fn strictly(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let value = HeaderValue::from_static(STRICT);
    headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    response
}

async fn with_host(request: Request, next: Next) -> Response {
    match names_host(&request) {
        true => next.run(request).await,
        false => Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_host",
            "The request needs one valid Host header.",
        )
        .into_response(),
    }
}

/// RFC 9112, section 3.2: a request of HTTP/1.1 has one `Host`, and one of any version that has it,
/// a valid one.
fn names_host(request: &Request) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => request.version() != Version::HTTP_11,
        (Some(host), None) => {
            // RFC 9110, section 7.2: host and port, nobody's name before them.
            let valid = |text: &str| !text.contains('@') && text.parse::<Authority>().is_ok();
            // RFC 9112, section 3.2.2: what the target names counts, so a `Host` that names somebody else
            // is for somebody else to read.
            let named = request.uri().authority();
            let same =
                |text: &str| named.is_none_or(|named| named.as_str().eq_ignore_ascii_case(text));
            host.to_str().is_ok_and(|text| valid(text) && same(text))
        }
        (Some(_), Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, routing::get};
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(tls: bool, version: Version, hosts: &[&str]) -> Response {
        let router = around(Router::new().route("/", get(async || "here")), tls);
        let mut request = Request::get("/").version(version);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        let request = request.body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn a_request_names_one_host() {
        for hosts in [
            &[][..],
            &["a.example", "a.example"],
            &["a.example", "b.example"],
            &[""],
            &["a b"],
            &["a.example/path"],
            &["somebody@a.example"],
            &["\u{e9}.example"],
        ] {
            let answer = ask(false, Version::HTTP_11, hosts).await;
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{hosts:?}");
        }
        for host in ["a.example", "a.example:8080", "127.0.0.1:1", "[::1]:8080"] {
            let answer = ask(false, Version::HTTP_11, &[host]).await;
            assert_eq!(answer.status(), StatusCode::OK, "{host}");
        }
        let old = |hosts| ask(false, Version::HTTP_10, hosts);
        assert_eq!(old(&[]).await.status(), StatusCode::OK);
        assert_eq!(old(&["a b"]).await.status(), StatusCode::BAD_REQUEST);
    }

    #[tokio::test]
    async fn cat_116_a_target_names_the_host_of_the_request() {
        for (target, expected) in [
            ("http://a.example/", StatusCode::OK),
            ("http://A.example/", StatusCode::OK),
            ("http://evil.example/", StatusCode::BAD_REQUEST),
            ("http://a.example:81/", StatusCode::BAD_REQUEST),
            ("http://somebody@a.example/", StatusCode::BAD_REQUEST),
        ] {
            let router = around(Router::new().route("/", get(async || "here")), false);
            let request = Request::get(target).header(header::HOST, "a.example");
            let request = request.body(Body::empty()).unwrap();
            let answer = router.oneshot(request).await.unwrap();
            assert_eq!(answer.status(), expected, "{target}");
        }
    }

    #[tokio::test]
    async fn tls_and_nothing_else_is_asked_for_again() {
        for hosts in [&["a.example"][..], &[]] {
            let strict = ask(true, Version::HTTP_11, hosts).await;
            let headers = strict.headers();
            assert_eq!(headers[header::STRICT_TRANSPORT_SECURITY], STRICT);
            let plain = ask(false, Version::HTTP_11, hosts).await;
            let headers = plain.headers();
            assert!(!headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
        }
    }
}
