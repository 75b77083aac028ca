//! Context processing (JSON-LD 1.1 API, section 4.1), with a cache.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::super::JsonLdError;
use super::super::iri::{is_absolute, resolve};
use super::super::limits::MAX_TERM_BYTES;
use super::create::Definitions;
use super::{ActiveContext, Direction, Mapping, Scoped};
use crate::contexts::{CacheKey, Contexts};

/// Where a context was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A context document we hold.
    Bundled,
    /// The document itself.
    Inline,
}

/// How a context is applied.
#[derive(Clone, Copy, Debug)]
struct Mode {
    origin: Origin,
    override_protected: bool,
}

/// Deepest chain of context documents that name each other.
const MAX_CHAIN: usize = 8;
/// Most contexts that one document may cause to be processed and that were not cached.
const MAX_PROCESSED: usize = 256;

/// Processes the contexts of one document.
#[derive(Debug)]
pub(crate) struct Processor<'c> {
    pub(in crate::jsonld) contexts: &'c Contexts,
    pub(super) inline_vocab: bool,
    pub(super) inline_directives: bool,
    /// Contexts of this document alone, kept until it is done.
    own: HashMap<CacheKey, Arc<ActiveContext>>,
    chain: usize,
    processed: usize,
    named: usize,
}

impl<'c> Processor<'c> {
    /// `named` is the most contexts that the document may name or carry.
    pub(crate) fn new(
        contexts: &'c Contexts,
        inline_vocab: bool,
        inline_directives: bool,
        named: usize,
    ) -> Self {
        Self {
            contexts,
            inline_vocab,
            inline_directives,
            own: HashMap::new(),
            chain: 0,
            processed: 0,
            named,
        }
    }

    /// A context that a document carries.
    pub(crate) fn embedded(
        &mut self,
        active: &Arc<ActiveContext>,
        local: &Value,
    ) -> Result<Arc<ActiveContext>, JsonLdError> {
        let count = local.as_array().map_or(1, Vec::len);
        self.named = self
            .named
            .checked_sub(count)
            .ok_or(JsonLdError::LimitExceeded)?;
        let mode = Mode {
            origin: Origin::Inline,
            override_protected: false,
        };
        self.process(active, local, mode, true)
    }

    /// The context of a term, in force at its values (`override_protected`: property-scoped) or at
    /// nodes of this type (`propagate` off).
    pub(crate) fn scoped(
        &mut self,
        active: &Arc<ActiveContext>,
        scoped: &Arc<Scoped>,
        override_protected: bool,
        propagate: bool,
    ) -> Result<Arc<ActiveContext>, JsonLdError> {
        let key = CacheKey {
            active: active.id,
            source: scoped.id,
            override_protected,
            propagate,
        };
        if let Some(known) = self.known(active, &key) {
            return Ok(known);
        }
        let mode = Mode {
            origin: scoped.origin,
            override_protected,
        };
        let result = self.process(active, &scoped.value, mode, propagate)?;
        self.remember(
            key,
            active.shared && scoped.origin == Origin::Bundled,
            &result,
        );
        Ok(result)
    }

    fn known(&self, active: &ActiveContext, key: &CacheKey) -> Option<Arc<ActiveContext>> {
        if active.shared
            && let Some(known) = self.contexts.cached(key)
        {
            return Some(known);
        }
        self.own.get(key).cloned()
    }

    fn remember(&mut self, key: CacheKey, shared: bool, result: &Arc<ActiveContext>) {
        if shared && result.shared {
            self.contexts.remember(key, result);
        } else {
            self.own.insert(key, Arc::clone(result));
        }
    }

