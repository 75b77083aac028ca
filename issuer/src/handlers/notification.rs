//! `POST /notification`: what the wallet did with credentials (OpenID4VCI 1.0, section 11).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use vouchsafe_protocol::vci::notification::{
    Malformed, Notification, NotificationError, NotificationErrorCode,
};
use vouchsafe_service::db::DbError;

use super::admin::body::is_json;
use super::authorized::authorize;
use super::credential;
use super::wire::{self, json_no_store};
use crate::core::Core;
use crate::domain::credential::WalletEvent;
use crate::paths::NOTIFICATION;
use crate::store::credentials;
use crate::store::tokens::TokenUse;

/// Why a notification was not written down.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What it shares with the credential endpoint.
    #[error(transparent)]
    Credential(#[from] credential::Error),
    /// Not a JSON body.
    #[error("the body is not plain JSON")]
    MediaType,
    /// Not a notification.
    #[error("not a notification")]
    Malformed(#[from] Malformed),
    /// No such response, or one of another token.
    #[error("no such notification_id")]
    Unknown,
}

impl From<DbError> for Error {
    fn from(error: DbError) -> Self {
        Self::Credential(error.into())
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::Credential(error) => return error.into_response(),
            Self::MediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                NotificationErrorCode::InvalidNotificationRequest,
            ),
            Self::Malformed(_) => (
                StatusCode::BAD_REQUEST,
                NotificationErrorCode::InvalidNotificationRequest,
            ),
            Self::Unknown => (
                StatusCode::BAD_REQUEST,
                NotificationErrorCode::InvalidNotificationId,
            ),
        };
        tracing::info!(code = error.as_str(), "notification refused");
        json_no_store(status, &NotificationError { error })
    }
}

/// Writes an event down. The same one again is answered alike (section 11: idempotent).
pub async fn handler(
    State(core): State<Core>,
    map: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Error> {
    let headers = wire::headers(&map);
    let authorized = authorize(&core, &headers, NOTIFICATION, TokenUse::Deferred).await?;
    let offer = authorized.presented.grant.offer;
    if !is_json(&map) {
        return Err(Error::MediaType);
    }
    let Notification {
        notification_id,
        event,
    } = Notification::parse(&body)?;
    let seen = WalletEvent {
        event,
        at: core.clock.now(),
    };
    let known = core
        .db
        .write(async move |tx| credentials::record_event(tx, &offer, &notification_id, &seen).await)
        .await?;
    if !known {
        return Err(Error::Unknown);
    }
    metrics::counter!("vouchsafe_notifications_total", "event" => event.as_str()).increment(1);
    Ok(StatusCode::NO_CONTENT)
}
