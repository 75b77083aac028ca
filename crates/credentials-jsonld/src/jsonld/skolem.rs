//! Skolemization: every node gets a name, so that parts of a document keep the
//! identity of its blank nodes (Data Integrity ECDSA Cryptosuites 1.0, section 3.4).

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::expand::Trace;
use super::expanded::{Node, Object};
use super::{JsonLdError, Options, expand, expand_traced, to_rdf};
use crate::contexts::Contexts;
use crate::rdf::{Quad, Term};

/// What names of blank nodes start with.
const SCHEME: &str = "urn:bnid:";

/// The compact document in which every node object without an id carries one
/// (`urn:bnid:…`, under the alias of `@id` that its context has, normally `id`) and every `_:` id
/// is replaced by one. The shape of the document stays as it was: JSON pointers into it stay valid.
///
/// # Errors
/// See [`JsonLdError`]; a document that already names `urn:bnid:`, or has a graph without a
/// name, is refused.
pub fn skolemize(
    document: &Value,
    contexts: &Contexts,
    options: &Options,
) -> Result<Value, JsonLdError> {
    let (expanded, trace) = expand_traced(document, contexts, options, Some(Trace::default()))?;
    let mut names = Names {
        trace: trace.unwrap_or_default(),
        nodes: HashMap::new(),
    };
    names.collect(&expanded.nodes)?;
    names.copy(document)
}

/// Turns `urn:bnid:x` back to the blank node `x`, in place.
pub fn deskolemize(quads: &mut [Quad]) {
    let back = |term: &mut Term| {
        if let Term::Iri(iri) = term
            && let Some(label) = iri.strip_prefix(SCHEME)
        {
            *term = Term::Blank(Arc::from(label));
        }
    };
    for quad in quads {
        back(&mut quad.subject);
        back(&mut quad.object);
        if let Some(graph) = &mut quad.graph {
            back(graph);
        }
    }
}

/// The statements of a (part of a) skolemized document, its blank nodes with the labels that
/// they have in every other part of it. The cells of a list are named after their place.
///
/// # Errors
/// See [`JsonLdError`].
pub fn to_deskolemized_quads(
    part: &Value,
    contexts: &Contexts,
    options: &Options,
) -> Result<Vec<Quad>, JsonLdError> {
    let mut quads = to_rdf::to_rdf(&expand(part, contexts, options)?, true)?;
    deskolemize(&mut quads);
    Ok(quads)
}

/// The new names of a document.
struct Names {
    trace: Trace,
    /// By the address of the object that gets it.
    nodes: HashMap<usize, usize>,
}

impl Names {
    fn collect(&mut self, objects: &[Object<'_>]) -> Result<(), JsonLdError> {
        for object in objects {
            match object {
                Object::Value(_) => {}
                Object::List(list) => self.collect(&list.items)?,
                Object::Node(node) => self.node(node)?,
            }
        }
        Ok(())
    }

    fn node(&mut self, node: &Node<'_>) -> Result<(), JsonLdError> {
        match &node.id {
            Some(id) if id.starts_with(SCHEME) => return Err(JsonLdError::NotSkolemizable),
            Some(_) => {}
            // A graph without a name, or the place of a document that is only a graph.
            None if node.source == 0 => return Err(JsonLdError::NotSkolemizable),
            None => {
                let next = self.nodes.len();
                self.nodes.insert(node.source, next);
            }
        }
        if node.types.iter().any(|class| class.starts_with(SCHEME)) {
            return Err(JsonLdError::NotSkolemizable);
        }
        for (_, items) in node.properties.iter().chain(&node.reverse) {
            self.collect(items)?;
        }
        self.collect(node.graph.as_deref().unwrap_or_default())?;
        self.collect(&node.included)
    }

    /// The document with its new names. Labels and numbers have different first letters.
    fn copy(&self, value: &Value) -> Result<Value, JsonLdError> {
        Ok(match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => Value::Array(
                items
                    .iter()
                    .map(|item| self.copy(item))
                    .collect::<Result<_, _>>()?,
            ),
            Value::Object(map) => Value::Object(self.object(map)?),
        })
    }

    fn object(&self, map: &Map<String, Value>) -> Result<Map<String, Value>, JsonLdError> {
        let mut copy = Map::with_capacity(map.len() + 1);
        let address = std::ptr::from_ref(map).addr();
        for (key, value) in map {
            let value = if key == "@context" {
                value.clone()
            } else {
                self.copy(value)?
            };
            copy.insert(self.text(key), value);
        }
        if let Some(number) = self.nodes.get(&address) {
            let alias = self
                .trace
                .aliases
                .get(&address)
                .map_or("@id", |alias| alias);
            let before = copy.insert(
                alias.to_owned(),
                Value::String(format!("{SCHEME}n{number}")),
            );
            if before.is_some() {
                return Err(JsonLdError::NotSkolemizable);
            }
        }
        Ok(copy)
    }

    fn text(&self, text: &str) -> String {
        match text.strip_prefix("_:") {
            Some(label) if self.trace.labels.contains(&text.as_ptr().addr()) => {
                format!("{SCHEME}u{label}")
            }
            Some(_) | None => text.to_owned(),
        }
    }
}
