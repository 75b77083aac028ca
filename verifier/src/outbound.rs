//! The requests that this service sends by itself, as a port: status lists, logout tokens, the
//! keys of clients and what clients publish about themselves.

use std::time::Duration;

use async_trait::async_trait;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use url::Url;
use vouchsafe_credentials::json::parse_object;
use vouchsafe_protocol::oauth::values::Secret;
use vouchsafe_protocol::ssf::UNUSABLE;
use vouchsafe_service::config::{DevConfig, FetchConfig};
use vouchsafe_service::fetch::{FetchError, Fetcher, Limits, Request, Response};

pub use crate::hooks::HookReply;

/// Why a request failed. Carries no part of an answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// Refused, unreachable, too slow or too large.
    #[error("the request failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Another status than success.
    #[error("the answer has status {0}")]
    Status(u16),
    /// Not what was asked for.
    #[error("the answer has another media type")]
    MediaType,
}

/// A status list token, not verified (Token Status List, section 8.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusToken {
    /// `application/statuslist+jwt`
    Jwt(String),
    /// `application/statuslist+cwt`, which publishers for mdocs have.
    Cwt(Vec<u8>),
}

/// A document at a `client_id`, not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientDocument {
    /// What is there.
    pub body: Vec<u8>,
    /// How long it may be kept in seconds, where its host says so.
    pub max_age: Option<i64>,
}

/// What an application said to a security event (RFC 8935, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It has it.
    Taken,
    /// It says that it cannot use the event, and would say so again: the code.
    Refused(&'static str),
}

/// What this service needs from the network.
#[async_trait]
pub trait Outbound: Send + Sync {
    /// Fetches a status list token, in the form in which its publisher has it.
    async fn status_list(&self, uri: &str) -> Result<StatusToken, OutboundError>;

    /// Fetches the key set of a client (RFC 7591, section 2, `jwks_uri`).
    async fn key_set(&self, uri: &Url) -> Result<Vec<u8>, OutboundError>;

    /// Whether an address of a client that nobody configured may be asked at all, as far as it can
    /// be said without resolving it. A port that does not say so asks none of them.
    fn may_ask(&self, _uri: &Url) -> bool {
        false
    }

    /// Fetches the list behind a `sector_identifier_uri` (OpenID Connect Dynamic Client
    /// Registration 1.0, section 5).
    async fn sector_list(&self, _uri: &Url) -> Result<Vec<u8>, OutboundError> {
        Err(OutboundError::Status(404))
    }

    /// Fetches the document at a `client_id` (draft-ietf-oauth-client-id-metadata-document-02).
    async fn client_document(&self, _uri: &Url) -> Result<ClientDocument, OutboundError> {
        Err(OutboundError::Status(404))
    }

    /// Posts a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.5). `Ok` means that
    /// the application took it.
    async fn logout(&self, uri: &Url, logout_token: &str) -> Result<(), OutboundError>;

    /// Posts a security event (RFC 8935, section 2.1), with the `Authorization` that the application
    /// wants to see.
    async fn security_event(
        &self,
        uri: &Url,
        authorization: Option<&Secret>,
        token: String,
    ) -> Result<Pushed, OutboundError>;

    /// Asks a system of the configuration, in so much time; no redirect is followed.
    async fn question(
        &self,
        _uri: &Url,
        _headers: HeaderMap,
        _body: String,
        _timeout: Duration,
    ) -> HookReply {
        HookReply::Silent
    }
}

/// Answers of systems that runs ask.
const HOOK_ANSWER: usize = 16 * 1024;

/// Client ID Metadata Document, section 8.7: the size that it recommends.
const CLIENT_DOCUMENT: Limits = Limits {
    body: 5 * 1024,
    ..Limits::METADATA
};
/// Addresses of one application.
const SECTOR_LIST: Limits = Limits {
    body: 64 * 1024,
    ..Limits::METADATA
};

