//! Statements are a set: a value that stands twice in one place is said once, and nobody could tell
//! whether it was there a second time.

use std::collections::HashSet;

use super::JsonLdError;
use super::expanded::{Node, Object};
use super::to_rdf::{literal, resource};
use crate::rdf::Term;

/// Refuses a node with the same type twice, or the same value twice in one member.
pub(super) fn check(node: &Node<'_>) -> Result<(), JsonLdError> {
    let types: HashSet<_> = node.types.iter().collect();
    if types.len() != node.types.len() {
        return Err(JsonLdError::DroppedValue);
    }
    for (_, items) in &node.properties {
        // One value is not compared with anything.
        if let [_, _, ..] = items[..] {
            check_items(items)?;
        }
    }
    Ok(())
}

fn check_items(items: &[Object<'_>]) -> Result<(), JsonLdError> {
    let mut known = HashSet::with_capacity(items.len());
    for item in items {
        if let Some(term) = said(item)?
            && !known.insert(term)
        {
            return Err(JsonLdError::DroppedValue);
        }
    }
    Ok(())
}

/// What a value or a mere reference says; other nodes and lists are told apart.
fn said(item: &Object<'_>) -> Result<Option<Term>, JsonLdError> {
    match item {
        Object::Value(value) => literal(value).map(|literal| Some(Term::Literal(literal))),
        Object::Node(node) if node.is_bare() => Ok(node.id.as_ref().map(resource)),
        Object::Node(_) | Object::List(_) => Ok(None),
    }
}
