//! JSON-LD 1.1 in safe mode: what cannot be expressed in RDF is refused, never dropped.
//!
//! A document is expanded ([`expand`]) with the contexts at hand and turned into statements
//! ([`to_quads`]). Undefined terms, relative IRIs, null values, free-floating values, `@index` and
//! reserved words are errors, because a signature would not cover them.

pub(crate) mod context;
mod error;
mod expand;
mod expanded;
mod form;
mod inline;
mod iri;
mod keyword;
mod limits;
mod sets;
mod skolem;
mod to_rdf;
mod vocabulary;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::Value;

use crate::contexts::Contexts;
use crate::rdf::Quad;
use context::{ActiveContext, Processor};
use expand::{Expander, Place, Trace};
use expanded::Object;

pub use error::JsonLdError;
pub use expanded::Expanded;
pub use inline::brings_contexts;
pub use limits::Limits;
pub use skolem::{deskolemize, skolemize, to_deskolemized_quads};

/// What a document may be.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Sizes, checked before anything is expanded.
    pub limits: Limits,
    /// Whether a document may define terms: contexts written out in it, and contexts of its parts.
    /// A signature does not cover contexts: who changes them changes what the document says. Off:
    /// `@context` names context documents, at the root, in embedded credentials and in proofs.
    pub inline_contexts: bool,
    /// Whether statements may stand where a reader of the JSON does not look for them: `@nest`, `@graph`,
    /// `@included`, `@reverse`, IRIs in place of terms, a node described twice. Off: an error.
    pub any_form: bool,
    /// With `inline_contexts`: whether a context inside the document may set `@vocab`. Off: an undefined term is an error.
    pub inline_vocab: bool,
    /// With `inline_contexts`: whether a context inside the document may use `@import` and `@propagate`.
    pub inline_directives: bool,
    /// The base of relative IRIs. Without one they are refused.
    pub base: Option<String>,
}

/// Expands `document` (JSON-LD 1.1 API, section 5.1).
///
/// # Errors
/// See [`JsonLdError`].
pub fn expand<'d>(
    document: &'d Value,
    contexts: &Contexts,
    options: &Options,
) -> Result<Expanded<'d>, JsonLdError> {
    expand_traced(document, contexts, options, None).map(|(expanded, _)| expanded)
}

fn expand_traced<'d>(
    document: &'d Value,
    contexts: &Contexts,
    options: &Options,
    trace: Option<Trace>,
) -> Result<(Expanded<'d>, Option<Trace>), JsonLdError> {
    options.limits.check(document)?;
    let initial = match &options.base {
        Some(base) => Arc::new(ActiveContext::initial(Some(Arc::from(base.as_str())))),
        None => Arc::clone(contexts.initial()),
    };
    let processor = Processor::new(
        contexts,
        options.inline_vocab,
        options.inline_directives,
        options.limits.contexts,
    );
    let mut expander = Expander {
        processor,
        trace,
        inline_contexts: options.inline_contexts,
        any_form: options.any_form,
    };
    let mut nodes = Vec::new();
    expander.element(&initial, Place::Top, document, false, &mut nodes)?;
    let expanded = Expanded {
        nodes: unwrap_graph(nodes),
    };
    if !options.any_form {
        form::check_described_once(&expanded)?;
    }
    Ok((expanded, expander.trace))
}

/// The last step of expansion: a document that is only a `@graph` is its content.
fn unwrap_graph(mut nodes: Vec<Object<'_>>) -> Vec<Object<'_>> {
    if let [Object::Node(node)] = nodes.as_mut_slice()
        && node.id.is_none()
        && node.index.is_none()
        && node.is_graph_object()
        && let Some(items) = node.graph.take()
    {
        return items;
    }
    nodes
}

/// Expands `document` and gives its statements. Labels of blank nodes are those of the
/// document; nodes without `@id` get new ones.
///
/// # Errors
/// See [`JsonLdError`].
pub fn to_quads(
    document: &Value,
    contexts: &Contexts,
    options: &Options,
) -> Result<Vec<Quad>, JsonLdError> {
    expand(document, contexts, options)?.to_quads()
}

impl Expanded<'_> {
    /// The statements of the document (JSON-LD 1.1 API, section 8).
    ///
    /// # Errors
    /// [`JsonLdError::DroppedValue`] for what RDF has no place for.
    pub fn to_quads(&self) -> Result<Vec<Quad>, JsonLdError> {
        to_rdf::to_rdf(self, false)
    }
}
