//! Who sends requests.

use async_trait::async_trait;
use vouchsafe_protocol::http::{HttpRequest as CoreRequest, HttpResponse};

/// Sends requests. Follows no redirect, keeps no cookie, sends nothing that the request does not
/// hold, and gives up after a time of its own choice.
#[uniffi::export(with_foreign)]
#[async_trait]
pub trait HttpTransport: Send + Sync {
    /// Sends a request once.
    async fn send(&self, request: HttpRequest) -> Result<HttpReply, TransportFault>;
}

/// Why no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum TransportFault {
    /// The other side was not reached, or gave no whole answer.
    #[error("unreachable")]
    Unreachable,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for TransportFault {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unreachable
    }
}

/// A field of a header.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HttpField {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A request to send. Holds secrets: an adapter never logs it.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct HttpRequest {
    /// `GET`, `POST` or `DELETE`.
    pub method: String,
    /// Where to.
    pub url: String,
    /// Header fields, in order.
    pub headers: Vec<HttpField>,
    /// The body; empty for none.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct HttpReply {
    /// HTTP status.
    pub status: u16,
    /// Header fields, in order.
    pub headers: Vec<HttpField>,
    /// The body. An adapter may give up on one of more than 4 MiB.
    pub body: Vec<u8>,
}

impl From<&CoreRequest> for HttpRequest {
    fn from(request: &CoreRequest) -> Self {
        let fields = request.headers.iter().map(|(name, value)| HttpField {
            name: name.to_owned(),
            value: value.to_owned(),
        });
        Self {
            method: request.method.as_str().to_owned(),
            url: request.url.to_string(),
            headers: fields.collect(),
            body: request.body.clone(),
        }
    }
}

impl From<HttpReply> for HttpResponse {
    fn from(reply: HttpReply) -> Self {
        let fields = reply.headers.into_iter().map(|f| (f.name, f.value));
        Self {
            status: reply.status,
            headers: fields.collect(),
            body: reply.body,
        }
    }
}
