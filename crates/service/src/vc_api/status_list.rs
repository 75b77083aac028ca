//! `GET /credentials/status/{list}`: a status list credential, for everybody.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::VcApi;
use super::problem::Refusal;
use super::status;

/// Answers with the list. VCDM 2.0, section 6.3: its media type is `application/vc`; a client that
/// asks for JSON or JSON-LD by name gets the same bytes under that name.
pub(super) async fn handler(
    State(api): State<VcApi>,
    Path(list): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let credential = status::published(api.parts(), &list).await?;
    let credential = credential.ok_or_else(Refusal::not_found)?;
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    let accept = accept.unwrap_or_default();
    let names = |name: &str| accept.split([',', ';']).any(|part| part.trim() == name);
    let kind = match () {
        () if names("application/vc") => "application/vc",
        () if names("application/ld+json") => "application/ld+json",
        () if names("application/json") => "application/json",
        () => "application/vc",
    };
    let mut response = Json(credential).into_response();
    let out = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::VARY, "Accept"),
        (header::CACHE_CONTROL, "public, max-age=60"),
        // Lists are public, for scripts of any origin too.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "cross-origin",
        ),
    ] {
        out.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}
