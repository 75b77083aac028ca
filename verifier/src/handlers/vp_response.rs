//! `POST /vp/response/{request}`: a wallet's answer (OpenID4VP 1.0, sections 8.2 and 8.3.1).

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use vouchsafe_protocol::vp::response::{CONSENT_URI_PREFERENCE, DirectPostAnswer};
use vouchsafe_service::http::{Problem, is_form};

use super::{PathText, request_id};
use crate::app::App;
use crate::domain::ids::RequestId;
use crate::login::accept::{AcceptError, accept};
use crate::login::ask::AskError;
use crate::store::StoreError;
use crate::verification;

/// Judges the answer.
pub async fn handle(
    State(app): State<App>,
    id: PathText,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(id) = request_id(id) else {
        return Problem::not_found().into_response();
    };
    if !is_form(&headers) {
        return refusal(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "invalid_request",
            "response_media_type",
            None,
        );
    }
    match judge(&app, &id, &body).await {
        Ok(mut answer) => {
            // Decision 0005: no member that the wallet did not ask for.
            if !prefers_consent_uri(&headers) {
                answer.consent_uri = None;
            }
            (
                [(header::CACHE_CONTROL, "no-store")],
                Json(answer.to_json()),
            )
                .into_response()
        }
        Err(error) => wire(error),
    }
}

/// A question of a login, or else one over REST.
async fn judge(app: &App, id: &RequestId, body: &[u8]) -> Result<DirectPostAnswer, AcceptError> {
    match accept(app, id, body).await {
        Err(AcceptError::Unknown) => verification::answer::accept(app, id, body).await,
        judged => judged,
    }
}

/// RFC 7240, section 2: a list of preferences, each perhaps with parameters.
fn prefers_consent_uri(headers: &HeaderMap) -> bool {
    let values = headers.get_all("prefer").iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|preference| {
        let name = preference.split([';', '=']).next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case(CONSENT_URI_PREFERENCE)
    })
}

/// The specification defines 200 for success alone; a refusal is 400.
fn wire(error: AcceptError) -> Response {
    let bad = StatusCode::BAD_REQUEST;
    match error {
        AcceptError::Unknown => refusal(bad, "invalid_request", "unknown_request", None),
        AcceptError::AlreadyAnswered => refusal(bad, "invalid_request", "already_answered", None),
        AcceptError::Changed => refusal(bad, "invalid_request", "notice_changed", None),
        AcceptError::Form(error) => refusal(bad, "invalid_request", error.code(), None),
        AcceptError::Answer(error) => refusal(bad, "invalid_request", error.code(), None),
        AcceptError::Foreign(error) => refusal(bad, "invalid_request", error.code(), None),
        AcceptError::Refused { code, explanation } => {
            let redirect_uri = explanation.as_ref().map(url::Url::as_str);
            refusal(bad, "access_denied", &code, redirect_uri)
        }
        AcceptError::Store(StoreError::Db(error))
        | AcceptError::Ask(AskError::Store(StoreError::Db(error))) => {
            Problem::from(error).into_response()
        }
        AcceptError::Store(StoreError::Serialise(_)) | AcceptError::Ask(_) => {
            tracing::error!("an answer could not be judged");
            Problem::internal().into_response()
        }
    }
}

/// `reason` is a stable code of ours. `redirect_uri` leads the person to the page that explains
/// the refusal; wallets that do not look for it in an error ignore it.
fn refusal(status: StatusCode, error: &str, reason: &str, redirect_uri: Option<&str>) -> Response {
    let mut body = json!({ "error": error, "reason": reason });
    if let (Some(body), Some(redirect_uri)) = (body.as_object_mut(), redirect_uri) {
        body.insert("redirect_uri".to_owned(), Value::from(redirect_uri));
    }
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
