//! `POST /revoke` (RFC 7009).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::token_question::{QuestionError, form, token};
use crate::app::App;
use crate::caller::application;
use crate::login::revoke::revoke;

/// Takes a token back.
pub async fn handle(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    match give_up(&app, &headers, &body).await {
        // RFC 7009, section 2.2: the content of the body is ignored, the status says it all.
        Ok(()) => (StatusCode::OK, [(header::CACHE_CONTROL, "no-store")]).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn give_up(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<(), QuestionError> {
    let params = form(headers, body)?;
    let client = application(app, headers, &params).await?;
    let client = client.as_ref();
    let token = token(&params)?;
    Ok(revoke(app, client, token.expose()).await?)
}
