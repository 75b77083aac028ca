//! What was resolved is remembered for a while: documents, and also that there are none.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::PATIENCE;
use async_trait::async_trait;
use moka::future::Cache;
use serde_json::Value;
use vouchsafe_credentials::{
    did::{
        Did, DidUrl, ErrorCode, LocalResolver, MethodError, Relationship, Resolution,
        ResolutionError, ResolutionOptions, Resolver, VerificationMethod,
    },
    time::{Clock, UnixTime},
};

/// Seconds for which a document is believed. did:webvh may say less (`ttl`).
const FRESH: i64 = 300;
/// Bytes of memory for what is remembered.
const CAPACITY: u64 = 32 * 1024 * 1024;
/// What an entry costs beside its document.
const OVERHEAD: usize = 1024;
/// A document is in memory as JSON, and its methods and services a second time as what they mean.
const COPIES: usize = 2;
/// What an allocation, or a place in a map, costs beside its content.
const ALLOCATION: usize = 32;

/// Which DIDs may cause a request to somebody else.
#[derive(Debug, Clone)]
pub enum Reach {
    /// Every DID: for the resolution endpoint, whose callers are known.
    Any,
    /// These DIDs alone: for whoever verifies what strangers send.
    Only(Arc<BTreeSet<String>>),
}

impl Reach {
    fn allows(&self, did: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only(dids) => dids.contains(did),
        }
    }
}

struct Entry {
    resolution: Resolution,
    /// When the source was asked last.
    asked: UnixTime,
    /// Until when the resolution is believed.
    until: UnixTime,
}

/// A resolver that remembers. One question at a time for each DID, at most one a minute.
pub struct CachedResolver<R> {
    inner: R,
    clock: Arc<dyn Clock>,
    reach: Reach,
    entries: Cache<String, Arc<Entry>>,
}

impl<R: Resolver> CachedResolver<R> {
    /// Remembers what `inner` resolves.
    pub fn new(inner: R, clock: Arc<dyn Clock>, reach: Reach) -> Self {
        let weight = |key: &String, entry: &Arc<Entry>| {
            u32::try_from(weight(key.len(), entry)).unwrap_or(u32::MAX)
        };
        let entries = Cache::builder()
            .max_capacity(CAPACITY)
            .weigher(weight)
            .build();
        Self {
            inner,
            clock,
            reach,
            entries,
        }
    }

    /// The verification method with this id, for this purpose. When the remembered document does
    /// not have it, the source is asked again, but no more than once a minute.
    ///
    /// # Errors
    /// Of the resolution, or why the method may not be used.
    pub async fn method(
        &self,
        url: &DidUrl,
        relationship: Relationship,
    ) -> Result<VerificationMethod, ResolutionError> {
        let mut options = ResolutionOptions::default();
        loop {
            let resolution = self.resolve(url.did().as_str(), &options).await;
            match resolution.active()?.method(url, relationship) {
                // The document may be older than the end of one of its methods.
                Ok(method) if method.is_valid_at(self.clock.now()) => return Ok(method.clone()),
                Ok(_) => {
                    return Err(ResolutionError::new(
                        ErrorCode::InvalidVerificationMethod,
                        "the verification method has expired or was revoked",
                    ));
                }
                Err(MethodError::NotFound) if !options.no_cache => options.no_cache = true,
                Err(error) => return Err(unusable(error)),
            }
        }
    }

    async fn remembered(&self, did: &str, options: &ResolutionOptions) -> Resolution {
        let now = self.clock.now();
        let stale = |entry: &Arc<Entry>| {
            let patient = now.since(entry.asked) >= PATIENCE;
            now >= entry.until || (options.no_cache && patient)
        };
        let key = key(did, options);
        let old = self.entries.get(&key).await;
        let ask = async {
            let resolution = self.inner.resolve(did, options).await;
            Arc::new(keep(old, resolution, now))
        };
        let entry = self.entries.entry(key).or_insert_with_if(ask, stale).await;
        entry.into_value().resolution.clone()
    }
}

/// Bytes of memory of an entry.
fn weight(key: usize, entry: &Entry) -> usize {
    let Resolution {
        document,
        document_metadata,
        ..
    } = &entry.resolution;
    let document = document.as_ref().map_or(0, |it| memory(it.as_json()));
    let metadata: usize = document_metadata.0.iter().map(member).sum();
    document
        .saturating_mul(COPIES)
        .saturating_add(metadata)
        .saturating_add(key + OVERHEAD)
}

