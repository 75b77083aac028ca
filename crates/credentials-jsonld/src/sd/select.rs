//! `selectJsonLd` (Data Integrity ECDSA Cryptosuites 1.0, sections 3.4.11 to 3.4.13).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::pointer::array_index;
use super::{Pointer, SdError};

/// A part of a document, chosen by JSON pointers. Applies to every document of the same shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection(Node);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Whole,
    /// Some members of an object; its id and its types come along.
    Members(BTreeMap<String, Node>),
    /// Some elements of an array; the gaps between them are closed.
    Elements(BTreeMap<usize, Node>),
}

impl Selection {
    /// Chooses what the pointers name. `None` without pointers: nothing is selected.
    ///
    /// # Errors
    /// [`SdError::NoSuchValue`] for a pointer that names nothing.
    pub fn new(document: &Value, pointers: &[Pointer]) -> Result<Option<Self>, SdError> {
        if pointers.is_empty() {
            return Ok(None);
        }
        let mut root = Node::Members(BTreeMap::new());
        for pointer in pointers {
            add(&mut root, document, pointer.tokens())?;
        }
        Ok(Some(Self(root)))
    }

    /// The selected part of `document`, which has the shape of the one that the pointers were resolved in.
    #[must_use]
    pub fn apply(&self, document: &Value) -> Value {
        apply(&self.0, document)
    }
}

/// Section 3.4.12, `selectPaths`.
fn add(node: &mut Node, value: &Value, tokens: &[String]) -> Result<(), SdError> {
    let Some((token, rest)) = tokens.split_first() else {
        *node = Node::Whole;
        return Ok(());
    };
    match value {
        Value::Object(members) => {
            // Step 5.3: a pointer that does not match the document is an error.
            let value = members.get(token).ok_or(SdError::NoSuchValue)?;
            match node {
                Node::Members(selected) => add(
                    selected
                        .entry(token.clone())
                        .or_insert_with(|| start(value)),
                    value,
                    rest,
                ),
                // All of it is selected already; the pointer must match nevertheless.
                Node::Whole | Node::Elements(_) => add(&mut start(value), value, rest),
            }
        }
        Value::Array(elements) => {
            let index = array_index(token).ok_or(SdError::NoSuchValue)?;
            let value = elements.get(index).ok_or(SdError::NoSuchValue)?;
            match node {
                Node::Elements(selected) => add(
                    selected.entry(index).or_insert_with(|| start(value)),
                    value,
                    rest,
                ),
                Node::Whole | Node::Members(_) => add(&mut start(value), value, rest),
            }
        }
        // Unlike in JavaScript, texts have no members and no elements.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err(SdError::NoSuchValue)
        }
    }
}

fn start(value: &Value) -> Node {
    match value {
        Value::Object(_) => Node::Members(BTreeMap::new()),
        Value::Array(_) => Node::Elements(BTreeMap::new()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Node::Whole,
    }
}

fn apply(node: &Node, value: &Value) -> Value {
    match (node, value) {
        (Node::Members(selected), Value::Object(members)) => {
            Value::Object(apply_members(selected, members))
        }
        (Node::Elements(selected), Value::Array(elements)) => selected
            .iter()
            .filter_map(|(&index, node)| Some(apply(node, elements.get(index)?)))
            .collect(),
        (_, value) => value.clone(),
    }
}

/// Section 3.4.11, `createInitialSelection`, with what is selected below.
fn apply_members(
    selected: &BTreeMap<String, Node>,
    members: &Map<String, Value>,
) -> Map<String, Value> {
    let kept = |(name, value): (&String, &Value)| {
        // Without its context a part would mean something else. The label of a blank node comes along
        // too (the specification leaves it out): without it two parts of one node would be two nodes.
        let always = matches!(name.as_str(), "type" | "@type" | "@context" | "id" | "@id");
        let value = match selected.get(name) {
            _ if always => value.clone(),
            Some(node) => apply(node, value),
            None => return None,
        };
        Some((name.clone(), value))
    };
    members.iter().filter_map(kept).collect()
}
