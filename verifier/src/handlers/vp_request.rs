//! `GET|POST /vp/request/{request}`: the signed request object (OpenID4VP 1.0, section 5.10).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use vouchsafe_protocol::vp::request::{MEDIA_TYPE, RequestForm, RequestFormError};
use vouchsafe_protocol::vp::values::Nonce;
use vouchsafe_service::db::DbError;
use vouchsafe_service::http::{OAuthError, Problem, is_form};

use super::{PathText, request_id};
use crate::app::App;
use crate::domain::ids::RequestId;
use crate::domain::transaction::Transaction;
use crate::login::accept::log_id;
use crate::login::ask::{self, AskError};
use crate::store::{StoreError, requests, transactions};
use crate::verification;

/// Why there is no request object.
#[derive(Debug, thiserror::Error)]
enum RequestError {
    /// No such request, its time is over, or it was answered.
    #[error("no such request")]
    Unknown,
    /// What was posted is no form.
    #[error("the body is not a form")]
    MediaType,
    /// What the wallet says of itself cannot be read.
    #[error("the form of the wallet is not acceptable")]
    Form(#[from] RequestFormError),
    /// It cannot be made.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbError> for RequestError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

impl IntoResponse for RequestError {
    fn into_response(self) -> Response {
        match self {
            Self::Unknown => Problem::not_found().into_response(),
            Self::MediaType => {
                let detail = "The body is not application/x-www-form-urlencoded.";
                let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
                Problem::new(status, "request_media_type", detail).into_response()
            }
            Self::Form(error) => OAuthError::invalid_request(error.description()).into_response(),
            Self::Store(StoreError::Db(error))
            | Self::Ask(AskError::Store(StoreError::Db(error))) => {
                Problem::from(error).into_response()
            }
            Self::Ask(error) => {
                tracing::error!(error = %crate::views::chain(&error), "request object not made");
                Problem::internal().into_response()
            }
            Self::Store(error @ StoreError::Serialise(_)) => {
                tracing::error!(error = %crate::views::chain(&error), "request object not made");
                Problem::internal().into_response()
            }
        }
    }
}

/// By GET.
pub async fn get(State(app): State<App>, id: PathText) -> Response {
    respond(&app, id, None).await
}

/// By POST, with the wallet's own nonce.
pub async fn post(
    State(app): State<App>,
    id: PathText,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // Section 5.10: `application/x-www-form-urlencoded`. Whoever has nothing to say needs no type.
    if !body.is_empty() && !is_form(&headers) {
        return RequestError::MediaType.into_response();
    }
    match RequestForm::parse(&body) {
        Ok(form) => respond(&app, id, form.wallet_nonce.as_ref().map(Nonce::as_str)).await,
        Err(error) => RequestError::Form(error).into_response(),
    }
}

async fn respond(app: &App, id: PathText, wallet_nonce: Option<&str>) -> Response {
    let Some(id) = request_id(id) else {
        return RequestError::Unknown.into_response();
    };
    match request_object(app, &id, wallet_nonce).await {
        Ok(object) => (
            [
                (header::CONTENT_TYPE, MEDIA_TYPE),
                (header::CACHE_CONTROL, "no-store"),
            ],
            object,
        )
            .into_response(),
        Err(error) => error.into_response(),
    }
}

async fn request_object(
    app: &App,
    id: &RequestId,
    wallet_nonce: Option<&str>,
) -> Result<String, RequestError> {
    let Some(request) = requests::find(&app.db, &app.vault, id).await? else {
        // Not of a login: of a question over REST.
        let object = verification::ask::request_object(app, id, wallet_nonce).await?;
        return object.ok_or(RequestError::Unknown);
    };
    if !request.channel.has_addresses() || !ask::may_be_fetched(app, &request) {
        return Err(RequestError::Unknown);
    }
    let login = match transactions::find(&app.db, &app.vault, &request.transaction).await? {
        Some(Transaction::Pending(pending)) => pending.login,
        Some(Transaction::Answered(_) | Transaction::Finished(_) | Transaction::Failed(_))
        | None => return Err(RequestError::Unknown),
    };
    let object = ask::request_object(app, &request, &login, wallet_nonce).await?;
    if request.fetched_at.is_none() {
        let (id, now) = (request.id.clone(), app.now());
        app.db
            .write(async move |tx| requests::mark_fetched(tx, &id, now).await)
            .await?;
        app.changes.announce(&login.id);
    }
    // Catalogue 319: every fetch is on record.
    tracing::info!(
        login = log_id(&login.id),
        channel = request.channel.name(),
        again = request.fetched_at.is_some(),
        "request object fetched"
    );
    Ok(object)
}
