//! Where a phone gets the authority of `vouchsafe demo --lan`: a page of plain http, because the
//! phone trusts nothing of the demo yet. It says what to compare with the terminal.

use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use vouchsafe_pages::{CONTENT_SECURITY_POLICY, Locale, Pages};
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::http::{Problem, standard};
use vouchsafe_service::id::Ids;
use vouchsafe_service::random::OsRandom;

use super::reach::{Addresses, Lan};

struct Page {
    pages: Pages,
    authority: String,
    wallet: String,
}

/// The page and the file.
pub fn router(lan: &Lan, addresses: &Addresses) -> Result<Router> {
    let page = Page {
        pages: Pages::new()?,
        authority: lan.authority.clone(),
        wallet: addresses.wallet.clone(),
    };
    let at = addresses.authority.context("no address of the authority")?;
    // For the headers of every answer; people know the page by its address alone.
    let public_url = format!("https://{at}").parse()?;
    let router = Router::new()
        .route("/", get(show))
        .route("/vouchsafe-demo.crt", get(download))
        .with_state(Arc::new(page))
        .merge(vouchsafe_pages::assets_router());
    let ids = Ids::new(Arc::new(SystemClock), Arc::new(OsRandom));
    Ok(standard(router, &public_url, ids))
}

async fn show(State(page): State<Arc<Page>>, headers: HeaderMap) -> Response {
    let language = headers.get(header::ACCEPT_LANGUAGE);
    let language = language.and_then(|value| value.to_str().ok());
    let context = json!({ "wallet": page.wallet });
    let locale = Locale::negotiate(None, language);
    match page.pages.render("wallet/authority", locale, context) {
        Ok(html) => {
            let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY);
            ([(header::CONTENT_SECURITY_POLICY, policy)], html).into_response()
        }
        Err(error) => {
            tracing::error!(error = ?error, "a page cannot be rendered");
            Problem::internal().into_response()
        }
    }
}

async fn download(State(page): State<Arc<Page>>) -> Response {
    let kind = [
        (header::CONTENT_TYPE, "application/x-x509-ca-cert"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"vouchsafe-demo.crt\"",
        ),
    ];
    (kind, page.authority.clone()).into_response()
}