    fn process(
        &mut self,
        active: &Arc<ActiveContext>,
        local: &Value,
        mode: Mode,
        propagate: bool,
    ) -> Result<Arc<ActiveContext>, JsonLdError> {
        let propagate = match local.get("@propagate") {
            Some(Value::Bool(propagate)) => *propagate,
            Some(_) => return Err(JsonLdError::InvalidContext),
            None => propagate,
        };
        let mut current = Arc::clone(active);
        if !propagate && current.previous.is_none() {
            let mut fork = current.fork();
            fork.previous = Some(Arc::clone(active));
            current = Arc::new(fork);
        }
        let items = match local {
            Value::Array(items) => items.as_slice(),
            other => std::slice::from_ref(other),
        };
        for item in items {
            current = match item {
                Value::Null => nullified(&current, mode)?,
                Value::String(url) => self.by_url(&current, url, mode)?,
                Value::Object(map) => self.apply(&current, unwrapped(map)?, mode)?,
                Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                    return Err(JsonLdError::InvalidContext);
                }
            };
        }
        Ok(current)
    }

    /// A context document by its URL: known or refused, never fetched.
    fn by_url(
        &mut self,
        active: &Arc<ActiveContext>,
        url: &str,
        mode: Mode,
    ) -> Result<Arc<ActiveContext>, JsonLdError> {
        let document = self
            .contexts
            .document(url)
            .ok_or(JsonLdError::UnknownContext)?;
        let key = CacheKey {
            active: active.id,
            source: document.id,
            override_protected: mode.override_protected,
            propagate: true,
        };
        if let Some(known) = self.known(active, &key) {
            return Ok(known);
        }
        if self.chain >= MAX_CHAIN {
            return Err(JsonLdError::LimitExceeded);
        }
        self.chain += 1;
        let mode = Mode {
            origin: Origin::Bundled,
            ..mode
        };
        let result = self.process(active, &document.value, mode, true)?;
        self.chain -= 1;
        self.remember(key, active.shared, &result);
        Ok(result)
    }

    /// One context object.
    fn apply(
        &mut self,
        active: &Arc<ActiveContext>,
        local: &Map<String, Value>,
        mode: Mode,
    ) -> Result<Arc<ActiveContext>, JsonLdError> {
        self.processed += 1;
        if self.processed > MAX_PROCESSED {
            return Err(JsonLdError::LimitExceeded);
        }
        let merged;
        let mut local = local;
        self.allow(local, mode)?;
        if let Some(version) = local.get("@version")
            && version.as_f64() != Some(1.1)
        {
            return Err(JsonLdError::InvalidContext);
        }
        if let Some(import) = local.get("@import") {
            merged = self.imported(import, local)?;
            local = &merged;
        }
        if !local.get("@propagate").is_none_or(Value::is_boolean) {
            return Err(JsonLdError::InvalidContext);
        }
        let mut result = active.fork();
        result.shared &= mode.origin == Origin::Bundled;
        if mode.origin == Origin::Inline {
            set_base(&mut result, local.get("@base"))?;
        }
        set_vocab(&mut result, local.get("@vocab"))?;
        set_language(&mut result, local.get("@language"))?;
        set_direction(&mut result, local.get("@direction"))?;
        let protected = match local.get("@protected") {
            None => false,
            Some(Value::Bool(protected)) => *protected,
            Some(_) => return Err(JsonLdError::InvalidContext),
        };
        Definitions::new(
            &mut result,
            local,
            mode.origin,
            protected,
            mode.override_protected,
        )
        .create_all()?;
        Ok(Arc::new(result))
    }

    /// What a context inside a document may not do, unless the caller allowed it.
    fn allow(&self, local: &Map<String, Value>, mode: Mode) -> Result<(), JsonLdError> {
        if mode.origin == Origin::Bundled {
            return Ok(());
        }
        let vocab = !self.inline_vocab && local.get("@vocab").is_some_and(|vocab| !vocab.is_null());
        let directive = !self.inline_directives
            && (local.contains_key("@import") || local.contains_key("@propagate"));
        if vocab || directive {
            return Err(JsonLdError::InlineDirective);
        }
        Ok(())
    }

    /// `@import`: the other context with this one's members on top.
    fn imported(
        &self,
        import: &Value,
        local: &Map<String, Value>,
    ) -> Result<Map<String, Value>, JsonLdError> {
        let Value::String(url) = import else {
            return Err(JsonLdError::InvalidContext);
        };
        let document = self
            .contexts
            .document(url)
            .ok_or(JsonLdError::UnknownContext)?;
        let Value::Object(base) = &document.value else {
            return Err(JsonLdError::InvalidContext);
        };
        if base.contains_key("@import") {
            return Err(JsonLdError::InvalidContext);
        }
        let mut merged = base.clone();
        for (key, value) in local {
            if key != "@import" {
                merged.insert(key.clone(), value.clone());
            }
        }
        Ok(merged)
    }
}