/// Bytes that a JSON value takes in memory: a short text of many small values takes far more
/// than its length.
fn memory(value: &Value) -> usize {
    let content = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(memory).sum(),
        Value::Object(members) => members.iter().map(member).sum(),
    };
    size_of::<Value>() + ALLOCATION + content
}

fn member((name, value): (&String, &Value)) -> usize {
    size_of::<String>() + ALLOCATION + name.len() + memory(value)
}

/// What to remember: the answer, or the document from before while it is believed and the source is down.
fn keep(old: Option<Arc<Entry>>, resolution: Resolution, now: UnixTime) -> Entry {
    let error = resolution.resolution_metadata.error.as_ref();
    if let Some(old) = old.filter(|old| old.resolution.document.is_some() && now < old.until)
        && error.is_some_and(|error| error.temporary)
    {
        return Entry {
            resolution: old.resolution.clone(),
            asked: now,
            until: old.until,
        };
    }
    let ttl = resolution.document_metadata.0.get("ttl");
    let ttl = ttl
        .and_then(|ttl| ttl.as_str()?.parse::<i64>().ok())
        .unwrap_or(FRESH);
    let lifetime = if error.is_some() {
        PATIENCE
    } else {
        ttl.min(FRESH)
    };
    // A source that forbids to remember it is still not asked more often than once a minute.
    Entry {
        resolution,
        asked: now,
        until: now.plus(lifetime.max(PATIENCE)),
    }
}

/// Results that may differ have different keys. No part contains a line feed.
fn key(did: &str, options: &ResolutionOptions) -> String {
    let version = options.version_id.as_deref().unwrap_or_default();
    let time = options
        .version_time
        .map(|time| time.0.to_string())
        .unwrap_or_default();
    let number = options
        .version_number
        .map(|number| number.to_string())
        .unwrap_or_default();
    format!("{did}\n{version}\n{time}\n{number}")
}

fn unusable(error: MethodError) -> ResolutionError {
    match error {
        MethodError::NotFound => ResolutionError::new(
            ErrorCode::NotFound,
            "the document has no such verification method",
        ),
        MethodError::Relationship => ResolutionError::new(
            ErrorCode::InvalidRelationshipForVerificationMethod,
            "the verification method is not for this purpose",
        ),
        _ => ResolutionError::new(
            ErrorCode::InvalidVerificationMethod,
            "the verification method cannot be used",
        ),
    }
}

#[async_trait]
impl<R: Resolver> Resolver for CachedResolver<R> {
    async fn resolve(&self, did: &str, options: &ResolutionOptions) -> Resolution {
        let Ok(parsed) = Did::parse(did) else {
            return Resolution::failed(ResolutionError::new(ErrorCode::InvalidDid, "not a DID"));
        };
        if LocalResolver::METHODS.contains(&parsed.method()) {
            return LocalResolver::resolve_now(did, options);
        }
        if !self.reach.allows(did) {
            let detail = "the DID is not one of those that are asked for here";
            return Resolution::failed(ResolutionError::new(ErrorCode::NotFound, detail));
        }
        if options
            .version_id
            .as_deref()
            .is_some_and(|id| id.contains('\n') || id.len() > 128)
        {
            let detail = "the versionId is malformed";
            return Resolution::failed(ResolutionError::new(ErrorCode::InvalidOptions, detail));
        }
        self.remembered(did, options).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use vouchsafe_credentials::did::{DidDocument, DocumentMetadata};

    #[test]
    fn the_weight_of_a_document_is_its_memory_and_not_its_text() {
        const ID: &str = "did:web:issuer.example";
        let did = Did::parse(ID).unwrap();
        let weigh = |extra: Value| {
            let text = extra.to_string().len();
            let json = json!({"id": ID, "x": extra});
            let document = DidDocument::from_json(json, &did).unwrap();
            let entry = Entry {
                resolution: Resolution::found(document, DocumentMetadata::default()),
                asked: UnixTime(0),
                until: UnixTime(0),
            };
            (weight(ID.len(), &entry), text)
        };
        // Two bytes of text for each value, and tens of bytes of memory.
        let (many, text) = weigh(json!(vec![0; 20_000]));
        assert!(
            many > 20_000 * size_of::<Value>() && many > 10 * text,
            "{many}"
        );
        let (nested, _) = weigh(json!(vec![json!({"a": 1}); 1000]));
        assert!(nested > 1000 * 3 * size_of::<Value>(), "{nested}");
        let (long, text) = weigh(json!("x".repeat(10_000)));
        assert!((text..4 * text).contains(&long), "{long}");
    }
}
