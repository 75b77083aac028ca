//! `POST /v1/verifications`: a question to whoever scans the code.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use vouchsafe_credentials::json::parse_strict;

use super::caller::Call;
use super::error::{ApiError, Problem};
use super::views::VerificationView;
use super::{VERIFICATIONS, idempotent};
use crate::access::Scope;
use crate::store::verifications;
use crate::verification::start::{Prepared, Question, Wanted, prepare};

/// What is to be proved, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartVerification {
    /// A question of the configuration. This or `dcql`.
    #[serde(default)]
    #[schema(example = "age")]
    query: Option<String>,
    /// A question of your own (DCQL; OpenID4VP 1.0, section 6), where you are allowed to. Everything asked
    /// for must be bound to its holder, and be of an issuer that this service trusts.
    #[serde(default)]
    #[schema(value_type = Option<std::collections::BTreeMap<String, Value>>)]
    dcql: Option<Map<String, Value>>,
    /// Why you ask, in the person's language: the wallet shows it beside your name. 1 to 300 bytes.
    /// With `query` it may be left out: the question has words of its own.
    #[serde(default)]
    #[schema(example = "Buy wine: are you 18 or older?")]
    purpose: Option<String>,
    /// Where the person's browser goes after it answered on the same device: one of your registered
    /// addresses, exactly. You must name one unless other devices may answer you. It gets a `response_code`, without which there is no result; bind it to the session
    /// that began, and send it to `redeem`.
    #[serde(default)]
    return_url: Option<String>,
    /// Whether all cards of the answer must be bound to one key. Without it a question of the
    /// configuration says so, and one of your own demands it. Wallets that keep a key for each card can
    /// answer a question for two cards only with `false`; then look yourself whether the cards are of one person.
    #[serde(default)]
    one_holder: Option<bool>,
}

/// The verification, and how a wallet gets to it.
#[derive(Serialize, ToSchema)]
pub struct StartedVerification {
    /// The verification.
    #[serde(flatten)]
    verification: VerificationView,
    /// Link that opens a wallet on the same device.
    #[schema(example = "openid4vp://?client_id=x509_hash%3A…&request_uri=https%3A%2F%2F…")]
    link: String,
    /// The same as a QR code for a wallet on another device: an SVG element, black on white. Only where
    /// other devices may answer you.
    #[serde(skip_serializing_if = "Option::is_none")]
    qr: Option<String>,
    /// Where server-sent events tell how it goes.
    events: String,
}

/// Ask a wallet.
///
/// The answer holds for one wallet and one time. Show the code only in the session of the person that you
/// ask, and do not take the result for a login: whoever shows the code elsewhere may bring the answer of
/// somebody else.
#[utoipa::path(
    post, path = VERIFICATIONS, tag = "verifications", operation_id = "start_verification",
    request_body = StartVerification,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe")),
    responses(
        (status = 201, description = "The question; its secrets are shown this once", body = StartedVerification),
        (status = 400, description = "Not strict JSON of this form, or a malformed header", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid API key", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks `verifications:write`, or `dcql` is not allowed for you", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too long", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not `application/json`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The question cannot be put, or the idempotency key was used for another request", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests, or too many questions wait for an answer or to be forgotten", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "A fault of ours", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy or without database", body = Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = []))
)]
pub async fn handle(
    call: Call,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    call.require(Scope::Write)?;
    let key = idempotent::key(&headers)?;
    let bytes = bytes(body)?;
    let wanted = parse(read(&headers, &bytes)?)?;
    let prepared = prepare(&call.app, &call.caller, wanted)?;
    let answer = answer(&call, &prepared)?;
    let (now, most_open) = (call.app.now(), call.caller.most_open);
    let parts: [&[u8]; 2] = [b"POST /v1/verifications", &bytes];
    let owner = format!("verifications {}", call.caller.id);
    let text = idempotent::run((&call.app, owner), key, &parts, async move |tx| {
        if !verifications::insert(tx, &prepared.row, most_open, now).await? {
            return Err(ApiError::TooMany);
        }
        Ok(answer.clone())
    })
    .await?;
    Ok(created(text))
}

fn parse(wire: StartVerification) -> Result<Wanted, ApiError> {
    let StartVerification {
        query,
        dcql,
        purpose,
        return_url,
        one_holder,
    } = wire;
    let question = match (query, dcql) {
        (Some(name), None) => Question::Named(name),
        (None, Some(dcql)) => Question::Inline(Value::Object(dcql)),
        (None, None) | (Some(_), Some(_)) => return Err(ApiError::Question),
    };
    Ok(Wanted {
        question,
        purpose,
        return_url,
        one_holder,
    })
}

fn answer(call: &Call, prepared: &Prepared) -> Result<String, ApiError> {
    let id = &prepared.verification.asked().id;
    let started = StartedVerification {
        verification: VerificationView::new(&prepared.verification, call.app.now()),
        link: prepared.link.clone(),
        qr: prepared.qr.clone(),
        events: call
            .app
            .url(&format!("{VERIFICATIONS}/{id}/events"))
            .to_string(),
    };
    serde_json::to_string(&started).map_err(|_| ApiError::Internal("an answer does not serialise"))
}

pub(super) fn created(text: String) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    let kept = [(header::CACHE_CONTROL, "no-store")];
    (StatusCode::CREATED, kind, kept, text).into_response()
}

/// The bytes of a body, not more than may be sent.
pub(super) fn bytes(body: Result<Bytes, BytesRejection>) -> Result<Bytes, ApiError> {
    body.map_err(|refused| match refused.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge,
        _ => ApiError::Body,
    })
}

/// Reads a JSON body; `T` refuses unknown members. Catalogue 112, 113: no compressed body, no form
/// that a foreign page could send.
pub(super) fn read<T: DeserializeOwned>(headers: &HeaderMap, body: &Bytes) -> Result<T, ApiError> {
    if !is_json(headers) {
        return Err(ApiError::MediaType);
    }
    let value = parse_strict(body).map_err(|_| ApiError::Body)?;
    // An array would do for a struct whose members may all be left out.
    if !value.is_object() {
        return Err(ApiError::Body);
    }
    serde_json::from_value(value).map_err(|_| ApiError::Body)
}

fn is_json(headers: &HeaderMap) -> bool {
    let plain = !headers.contains_key(header::CONTENT_ENCODING);
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let json = match (types.next(), types.next()) {
        (Some(value), None) => value.to_str().is_ok_and(|value| {
            let essence = value.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case("application/json")
        }),
        _ => false,
    };
    plain && json
}
