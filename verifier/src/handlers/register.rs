//! `POST /register`: an application registers by itself (RFC 7591, section 3; OpenID Connect
//! Dynamic Client Registration 1.0, section 3).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use vouchsafe_service::http::ClientAddress;

use super::registration_answer::{RegistrationError, Told, answer, bearer, metadata};
use crate::app::App;
use crate::clients;
use crate::config::Registration;
use crate::domain::ids::SecretDigest;
use crate::store::clients::is_good;

/// Registers an application.
pub async fn handle(
    State(app): State<App>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match register(&app, address, &headers, &body).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn register(
    app: &App,
    address: ClientAddress,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response, RegistrationError> {
    let registration = app.settings.registration.as_ref();
    let registration = registration.ok_or(RegistrationError::Token)?;
    let initial = gate(app, registration, address, headers).await?;
    let asked = metadata(headers, body)?;
    let fresh = clients::register(app, registration, initial, &asked).await?;
    let told = Told {
        id: &fresh.id,
        created_at: fresh.created_at,
        token: &fresh.token,
        secret: fresh.secret.as_ref(),
        metadata: fresh.metadata.clone(),
    };
    Ok(answer(app, StatusCode::CREATED, told))
}

/// Who may register (catalogue 377): the holder of an initial access token, and everybody only
/// where the operator says so, seldom. A token that is not good is refused there too.
async fn gate(
    app: &App,
    registration: &Registration,
    address: ClientAddress,
    headers: &HeaderMap,
) -> Result<Option<SecretDigest>, RegistrationError> {
    let Some(token) = bearer(headers)? else {
        if !registration.open {
            return Err(RegistrationError::Token);
        }
        let limited = app.open_registrations.check(address);
        return limited
            .map(|()| None)
            .map_err(|_| RegistrationError::TooMany);
    };
    let digest = token.digest();
    match is_good(&app.db, &digest, app.now()).await? {
        true => Ok(Some(digest)),
        false => Err(RegistrationError::Token),
    }
}
