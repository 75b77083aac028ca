//! `POST /introspect` (RFC 7662).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use vouchsafe_protocol::oauth::introspection::Introspection;

use super::oauth;
use super::token_question::{QuestionError, form, token};
use crate::app::App;
use crate::caller::{Caller, CallerError, authenticate};
use crate::login::introspect::introspect;

/// Says whether a token is good now.
pub async fn handle(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    match about(&app, &headers, &body).await {
        Ok(known) => oauth::answer(&known),
        Err(error) => error.into_response(),
    }
}

async fn about(
    app: &App,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Introspection, QuestionError> {
    let params = form(headers, body)?;
    let caller = authenticate(app, headers, &params).await?;
    // RFC 7662, section 2.1: who asks has proven who they are, or tokens could be scanned for.
    if let Caller::Client(client) = &caller
        && !client.authentication.is_confidential()
    {
        return Err(CallerError::Client { by_header: false }.into());
    }
    let token = token(&params)?;
    Ok(introspect(app, &caller, token.expose()).await?)
}
