//! Language maps and index maps (JSON-LD 1.1 API, section 5.1.2, steps 13.7 and 13.8).

use std::sync::Arc;

use serde_json::{Map, Value};

use super::super::JsonLdError;
use super::super::context::{ActiveContext, Definition, Mapping, language_tag};
use super::super::expanded::{Node, Object, Scalar, ValueObject};
use super::super::iri::is_absolute;
use super::super::keyword::Keyword;
use super::members::{as_items, into_graph};
use super::scalar::direction;
use super::{Expander, Place};

impl<'c> Expander<'c> {
    pub(super) fn language_map<'d>(
        &mut self,
        active: &Arc<ActiveContext>,
        definition: Option<&Arc<Definition>>,
        map: &'d Map<String, Value>,
        out: &mut Vec<Object<'d>>,
    ) -> Result<(), JsonLdError> {
        for (tag, value) in map {
            let none = active.expand_vocab(tag) == Mapping::Keyword(Keyword::None);
            let language = if none { None } else { Some(language_tag(tag)?) };
            for item in as_items(value) {
                let Value::String(text) = item else {
                    return Err(match item {
                        Value::Null => JsonLdError::DroppedValue,
                        _ => JsonLdError::InvalidLanguage,
                    });
                };
                out.push(Object::Value(ValueObject {
                    language: language.clone(),
                    direction: direction(active, definition.map(|found| &**found)),
                    ..ValueObject::plain(Scalar::Text(text))
                }));
            }
        }
        Ok(())
    }

    pub(super) fn index_map<'d>(
        &mut self,
        active: &Arc<ActiveContext>,
        place: Place<'_>,
        map: &'d Map<String, Value>,
        out: &mut Vec<Object<'d>>,
    ) -> Result<(), JsonLdError> {
        let Some(definition) = place.definition() else {
            return Ok(());
        };
        let container = definition.container;
        let around = match &active.previous {
            Some(previous) if container.id || container.types => Arc::clone(previous),
            Some(_) | None => Arc::clone(active),
        };
        for (index, value) in map {
            let mut inner = Arc::clone(&around);
            if container.types
                && let Some(context) = around.term(index).and_then(|term| term.context.clone())
            {
                inner = self.processor.scoped(&around, &context, false, false)?;
            }
            let none = active.expand_vocab(index) == Mapping::Keyword(Keyword::None);
            let mut items = Vec::new();
            for item in as_items(value) {
                self.element(&inner, place, item, true, &mut items)?;
            }
            for mut item in items {
                if container.graph && !is_graph(&item) {
                    item = into_graph(item)?;
                }
                if !none {
                    self.label(active, definition, index, &mut item)?;
                }
                out.push(item);
            }
        }
        Ok(())
    }

    /// Puts the key of an index map into its item.
    fn label<'d>(
        &mut self,
        active: &Arc<ActiveContext>,
        definition: &Arc<Definition>,
        index: &'d str,
        item: &mut Object<'d>,
    ) -> Result<(), JsonLdError> {
        let container = definition.container;
        if container.index {
            let Some(name) = &definition.index else {
                match item {
                    Object::Node(node) => node.index = node.index.or(Some(index)),
                    Object::Value(value) => value.index = value.index.or(Some(index)),
                    Object::List(list) => list.index = list.index.or(Some(index)),
                }
                return Ok(());
            };
            let Object::Node(node) = item else {
                return Err(JsonLdError::InvalidValueObject);
            };
            return self.index_property(active, name, index, node);
        }
        let Object::Node(node) = item else {
            return Err(JsonLdError::InvalidKeywordValue);
        };
        if container.id {
            if node.id.is_none() {
                node.id = Some(self.id(active, index)?);
            } else {
                // The key would be lost.
                return Err(JsonLdError::CollidingKeywords);
            }
        } else {
            let iri = self.vocab_reference(active, index)?;
            node.types.insert(0, iri);
        }
        Ok(())
    }

    /// A key that is the value of a property (property-valued index).
    fn index_property<'d>(
        &mut self,
        active: &Arc<ActiveContext>,
        name: &str,
        index: &'d str,
        node: &mut Node<'d>,
    ) -> Result<(), JsonLdError> {
        let Mapping::Iri(iri) = active.expand_vocab(name) else {
            return Err(JsonLdError::UndefinedTerm);
        };
        if !is_absolute(&iri) {
            return Err(JsonLdError::UndefinedTerm);
        }
        let term = active.term(name).cloned();
        let value = self.coerced(active, term.as_deref(), Scalar::Text(index))?;
        node.properties.insert(0, (iri, vec![value]));
        Ok(())
    }
}

fn is_graph(item: &Object<'_>) -> bool {
    matches!(item, Object::Node(node) if node.is_graph_object())
}
