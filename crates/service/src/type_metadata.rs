//! Type metadata of credentials, through the guarded fetcher.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use vouchsafe_credentials::type_metadata::{FetchFailed, Integrity, TypeMetadataFetch};

use crate::fetch::{FetchError, Fetcher, Limits};

/// Documents kept; each at most as large as [`Limits::TYPE_METADATA`] allows.
const MAX_DOCUMENTS: usize = 64;
const MEDIA_TYPE: &str = "application/json";

/// Why a document is not used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The type is no `https` URL; other names belong into a registry of the operator.
    #[error("the type is no https URL")]
    NoUrl,
    /// No answer.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// An error, whose body is never used as the document.
    #[error("the host answers with status {0}")]
    Status(u16),
    /// Not `application/json`.
    #[error("the answer has another content type")]
    ContentType,
}

/// Fetches type metadata. A document with an integrity value is kept under it, since it cannot
/// change; every other one is fetched each time.
#[derive(Clone, Debug)]
pub struct WebTypeMetadata {
    fetcher: Fetcher,
    plain_loopback: bool,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    documents: HashMap<(String, String), Vec<u8>>,
    order: VecDeque<(String, String)>,
}

impl WebTypeMetadata {
    /// Asks with this fetcher.
    #[must_use]
    pub fn new(fetcher: Fetcher) -> Self {
        Self {
            fetcher,
            plain_loopback: false,
            kept: Arc::default(),
        }
    }

    /// Lets `http` addresses through to the fetcher, which allows them on loopback alone and only
    /// where the configuration does. For tests.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn with_plain_loopback(mut self) -> Self {
        self.plain_loopback = true;
        self
    }

    async fn ask(&self, vct: &str) -> Result<Vec<u8>, Unusable> {
        // SD-JWT VC, "Retrieving Documents and Resources via HTTP": https alone.
        let plain = self.plain_loopback && vct.starts_with("http://");
        if !vct.starts_with("https://") && !plain {
            return Err(Unusable::NoUrl);
        }
        let limits = Limits::TYPE_METADATA;
        let response = self.fetcher.get(vct, MEDIA_TYPE, limits).await?;
        // "… MUST NOT use the content of an error response".
        if response.status != 200 {
            return Err(Unusable::Status(response.status));
        }
        if !response.is(MEDIA_TYPE) {
            return Err(Unusable::ContentType);
        }
        Ok(response.body)
    }

    fn kept(&self, key: &(String, String)) -> Option<Vec<u8>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.documents.get(key).cloned()
    }

    fn keep(&self, key: (String, String), octets: &[u8]) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept
            .documents
            .insert(key.clone(), octets.to_vec())
            .is_some()
        {
            return;
        }
        kept.order.push_back(key);
        if kept.order.len() > MAX_DOCUMENTS
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.documents.remove(&oldest);
        }
    }
}

