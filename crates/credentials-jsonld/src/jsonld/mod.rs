//! JSON-LD 1.1 in safe mode: what cannot be expressed in RDF is refused, never dropped.

mod error;
mod skolem;

use serde_json::Value;

use crate::contexts::Contexts;
use crate::rdf::Quad;

pub use error::JsonLdError;
pub use skolem::{deskolemize, skolemize, to_deskolemized_quads};

/// What a document may be.
#[derive(Clone, Debug)]
pub struct Options {
    /// Sizes, checked before anything is expanded.
    pub limits: Limits,
    /// Whether a context inside the document may set `@vocab`. Off: an undefined term is an error.
    pub inline_vocab: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            inline_vocab: false,
        }
    }
}

/// Bounds of a document.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most bytes of all strings, numbers and member names together.
    pub bytes: usize,
    /// Deepest nesting.
    pub depth: usize,
    /// Most values (objects, arrays, strings, numbers).
    pub values: usize,
    /// Most contexts that the document may name or carry.
    pub contexts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 1 << 20,
            depth: 32,
            values: 20_000,
            contexts: 32,
        }
    }
}

/// Expands `document` and gives its statements. Labels of blank nodes are those of the
/// document; nodes without `@id` get new ones.
///
/// # Errors
/// See [`JsonLdError`].
#[expect(clippy::unimplemented, reason = "signature first")]
pub fn to_quads(
    _document: &Value,
    _contexts: &Contexts,
    _options: &Options,
) -> Result<Vec<Quad>, JsonLdError> {
    unimplemented!()
}
