//! What the framework refuses by itself is answered as the address answers all else: endpoints of OAuth
//! with its errors, pages with a page. Everything else gets problem details (`service::http`).

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use vouchsafe_service::http::{BodyDeadline, OAuthError, Rejection};

use crate::app::App;
use crate::domain::reason::Explanation;
use crate::views::{self, PageFailure};

/// The numbers over REST, below the pages with them.
const NUMBERS: &str = "/admin/numbers";

/// Who is at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// An application (RFC 6749, section 5.2).
    Application,
    /// A person.
    Person,
    /// A program of another kind.
    Program,
}

impl Reader {
    fn of(request: &Request) -> Self {
        let path = request.uri().path();
        let first = path.split('/').nth(1).unwrap_or_default();
        match first {
            "token" | "par" | "introspect" | "revoke" | "device_authorization" | "register" => {
                Self::Application
            }
            // Scripts of our pages speak JSON.
            "login" | "account" | "device" | "authorize" | "logout" | "admin"
                if !is_json(request.headers()) && path != NUMBERS =>
            {
                Self::Person
            }
            _ if path == "/vp/return" => Self::Person,
            _ => Self::Program,
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

/// The layer.
pub async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let deadline = request.extensions().get::<BodyDeadline>().cloned();
    let reader = Reader::of(&request);
    let locale = views::browser_locale(request.headers());
    let response = next.run(request).await;
    let Some(rejection) = Rejection::of(&response, &deadline.unwrap_or_default()) else {
        return response;
    };
    match reader {
        Reader::Program => response,
        Reader::Application if rejection == Rejection::Fault => {
            OAuthError::server_error().into_response()
        }
        Reader::Application => {
            let error = OAuthError::invalid_request(rejection.detail());
            let pragma = HeaderValue::from_static("no-cache");
            let error = error.header(header::PRAGMA, pragma);
            error.status(rejection.status()).into_response()
        }
        Reader::Person => {
            let (status, explanation) = match rejection {
                // A path that is no text names nothing of ours.
                Rejection::Unreadable => (StatusCode::NOT_FOUND, Explanation::Unknown),
                Rejection::Fault => (rejection.status(), Explanation::Server),
                Rejection::TooLarge | Rejection::Late | Rejection::MediaType => {
                    (rejection.status(), Explanation::Form)
                }
            };
            let failure = PageFailure {
                status,
                explanation,
                code: rejection.code().to_owned(),
                locale,
            };
            failure.show(&app)
        }
    }
}