fn nullified(active: &Arc<ActiveContext>, mode: Mode) -> Result<Arc<ActiveContext>, JsonLdError> {
    if !mode.override_protected && active.has_protected() {
        return Err(JsonLdError::InvalidContextNullification);
    }
    let mut empty = ActiveContext::initial(active.document_base.clone());
    empty.shared = active.shared;
    empty.previous.clone_from(&active.previous);
    Ok(Arc::new(empty))
}

fn set_base(active: &mut ActiveContext, value: Option<&Value>) -> Result<(), JsonLdError> {
    match value {
        None => {}
        Some(Value::Null) => active.base = None,
        Some(Value::String(iri)) if is_absolute(iri) => active.base = Some(Arc::from(iri.as_str())),
        Some(Value::String(relative)) => {
            let base = active.base.as_ref().ok_or(JsonLdError::InvalidContext)?;
            active.base = Some(Arc::from(resolve(base, relative)));
        }
        Some(_) => return Err(JsonLdError::InvalidContext),
    }
    Ok(())
}

fn set_vocab(active: &mut ActiveContext, value: Option<&Value>) -> Result<(), JsonLdError> {
    match value {
        None => {}
        Some(Value::Null) => active.vocab = None,
        Some(Value::String(text)) => match active.expand_vocab_or_base(text) {
            Mapping::Iri(iri) if is_absolute(&iri) => {
                if iri.len() > MAX_TERM_BYTES {
                    return Err(JsonLdError::LimitExceeded);
                }
                active.vocab = Some(iri);
            }
            Mapping::Iri(_) | Mapping::Keyword(_) | Mapping::Null => {
                return Err(JsonLdError::InvalidContext);
            }
        },
        Some(_) => return Err(JsonLdError::InvalidContext),
    }
    Ok(())
}

fn set_language(active: &mut ActiveContext, value: Option<&Value>) -> Result<(), JsonLdError> {
    match value {
        None => {}
        Some(Value::Null) => active.language = None,
        Some(Value::String(tag)) => active.language = Some(language_tag(tag)?),
        Some(_) => return Err(JsonLdError::InvalidLanguage),
    }
    Ok(())
}

fn set_direction(active: &mut ActiveContext, value: Option<&Value>) -> Result<(), JsonLdError> {
    match value {
        None => {}
        Some(Value::Null) => active.direction = None,
        Some(value) => active.direction = Some(direction(value)?),
    }
    Ok(())
}

/// A base direction.
pub(crate) fn direction(value: &Value) -> Result<Direction, JsonLdError> {
    match value.as_str() {
        Some("ltr") => Ok(Direction::LeftToRight),
        Some("rtl") => Ok(Direction::RightToLeft),
        Some(_) | None => Err(JsonLdError::InvalidLanguage),
    }
}

/// A well-formed language tag (the LANGTAG of N-Quads), in lower case.
pub(crate) fn language_tag(tag: &str) -> Result<Arc<str>, JsonLdError> {
    let mut parts = tag.split('-');
    let first = parts.next().unwrap_or_default();
    let well_formed = !first.is_empty()
        && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if !well_formed {
        return Err(JsonLdError::InvalidLanguage);
    }
    Ok(Arc::from(tag.to_ascii_lowercase()))
}

/// `{"@context": {…}}`, a context document that was pasted into a document whole. Processors that
/// fetch documents read it as what is in it, and published credentials rely on that.
fn unwrapped(map: &Map<String, Value>) -> Result<&Map<String, Value>, JsonLdError> {
    match map.get("@context") {
        None => Ok(map),
        Some(Value::Object(inner)) if map.len() == 1 && !inner.contains_key("@context") => {
            Ok(inner)
        }
        Some(_) => Err(JsonLdError::InvalidContext),
    }
}
