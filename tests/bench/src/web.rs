//! How the scripted wallets and applications reach the services: connections
//! that stay open, no redirect followed.

use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;
use vouchsafe_protocol::http::{HttpRequest, HttpResponse, Method};

/// A client of all services.
#[derive(Clone)]
pub struct Web(reqwest::Client);

impl Web {
    /// A client without connections.
    pub fn new() -> Result<Self> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .http1_only()
            .build()?;
        Ok(Self(client))
    }

    /// Sends a request and returns the answer, whatever its status.
    pub async fn send(&self, request: HttpRequest) -> Result<HttpResponse> {
        let HttpRequest {
            method,
            url,
            headers,
            body,
        } = request;
        let method = match method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut sent = self.0.request(method, url);
        for (name, value) in headers.iter() {
            sent = sent.header(name, value);
        }
        let answer = sent.body(body).send().await?;
        Ok(HttpResponse {
            status: answer.status().as_u16(),
            headers: answer
                .headers()
                .iter()
                .map(|(name, value)| Ok((name.as_str(), value.to_str()?)))
                .collect::<Result<_>>()?,
            body: answer.bytes().await?.to_vec(),
        })
    }

    /// Sends a request whose answer must have this status.
    pub async fn expect(&self, status: u16, request: HttpRequest) -> Result<HttpResponse> {
        let path = request.url.path().to_owned();
        let answer = self.send(request).await?;
        ensure!(
            answer.status == status,
            "{path}: {} instead of {status}: {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        );
        Ok(answer)
    }
}

/// The body of an answer, from JSON.
pub fn json<T: DeserializeOwned>(answer: &HttpResponse) -> Result<T> {
    serde_json::from_slice(&answer.body).context("not the JSON that was expected")
}

/// Where a redirect leads.
pub fn location(answer: &HttpResponse) -> Result<&str> {
    answer.headers.get("location").context("no Location")
}

/// The version of what was answered.
pub fn etag(answer: &HttpResponse) -> Result<String> {
    let tag = answer.headers.get("etag").context("no ETag")?;
    Ok(tag.to_owned())
}
