//! The only way out: every outbound request of the services and the wallet goes through
//! [`Fetcher`].
//!
//! Every address that somebody else chose may point anywhere. So: https on port 443, public
//! addresses only, the address that was checked is the address that is connected to, few or no
//! redirects, caps on size and time, no proxy, no cookies, no compression.

mod address;
mod message;
mod policy;
mod resolver;
#[cfg(test)]
mod tests;

pub use address::is_public;
pub use message::{Limits, Request, Response};
pub use policy::Refused;
pub use resolver::{Resolve, SystemResolver};

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use reqwest::{Certificate, Client, redirect};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use self::{policy::Policy, resolver::Checked};
use crate::config::{DevConfig, FetchConfig};

/// Requests to one host at once.
const PER_HOST: usize = 4;
/// How many of them anybody can cause.
const PER_HOST_FOR_ANYBODY: usize = 2;
/// Hosts whose permits are remembered before idle ones are forgotten.
const REMEMBERED_HOSTS: usize = 1024;
const CONNECT: Duration = Duration::from_secs(2);

/// Why there is no answer. The texts name no address: it may carry a code.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FetchError {
    /// The address is not one that may be asked.
    #[error("the address is refused: {0}")]
    Refused(#[from] Refused),
    /// No connection, broken TLS, or no answer in time.
    #[error("the host cannot be reached")]
    Unreachable,
    /// Time is up.
    #[error("the host did not answer in time")]
    Timeout,
    /// The answer is larger than allowed.
    #[error("the answer is too large")]
    TooLarge,
    /// More redirects than allowed, or one that leads nowhere.
    #[error("the host redirects")]
    Redirect,
    /// The answer is compressed although that was not asked for.
    #[error("the answer is encoded")]
    Encoded,
    /// The fetcher cannot be set up with this configuration.
    #[error("a file of `fetch.extra_ca` cannot be read or holds no certificate")]
    Setup,
}

/// Sends guarded requests. Cheap to clone.
#[derive(Clone)]
pub struct Fetcher {
    client: Client,
    policy: Arc<Policy>,
    hosts: Arc<Mutex<HashMap<String, Arc<Semaphore>>>>,
}

impl Fetcher {
    /// A fetcher with the exceptions of the configuration.
    ///
    /// Call [`crate::config::check_addresses`] before: it is what keeps `dev.loopback_http` away
    /// from services that others can reach.
    pub fn new(config: &FetchConfig, dev: &DevConfig) -> Result<Self, FetchError> {
        Self::with_resolver(config, dev, Arc::new(SystemResolver))
    }

    /// A fetcher with another resolver, for tests.
    pub fn with_resolver(
        config: &FetchConfig,
        dev: &DevConfig,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, FetchError> {
        let policy = Arc::new(Policy::new(&config.allow, dev.loopback_http));
        let mut certificates = Vec::new();
        for file in &config.extra_ca {
            let pem = std::fs::read(file).map_err(|_| FetchError::Setup)?;
            let parsed = Certificate::from_pem_bundle(&pem).map_err(|_| FetchError::Setup)?;
            certificates.extend(parsed);
        }
        let client = Client::builder()
            .dns_resolver(Arc::new(Checked::new(resolver, Arc::clone(&policy))))
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT)
            .tls_certs_merge(certificates)
            .http1_only()
            .user_agent("vouchsafe")
            .build()
            .map_err(|_| FetchError::Setup)?;
        Ok(Self {
            client,
            policy,
            hosts: Arc::default(),
        })
    }

