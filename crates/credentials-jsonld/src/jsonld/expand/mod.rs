//! Expansion (JSON-LD 1.1 API, section 5.1) in safe mode.

mod map;
mod members;
mod object;
mod scalar;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::JsonLdError;
use super::context::{ActiveContext, Definition, Mapping, Processor};
use super::expanded::{List, Object};
use super::form;
use super::iri::is_absolute;
use super::limits::check_length;

/// Where a value stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'a> {
    /// The document itself.
    Top,
    /// A member of `@graph`.
    Graph,
    /// A member of `@included`.
    Included,
    /// The value of `@reverse`.
    ReverseMap,
    /// The value of a term.
    Term {
        name: &'a str,
        definition: Option<&'a Arc<Definition>>,
    },
}

impl<'a> Place<'a> {
    pub(super) fn definition(self) -> Option<&'a Arc<Definition>> {
        match self {
            Self::Term { definition, .. } => definition,
            Self::Top | Self::Graph | Self::Included | Self::ReverseMap => None,
        }
    }
}

/// What skolemization needs to know of a document; addresses are those of its parts.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// The alias of `@id` at each object, where there is one.
    pub(super) aliases: HashMap<usize, Arc<str>>,
    /// The strings and names that are labels of blank nodes.
    pub(super) labels: HashSet<usize>,
    /// The context that was asked last for its alias, and the answer.
    pub(super) last: Option<(u64, Option<Arc<str>>)>,
}

/// Expands one document.
#[derive(Debug)]
pub(super) struct Expander<'c> {
    pub(super) processor: Processor<'c>,
    pub(super) trace: Option<Trace>,
    /// See [`super::Options`].
    pub(super) inline_contexts: bool,
    /// See [`super::Options`].
    pub(super) any_form: bool,
}

impl<'c> Expander<'c> {
    /// The value of `place`, its items appended to `out`.
    pub(super) fn element<'d>(
        &mut self,
        active: &Arc<ActiveContext>,
        place: Place<'_>,
        element: &'d Value,
        from_map: bool,
        out: &mut Vec<Object<'d>>,
    ) -> Result<(), JsonLdError> {
        match element {
            // Safe mode: expansion would drop it without a trace.
            Value::Null => Err(JsonLdError::DroppedValue),
            Value::Array(items) => self.array(active, place, items, from_map, out),
            Value::Object(map) => self.object(active, place, map, from_map, out),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.scalar(active, place, element, out)
            }
        }
    }

    fn array<'d>(
        &mut self,
        active: &Arc<ActiveContext>,
        place: Place<'_>,
        items: &'d [Value],
        from_map: bool,
        out: &mut Vec<Object<'d>>,
    ) -> Result<(), JsonLdError> {
        let in_list = place
            .definition()
            .is_some_and(|definition| definition.container.list);
        for item in items {
            // A set has no sets in it: the nesting would not be signed.
            if !in_list && !self.any_form && item.is_array() {
                return Err(JsonLdError::HiddenStatement);
            }
            if in_list && item.is_array() {
                // Section 5.1.2, step 5.2.2: an array inside of a list is a list itself.
                let mut inner = Vec::new();
                self.element(active, place, item, from_map, &mut inner)?;
                out.push(Object::List(List {
                    items: inner,
                    index: None,
                }));
            } else {
                self.element(active, place, item, from_map, out)?;
            }
        }
        Ok(())
    }

    /// An id of the document as an absolute IRI or the label of a blank node.
    pub(super) fn id(
        &mut self,
        active: &ActiveContext,
        text: &str,
    ) -> Result<Arc<str>, JsonLdError> {
        let expanded = active.expand_id(text);
        let iri = self.checked(text, expanded)?;
        if !self.any_form {
            form::check_id(text, &iri)?;
        }
        Ok(iri)
    }

    /// A type or `@vocab` reference, in the same way.
    pub(super) fn vocab_reference(
        &mut self,
        active: &ActiveContext,
        text: &str,
    ) -> Result<Arc<str>, JsonLdError> {
        let expanded = active.expand_vocab_or_base(text);
        self.checked(text, expanded)
    }

    fn checked(&mut self, text: &str, expanded: Mapping) -> Result<Arc<str>, JsonLdError> {
        let Mapping::Iri(iri) = expanded else {
            return Err(JsonLdError::RelativeIri);
        };
        check_length(text, &iri)?;
        if let Some(label) = iri.strip_prefix("_:") {
            if !is_label(label) {
                return Err(JsonLdError::RelativeIri);
            }
            if let Some(trace) = &mut self.trace {
                if *iri != *text {
                    return Err(JsonLdError::NotSkolemizable);
                }
                trace.labels.insert(text.as_ptr().addr());
            }
            return Ok(iri);
        }
        if is_absolute(&iri) {
            Ok(iri)
        } else {
            Err(JsonLdError::RelativeIri)
        }
    }
}

/// BLANK_NODE_LABEL of N-Quads, without the rarer characters.
fn is_label(label: &str) -> bool {
    let inner =
        |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '.');
    label.starts_with(|first: char| first.is_alphanumeric() || first == '_')
        && label.chars().all(inner)
        && !label.ends_with('.')
}
