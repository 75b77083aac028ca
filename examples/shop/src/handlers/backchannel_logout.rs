//! `POST /backchannel-logout`: the provider says that a session is over.

use axum::Form;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::Shop;
use crate::logout_token;

/// OpenID Connect Back-Channel Logout 1.0, section 2.5.
#[derive(Deserialize)]
pub struct Parameters {
    logout_token: String,
}

/// Verifies the logout token and ends the sessions it names.
pub async fn handle(
    State(shop): State<Shop>,
    Form(Parameters { logout_token }): Form<Parameters>,
) -> Response {
    // Section 2.8: the response must not be cached.
    let uncached = [(header::CACHE_CONTROL, "no-store")];
    let Ok(provider) = shop.parts.provider().await else {
        return (StatusCode::BAD_GATEWAY, uncached).into_response();
    };
    match logout_token::verify(&logout_token, provider.keys(), &shop.parts.config) {
        Ok(named) => {
            let ended = shop
                .parts
                .visitors
                .end(named.sid.as_deref(), named.sub.as_deref());
            tracing::info!(ended, "the provider ended sessions");
            (StatusCode::OK, uncached).into_response()
        }
        Err(error) => {
            tracing::warn!(%error, "a logout token was refused");
            (StatusCode::BAD_REQUEST, uncached).into_response()
        }
    }
}
