//! `GET /account/consents/{consent}/receipt`, the same with `.jwt`, and `GET /account/consents.json`: what
//! a person agreed to, to keep. Somebody else's consent and one that never was are the same.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use vouchsafe_service::http::Problem;

use super::owned;
use crate::app::App;
use crate::consents::receipt::{self, Receipt, ReceiptError};
use crate::domain::ids::ConsentId;
use crate::domain::session::Session;
use crate::store::{StoreError, consents};
use crate::views::chain;

/// Why there is nothing to keep.
#[derive(Debug, thiserror::Error)]
enum KeepError {
    /// There is no such consent of this person.
    #[error("there is no such consent")]
    Unknown,
    /// It cannot be written, or its record was changed.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
}

impl<E: Into<StoreError>> From<E> for KeepError {
    fn from(error: E) -> Self {
        Self::Receipt(ReceiptError::Store(error.into()))
    }
}

impl IntoResponse for KeepError {
    fn into_response(self) -> Response {
        match self {
            Self::Unknown => Problem::not_found().into_response(),
            Self::Receipt(ReceiptError::Store(StoreError::Db(error))) => {
                Problem::from(error).into_response()
            }
            Self::Receipt(error) => {
                tracing::error!(error = %chain(&error), "no receipt");
                Problem::internal().into_response()
            }
        }
    }
}

/// The receipt as a document.
pub async fn document(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match one(&app, &headers, id).await {
        Ok(found) => keep("receipt.json", Json(found.receipt)),
        Err(error) => error.into_response(),
    }
}

/// The receipt, signed.
pub async fn signed(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match one(&app, &headers, id).await {
        Ok(found) => keep(
            "receipt.jwt",
            ([(header::CONTENT_TYPE, "application/jwt")], found.signed),
        ),
        Err(error) => error.into_response(),
    }
}

/// All receipts of the person.
pub async fn all(State(app): State<App>, headers: HeaderMap) -> Response {
    let found = async {
        let owner = owner(&app, &headers).await?;
        Ok::<_, KeepError>(receipt::of_person(&app, &owner).await?)
    };
    match found.await {
        Ok(receipts) => {
            let all = json!({ "issuer": app.issuer(), "receipts": receipts });
            keep("consents.json", Json(all))
        }
        Err(error) => error.into_response(),
    }
}

async fn owner(app: &App, headers: &HeaderMap) -> Result<Session, KeepError> {
    let session = owned::session(app, headers).await?;
    session.ok_or(KeepError::Unknown)
}

async fn one(app: &App, headers: &HeaderMap, id: String) -> Result<Receipt, KeepError> {
    let owner = owner(app, headers).await?;
    let (id, subject) = (ConsentId::from_text(id), owner.subject.as_ref());
    let consent = consents::own(&app.db, &id, subject, &owner.id).await?;
    let consent = consent.ok_or(KeepError::Unknown)?;
    let receipt = receipt::of(app, &consent).await?;
    receipt.ok_or(KeepError::Unknown)
}

/// What the browser saves; nobody on the way keeps it.
fn keep(name: &str, body: impl IntoResponse) -> Response {
    let saved: [(HeaderName, String); 2] = [
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    (saved, body).into_response()
}
