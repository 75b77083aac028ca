//! What makes the pages an app on a phone: a manifest, and a service worker that keeps no page.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use vouchsafe_pages::asset_path;

use super::shell::Shell;

/// The files that a browser fetches without the person's session.
pub(super) fn router(shell: Arc<Shell>) -> Router {
    Router::new()
        .route("/app.webmanifest", get(manifest))
        .route("/worker.js", get(worker))
        .route("/offline", get(offline))
        .with_state(shell)
}

/// Nothing of the person is in it: browsers ask for it without cookies.
async fn manifest(State(shell): State<Arc<Shell>>, headers: HeaderMap) -> Response {
    let locale = shell.visitor(&headers).locale;
    let icon = |name: &str, size: u32, purpose: &str| json!({ "src": asset_path(name), "sizes": format!("{size}x{size}"), "type": "image/png", "purpose": purpose });
    let manifest = json!({
        "id": "/",
        "name": shell.text(locale, "wallet-name"),
        "short_name": shell.text(locale, "wallet-name"),
        "lang": locale.tag(),
        "dir": locale.direction(),
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#faf8f4",
        "theme_color": "#faf8f4",
        "icons": [
            icon("icon-192.png", 192, "any"),
            icon("icon-512.png", 512, "any"),
            icon("icon-512.png", 512, "maskable"),
        ],
    });
    let kind = [(header::CONTENT_TYPE, "application/manifest+json")];
    (kind, manifest.to_string()).into_response()
}

/// The worker stands at the root, so that it covers all pages.
async fn worker() -> Response {
    let kind = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    (kind, WORKER).into_response()
}

const WORKER: &str = include_str!("worker.js");

/// What the worker shows when the wallet cannot be reached: the one page that it keeps.
async fn offline(State(shell): State<Arc<Shell>>, headers: HeaderMap) -> Response {
    shell.page(&shell.visitor(&headers), "wallet/offline", json!({}))
}
