//! `GET /credentials/status/{list}`: a status list credential, for everybody.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::VcApi;
use super::problem::Refusal;
use super::status;

/// Answers with the list, or with 304 where the caller has it. VCDM 2.0, section 6.3: its media type is
/// `application/vc`; a client that asks for JSON or JSON-LD by name gets the same bytes under that name.
pub(super) async fn handler(
    State(api): State<VcApi>,
    Path(list): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let list = status::published(&api, &list).await?;
    let list = list.ok_or_else(Refusal::not_found)?;
    let (kind, mark) = media_type(&headers);
    // RFC 9110, section 8.8.1: a strong tag is of one representation.
    let tag = HeaderValue::try_from(format!("\"{}{mark}\"", list.tag));
    let tag = tag.map_err(|_| Refusal::internal())?;
    let mut response = match is_known(&headers, &tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => {
            let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(kind))];
            (kind, list.body).into_response()
        }
    };
    let out = response.headers_mut();
    out.insert(header::ETAG, tag);
    for (name, value) in [
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

/// What to call the bytes, and what their tag ends with.
fn media_type(headers: &HeaderMap) -> (&'static str, &'static str) {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    let accept = accept.unwrap_or_default();
    let names = |name: &str| accept.split([',', ';']).any(|part| part.trim() == name);
    match () {
        () if names("application/vc") => ("application/vc", ""),
        () if names("application/ld+json") => ("application/ld+json", ".ld"),
        () if names("application/json") => ("application/json", ".json"),
        () => ("application/vc", ""),
    }
}

/// RFC 9110, section 13.1.2: one of the tags that the caller has, weak or not.
fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let tags = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut tags = tags
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .map(str::trim);
    tags.any(|known| {
        known == "*" || known.strip_prefix("W/").unwrap_or(known).as_bytes() == tag.as_bytes()
    })
}
