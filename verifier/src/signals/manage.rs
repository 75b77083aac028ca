//! Streams and their changes (Shared Signals Framework 1.0, section 8.1).

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use vouchsafe_credentials::random::token;
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_protocol::ssf::set::Event;
use vouchsafe_protocol::ssf::stream::{
    Delivery, DeliveryView, StatusRequest, StreamRefused, StreamRequest, StreamStatus, StreamView,
    VerificationRequest, delivered,
};
use vouchsafe_protocol::ssf::{EVENTS, POLL, PUSH};
use vouchsafe_service::db::DbError;
use vouchsafe_service::http::Problem;

use super::access::AccessRefused;
use crate::app::{App, Parts};
use crate::config::Client;
use crate::store::streams::{self, Stream};
use crate::store::{StoreError, stream_events};

/// Seconds between two verifications of a stream.
pub const VERIFY_EVERY_S: i64 = 10;

/// Why a request about a stream is refused.
#[derive(Debug, thiserror::Error)]
pub enum ManageError {
    /// Who asks.
    #[error(transparent)]
    Access(#[from] AccessRefused),
    /// What is asked for.
    #[error(transparent)]
    Request(#[from] StreamRefused),
    /// The application has a stream (section 8.1.1.1).
    #[error("the application has a stream")]
    Exists,
    /// The application has no stream of this name.
    #[error("there is no such stream")]
    NoStream,
    /// Verifications come too fast (section 8.1.4.2).
    #[error("verifications come too fast")]
    TooFast,
    /// Nothing is sent over a stream that is disabled.
    #[error("the stream is disabled")]
    Disabled,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbError> for ManageError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

impl IntoResponse for ManageError {
    fn into_response(self) -> Response {
        let problem = match self {
            Self::Access(error) => return error.into_response(),
            Self::Request(error) => refused(error),
            Self::Exists => Problem::new(
                StatusCode::CONFLICT,
                "stream_exists",
                "An application has one stream. Read it, and change or delete it.",
            ),
            Self::NoStream => Problem::new(
                StatusCode::NOT_FOUND,
                "unknown_stream",
                "This application has no stream of this name.",
            ),
            Self::TooFast => Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_verifications",
                "A stream is verified once in ten seconds at most.",
            )
            .retry_after(VERIFY_EVERY_S.unsigned_abs()),
            Self::Disabled => Problem::new(
                StatusCode::BAD_REQUEST,
                "stream_disabled",
                "Nothing is sent over this stream. Enable it first.",
            ),
            Self::Store(StoreError::Db(error)) => error.into(),
            Self::Store(StoreError::Serialise(_)) => Problem::internal(),
        };
        problem.into_response()
    }
}

fn refused(error: StreamRefused) -> Problem {
    let (code, detail) = match error {
        StreamRefused::Malformed => ("malformed", "The body is not what this endpoint takes."),
        StreamRefused::NoStream => ("stream_id_missing", "The body names no stream_id."),
        StreamRefused::NotYours => (
            "not_yours_to_change",
            "A property that this service supplies has another value.",
        ),
        StreamRefused::Method => (
            "unsupported_delivery_method",
            "Streams are delivered by push (RFC 8935) and by poll (RFC 8936).",
        ),
        StreamRefused::Endpoint => (
            "unacceptable_endpoint",
            "The endpoint must be a public https address without credentials.",
        ),
        StreamRefused::Header => (
            "unacceptable_header",
            "authorization_header must be one line of visible ASCII.",
        ),
    };
    Problem::new(StatusCode::BAD_REQUEST, code, detail)
}

/// Which endpoints may be called. Before each call the fetcher looks at where their names lead.
pub fn rule(app: &Parts) -> UrlRule {
    match app.settings.public_url.is_https() {
        true => UrlRule::PublicHttps,
        // A demonstration on one machine.
        false => UrlRule::LoopbackAllowed,
    }
}

fn poll_url(app: &Parts, stream: &str) -> String {
    app.url(&format!("/ssf/poll/{stream}")).into()
}

/// A stream as its application sees it.
pub fn view(app: &Parts, stream: &Stream) -> StreamView {
    let delivery = match &stream.delivery {
        Delivery::Poll => DeliveryView {
            method: POLL,
            endpoint_url: poll_url(app, &stream.id),
        },
        Delivery::Push { endpoint, .. } => DeliveryView {
            method: PUSH,
            endpoint_url: endpoint.as_str().to_owned(),
        },
    };
    StreamView {
        stream_id: stream.id.clone(),
        iss: app.issuer().to_owned(),
        aud: stream.client.as_str().to_owned(),
        events_supported: EVENTS.to_vec(),
        events_requested: stream.events_requested.clone(),
        events_delivered: delivered(&stream.events_requested),
        delivery,
        min_verification_interval: VERIFY_EVERY_S,
        description: stream.description.clone(),
    }
}

/// Section 8.1.1.1.
pub async fn create(
    app: &App,
    client: &Client,
    request: StreamRequest,
) -> Result<Stream, ManageError> {
    let now = app.now();
    let stream = Stream {
        id: token(app.rng.as_ref()),
        client: client.id.clone(),
        events_requested: request.events_requested.unwrap_or_default(),
        delivery: match request.delivery {
            Some(delivery) => delivery.after(None),
            None => Delivery::Poll,
        },
        description: request.description,
        status: StreamStatus::Enabled,
        reason: None,
        verified_at: now.plus(-VERIFY_EVERY_S),
    };
    let (parts, new) = (App::clone(app), stream.clone());
    let written = app
        .db
        .write(async move |tx| streams::insert(tx, &parts.vault, &new, now).await)
        .await?;
    match written {
        true => Ok(stream),
        false => Err(ManageError::Exists),
    }
}

/// The stream of an application, where it has this name.
pub async fn read(app: &Parts, client: &Client, id: &str) -> Result<Stream, ManageError> {
    let stream = streams::of_client(&app.db, &app.vault, &client.id).await?;
    stream
        .filter(|stream| stream.id == id)
        .ok_or(ManageError::NoStream)
}

/// How much of a stream a request says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// What is left out stays (section 8.1.1.3).
    Update,
    /// What is left out is taken away (section 8.1.1.4).
    Replace,
}

/// Sections 8.1.1.3 and 8.1.1.4.
pub async fn change(
    app: &App,
    client: &Client,
    request: StreamRequest,
    change: Change,
) -> Result<Stream, ManageError> {
    request.stream()?;
    let parts = App::clone(app);
    let client = client.id.clone();
    app.db
        .write(async move |tx| {
            let id = request.stream()?;
            let stream = streams::to_change(tx, &parts.vault, &client, id).await?;
            let mut stream = stream.ok_or(ManageError::NoStream)?;
            let poll = poll_url(&parts, &stream.id);
            request.agrees_with(&view(&parts, &stream), &poll)?;
            let StreamRequest {
                events_requested,
                delivery,
                description,
                ..
            } = request.clone();
            if change == Change::Replace || events_requested.is_some() {
                stream.events_requested = events_requested.unwrap_or_default();
            }
            if change == Change::Replace || description.is_some() {
                stream.description = description;
            }
            if change == Change::Replace || delivery.is_some() {
                stream.delivery = match delivery {
                    Some(delivery) => delivery.after(Some(&stream.delivery)),
                    None => Delivery::Poll,
                };
            }
            streams::update(tx, &parts.vault, &stream).await?;
            stream_events::make_due(tx, &stream.id, parts.now()).await?;
            Ok(stream)
        })
        .await
}

/// Section 8.1.1.5.
pub async fn delete(app: &App, client: &Client, id: String) -> Result<(), ManageError> {
    let client = client.id.clone();
    let removed = app
        .db
        .write(async move |tx| streams::remove(tx, &client, &id).await)
        .await?;
    match removed {
        true => Ok(()),
        false => Err(ManageError::NoStream),
    }
}

/// Section 8.1.2.2.
pub async fn set_status(
    app: &App,
    client: &Client,
    request: StatusRequest,
) -> Result<Stream, ManageError> {
    let parts = App::clone(app);
    let client = client.id.clone();
    app.db
        .write(async move |tx| {
            let stream = streams::to_change(tx, &parts.vault, &client, &request.stream_id).await?;
            let mut stream = stream.ok_or(ManageError::NoStream)?;
            stream.status = request.status;
            stream.reason = request.reason.clone();
            streams::update(tx, &parts.vault, &stream).await?;
            if stream.status == StreamStatus::Disabled {
                // Section 8.1.2.1: nothing is held.
                stream_events::remove_all(tx, &stream.id).await?;
            }
            stream_events::make_due(tx, &stream.id, parts.now()).await?;
            Ok(stream)
        })
        .await
}

/// Section 8.1.4.2: the event goes the way of every other.
pub async fn verify(
    app: &App,
    client: &Client,
    request: VerificationRequest,
) -> Result<(), ManageError> {
    let parts = App::clone(app);
    let client = client.id.clone();
    app.db
        .write(async move |tx| {
            let now = parts.now();
            let stream = streams::to_change(tx, &parts.vault, &client, &request.stream_id).await?;
            let mut stream = stream.ok_or(ManageError::NoStream)?;
            if stream.status == StreamStatus::Disabled {
                return Err(ManageError::Disabled);
            }
            if now.since(stream.verified_at) < VERIFY_EVERY_S {
                return Err(ManageError::TooFast);
            }
            stream.verified_at = now;
            streams::update(tx, &parts.vault, &stream).await?;
            let event = Event::verification(&stream.id, request.state.as_deref());
            super::put(tx, parts.rng.as_ref(), &stream.id, &event, now).await?;
            Ok(())
        })
        .await
}
