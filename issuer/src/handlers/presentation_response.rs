//! `POST /authorize/response/{id}`: a wallet answers a question (OpenID4VP 1.0, sections 8.2 and
//! 8.3.1). One answer that passes every check ends it; what does not pass changes nothing.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use url::Url;
use vouchsafe_protocol::oauth::ErrorCode;
use vouchsafe_protocol::vp::response::{DirectPostAnswer, FormError, PostedResponse};
use vouchsafe_protocol::vp::verify::{PresentationError, StatusSourceError};
use vouchsafe_service::db::DbError;

use super::consent_page::Consent;
use super::presentation_row::{self, Ended};
use super::wire::{self, json_no_store};
use crate::authentication::NobodyKnown;
use crate::core::Core;
use crate::domain::secret::Secret;
use crate::paths::AUTHORIZE_PRESENTED;
use crate::prepare::{self, PrepareError};
use crate::presentation::JudgeError;

/// Why an answer is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a form.
    #[error("the body is not a form")]
    MediaType,
    /// No such question, its time is over, or it was answered.
    #[error("no such question")]
    Unknown,
    /// The form is not an answer.
    #[error("the posted form is not acceptable")]
    Form(#[from] FormError),
    /// An error of a wallet that does not know the question.
    #[error("the error is not for this question")]
    Foreign,
    /// A check failed.
    #[error("the presentation is not acceptable")]
    Judge(#[from] JudgeError),
    /// The card does not say who the person is.
    #[error("nobody is known")]
    Nobody(#[from] NobodyKnown),
    /// What the card says does not become the new card.
    #[error("the new card cannot be made from what was shown")]
    Prepare(#[from] PrepareError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

impl Error {
    /// Status, error, stable reason.
    fn wire(&self) -> (StatusCode, &'static str, String) {
        let bad = |error, reason: &str| (StatusCode::BAD_REQUEST, error, reason.to_owned());
        let away = |reason: &str| {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            (status, "temporarily_unavailable", reason.to_owned())
        };
        match self {
            Self::MediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "invalid_request",
                "response_media_type".to_owned(),
            ),
            Self::Unknown => bad("invalid_request", "unknown_request"),
            Self::Form(error) => bad("invalid_request", error.code()),
            Self::Foreign => bad("invalid_request", "wallet_error_without_state"),
            Self::Judge(JudgeError::Presentation(PresentationError::StatusSource(
                StatusSourceError::Unavailable(_),
            ))) => away("status_list_unavailable"),
            Self::Judge(JudgeError::Presentation(error)) => bad("access_denied", error.code()),
            Self::Nobody(_) => bad("access_denied", "subject_claim_unusable"),
            Self::Prepare(_) => bad("access_denied", "claims_do_not_fit"),
            Self::Judge(JudgeError::Broken(_)) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                ErrorCode::ServerError.as_str(),
                "internal".to_owned(),
            ),
            Self::Db(_) => away("database"),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, error, reason) = self.wire();
        if status.is_server_error() {
            tracing::error!(error = &self as &dyn std::error::Error, "answer failed");
        } else {
            tracing::info!(reason, "a presentation was refused");
        }
        json_no_store(status, &json!({ "error": error, "reason": reason }))
    }
}

/// Judges an answer.
pub async fn handler(
    State(core): State<Core>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Error> {
    if !wire::is_form(&headers) {
        return Err(Error::MediaType);
    }
    let id = Secret::received(&id);
    let question = presentation_row::question(&core, &id).await?;
    let question = question.ok_or(Error::Unknown)?;
    let method = core.presentation_of(&question.flow).ok_or(Error::Unknown)?;
    let ended = match PostedResponse::parse(&body)? {
        PostedResponse::Error(error) if question.is_ended_by(&error) => {
            tracing::info!("the wallet shows nothing");
            Ended::Declined(Box::new(question.flow))
        }
        PostedResponse::Error(_) => return Err(Error::Foreign),
        PostedResponse::Encrypted(response) => {
            let card = method.judge(&core, &id, &question, &response).await?;
            let person = method.person(&core, &card)?;
            let kind = question.flow.types.first().map_or("", String::as_str);
            prepare::prepare_signed_in(&core, &person.record_id, kind, &person.claims)?;
            Ended::Known(Box::new(Consent::new(question.flow, person)))
        }
    };
    let code = presentation_row::end(&core, &id, &ended).await?;
    let code = code.ok_or(Error::Unknown)?;
    let mut back = Url::parse(&core.settings.url(AUTHORIZE_PRESENTED))
        .map_err(|_| JudgeError::Broken(crate::presentation::BrokenQuestion))?;
    back.query_pairs_mut()
        .append_pair("response_code", code.expose());
    let answer = DirectPostAnswer {
        redirect_uri: Some(back),
        consent_uri: None,
    };
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((headers, Json(answer.to_json())).into_response())
}
