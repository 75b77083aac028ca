//! Stylesheet, mark and scripts, served by each service under `/assets`.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};

static ASSETS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/assets");

/// A router that serves `/assets/{file}`; merge it into a service's own.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{file}", get(asset))
}

/// The path of an asset with its version, so that a browser may keep it:
/// `/assets/vouchsafe.css?v=…`.
pub fn asset_path(name: &str) -> String {
    format!("/assets/{name}?v={}", version(name))
}

/// Versions of all assets by their names; hashed once, not for each page.
static VERSIONS: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let hash = |contents| BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(contents)[..6]);
    ASSETS
        .files()
        .map(|file| (file.path().display().to_string(), hash(file.contents())))
        .collect()
});

fn version(name: &str) -> &'static str {
    VERSIONS.get(name).map_or("", String::as_str)
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(file) = ASSETS.get_file(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let tag = format!("\"{}\"", version(&name));
    let fresh = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let keep = [
        (header::ETAG, tag),
        (header::CACHE_CONTROL, "public, max-age=86400".to_owned()),
    ];
    if fresh {
        return (StatusCode::NOT_MODIFIED, keep).into_response();
    }
    let kind = [(header::CONTENT_TYPE, content_type(&name).to_owned())];
    (kind, keep, file.contents()).into_response()
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn serves_the_stylesheet_once() {
        let first = asset(Path("vouchsafe.css".to_owned()), HeaderMap::new()).await;
        assert_eq!(first.status(), StatusCode::OK);
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        let second = asset(Path("vouchsafe.css".to_owned()), headers).await;
        assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
        let none = asset(Path("../Cargo.toml".to_owned()), HeaderMap::new()).await;
        assert_eq!(none.status(), StatusCode::NOT_FOUND);
    }
}
