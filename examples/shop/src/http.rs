//! The shop's HTTP client: the guarded fetcher, in the shape that the
//! `openidconnect` crate wants.

use std::pin::Pin;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, Method, header};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use serde_json::Value;
use vouchsafe_service::fetch::{FetchError, Fetcher, Limits, Request};

/// A request that was not answered.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The fetcher refused or did not get an answer.
    #[error("no answer")]
    Fetch(#[from] FetchError),
    /// A header that cannot be sent, or an answer that cannot be represented.
    #[error("a message that cannot be represented")]
    Message,
}

/// An HTTP client; cheap to clone.
#[derive(Clone, Debug)]
pub struct Http(Arc<Fetcher>);

impl Http {
    pub(crate) fn new(fetcher: Arc<Fetcher>) -> Self {
        Self(fetcher)
    }

    /// Sends JSON and expects JSON, with a value for `Authorization`.
    pub(crate) async fn json(
        &self,
        method: &str,
        url: &str,
        authorization: &str,
        body: Option<&Value>,
    ) -> Result<HttpResponse, HttpError> {
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| HttpError::Message)?;
        let mut headers = HeaderMap::new();
        let mut secret = HeaderValue::from_str(authorization).map_err(|_| HttpError::Message)?;
        secret.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, secret);
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let body = body.map(|value| (value.to_string().into_bytes(), "application/json"));
        self.send(method, url, headers, body).await
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        mut headers: HeaderMap,
        body: Option<(Vec<u8>, &'static str)>,
    ) -> Result<HttpResponse, HttpError> {
        headers.remove(header::CONTENT_TYPE);
        let request = Request {
            method,
            url,
            headers,
            body,
            limits: Limits::EXCHANGE,
        };
        let answer = self.0.send(request).await?;
        let mut response = HttpResponse::new(answer.body);
        *response.status_mut() = answer.status.try_into().map_err(|_| HttpError::Message)?;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let url = parts.uri.to_string();
            let kind = content_type(&parts.headers);
            let body = (!body.is_empty()).then_some((body, kind));
            self.send(parts.method, &url, parts.headers, body).await
        })
    }
}

/// The media types that an OpenID Connect client sends.
fn content_type(headers: &HeaderMap) -> &'static str {
    match headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes) {
        Some(b"application/json") => "application/json",
        _ => "application/x-www-form-urlencoded",
    }
}
