//! The wallet's way out: the guarded fetcher of the services.

use std::time::Duration;

use async_trait::async_trait;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method as HttpMethod};
use vouchsafe_protocol::http::{Headers, HttpRequest, HttpResponse, Method};
use vouchsafe_service::config::{DevConfig, FetchConfig};
use vouchsafe_service::fetch::{FetchError, Fetcher, Limits, Request};

use super::handle::{Transport, Unreachable};

/// Sends through a [`Fetcher`]: https to public hosts, no redirects, caps on
/// time and size.
pub struct FetcherTransport(Fetcher);

/// The largest answer a wallet reads is a batch of credentials.
const LIMITS: Limits = Limits {
    body: 1024 * 1024,
    total: Duration::from_secs(10),
    redirects: 0,
};

/// Status lists may be larger than all that a wallet reads besides; the wallet itself looks at where
/// they redirect to.
const STATUS_LIST: Limits = Limits {
    redirects: 0,
    ..Limits::STATUS_LIST
};

impl FetcherTransport {
    /// A transport. `loopback_http` also allows plain http on this machine,
    /// for development.
    pub fn new(fetch: &FetchConfig, loopback_http: bool) -> Result<Self, FetchError> {
        Fetcher::new(fetch, &DevConfig { loopback_http }).map(Self)
    }
}

#[async_trait]
impl Transport for FetcherTransport {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Unreachable> {
        let HttpRequest {
            method,
            url,
            headers,
            body,
        } = request;
        let content_type = content_type(&headers)?;
        let response = self
            .0
            .send(Request {
                method: match method {
                    Method::Get => HttpMethod::GET,
                    Method::Post => HttpMethod::POST,
                    Method::Delete => HttpMethod::DELETE,
                },
                url: url.as_str(),
                headers: to_header_map(&headers)?,
                body: content_type.map(|kind| (body, kind)),
                limits: limits_of(&headers),
            })
            .await
            .map_err(|error| Unreachable(error.into()))?;
        let headers = response.headers.iter();
        Ok(HttpResponse {
            status: response.status,
            // A value that is not text is none of those a wallet looks at.
            headers: headers
                .filter_map(|(k, v)| Some((k.as_str(), v.to_str().ok()?)))
                .collect(),
            body: response.body,
        })
    }
}

fn limits_of(headers: &Headers) -> Limits {
    let wanted = headers.get("accept").unwrap_or_default();
    let is_list = wanted.starts_with("application/statuslist+")
        || wanted.starts_with("application/identifierlist+");
    if is_list { STATUS_LIST } else { LIMITS }
}

/// The content types that a wallet sends.
fn content_type(headers: &Headers) -> Result<Option<&'static str>, Unreachable> {
    match headers.get("content-type") {
        None => Ok(None),
        Some("application/json") => Ok(Some("application/json")),
        Some("application/x-www-form-urlencoded") => Ok(Some("application/x-www-form-urlencoded")),
        Some("application/jwt") => Ok(Some("application/jwt")),
        Some(_) => Err(Unreachable(anyhow::anyhow!(
            "a wallet sends no such content type"
        ))),
    }
}

fn to_header_map(headers: &Headers) -> Result<HeaderMap, Unreachable> {
    let mut map = HeaderMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| *name != "content-type") {
        let name = HeaderName::try_from(name).map_err(|error| Unreachable(error.into()))?;
        let value = HeaderValue::try_from(value).map_err(|error| Unreachable(error.into()))?;
        map.append(name, value);
    }
    Ok(map)
}
