//! `GET /healthz` and `GET /readyz`.

use axum::extract::State;
use axum::http::StatusCode;

use crate::app::App;

/// The process answers.
pub async fn alive() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// The database answers as well.
pub async fn ready(State(app): State<App>) -> StatusCode {
    match app.db.ping().await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(error) => {
            tracing::warn!(code = error.code(), "not ready");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
