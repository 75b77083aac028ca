//! `GET|PUT|DELETE /register/{client_id}`: an application looks after its registration (RFC 7592).

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use vouchsafe_protocol::oauth::values::ClientId as OAuthClientId;

use super::registration_answer::{RegistrationError, Told, answer, bearer, metadata};
use crate::app::App;
use crate::clients::{self, Change, Found};
use crate::config::Registration;
use crate::domain::ids::{ClientId, Secret};

/// RFC 7592, section 2.2: a request must not say these.
const OURS: [&str; 4] = [
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
];

/// Who asks, and for which registration.
struct Asked<'a> {
    registration: &'a Registration,
    found: Found,
    token: Secret,
}

async fn asked<'a>(
    app: &'a App,
    headers: &HeaderMap,
    id: &str,
) -> Result<Asked<'a>, RegistrationError> {
    let registration = app.settings.registration.as_ref();
    let registration = registration.ok_or(RegistrationError::Token)?;
    let token = bearer_of(headers)?;
    let id = shaped(id)?;
    let found = clients::found(app, registration, &id, &token).await?;
    Ok(Asked {
        registration,
        found,
        token,
    })
}

fn shown(app: &App, found: &Found, token: &Secret, secret: Option<&Secret>) -> Response {
    let told = Told {
        id: &found.id,
        created_at: found.created_at,
        token,
        secret,
        metadata: found.metadata.clone(),
    };
    answer(app, StatusCode::OK, told)
}

/// What holds (section 2.1). A secret is never shown again: nobody here knows it.
pub async fn get(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    match asked(&app, &headers, &id).await {
        Ok(asked) => shown(&app, &asked.found, &asked.token, None),
        Err(error) => error.into_response(),
    }
}

/// Replaces it (section 2.2).
pub async fn put(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match replace(&app, &id, &headers, &body).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn replace(
    app: &App,
    id: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response, RegistrationError> {
    let Asked {
        registration,
        found,
        token,
    } = asked(app, headers, id).await?;
    let mut object = metadata(headers, body)?;
    if let Some(name) = OURS.into_iter().find(|name| object.contains_key(*name)) {
        return Err(RegistrationError::NotYours(name));
    }
    let named = object.remove("client_id");
    if named.as_ref().and_then(Value::as_str) != Some(found.id.as_str()) {
        return Err(RegistrationError::OtherClient);
    }
    let secret = match object.remove("client_secret") {
        None | Some(Value::Null) => None,
        Some(Value::String(secret)) => Some(secret),
        Some(_) => return Err(RegistrationError::NotYours("client_secret")),
    };
    let change = Change {
        secret,
        metadata: object,
    };
    let (found, fresh) = clients::change(app, registration, found, change).await?;
    Ok(shown(app, &found, &token, fresh.as_ref()))
}

/// Ends it, and everything that it was given (section 2.3).
pub async fn delete(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match remove(&app, &id, &headers).await {
        Ok(()) => (
            StatusCode::NO_CONTENT,
            [(header::CACHE_CONTROL, "no-store")],
        )
            .into_response(),
        Err(error) => error.into_response(),
    }
}

async fn remove(app: &App, id: &str, headers: &HeaderMap) -> Result<(), RegistrationError> {
    let found = clients::of_holder(app, &bearer_of(headers)?, shaped(id)?).await?;
    match clients::remove(app, &found).await? {
        true => Ok(()),
        false => Err(RegistrationError::Token),
    }
}

/// An id of the form that ids have; no other text reaches the database.
fn shaped(id: &str) -> Result<ClientId, RegistrationError> {
    let id = OAuthClientId::parse(id).map_err(|_| RegistrationError::Token)?;
    Ok(ClientId::from_text(id.as_str()))
}

fn bearer_of(headers: &HeaderMap) -> Result<Secret, RegistrationError> {
    bearer(headers)?.ok_or(RegistrationError::Token)
}
