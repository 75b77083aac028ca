//! `GET /components/wallet-login/1.js`: the button for pages of businesses.

use std::sync::LazyLock;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};
use vouchsafe_credentials::encoding::b64url;

/// The path, with the version of what the component promises.
pub const PATH: &str = "/components/wallet-login/1.js";

const SCRIPT: &str = include_str!("../../../clients/web-component/wallet-login.js");

static TAG: LazyLock<String> =
    LazyLock::new(|| format!("\"{}\"", b64url(&Sha256::digest(SCRIPT)[..9])));

/// The file. It is for pages of other origins, and the one answer of this service that is: a script
/// of type `module` is fetched with CORS, and a page that isolates itself asks for CORP. It is the
/// same for everybody and comes with no credentials, so `*` gives nothing away.
pub async fn handle(headers: HeaderMap) -> Response {
    let fresh = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|value| value.as_bytes() == TAG.as_bytes());
    let open = [
        (header::ETAG, TAG.as_str()),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (
            header::HeaderName::from_static("cross-origin-resource-policy"),
            "cross-origin",
        ),
    ];
    if fresh {
        return (StatusCode::NOT_MODIFIED, open).into_response();
    }
    let kind = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    (kind, open, SCRIPT).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_stays_small() {
        assert!(SCRIPT.len() < 10 * 1000, "{} bytes", SCRIPT.len());
    }

    /// What a strict policy of a page forbids, and what a login must not leave behind.
    #[test]
    fn the_component_uses_nothing_that_a_strict_policy_forbids() {
        let forbidden = [
            "innerHTML",
            "eval(",
            "Function(",
            ".style",
            "<style",
            "document.cookie",
            "fetch(",
            "import ",
        ];
        for word in forbidden {
            assert!(!SCRIPT.contains(word), "{word}");
        }
    }
}
