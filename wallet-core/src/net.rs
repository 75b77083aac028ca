//! Small matters of requests and addresses.

use url::Url;
use vouchsafe_protocol::http::HttpRequest;

/// Replaces what the request accepts.
pub(crate) fn accepting(mut request: HttpRequest, media_type: &str) -> HttpRequest {
    request.headers = request
        .headers
        .iter()
        .filter(|(name, _)| *name != "accept")
        .collect();
    request.header("accept", media_type)
}

/// Host and unusual port, as a person reads it.
pub(crate) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Whether two addresses have the same scheme, host and port.
pub(crate) fn same_origin(one: &str, other: &str) -> bool {
    match (Url::parse(one), Url::parse(other)) {
        (Ok(one), Ok(other)) => one.origin().is_tuple() && one.origin() == other.origin(),
        _ => false,
    }
}
