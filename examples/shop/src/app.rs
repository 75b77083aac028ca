//! Puts the shop together.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use tokio::sync::OnceCell;
use vouchsafe_pages::{Pages, PagesError};
use vouchsafe_service::fetch::Fetcher;

use crate::Config;
use crate::handlers::{
    backchannel_logout, callback, club, elsewhere, events, home, login, logout, problem,
};
use crate::http::Http;
use crate::oidc::{LoginError, Provider};
use crate::visitors::Visitors;

/// The shop does not start.
#[derive(Debug, thiserror::Error)]
pub enum ShopError {
    /// The pages cannot be rendered.
    #[error("pages")]
    Pages(#[from] PagesError),
}

/// A shop, ready to serve. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Shop {
    pub(crate) parts: Arc<Parts>,
}

#[derive(Debug)]
pub(crate) struct Parts {
    pub config: Config,
    pub http: Http,
    pub pages: Pages,
    pub visitors: Visitors,
    provider: OnceCell<Provider>,
}

impl Shop {
    /// A shop that reaches its provider through `fetcher`.
    pub fn new(config: Config, fetcher: Arc<Fetcher>) -> Result<Self, ShopError> {
        let parts = Parts {
            config,
            http: Http::new(fetcher),
            pages: Pages::new()?,
            visitors: Visitors::default(),
            provider: OnceCell::new(),
        };
        Ok(Self {
            parts: Arc::new(parts),
        })
    }

    /// Everything the shop answers to.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/", get(home::handle))
            .route("/login/{purpose}", get(login::handle))
            .route("/callback", get(callback::handle))
            .route("/logout", post(logout::handle))
            .route("/backchannel-logout", post(backchannel_logout::handle))
            .route("/elsewhere", post(elsewhere::handle))
            .route("/events", get(events::handle))
            .route("/club", get(club::counter))
            .route("/club/offers", post(club::offer))
            .route("/club/cards", get(club::cards))
            .route("/club/cards/{id}/revoke", post(club::revoke))
            .fallback(not_found)
            .with_state(self.clone())
            .merge(vouchsafe_pages::assets_router())
            .layer(DefaultBodyLimit::max(64 * 1024))
    }
}

impl Parts {
    /// The provider, discovered at first use.
    pub async fn provider(&self) -> Result<&Provider, LoginError> {
        self.provider
            .get_or_try_init(|| Provider::discover(&self.config, self.http.clone()))
            .await
    }
}

/// An address that the shop does not have.
async fn not_found(State(shop): State<Shop>, headers: HeaderMap) -> Response {
    problem(&shop, &headers, StatusCode::NOT_FOUND, "not-found")
}