/// The port on the guarded fetcher.
#[derive(Clone)]
pub struct Guarded {
    /// For addresses of the configuration, with its exceptions.
    fetcher: Fetcher,
    /// For addresses that applications choose while the service runs: without exceptions, which were
    /// not made for those.
    strangers: Fetcher,
    /// Hosts of the exceptions: no application that nobody configured names one.
    excepted: Vec<String>,
}

impl Guarded {
    /// Makes both fetchers.
    pub fn new(config: &FetchConfig, dev: &DevConfig) -> Result<Self, FetchError> {
        let strangers = FetchConfig {
            allow: Vec::new(),
            ..config.clone()
        };
        let excepted = config.allow.iter().map(|one| one.host.to_lowercase());
        Ok(Self {
            excepted: excepted.collect(),
            fetcher: Fetcher::new(config, dev)?,
            strangers: Fetcher::new(&strangers, dev)?,
        })
    }
}

/// RFC 8935, sections 2.3 and 2.4: the code of an answer that says that the event is at fault. Every
/// other refusal (a header that has changed, a key that is not yet known, a filter in between) may pass.
fn unusable(body: &[u8]) -> Option<&'static str> {
    let answer = parse_object(body).ok()?;
    let code = answer.get("err")?.as_str()?;
    UNUSABLE.into_iter().find(|known| *known == code)
}

impl From<FetchError> for OutboundError {
    fn from(error: FetchError) -> Self {
        Self::Failed(Box::new(error))
    }
}

const JWT: &str = "application/statuslist+jwt";
const CWT: &str = "application/statuslist+cwt";
/// Token Status List, section 8.1: the publisher chooses by `Accept`.
const EITHER: &str = "application/statuslist+jwt, application/statuslist+cwt;q=0.9";

#[async_trait]
impl Outbound for Guarded {
    async fn status_list(&self, uri: &str) -> Result<StatusToken, OutboundError> {
        let response = self.fetcher.get(uri, EITHER, Limits::STATUS_LIST).await?;
        if !response.is_success() {
            return Err(OutboundError::Status(response.status));
        }
        if response.is(CWT) {
            return Ok(StatusToken::Cwt(response.body));
        }
        if !response.is(JWT) {
            return Err(OutboundError::MediaType);
        }
        let compact = String::from_utf8(response.body).map_err(|_| OutboundError::MediaType)?;
        Ok(StatusToken::Jwt(compact))
    }

    async fn key_set(&self, uri: &Url) -> Result<Vec<u8>, OutboundError> {
        let answer = self
            .fetcher
            .get(uri.as_str(), "application/json", Limits::JWKS);
        let response = answer.await?;
        if !response.is_success() {
            return Err(OutboundError::Status(response.status));
        }
        Ok(response.body)
    }

    fn may_ask(&self, uri: &Url) -> bool {
        let host = uri.host_str().unwrap_or_default();
        let excepted = self.excepted.iter().any(|one| one == host);
        !excepted && self.strangers.allows(uri.as_str()).is_ok()
    }

    async fn sector_list(&self, uri: &Url) -> Result<Vec<u8>, OutboundError> {
        let _place = (self.strangers)
            .place_for_anybody(uri.as_str(), SECTOR_LIST.total)
            .await?;
        let response = self
            .strangers
            .get(uri.as_str(), "application/json", SECTOR_LIST);
        let response = response.await?;
        if !response.is_success() {
            return Err(OutboundError::Status(response.status));
        }
        Ok(response.body)
    }

    async fn client_document(&self, uri: &Url) -> Result<ClientDocument, OutboundError> {
        let limits = CLIENT_DOCUMENT;
        let _place = (self.strangers)
            .place_for_anybody(uri.as_str(), limits.total)
            .await?;
        let response = self
            .strangers
            .get(uri.as_str(), "application/json", limits)
            .await?;
        // Section 5: nothing but 200, and redirects are not followed.
        if response.status != 200 {
            return Err(OutboundError::Status(response.status));
        }
        if !is_json(&response) {
            return Err(OutboundError::MediaType);
        }
        let max_age = response.header("cache-control").and_then(max_age);
        Ok(ClientDocument {
            body: response.body,
            max_age,
        })
    }

