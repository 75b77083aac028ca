//! `GET /.well-known/openid-credential-issuer` (OpenID4VCI 1.0, section 12.2): as JSON, or signed
//! for who prefers `application/jwt`.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use vouchsafe_protocol::vci::metadata::signed::MEDIA_TYPE;

use super::wire::{json_public, public};
use crate::core::Core;
use crate::negotiation::{languages, media_type};
use crate::{metadata, signed_metadata};

/// Answers with the metadata.
pub async fn handler(State(core): State<Core>, headers: HeaderMap) -> Response {
    let wants_signed = core.settings.rules().signed_metadata
        && media_type(&headers, MEDIA_TYPE) > media_type(&headers, "application/json");
    let signed = match wants_signed {
        false => None,
        true => match signed_metadata::token(&core).await {
            Ok(token) => Some(token),
            Err(error) => {
                // Section 12.2.2: the answer is 200, and the unsigned form is always there.
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "metadata cannot be signed");
                None
            }
        },
    };
    let mut response = match signed {
        Some(token) => {
            let mut response = public(token.into_response());
            let media_type = HeaderValue::from_static(MEDIA_TYPE);
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, media_type);
            response
        }
        None => unsigned(&core, &headers),
    };
    // RFC 9110, section 12.5.5: caches keep the forms apart.
    let vary = HeaderValue::from_static("accept, accept-language");
    response.headers_mut().append(header::VARY, vary);
    response
}

/// The JSON form, in the languages that are asked for.
fn unsigned(core: &Core, headers: &HeaderMap) -> Response {
    let mut document = metadata::issuer(core);
    let ranges = languages(headers);
    let ranges: Vec<&str> = ranges.iter().map(String::as_str).collect();
    let left = document.keep_languages(&ranges);
    let mut response = json_public(&document);
    if let Ok(value) = HeaderValue::try_from(left.join(", "))
        && !left.is_empty()
    {
        response
            .headers_mut()
            .insert(header::CONTENT_LANGUAGE, value);
    }
    response
}