#[async_trait]
impl TypeMetadataFetch for WebTypeMetadata {
    async fn fetch(
        &self,
        vct: &str,
        integrity: Option<&Integrity>,
    ) -> Result<Vec<u8>, FetchFailed> {
        let failed = |error: Unusable| FetchFailed(Box::new(error));
        let Some(integrity) = integrity else {
            return self.ask(vct).await.map_err(failed);
        };
        let key = (vct.to_owned(), integrity.to_string());
        if let Some(octets) = self.kept(&key) {
            return Ok(octets);
        }
        let octets = self.ask(vct).await.map_err(failed)?;
        // Only what fits is kept; the caller refuses the rest.
        if integrity.check(&octets).is_ok() {
            self.keep(key, &octets);
        }
        Ok(octets)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::http::{StatusCode, header};
    use axum::response::{IntoResponse, Redirect};
    use axum::routing::get;

    use super::*;
    use crate::config::{DevConfig, FetchConfig};

    const DOCUMENT: &str = "{\"vct\":\"x\"}";

    fn json(status: StatusCode, body: impl Into<axum::body::Body>) -> axum::response::Response {
        (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body.into()).into_response()
    }

    async fn serve() -> (SocketAddr, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let router = Router::new()
            .route(
                "/good",
                get(move || {
                    counter.fetch_add(1, Ordering::SeqCst);
                    async { json(StatusCode::OK, DOCUMENT) }
                }),
            )
            .route(
                "/gone",
                get(|| async { json(StatusCode::NOT_FOUND, DOCUMENT) }),
            )
            .route("/page", get(|| async { DOCUMENT }))
            .route(
                "/big",
                get(|| async { json(StatusCode::OK, vec![b' '; 600 * 1024]) }),
            )
            .route(
                "/inside",
                get(|| async { Redirect::temporary("http://169.254.169.254/latest") }),
            )
            .route(
                "/plain",
                get(|| async { Redirect::temporary("http://types.example/x") }),
            );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        (address, asked)
    }

    fn port() -> WebTypeMetadata {
        let dev = DevConfig {
            loopback_http: true,
        };
        let fetcher = Fetcher::new(&FetchConfig::default(), &dev).unwrap();
        WebTypeMetadata::new(fetcher).with_plain_loopback()
    }

    #[tokio::test]
    async fn cat_032_only_a_good_answer_is_the_document() {
        let (address, _) = serve().await;
        let port = port();
        let ask = |path: &str| {
            let (port, url) = (port.clone(), format!("http://{address}/{path}"));
            async move { port.ask(&url).await }
        };
        assert_eq!(ask("good").await.unwrap(), DOCUMENT.as_bytes());
        assert!(matches!(ask("gone").await, Err(Unusable::Status(404))));
        assert!(matches!(ask("page").await, Err(Unusable::ContentType)));
        assert!(matches!(
            ask("big").await,
            Err(Unusable::Fetch(FetchError::TooLarge))
        ));
        for path in ["inside", "plain"] {
            assert!(
                matches!(
                    ask(path).await,
                    Err(Unusable::Fetch(FetchError::Refused(_)))
                ),
                "{path}"
            );
        }
    }

    #[tokio::test]
    async fn cat_032_only_https_is_asked() {
        let dev = DevConfig {
            loopback_http: false,
        };
        let port = WebTypeMetadata::new(Fetcher::new(&FetchConfig::default(), &dev).unwrap());
        for vct in [
            "http://types.example/x",
            "urn:example:1",
            "data:application/json,{}",
            "file:///etc/passwd",
        ] {
            assert!(matches!(port.ask(vct).await, Err(Unusable::NoUrl)), "{vct}");
        }
        let inside = port.ask("https://169.254.169.254/latest").await;
        assert!(matches!(
            inside,
            Err(Unusable::Fetch(FetchError::Refused(_)))
        ));
    }

    #[tokio::test]
    async fn what_has_an_integrity_value_is_asked_once() {
        let (address, asked) = serve().await;
        let port = port();
        let url = format!("http://{address}/good");
        let right = Integrity::parse(&Integrity::of(DOCUMENT.as_bytes())).unwrap();
        for _ in 0..3 {
            let octets = port.fetch(&url, Some(&right)).await.unwrap();
            assert_eq!(octets, DOCUMENT.as_bytes());
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        // Without one, or with one that does not fit, nothing is kept.
        let wrong = Integrity::parse(&Integrity::of(b"other")).unwrap();
        for turn in 2..4 {
            port.fetch(&url, None).await.unwrap();
            port.fetch(&url, Some(&wrong)).await.unwrap();
            assert_eq!(asked.load(Ordering::SeqCst), 2 * turn - 1);
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let port = port();
        for number in 0..MAX_DOCUMENTS + 10 {
            port.keep((number.to_string(), String::new()), b"x");
        }
        let kept = port.kept.lock().unwrap();
        assert_eq!(kept.documents.len(), MAX_DOCUMENTS);
        assert!(
            !kept
                .documents
                .contains_key(&("0".to_owned(), String::new()))
        );
    }
}