    async fn logout(&self, uri: &Url, logout_token: &str) -> Result<(), OutboundError> {
        let form = [("logout_token", logout_token)];
        let response = self
            .fetcher
            .post_form(uri.as_str(), &form, HeaderMap::new(), Limits::EXCHANGE)
            .await?;
        // Back-Channel Logout 1.0, section 2.8: 200 means done; 204 is common.
        if response.is_success() {
            Ok(())
        } else {
            Err(OutboundError::Status(response.status))
        }
    }

    async fn security_event(
        &self,
        uri: &Url,
        authorization: Option<&Secret>,
        token: String,
    ) -> Result<Pushed, OutboundError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(Ok(mut value)) = authorization.map(|text| text.expose().parse::<HeaderValue>())
        {
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        let request = Request {
            method: Method::POST,
            url: uri.as_str(),
            headers,
            body: Some((token.into_bytes(), "application/secevent+jwt")),
            limits: Limits::EXCHANGE,
        };
        let response = self.strangers.send(request).await?;
        match response.status {
            200..300 => Ok(Pushed::Taken),
            400 => unusable(&response.body)
                .map(Pushed::Refused)
                .ok_or(OutboundError::Status(400)),
            status => Err(OutboundError::Status(status)),
        }
    }

    async fn question(
        &self,
        uri: &Url,
        headers: HeaderMap,
        body: String,
        timeout: Duration,
    ) -> HookReply {
        let request = Request {
            method: Method::POST,
            url: uri.as_str(),
            headers,
            body: Some((body.into_bytes(), "application/json")),
            limits: Limits {
                body: HOOK_ANSWER,
                total: timeout,
                redirects: 0,
            },
        };
        match self.fetcher.send(request).await {
            Ok(answer) if answer.status != 200 => HookReply::Status(answer.status),
            Ok(answer) if answer.is("application/json") => HookReply::Body(answer.body),
            Err(FetchError::Unreachable | FetchError::Timeout) => HookReply::Silent,
            Ok(_) | Err(_) => HookReply::Unusable,
        }
    }
}