    /// Whether an address may be asked at all, as far as it can be said without resolving it.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn allows(&self, url: &str) -> Result<(), Refused> {
        self.policy
            .check(&Url::parse(url).map_err(|_| Refused::Syntax)?)
    }

    /// GET. `accept` is the media type that is wanted.
    pub async fn get(
        &self,
        url: &str,
        accept: &str,
        limits: Limits,
    ) -> Result<Response, FetchError> {
        let mut headers = HeaderMap::new();
        if let Ok(accept) = HeaderValue::from_str(accept) {
            headers.insert(header::ACCEPT, accept);
        }
        self.send(Request {
            method: Method::GET,
            url,
            headers,
            body: None,
            limits,
        })
        .await
    }

    /// POST of a form.
    pub async fn post_form(
        &self,
        url: &str,
        form: &[(&str, &str)],
        headers: HeaderMap,
        limits: Limits,
    ) -> Result<Response, FetchError> {
        // In one expression: the serializer is not `Send` and must not live on while we wait.
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish()
            .into_bytes();
        self.send(Request {
            method: Method::POST,
            url,
            headers,
            body: Some((body, "application/x-www-form-urlencoded")),
            limits,
        })
        .await
    }

    /// POST of a JSON value.
    pub async fn post_json(
        &self,
        url: &str,
        json: &serde_json::Value,
        headers: HeaderMap,
        limits: Limits,
    ) -> Result<Response, FetchError> {
        self.send(Request {
            method: Method::POST,
            url,
            headers,
            body: Some((json.to_string().into_bytes(), "application/json")),
            limits,
        })
        .await
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&self, request: Request<'_>) -> Result<Response, FetchError> {
        let limit = request.limits.total;
        tokio::time::timeout(limit, self.follow(request))
            .await
            .map_err(|_| FetchError::Timeout)?
    }

    /// Sends a request and looks at the status of the answer alone: its body is not read, and
    /// redirects are not followed. The time counts from when the host has a place for it.
    pub async fn status(&self, request: Request<'_>) -> Result<u16, FetchError> {
        let Request {
            method,
            url,
            headers,
            body,
            limits,
        } = request;
        let url = Url::parse(url).map_err(|_| Refused::Syntax)?;
        self.policy.check(&url)?;
        let permits = self.permits(&url);
        let _permit = permits
            .acquire()
            .await
            .map_err(|_| FetchError::Unreachable)?;
        let sent = self.ask(&method, &url, &headers, &body).send();
        let response = tokio::time::timeout(limits.total, sent)
            .await
            .map_err(|_| FetchError::Timeout)?
            .map_err(|error| classify(&error))?;
        Ok(response.status().as_u16())
    }

    /// Waits for one of the few places at a host for what anybody can cause without having done
    /// anything before, so that the rest stays free. It is to be held during the request.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn place_for_anybody(
        &self,
        url: &str,
        patience: Duration,
    ) -> Result<OwnedSemaphorePermit, FetchError> {
        let url = Url::parse(url).map_err(|_| Refused::Syntax)?;
        let places = self.places(&url, " for anybody", PER_HOST_FOR_ANYBODY);
        let place = tokio::time::timeout(patience, places.acquire_owned()).await;
        let place = place.map_err(|_| FetchError::Timeout)?;
        place.map_err(|_| FetchError::Unreachable)
    }

    fn ask(
        &self,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
        body: &Option<(Vec<u8>, &'static str)>,
    ) -> reqwest::RequestBuilder {
        let request = self
            .client
            .request(method.clone(), url.clone())
            .headers(headers.clone())
            .header(header::ACCEPT_ENCODING, "identity");
        match body {
            Some((bytes, content_type)) => request
                .header(header::CONTENT_TYPE, *content_type)
                .body(bytes.clone()),
            None => request,
        }
    }

    async fn follow(&self, request: Request<'_>) -> Result<Response, FetchError> {
        let Request {
            method,
            url,
            mut headers,
            body,
            limits,
        } = request;
        let mut url = Url::parse(url).map_err(|_| Refused::Syntax)?;
        let mut redirects = limits.redirects;
        loop {
            let response = self.once(&method, &url, &headers, &body, limits).await?;
            let is_redirect = matches!(response.status, 301 | 302 | 303 | 307 | 308);
            if !is_redirect || limits.redirects == 0 || method != Method::GET {
                return Ok(response);
            }
            redirects = redirects.checked_sub(1).ok_or(FetchError::Redirect)?;
            let target = response.header("location").ok_or(FetchError::Redirect)?;
            let target = url.join(target).map_err(|_| FetchError::Redirect)?;
            if target.origin() != url.origin() {
                headers = only_accept(&headers);
            }
            url = target;
        }
    }

    async fn once(
        &self,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
        body: &Option<(Vec<u8>, &'static str)>,
        limits: Limits,
    ) -> Result<Response, FetchError> {
        self.policy.check(url)?;
        let permits = self.permits(url);
        // The semaphore is never closed, so the error cannot happen; no permit would be wrong.
        let _permit = permits
            .acquire()
            .await
            .map_err(|_| FetchError::Unreachable)?;
        let request = self.ask(method, url, headers, body);
        let response = request.send().await.map_err(|error| classify(&error))?;
        read(response, limits.body).await
    }

    fn permits(&self, url: &Url) -> Arc<Semaphore> {
        self.places(url, "", PER_HOST)
    }

    fn places(&self, url: &Url, kind: &str, many: usize) -> Arc<Semaphore> {
        let host = format!(
            "{}:{}{kind}",
            url.host_str().unwrap_or_default(),
            url.port_or_known_default().unwrap_or_default()
        );
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= REMEMBERED_HOSTS {
            hosts.retain(|_, permits| Arc::strong_count(permits) > 1);
        }
        let permits = hosts.entry(host);
        Arc::clone(permits.or_insert_with(|| Arc::new(Semaphore::new(many))))
    }
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fetcher")
    }
}

async fn read(mut response: reqwest::Response, limit: usize) -> Result<Response, FetchError> {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let coding = headers.get(header::CONTENT_ENCODING);
    if coding.is_some_and(|coding| coding != "identity") {
        return Err(FetchError::Encoded);
    }
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).map_or(true, |length| length > limit) {
        return Err(FetchError::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error))? {
        if body.len() + chunk.len() > limit {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response {
        status,
        headers,
        body,
    })
}

/// The resolver's refusal travels inside the client's error.
fn classify(error: &reqwest::Error) -> FetchError {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(source) = next {
        if let Some(refused) = source.downcast_ref::<Refused>() {
            return FetchError::Refused(*refused);
        }
        next = source.source();
    }
    match error.is_timeout() {
        true => FetchError::Timeout,
        false => FetchError::Unreachable,
    }
}

fn only_accept(headers: &HeaderMap) -> HeaderMap {
    const KEPT: HeaderName = header::ACCEPT;
    let accept = headers.get(KEPT).cloned();
    accept.map(|value| (KEPT, value)).into_iter().collect()
}
