//! Skolemization: every node gets a name, so that parts of a document keep the
//! identity of its blank nodes (Data Integrity ECDSA Cryptosuites 1.0, section 3.4).

use serde_json::Value;

use super::{JsonLdError, Options};
use crate::contexts::Contexts;
use crate::rdf::Quad;

/// The compact document in which every node object without an id carries one
/// (`urn:bnid:…`, under the alias of `@id` that its context has, normally `id`) and every `_:` id
/// is replaced by one. The shape of the document stays as it was: JSON pointers into it stay valid.
///
/// # Errors
/// See [`JsonLdError`]; a document that already names `urn:bnid:` is refused.
#[expect(clippy::unimplemented, reason = "signature first")]
pub fn skolemize(
    _document: &Value,
    _contexts: &Contexts,
    _options: &Options,
) -> Result<Value, JsonLdError> {
    unimplemented!()
}

/// Turns `urn:bnid:x` back to the blank node `x`, in place.
#[expect(clippy::unimplemented, reason = "signature first")]
pub fn deskolemize(_quads: &mut [Quad]) {
    unimplemented!()
}

/// The statements of a (part of a) skolemized document, its blank nodes with the labels that
/// they have in every other part of it.
///
/// # Errors
/// See [`JsonLdError`].
pub fn to_deskolemized_quads(
    part: &Value,
    contexts: &Contexts,
    options: &Options,
) -> Result<Vec<Quad>, JsonLdError> {
    let mut quads = super::to_quads(part, contexts, options)?;
    deskolemize(&mut quads);
    Ok(quads)
}