/// Section 4: JSON, or something that says it is.
fn is_json(response: &Response) -> bool {
    let essence = response.header("content-type").unwrap_or_default();
    let essence = essence.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// RFC 9111, section 5.2.2, as far as it says how long; what must be asked for again each time
/// lives for no time.
fn max_age(header: &str) -> Option<i64> {
    let mut directives = header.split(',').map(|one| one.trim().to_ascii_lowercase());
    directives.find_map(|directive| match directive.as_str() {
        "no-store" | "no-cache" => Some(0),
        other => other
            .strip_prefix("max-age=")?
            .trim_matches('"')
            .parse()
            .ok(),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::{HeaderMap, StatusCode};
    use url::Url;
    use vouchsafe_service::config::{AllowedHost, DevConfig, FetchConfig};

    use super::{Guarded, HOOK_ANSWER, HookReply, Outbound as _, max_age, unusable};

    #[test]
    fn cat_377_addresses_of_clients_that_are_never_asked() {
        let config = FetchConfig {
            allow: vec![AllowedHost {
                host: "inside.example".to_owned(),
                ports: vec![8443],
                private: true,
            }],
            ..FetchConfig::default()
        };
        let guarded = Guarded::new(&config, &DevConfig::default()).unwrap();
        let may_ask = |text: &str| guarded.may_ask(&Url::parse(text).unwrap());
        for inside in [
            "https://127.0.0.1/jwks",
            "https://10.0.0.1/list",
            "https://[::1]/list",
            "https://169.254.169.254/latest/meta-data",
            "https://app.example:8443/jwks",
            // What the operator excepts is for the operator's own addresses.
            "https://inside.example/jwks",
            "https://inside.example:8443/jwks",
            "http://app.example/jwks",
            "https://user@app.example/jwks",
        ] {
            assert!(!may_ask(inside), "{inside}");
        }
        assert!(may_ask("https://app.example/jwks"));
    }

    #[test]
    fn how_long_a_document_may_be_kept() {
        for (header, seconds) in [
            ("max-age=120", Some(120)),
            ("public, Max-Age=\"7\"", Some(7)),
            ("no-store", Some(0)),
            ("no-cache, max-age=5", Some(0)),
            ("private", None),
            ("max-age=soon", None),
            ("", None),
        ] {
            assert_eq!(max_age(header), seconds, "{header}");
        }
    }

    #[test]
    fn rfc_8935_section_2_4_only_what_is_wrong_with_an_event_ends_it() {
        assert_eq!(
            unusable(br#"{"err": "invalid_audience", "description": "x"}"#),
            Some("invalid_audience")
        );
        for passing in [
            &br#"{"err": "authentication_failed"}"#[..],
            br#"{"err": "access_denied"}"#,
            br#"{"err": "invalid_key"}"#,
            br#"{"err": 5}"#,
            b"{}",
            b"",
            b"<html>Bad Request</html>",
        ] {
            assert_eq!(unusable(passing), None);
        }
    }

    /// Asks a system of this machine that answers like this.
    async fn asked(
        answer: impl axum::response::IntoResponse + Clone + Send + Sync + 'static,
    ) -> HookReply {
        let hook = axum::routing::post(async move || answer.clone());
        let router = axum::Router::new().route("/ask", hook);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/ask", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let dev = DevConfig {
            loopback_http: true,
        };
        question(&url, &dev, Duration::from_secs(3)).await
    }

    async fn question(url: &str, dev: &DevConfig, timeout: Duration) -> HookReply {
        let guarded = Guarded::new(&FetchConfig::default(), dev).unwrap();
        let url = Url::parse(url).unwrap();
        let body = "{}".to_owned();
        guarded
            .question(&url, HeaderMap::new(), body, timeout)
            .await
    }

    #[tokio::test]
    async fn what_a_system_that_is_asked_may_answer() {
        const JSON: [(&str, &str); 1] = [("content-type", "application/json")];
        let answer = asked((JSON, "{\"a\":1}")).await;
        assert_eq!(answer, HookReply::Body(b"{\"a\":1}".to_vec()));
        let busy = StatusCode::SERVICE_UNAVAILABLE;
        assert_eq!(asked((busy, JSON, "{}")).await, HookReply::Status(503));
        let moved = [("location", "/ask")];
        let moved = asked((StatusCode::TEMPORARY_REDIRECT, moved)).await;
        assert!(matches!(
            moved,
            HookReply::Status(307) | HookReply::Unusable
        ));
        assert_eq!(asked("{}").await, HookReply::Unusable);
        let large = "x".repeat(HOOK_ANSWER + 1);
        assert_eq!(asked((JSON, large)).await, HookReply::Unusable);
    }

    #[tokio::test]
    async fn cat_398_a_system_that_is_asked_stands_outside_and_answers_in_time() {
        let none = DevConfig::default();
        for inside in [
            "https://127.0.0.1/ask",
            "https://10.0.0.1/ask",
            "https://169.254.169.254/latest/meta-data",
            "http://hook.example/ask",
        ] {
            let reply = question(inside, &none, Duration::from_secs(3)).await;
            assert_eq!(reply, HookReply::Unusable, "{inside}");
        }
        // It takes the question and says nothing.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/ask", listener.local_addr().unwrap());
        let dev = DevConfig {
            loopback_http: true,
        };
        let reply = question(&url, &dev, Duration::from_millis(200)).await;
        assert_eq!(reply, HookReply::Silent);
    }
}
