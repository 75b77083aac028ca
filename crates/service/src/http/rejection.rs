//! What the framework refuses by itself, before a handler is asked: bodies that are too long or do not
//! come, paths and queries that cannot be read. Its texts tell how it is built and are for nobody;
//! clients get answers of ours.

use axum::{
    http::{StatusCode, header},
    response::Response,
};

use super::{error::Problem, layers::BodyDeadline};

/// Why the framework refused a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// The body is longer than the route takes.
    TooLarge,
    /// The body did not come in time.
    Late,
    /// Another content type than the route takes.
    MediaType,
    /// A path, a query or a body that cannot be read.
    Unreadable,
    /// A fault of ours.
    Fault,
}

impl Rejection {
    /// Whether an answer is the framework's own refusal: an error in plain text. No handler writes one.
    pub fn of(response: &Response, deadline: &BodyDeadline) -> Option<Self> {
        let status = response.status();
        let error = status.is_client_error() || status.is_server_error();
        let content = response.headers().get(header::CONTENT_TYPE)?;
        if !error || !content.as_bytes().starts_with(b"text/plain") {
            return None;
        }
        Some(match status {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            _ if deadline.has_passed() => Self::Late,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::MediaType,
            _ if status.is_server_error() => Self::Fault,
            _ => Self::Unreadable,
        })
    }

    /// The status of an answer of ours.
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            // RFC 9110, section 15.5.9.
            Self::Late => StatusCode::REQUEST_TIMEOUT,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The code.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Late => "late_body",
            Self::MediaType => "unsupported_media_type",
            Self::Unreadable => "unreadable_request",
            Self::Fault => "internal_error",
        }
    }

    /// A sentence without quotes, fit for a description of OAuth, too (RFC 6749, section 5.2).
    pub fn detail(self) -> &'static str {
        match self {
            Self::TooLarge => "The body is too large.",
            Self::Late => "The body did not come in time.",
            Self::MediaType => "The content type or encoding is not accepted here.",
            Self::Unreadable => "The path, the query or the body cannot be read.",
            Self::Fault => "The service failed. Its log says why.",
        }
    }

    /// Problem details.
    pub fn problem(self) -> Problem {
        Problem::new(self.status(), self.code(), self.detail())
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use axum::{
        Router,
        body::{Body, Bytes, to_bytes},
        extract::{Path, Query, Request},
        routing::{get, post},
    };
    use futures::stream;
    use tower::ServiceExt as _;

    use super::*;
    use crate::{
        clock::SystemClock,
        config::PublicUrl,
        http::{StrictForm, limits, standard},
        id::Ids,
        random::OsRandom,
    };

    fn app() -> Router {
        let router = Router::new()
            .route("/body", post(async |_: Bytes| "read"))
            .route("/form", post(async |_: StrictForm| "read"))
            .route("/path/{name}", get(async |_: Path<String>| "read"))
            .route("/query", get(async |_: Query<(String,)>| "read"))
            .route(
                "/named",
                get(async |Query(all): Query<BTreeMap<String, u8>>| all.len().to_string()),
            );
        let ids = Ids::new(Arc::new(SystemClock), Arc::new(OsRandom));
        standard(
            router,
            &"https://op.example".parse::<PublicUrl>().unwrap(),
            ids,
        )
    }

    async fn code(request: Request) -> (u16, String) {
        let response = app().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let kind = response.headers()[header::CONTENT_TYPE].clone();
        assert_eq!(kind, "application/problem+json");
        let body = to_bytes(response.into_body(), 4096).await.unwrap();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        (status, problem["code"].as_str().unwrap().to_owned())
    }

    #[tokio::test]
    async fn refusals_of_the_framework_are_ours() {
        let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
        for path in ["/path/%ff", "/query", "/named?a=300"] {
            let unreadable = (400, "unreadable_request".to_owned());
            assert_eq!(code(get(path)).await, unreadable, "{path}");
        }
        let long = Body::from(vec![b'a'; limits::FORM + 1]);
        let long = Request::post("/body").body(long).unwrap();
        assert_eq!(code(long).await, (413, "too_large".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_in_time_is_late() {
        for path in ["/body", "/form"] {
            let never = stream::pending::<Result<Bytes, std::io::Error>>();
            let request = Request::post(path)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from_stream(never))
                .unwrap();
            assert_eq!(code(request).await, (408, "late_body".to_owned()), "{path}");
        }
    }

    #[tokio::test]
    async fn cat_116_another_transfer_coding_ends_the_connection() {
        let framed = |codings: &[&str]| {
            let request = Request::post("/body");
            let add = |request: axum::http::request::Builder, coding: &&str| {
                request.header(header::TRANSFER_ENCODING, *coding)
            };
            let request = codings.iter().fold(request, add);
            app().oneshot(request.body(Body::from("x")).unwrap())
        };
        for codings in [
            &["gzip, chunked"][..],
            &["chunked, chunked"],
            &["chunked", "chunked"],
            &["identity"],
        ] {
            let response = framed(codings).await.unwrap();
            assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{codings:?}");
            assert_eq!(response.headers()[header::CONNECTION], "close");
        }
        for codings in [&[][..], &["chunked"], &["Chunked"]] {
            let response = framed(codings).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{codings:?}");
        }
    }
}
