//! `Idempotency-Key`: a request sent twice has one effect and gets one answer.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use vouchsafe_service::db::Tx;
use vouchsafe_service::idempotency::{self, Claim, Request};
use vouchsafe_service::seal::Place;

use super::caller::Call;
use super::error::ApiError;
use crate::core::Core;

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const MAX_KEY: usize = 128;

/// An answer that can be kept and sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// JSON body.
    pub body: String,
    /// Entity tag of the resource.
    pub etag: Option<String>,
    /// Where a new resource is.
    pub location: Option<String>,
}

impl Reply {
    /// An answer with a JSON body.
    pub fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, ApiError> {
        let body = serde_json::to_string(body)
            .map_err(|_| ApiError::Internal("a response does not serialise"))?;
        Ok(Self {
            status: status.as_u16(),
            body,
            etag: None,
            location: None,
        })
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let Self {
            status,
            body,
            etag,
            location,
        } = self;
        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in [(header::ETAG, etag), (header::LOCATION, location)] {
            // Both are made of our own ids and numbers.
            if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// Reads the header, if there is one.
pub fn key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut values = headers.get_all(HEADER).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let text = value.to_str().map_err(|_| ApiError::IdempotencyKey)?;
            let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
            if text.is_empty() || text.len() > MAX_KEY || !visible {
                return Err(ApiError::IdempotencyKey);
            }
            Ok(Some(text.to_owned()))
        }
        (Some(_), Some(_)) => Err(ApiError::IdempotencyKey),
    }
}

/// The answer that is kept for a request that was sent before. To be asked where what comes before
/// [`run`] depends on how things stand: a repetition gets its answer however they have changed.
pub async fn kept(
    call: &Call,
    key: Option<&str>,
    content: &[u8],
) -> Result<Option<Reply>, ApiError> {
    let Some(key) = key else {
        return Ok(None);
    };
    let content = call.core.keys.request_hash(content);
    let request = request(&call.core, &call.caller.id, key, &content);
    let found = idempotency::look(&call.core.db, &request).await?;
    reply_of(&call.core, &request, found)
}

fn request<'a>(core: &Core, owner: &'a str, key: &'a str, content: &'a [u8]) -> Request<'a> {
    let now = core.clock.now();
    Request {
        owner,
        key,
        content,
        expires_at: now.plus(core.settings.lifetimes.idempotency_s),
        now,
    }
}

fn place(request: &Request<'_>) -> Place {
    Place::new(&["idempotency", request.owner, request.key])
}

/// The answer of an earlier request; none where there was none.
fn reply_of(core: &Core, request: &Request<'_>, claim: Claim) -> Result<Option<Reply>, ApiError> {
    match claim {
        Claim::Fresh => Ok(None),
        Claim::OtherRequest => Err(ApiError::IdempotencyReuse),
        Claim::Repeat {
            status: _,
            response,
        } => {
            let plain = core.keys.columns.open(&place(request), &response);
            let plain = plain.map_err(|_| ApiError::Internal("a kept answer does not open"))?;
            serde_json::from_slice(&plain)
                .map(Some)
                .map_err(|_| ApiError::Internal("a kept answer does not parse"))
        }
    }
}

/// Runs `work` in one transaction with the claim of the key and the record of the answer.
/// `content` is method, path and body of the request.
pub async fn run<F>(
    call: &Call,
    key: Option<String>,
    content: Vec<u8>,
    work: F,
) -> Result<Reply, ApiError>
where
    F: AsyncFn(&mut Tx) -> Result<Reply, ApiError> + Send + 'static,
{
    let Some(key) = key else {
        return call.core.db.write(work).await;
    };
    let core = call.core.clone();
    let owner = call.caller.id.clone();
    let content = core.keys.request_hash(&content);
    call.core
        .db
        .write(async move |tx| {
            let request = request(&core, &owner, &key, &content);
            let found = idempotency::claim(tx, &request).await?;
            if let Some(reply) = reply_of(&core, &request, found)? {
                return Ok(reply);
            }
            let reply = work(tx).await?;
            let plain = serde_json::to_vec(&reply)
                .map_err(|_| ApiError::Internal("an answer does not serialise"))?;
            // The answer may hold a code that is shown once: it is kept sealed.
            let sealed = core.keys.columns.seal(&place(&request), &plain, &*core.rng);
            idempotency::record(tx, &request, reply.status, &sealed).await?;
            Ok(reply)
        })
        .await
}

/// Method, path and body as one byte string without ambiguity.
pub fn content(path: &str, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len() + body.len() + 8);
    out.extend_from_slice(b"POST ");
    out.extend_from_slice(path.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(body);
    out
}
