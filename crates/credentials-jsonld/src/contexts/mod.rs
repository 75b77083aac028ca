//! The context documents: bundled with their hashes, never fetched.

mod bundled;
mod names;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use serde_json::Value;
use vouchsafe_credentials::{crypto, json};

use crate::jsonld::context::{ActiveContext, Origin, Scoped, next_id};

pub use bundled::{BUNDLED, Bundled};
use names::Names;

/// Most terms of the processed contexts that are kept, all together, and one more for each context.
const CACHE_TERMS: usize = 1 << 17;
/// Largest context document that can be added, in bytes.
pub const MAX_CONTEXT_BYTES: usize = 1 << 20;

/// What a processed context is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CacheKey {
    pub(crate) active: u64,
    pub(crate) source: u64,
    pub(crate) override_protected: bool,
    pub(crate) propagate: bool,
}

/// Why a context document was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContextError {
    /// Its SHA-256 is not the expected one.
    #[error("hash of the context document differs")]
    HashMismatch,
    /// Not an object with `@context`, or larger than [`MAX_CONTEXT_BYTES`].
    #[error("not a context document")]
    Invalid,
    /// There is a context document with this URL.
    #[error("context URL is taken")]
    Duplicate,
}

impl ContextError {
    /// A stable name of the reason.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::HashMismatch => "context_hash_mismatch",
            Self::Invalid => "invalid_context_document",
            Self::Duplicate => "duplicate_context",
        }
    }
}

/// The context documents that may be named by URL, and what was processed of them so far.
///
/// Cheap to share (`Arc`), safe to use from several threads. Processed contexts are cached in bounds.
#[derive(Debug)]
pub struct Contexts {
    documents: BTreeMap<String, Entry>,
    cache: RwLock<Cache>,
    initial: Arc<ActiveContext>,
    names: OnceLock<Names>,
}

/// Processed contexts. Each holds the terms of those that it builds on.
#[derive(Debug, Default)]
struct Cache {
    contexts: HashMap<CacheKey, Arc<ActiveContext>>,
    weight: usize,
}

#[derive(Debug)]
struct Entry {
    text: std::borrow::Cow<'static, [u8]>,
    parsed: OnceLock<Option<Arc<Scoped>>>,
}

impl Contexts {
    /// The bundled context documents.
    #[must_use]
    pub fn bundled() -> Self {
        let mut contexts = Self::none();
        for bundled in BUNDLED {
            contexts.documents.insert(
                bundled.url.to_owned(),
                Entry {
                    text: bundled.text.as_bytes().into(),
                    parsed: OnceLock::new(),
                },
            );
        }
        contexts
    }

    /// No context documents: only what is added is known.
    #[must_use]
    pub fn none() -> Self {
        Self {
            documents: BTreeMap::new(),
            cache: RwLock::default(),
            initial: Arc::new(ActiveContext::initial(None)),
            names: OnceLock::new(),
        }
    }

    /// Adds a context document under `url`. `sha256` is the hash that it must have.
    ///
    /// # Errors
    /// See [`ContextError`].
    pub fn add(&mut self, url: &str, text: &[u8], sha256: &[u8; 32]) -> Result<(), ContextError> {
        if text.len() > MAX_CONTEXT_BYTES {
            return Err(ContextError::Invalid);
        }
        if crypto::sha256(text) != *sha256 {
            return Err(ContextError::HashMismatch);
        }
        if self.documents.contains_key(url) {
            return Err(ContextError::Duplicate);
        }
        let parsed = parse(text).ok_or(ContextError::Invalid)?;
        self.documents.insert(
            url.to_owned(),
            Entry {
                text: text.to_vec().into(),
                parsed: OnceLock::from(Some(parsed)),
            },
        );
        self.names = OnceLock::new();
        Ok(())
    }

    /// The URLs of the documents.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        self.documents.keys().map(String::as_str)
    }

    /// The bytes of the document at `url`.
    #[must_use]
    pub fn text(&self, url: &str) -> Option<&[u8]> {
        self.documents.get(url).map(|entry| &*entry.text)
    }

    /// The context in the document at `url`.
    pub(crate) fn document(&self, url: &str) -> Option<&Arc<Scoped>> {
        let entry = self.documents.get(url)?;
        entry.parsed.get_or_init(|| parse(&entry.text)).as_ref()
    }

    /// Whether one of the documents has a name for this IRI: a term, or a name in its vocabulary.
    pub(crate) fn name(&self, iri: &str) -> bool {
        self.names.get_or_init(|| Names::of(self)).has(iri)
    }

    /// The context before any document.
    pub(crate) fn initial(&self) -> &Arc<ActiveContext> {
        &self.initial
    }

    pub(crate) fn cached(&self, key: &CacheKey) -> Option<Arc<ActiveContext>> {
        // A poisoned lock holds a complete map: nothing panics while it is written.
        let cache = self.cache.read().unwrap_or_else(PoisonError::into_inner);
        cache.contexts.get(key).cloned()
    }

    pub(crate) fn remember(&self, key: CacheKey, context: &Arc<ActiveContext>) {
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        let weight = context.terms.len() + 1;
        if cache.weight + weight > CACHE_TERMS {
            *cache = Cache::default();
        }
        if cache.contexts.insert(key, Arc::clone(context)).is_none() {
            cache.weight += weight;
        }
    }
}

impl Default for Contexts {
    fn default() -> Self {
        Self::bundled()
    }
}

fn parse(text: &[u8]) -> Option<Arc<Scoped>> {
    let value = json::parse_object(text).ok()?.swap_remove("@context")?;
    let usable = matches!(value, Value::Object(_) | Value::Array(_) | Value::String(_));
    usable.then(|| {
        Arc::new(Scoped {
            id: next_id(),
            value,
            origin: Origin::Bundled,
        })
    })
}
