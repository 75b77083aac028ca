//! Methods whose documents are fetched: `did:web` and `did:webvh`.

use std::sync::Arc;

use super::location::Location;
use super::{
    Did, DidDocument, DidFetch, DidFetchError, DocumentError, DocumentMetadata, ErrorCode, Fetched,
    MAX_DOCUMENT, Resolution, ResolutionError, ResolutionOptions, Resolver, local, webvh,
};
use crate::crypto::CryptoProvider;
use crate::time::Clock;

/// The address of the document of a `did:web`, for a caller that sends requests itself; read what it
/// answers with [`DidDocument::parse`].
///
/// # Errors
/// When it is another method, or the DID names no address.
pub fn web_document_url(did: &Did) -> Result<String, ResolutionError> {
    if did.method() != "web" {
        let detail = "not a did:web";
        return Err(ResolutionError::new(ErrorCode::MethodNotSupported, detail));
    }
    Ok(Location::parse(did.id())?.document("did.json"))
}

/// Resolves the local methods, `did:web` and `did:webvh`.
pub struct WebResolver<F> {
    fetch: F,
    crypto: Arc<dyn CryptoProvider>,
    clock: Arc<dyn Clock>,
    tips: webvh::Tips,
}

impl<F: DidFetch> WebResolver<F> {
    /// A resolver that fetches through `fetch` and checks the logs of did:webvh with `crypto`.
    pub fn new(fetch: F, crypto: Arc<dyn CryptoProvider>, clock: Arc<dyn Clock>) -> Self {
        Self {
            fetch,
            crypto,
            clock,
            tips: webvh::Tips::default(),
        }
    }

    async fn try_resolve(
        &self,
        did: &str,
        options: &ResolutionOptions,
    ) -> Result<Resolution, ResolutionError> {
        let did = local::parse(did)?;
        match did.method() {
            "web" => self.web(&did, options).await,
            "webvh" => self.webvh(&did, options).await,
            _ => local::local(&did, options),
        }
    }

    /// did:web, "Read (Resolve)".
    async fn web(
        &self,
        did: &Did,
        options: &ResolutionOptions,
    ) -> Result<Resolution, ResolutionError> {
        if options.version_id.is_some()
            || options.version_time.is_some()
            || options.version_number.is_some()
        {
            let detail = "did:web has no versions";
            return Err(ResolutionError::new(ErrorCode::FeatureNotSupported, detail));
        }
        let url = Location::parse(did.id())?.document("did.json");
        let fetched = self.fetch.fetch(&url, MAX_DOCUMENT).await.map_err(failed)?;
        if !is_json(&fetched) {
            return Err(ResolutionError::new(
                ErrorCode::InvalidDidDocument,
                "the answer is not JSON",
            ));
        }
        let document = DidDocument::parse(&fetched.body, did).map_err(document_error)?;
        Ok(Resolution::found(document, DocumentMetadata::default()))
    }

    /// did:webvh 1.0, "Read (Resolve)".
    async fn webvh(
        &self,
        did: &Did,
        options: &ResolutionOptions,
    ) -> Result<Resolution, ResolutionError> {
        let place = webvh::Place::parse(did)?;
        let log = self
            .fetch
            .fetch(&place.log_url(), webvh::MAX_LOG)
            .await
            .map_err(failed)?;
        // did:webvh 1.0, "Create": the type SHOULD be `text/jsonl`. Hosts of static files do not
        // know it, and a log proves itself, so every type but that of a page is read.
        if is_page(&log) {
            return Err(webvh::invalid("the answer is a page"));
        }
        let mut log =
            webvh::Log::verify(&log.body, &place, self.clock.now(), self.crypto.as_ref())?;
        let witnesses = if log.is_witnessed() {
            let url = place.witness_url();
            Some(
                self.fetch
                    .fetch(&url, webvh::MAX_WITNESS)
                    .await
                    .map_err(failed)?
                    .body,
            )
        } else {
            None
        };
        log.approve(witnesses.as_deref(), self.crypto.as_ref())?;
        self.tips.check(&log)?;
        log.version(options)
    }
}

#[async_trait::async_trait]
impl<F: DidFetch> Resolver for WebResolver<F> {
    async fn resolve(&self, did: &str, options: &ResolutionOptions) -> Resolution {
        Resolution::from(self.try_resolve(did, options).await)
    }
}

/// The media type in lower case, without parameters.
fn media_type(fetched: &Fetched) -> String {
    let own = fetched.content_type.as_deref().unwrap_or_default();
    let own = own.split(';').next().unwrap_or_default();
    own.trim().to_ascii_lowercase()
}

fn is_page(fetched: &Fetched) -> bool {
    ["text/html", "application/xhtml+xml"].contains(&media_type(fetched).as_str())
}

/// `application/json`, `application/did` and what ends in `+json`.
fn is_json(fetched: &Fetched) -> bool {
    let own = media_type(fetched);
    own == "application/json"
        || own == "application/did"
        || own
            .strip_prefix("application/")
            .is_some_and(|rest| rest.ends_with("+json"))
}

pub(super) fn failed(error: DidFetchError) -> ResolutionError {
    match error {
        DidFetchError::NotFound => {
            ResolutionError::new(ErrorCode::NotFound, "the host has no such document")
        }
        DidFetchError::Refused => {
            ResolutionError::new(ErrorCode::InvalidDid, "the address may not be asked")
        }
        DidFetchError::TooLarge => ResolutionError::new(
            ErrorCode::InvalidDidDocumentLength,
            "the document is too large",
        ),
        DidFetchError::Unavailable => ResolutionError::temporary("the host did not answer"),
    }
}

pub(super) fn document_error(error: DocumentError) -> ResolutionError {
    let (code, detail) = match error {
        DocumentError::TooLarge => (
            ErrorCode::InvalidDidDocumentLength,
            "the document is too large",
        ),
        DocumentError::Json => (
            ErrorCode::InvalidDidDocument,
            "the document is not a JSON object",
        ),
        DocumentError::Id => (
            ErrorCode::InvalidDidDocument,
            "the id of the document is another DID",
        ),
        DocumentError::Context => (
            ErrorCode::InvalidDidDocument,
            "the @context is not acceptable",
        ),
        DocumentError::Controller => (ErrorCode::InvalidDidDocument, "a controller is not a DID"),
        DocumentError::Method => (
            ErrorCode::InvalidDidDocument,
            "a verification method is malformed",
        ),
        DocumentError::DuplicateId => (ErrorCode::InvalidDidDocument, "an id occurs twice"),
        DocumentError::TooMany => (ErrorCode::InvalidDidDocument, "too many entries"),
        DocumentError::Key => (
            ErrorCode::InvalidDidDocument,
            "a key is malformed or private",
        ),
        DocumentError::Relationship => (
            ErrorCode::InvalidDidDocument,
            "a verification relationship is malformed",
        ),
        DocumentError::Service => (ErrorCode::InvalidDidDocument, "a service is malformed"),
        DocumentError::AlsoKnownAs => (ErrorCode::InvalidDidDocument, "alsoKnownAs is malformed"),
    };
    ResolutionError::new(code, detail)
}
