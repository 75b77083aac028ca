//! Active contexts and term definitions (JSON-LD 1.1 API, section 4).

mod create;
mod iri;
mod process;
mod rules;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use super::keyword::Keyword;

pub(crate) use process::{Origin, Processor, direction, language_tag};

/// What a term or an IRI reference stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mapping {
    /// A keyword: the term is an alias.
    Keyword(Keyword),
    /// An absolute IRI, a blank node (`_:…`), or a reference that stayed relative.
    Iri(Arc<str>),
    /// Explicitly nothing.
    Null,
}

/// The base direction of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    LeftToRight,
    RightToLeft,
}

impl Direction {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::LeftToRight => "ltr",
            Self::RightToLeft => "rtl",
        }
    }
}

/// The containers of a term.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Container {
    pub(crate) graph: bool,
    pub(crate) id: bool,
    pub(crate) index: bool,
    pub(crate) language: bool,
    pub(crate) list: bool,
    pub(crate) set: bool,
    pub(crate) types: bool,
}

/// What a term coerces its values to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TypeMapping {
    Id,
    Vocab,
    Json,
    None,
    Iri(Arc<str>),
}

/// A value that may be set, set to nothing, or not mentioned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Setting<T> {
    #[default]
    Absent,
    Null,
    Some(T),
}

/// A context that comes into force at a term, with where it was written.
#[derive(Debug)]
pub(crate) struct Scoped {
    pub(crate) id: u64,
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

impl PartialEq for Scoped {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// A term definition.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    pub(crate) iri: Mapping,
    pub(crate) prefix: bool,
    pub(crate) protected: bool,
    pub(crate) reverse: bool,
    pub(crate) context: Option<Arc<Scoped>>,
    pub(crate) container: Container,
    pub(crate) types: Option<TypeMapping>,
    pub(crate) language: Setting<Arc<str>>,
    pub(crate) direction: Setting<Direction>,
    pub(crate) index: Option<Arc<str>>,
    pub(crate) nest: Option<Arc<str>>,
}

impl Definition {
    pub(crate) fn new(protected: bool) -> Self {
        Self {
            iri: Mapping::Null,
            prefix: false,
            protected,
            reverse: false,
            context: None,
            container: Container::default(),
            types: None,
            language: Setting::Absent,
            direction: Setting::Absent,
            index: None,
            nest: None,
        }
    }

    /// Whether both say the same; whether they are protected does not count.
    pub(crate) fn same(&self, other: &Self) -> bool {
        let Self {
            iri,
            prefix,
            protected: _,
            reverse,
            context,
            container,
            types,
            language,
            direction,
            index,
            nest,
        } = self;
        *iri == other.iri
            && *prefix == other.prefix
            && *reverse == other.reverse
            && *context == other.context
            && *container == other.container
            && *types == other.types
            && *language == other.language
            && *direction == other.direction
            && *index == other.index
            && *nest == other.nest
    }
}

/// The context in force at a place of a document. Never changed once made; shared by `Arc`.
#[derive(Clone, Debug)]
pub(crate) struct ActiveContext {
    /// Unique in this process: what the cache goes by.
    pub(crate) id: u64,
    /// Whether only bundled contexts went into it, so that it is worth keeping.
    pub(crate) shared: bool,
    pub(crate) terms: HashMap<Arc<str>, Arc<Definition>>,
    pub(crate) base: Option<Arc<str>>,
    /// The base of the document, to which a null context returns.
    pub(crate) document_base: Option<Arc<str>>,
    pub(crate) vocab: Option<Arc<str>>,
    pub(crate) language: Option<Arc<str>>,
    pub(crate) direction: Option<Direction>,
    pub(crate) previous: Option<Arc<ActiveContext>>,
}

/// A number that no other context of this process has.
pub(crate) fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl ActiveContext {
    /// The initial context of a document (JSON-LD 1.1 API, section 4.1).
    pub(crate) fn initial(base: Option<Arc<str>>) -> Self {
        Self {
            id: next_id(),
            shared: base.is_none(),
            terms: HashMap::new(),
            document_base: base.clone(),
            base,
            vocab: None,
            language: None,
            direction: None,
            previous: None,
        }
    }

    /// A copy under a new number.
    pub(crate) fn fork(&self) -> Self {
        Self {
            id: next_id(),
            ..self.clone()
        }
    }

    /// The definition of `term`.
    pub(crate) fn term(&self, term: &str) -> Option<&Arc<Definition>> {
        self.terms.get(term)
    }

    pub(crate) fn has_protected(&self) -> bool {
        self.terms.values().any(|definition| definition.protected)
    }
}
