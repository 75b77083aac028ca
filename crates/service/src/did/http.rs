//! `GET /1.0/identifiers/{did}`: the HTTPS binding of DID resolution (DID Resolution v0.3, section 9.1).

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{OriginalUri, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
    routing::get,
};
use serde_json::{Value, json};
use vouchsafe_credentials::did::{DidUrl, ErrorCode, Resolution, ResolutionError, Resolver};

use super::dereference::{Content, Dereferenced, dereference};

mod accept;
mod options;

use accept::Wanted;

/// Where the handler stands.
pub const PATH: &str = "/1.0/identifiers/";

/// The route. Whoever mounts it decides who may call it.
pub fn router(resolver: Arc<dyn Resolver>) -> Router {
    Router::new()
        .route(PATH, get(resolve))
        .route("/1.0/identifiers/{*did}", get(resolve))
        .with_state(resolver)
}

async fn resolve(
    State(resolver): State<Arc<dyn Resolver>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let text = identifier(uri.path());
    let wanted = match accept::negotiate(&headers) {
        Some(wanted) => wanted,
        None => {
            let detail = "none of the media types is available";
            let error = ResolutionError::new(ErrorCode::RepresentationNotSupported, detail);
            return answer(&Wanted::Result, Resolution::failed(error));
        }
    };
    // DID Core 1.0, section 3.2: what has one of these is a DID URL, not a DID.
    let is_url = text.contains(['/', '?', '#']);
    let parsed = DidUrl::parse(&text);
    let options = match &parsed {
        Ok(url) => options::read(url, uri.query().unwrap_or_default()),
        Err(_) => Ok(Default::default()),
    };
    let mut options = match options {
        Ok(options) => options,
        Err(error) => return answer(&wanted, Resolution::failed(error)),
    };
    if wanted.dereferences(is_url || options.service.is_some() || options.service_type.is_some()) {
        options.urls = wanted.urls();
        let result = match parsed {
            Ok(url) => dereference(resolver.as_ref(), &url, &options).await,
            Err(_) => Dereferenced::failed(malformed(is_url)),
        };
        return dereferenced(&wanted, result);
    }
    let resolution = match parsed {
        Ok(url)
            if url.is_bare()
                || url.query().is_some() && url.fragment().is_none() && url.path().is_empty() =>
        {
            resolver
                .resolve(url.did().as_str(), &options.resolution)
                .await
        }
        _ => Resolution::failed(malformed(false)),
    };
    let resolution = if options.resolution.expand_relative_urls {
        options::expand(resolution)
    } else {
        resolution
    };
    answer(&wanted, resolution)
}

fn malformed(is_url: bool) -> ResolutionError {
    match is_url {
        true => ResolutionError::new(ErrorCode::InvalidDidUrl, "not a DID URL"),
        false => ResolutionError::new(ErrorCode::InvalidDid, "not a DID"),
    }
}

/// What follows the path of the handler. A DID is appended as it is or percent-encoded as a whole; only in
/// the second form its first colon is encoded.
fn identifier(path: &str) -> String {
    let (_, text) = path.split_once(PATH).unwrap_or_default();
    if text.starts_with("did:") {
        return text.to_owned();
    }
    let decoded = percent_decode(text);
    decoded.unwrap_or_else(|| text.to_owned())
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%' {
            let (digits, tail) = rest.split_at_checked(2)?;
            let digits = std::str::from_utf8(digits).ok()?;
            bytes.push(
                u8::from_str_radix(digits, 16)
                    .ok()
                    .filter(|_| !digits.starts_with('+'))?,
            );
            rest = tail;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The status of an error (section 9.1, table).
fn status(error: Option<&ResolutionError>, deactivated: bool) -> StatusCode {
    match error.map(|error| error.code) {
        None if deactivated => StatusCode::GONE,
        None => StatusCode::OK,
        Some(
            ErrorCode::InvalidDid
            | ErrorCode::InvalidDidUrl
            | ErrorCode::InvalidOptions
            // Of did:key, which is wrong or asked for wrongly by the caller.
            | ErrorCode::InvalidPublicKey
            | ErrorCode::InvalidPublicKeyLength
            | ErrorCode::InvalidPublicKeyType
            | ErrorCode::UnsupportedPublicKeyType,
        ) => StatusCode::BAD_REQUEST,
        Some(ErrorCode::NotFound) => StatusCode::NOT_FOUND,
        Some(ErrorCode::RepresentationNotSupported) => StatusCode::NOT_ACCEPTABLE,
        Some(ErrorCode::MethodNotSupported | ErrorCode::FeatureNotSupported) => StatusCode::NOT_IMPLEMENTED,
        Some(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn answer(wanted: &Wanted, resolution: Resolution) -> Response {
    let error = resolution.resolution_metadata.error.as_ref();
    let status = status(error, resolution.document_metadata.deactivated());
    match (wanted, &resolution.document) {
        (Wanted::Document(media_type), Some(document)) => {
            json_response(status, media_type, document.as_json())
        }
        (Wanted::Legacy, _) => json_response(status, accept::LEGACY, &legacy(&resolution)),
        _ => json_response(status, accept::RESULT, &resolution.to_json()),
    }
}

/// The result of older drafts: errors are texts, and what is absent is an empty object.
fn legacy(resolution: &Resolution) -> Value {
    let mut json = resolution.to_json();
    if let Some(error) = &resolution.resolution_metadata.error {
        json["didResolutionMetadata"] = json!({"error": error.code.legacy()});
    }
    if resolution.document.is_none() {
        json["didDocument"] = json!({});
    }
    json
}

fn dereferenced(wanted: &Wanted, result: Dereferenced) -> Response {
    let status = status(result.error.as_ref(), result.metadata.deactivated());
    if let Some(Content::Urls(urls)) = &result.content
        && let Some(location) = urls.first().and_then(|url| HeaderValue::from_str(url).ok())
        && status == StatusCode::OK
    {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SEE_OTHER;
        response.headers_mut().insert(header::LOCATION, location);
        return response;
    }
    match wanted {
        Wanted::Document(media_type) if result.error.is_none() => {
            json_response(status, media_type, &result.content_json())
        }
        Wanted::Legacy => {
            let metadata = match &result.error {
                Some(error) => json!({"error": error.code.legacy()}),
                None => result.metadata_json(),
            };
            let content = result.content_json();
            let body = json!({
                "@context": "https://w3id.org/did-resolution/v1",
                "didDocument": if content.is_null() { json!({}) } else { content },
                "didDereferencingMetadata": metadata,
                "didDocumentMetadata": result.metadata.0,
            });
            json_response(status, accept::LEGACY, &body)
        }
        _ => {
            let body = json!({
                "@context": "https://w3id.org/did-url-dereferencing/v1",
                "contentStream": result.content_json(),
                "dereferencingMetadata": result.metadata_json(),
                "contentMetadata": result.metadata.0,
            });
            json_response(status, accept::DEREFERENCING, &body)
        }
    }
}

fn json_response(status: StatusCode, media_type: &'static str, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}
