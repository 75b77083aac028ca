//! The wallet in a browser on this machine: pages that work without scripts.

mod app;
mod cards;
mod error;
mod history;
mod offer;
mod request;
mod settings;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::config::PublicUrl;
use vouchsafe_service::http::standard;
use vouchsafe_service::id::Ids;
use vouchsafe_service::random::OsRandom;

pub use app::WebError;

use self::app::App;
use super::handle::WalletHandle;

/// How the web wallet is reached.
#[derive(Debug, Clone)]
pub struct WebConfig {
    /// Its address, as browsers see it. Requests to another host are refused.
    pub public_url: PublicUrl,
}

/// The pages. `/present` takes requests to show a card and `/offer` takes
/// offers, both with the query of the `openid4vp:` and
/// `openid-credential-offer:` links; `/callback` is where a sign-in at an
/// issuer comes back.
pub fn router(wallet: WalletHandle, config: WebConfig) -> Result<Router, WebError> {
    let app = Arc::new(App::new(wallet, config.public_url.clone())?);
    let pages = Router::new()
        .route("/", get(cards::list))
        .route("/colours.css", get(cards::colours))
        .route("/cards/{id}", get(cards::show))
        .route("/cards/{id}/delete", post(cards::delete))
        .route("/add", get(offer::form).post(offer::paste))
        .route("/offer", get(offer::open))
        .route("/offers/{session}", get(offer::show).post(offer::answer))
        .route("/callback", get(offer::callback))
        .route("/present", get(request::open))
        .route(
            "/requests/{session}",
            get(request::show).post(request::answer),
        )
        .route("/history", get(history::list))
        .route("/history/{id}/withdraw", post(history::withdraw))
        .route("/settings", get(settings::show).post(settings::save))
        .layer(from_fn_with_state(Arc::clone(&app), app::only_this_host))
        .with_state(app);
    let ids = Ids::new(Arc::new(SystemClock), Arc::new(OsRandom));
    Ok(standard(
        pages.merge(vouchsafe_pages::assets_router()),
        &config.public_url,
        ids,
    ))
}

#[cfg(test)]
mod tests;
