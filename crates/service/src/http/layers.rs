//! What happens around every request: id, log line, metrics, deadline, security headers.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use futures::{FutureExt, StreamExt};
use tracing::Instrument;

use super::{Edge, error::Problem, limits, rejection::Rejection};
use crate::{config::PublicUrl, id::Ids};

/// Time for one request; answers that stream (server-sent events) only need to begin in it.
const DEADLINE: Duration = Duration::from_secs(30);

/// Time for the body of a request, from its headers on (catalogue 397): who sends a byte now and then
/// keeps nothing open.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// The policy for answers that set none: nothing inline, nothing from elsewhere, no frames.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// Identifier of one request, in its log lines and in the answer's `x-request-id`.
///
/// It is ours: one that a client sends is ignored.
#[derive(Debug, Clone)]
pub struct RequestId(
    /// The id.
    pub Arc<str>,
);

/// Whether the body of a request came too late; stands among its extensions.
#[derive(Debug, Clone, Default)]
pub struct BodyDeadline(Arc<AtomicBool>);

impl BodyDeadline {
    /// Whether it has passed before the body was there.
    pub fn has_passed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Clone)]
struct Standard {
    ids: Ids,
    https: bool,
}

/// Wraps the router of a service. Routes may set a larger or smaller
/// [`DefaultBodyLimit`] of their own; the default is [`limits::FORM`].
pub fn standard(router: Router, public_url: &PublicUrl, ids: Ids) -> Router {
    wrap(router, public_url, ids, |router| router)
}

/// The same for a service that others reach: behind it stands the edge, so that what it refuses has
/// an id, a log line and the headers of every answer, too.
pub fn standard_at(edge: &Edge, router: Router, public_url: &PublicUrl, ids: Ids) -> Router {
    wrap(router, public_url, ids, |router| edge.around(router))
}

fn wrap(
    router: Router,
    public_url: &PublicUrl,
    ids: Ids,
    inside: impl FnOnce(Router) -> Router,
) -> Router {
    let state = Standard {
        ids,
        https: public_url.is_https(),
    };
    let router = router
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "This address does not know the method.",
            )
        })
        .layer(from_fn(super::twice::refuse))
        .layer(DefaultBodyLimit::max(limits::FORM));
    inside(router).layer(from_fn_with_state(state, around))
}

async fn around(State(standard): State<Standard>, mut request: Request, next: Next) -> Response {
    let id: Arc<str> = standard.ids.next_text().into();
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = known_method(request.method().as_str());
    // The pattern of the route, never the path: paths carry identifiers, queries carry codes.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "(none)".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!("request", id = %id, method, route);
    let started = Instant::now();
    let deadline = BodyDeadline::default();
    request.extensions_mut().insert(deadline.clone());
    let request = request.map(|body| in_time(body, deadline.clone()));
    let response = match is_framed_plainly(request.headers()) {
        true => answer(request, next).instrument(span.clone()).await,
        false => (
            [(header::CONNECTION, "close")],
            Rejection::Unreadable.problem(),
        )
            .into_response(),
    };
    let mut response = match Rejection::of(&response, &deadline) {
        Some(rejection) => rejection.problem().into_response(),
        None => response,
    };
    let seconds = started.elapsed().as_secs_f64();
    let status = response.status().as_u16();
    span.in_scope(|| tracing::info!(status, milliseconds = seconds * 1e3, "answered"));
    record(method, route, status, seconds);
    add_headers(&mut response, &id, standard.https);
    response
}

/// Catalogue 116: the one transfer coding that is read here is `chunked`, once; a proxy that reads another
/// one sees the request end elsewhere (RFC 9112, section 6.1).
fn is_framed_plainly(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let plain = |coding: &HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"chunked");
    codings.next().is_none_or(plain) && codings.next().is_none()
}

/// The same body, broken off at its deadline.
fn in_time(body: Body, passed: BodyDeadline) -> Body {
    if body.is_end_stream() {
        return body;
    }
    let deadline = tokio::time::Instant::now() + BODY_DEADLINE;
    let start = Some((body.into_data_stream(), passed));
    let parts = futures::stream::unfold(start, move |rest| async move {
        let (mut rest, passed) = rest?;
        match tokio::time::timeout_at(deadline, rest.next()).await {
            Ok(part) => part.map(|part| (part, Some((rest, passed)))),
            Err(_elapsed) => {
                passed.0.store(true, Ordering::Relaxed);
                let late = std::io::Error::from(std::io::ErrorKind::TimedOut);
                Some((Err(axum::Error::new(late)), None))
            }
        }
    });
    Body::from_stream(parts)
}

async fn answer(request: Request, next: Next) -> Response {
    let run = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(DEADLINE, run).await {
        Ok(Ok(response)) => response,
        Ok(Err(_panic)) => {
            tracing::error!("a handler panicked");
            Problem::internal().into_response()
        }
        Err(_elapsed) => {
            tracing::error!("a handler took too long");
            Problem::unavailable().into_response()
        }
    }
}

/// Methods that are not in HTTP's own list count as one, so that nobody can fill the metrics.
fn known_method(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("OTHER")
}

fn record(method: &'static str, route: String, status: u16, seconds: f64) {
    let labels = [
        ("method", method.to_owned()),
        ("route", route),
        ("status", status.to_string()),
    ];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_seconds", &labels).record(seconds);
}

fn add_headers(response: &mut Response, id: &str, https: bool) {
    let headers = response.headers_mut();
    let mut default = |name: HeaderName, value: &'static str| {
        let value = HeaderValue::from_static(value);
        headers.entry(name).or_insert(value);
    };
    default(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    default(header::CACHE_CONTROL, "no-store");
    default(header::REFERRER_POLICY, "no-referrer");
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(header::X_FRAME_OPTIONS, "DENY");
    default(
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    default(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    default(
        HeaderName::from_static("permissions-policy"),
        "camera=(), digital-credentials-get=(), geolocation=(), microphone=()",
    );
    if https {
        default(header::STRICT_TRANSPORT_SECURITY, super::transport::STRICT);
    }
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
}
