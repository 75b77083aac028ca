//! How applications are shown.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::condition::etag;
use super::shown;
use crate::clients::administer::Put;
use crate::clients::managed::Known;
use crate::clients::settings::{ClientSettings, Proof};
use crate::handlers::v1::views::rfc3339;

/// Where an application is kept.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeptIn {
    /// In the configuration file; it is read here, and changed there.
    Configuration,
    /// In the database, by this interface.
    Administration,
}

/// An application.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClientView {
    /// Its `client_id`.
    #[schema(example = "shop")]
    id: String,
    /// Where it is kept.
    kept_in: KeptIn,
    /// How it proves who it is.
    authentication: Proof,
    /// Whether people can log in to it now. Not where it was stopped, or asks for what the configuration
    /// has no more.
    served: bool,
    /// Until when the secret of before counts beside the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_secret_until: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    /// When it was changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<String>,
    /// What holds of it: what `PUT` takes.
    settings: ClientSettings,
}

impl From<Known> for ClientView {
    fn from(known: Known) -> Self {
        let Known {
            id,
            proof,
            settings,
            served,
            kept,
        } = known;
        let previous = kept.as_ref().and_then(|kept| kept.previous_until);
        Self {
            id: id.to_string(),
            kept_in: match kept {
                Some(_) => KeptIn::Administration,
                None => KeptIn::Configuration,
            },
            authentication: proof,
            served,
            previous_secret_until: previous.map(rfc3339),
            created_at: kept.as_ref().map(|kept| rfc3339(kept.created_at)),
            updated_at: kept.as_ref().map(|kept| rfc3339(kept.updated_at)),
            settings,
        }
    }
}

/// An application that was written. Not `Debug`: it has a secret.
#[derive(Serialize, ToSchema)]
pub struct WrittenClient {
    /// As it is now.
    #[serde(flatten)]
    client: ClientView,
    /// Its secret, where it has a new one. It is shown this once and kept as a digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
}

fn tagged(mut response: Response, revision: Option<String>) -> Response {
    let value = revision.and_then(|tag| HeaderValue::try_from(etag(&tag)).ok());
    if let Some(value) = value {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

/// The answer with one.
pub fn answer(known: Known) -> Response {
    let revision = known.kept.as_ref().map(|kept| kept.revision.clone());
    tagged(shown(&ClientView::from(known)), revision)
}

/// The answer to a change.
pub fn written(put: Put) -> Response {
    let Put {
        known,
        secret,
        is_new,
    } = put;
    let revision = known.kept.as_ref().map(|kept| kept.revision.clone());
    let body = WrittenClient {
        client: ClientView::from(known),
        client_secret: secret.map(|secret| secret.reveal().to_owned()),
    };
    let status = match is_new {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    tagged((status, shown(&body)).into_response(), revision)
}
