//! Pages of applications that call the service themselves (Fetch standard, CORS protocol). Documents for
//! everybody are for every page. Endpoints that take a code or a token answer the pages of the
//! applications that are in the configuration, and give no other origin a permission (catalogue 122).

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use vouchsafe_service::http::Problem;

use crate::app::App;

/// Headers that an application reads from an answer.
const EXPOSED: &str = "DPoP-Nonce, WWW-Authenticate";
/// Headers that it sends.
const SENT: &str = "Authorization, Content-Type, DPoP";
/// How long a browser remembers a permission, in seconds.
const REMEMBERED_S: &str = "600";

/// What is public: any page may read it. No cookie goes along.
pub(super) async fn public(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let any = HeaderValue::from_static("*");
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
    response
}

/// Where an application brings its code or its token, without a cookie.
pub(super) async fn of_applications(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Response {
    let allowed = origin(&app, request.headers());
    let asks_first = request.method() == Method::OPTIONS
        && (request.headers()).contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match (&allowed, asks_first) {
        (Some(_), true) => permission(),
        (None, _) | (_, false) => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let exposed = HeaderValue::from_static(EXPOSED);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
    response
}

/// The question of a page that gets no permission: the method is not served (RFC 9110, section 15.5.6).
pub(super) fn no_preflight(served: &'static str) -> Response {
    let allow = [(header::ALLOW, served)];
    let problem = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This address does not know the method.",
    );
    (allow, problem).into_response()
}

fn permission() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, SENT),
        (header::ACCESS_CONTROL_MAX_AGE, REMEMBERED_S),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// The origin of the page that asks, if an application of the configuration has its redirect URI there.
fn origin(app: &App, headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    let text = origin.to_str().ok()?;
    let clients = app.settings.clients().iter();
    let mut homes = clients.flat_map(|client| client.redirect_uris.iter());
    let known = homes.any(|uri| uri.origin().is_some_and(|home| home == text));
    known.then(|| origin.clone())
}
