//! The members of an object (JSON-LD 1.1 API, section 5.1.2, steps 13 and 14).

use std::sync::Arc;

use serde_json::{Map, Value};

use super::super::JsonLdError;
use super::super::context::{
    ActiveContext, Definition, Mapping, TypeMapping, direction, language_tag,
};
use super::super::expanded::{List, Node, Object, Scalar, ValueObject};
use super::super::form;
use super::super::iri::is_absolute;
use super::super::keyword::Keyword;
use super::super::limits::check_length;
use super::object::{Frame, is_keyword};
use super::{Expander, Place};

/// The contexts of an object.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// For its members.
    pub(super) active: &'a Arc<ActiveContext>,
    /// For its types.
    pub(super) typed: &'a Arc<ActiveContext>,
}

impl<'c> Expander<'c> {
    pub(super) fn members<'d>(
        &mut self,
        active: &Arc<ActiveContext>,
        typed: &Arc<ActiveContext>,
        place: Place<'_>,
        map: &'d Map<String, Value>,
        frame: &mut Frame<'d>,
    ) -> Result<(), JsonLdError> {
        let scope = Scope { active, typed };
        let mut nests: Vec<(&'d str, &'d Value)> = Vec::new();
        for (key, value) in map {
            if key == "@context" {
                continue;
            }
            let definition = active.term(key);
            let mapping = match definition {
                Some(definition) => definition.iri.clone(),
                None => active.expand_other_member(key)?,
            };
            match mapping {
                Mapping::Keyword(Keyword::Nest) if self.any_form => nests.push((key, value)),
                Mapping::Keyword(keyword) => {
                    if !self.any_form {
                        form::check_keyword(active, place, key, keyword, is_literal(active, map))?;
                    }
                    self.keyword(scope, place, keyword, (map, value), frame)?;
                }
                Mapping::Iri(iri) => {
                    check_length(key, &iri)?;
                    // No name of a context may break a line of the N-Quads.
                    if !is_absolute(&iri) {
                        return Err(JsonLdError::UndefinedTerm);
                    }
                    if !self.any_form {
                        let definition = definition.map(|found| &**found);
                        form::check_member(self.processor.contexts, active, key, definition, &iri)?;
                    }
                    self.member(active, (key, definition, &iri), value, frame)?;
                }
                // Safe mode: a member that no context maps would stay unsigned.
                Mapping::Null => return Err(JsonLdError::UndefinedTerm),
            }
        }
        for (key, value) in nests {
            self.nested(scope, place, (key, value), frame)?;
        }
        Ok(())
    }

    /// `@nest` (step 14): the members belong to the object around it.
    fn nested<'d>(
        &mut self,
        scope: Scope<'_>,
        place: Place<'_>,
        (key, value): (&str, &'d Value),
        frame: &mut Frame<'d>,
    ) -> Result<(), JsonLdError> {
        let mut active = Arc::clone(scope.active);
        if let Some(context) = active.term(key).and_then(|term| term.context.clone()) {
            active = self.processor.scoped(&active, &context, true, true)?;
        }
        for item in as_items(value) {
            let Value::Object(map) = item else {
                return Err(JsonLdError::InvalidNest);
            };
            if map
                .keys()
                .any(|key| is_keyword(&active, key, Keyword::Value))
            {
                return Err(JsonLdError::InvalidNest);
            }
            self.members(&active, scope.typed, place, map, frame)?;
        }
        Ok(())
    }

    /// A keyword or an alias of one (step 13.4).
    fn keyword<'d>(
        &mut self,
        scope: Scope<'_>,
        place: Place<'_>,
        keyword: Keyword,
        (map, value): (&'d Map<String, Value>, &'d Value),
        frame: &mut Frame<'d>,
    ) -> Result<(), JsonLdError> {
        if matches!(place, Place::ReverseMap) {
            return Err(JsonLdError::InvalidReverse);
        }
        let again = frame.note(keyword);
        if again && !matches!(keyword, Keyword::Included | Keyword::Type) {
            return Err(JsonLdError::CollidingKeywords);
        }
        let text = || value.as_str().ok_or(JsonLdError::InvalidKeywordValue);
        match keyword {
            Keyword::Id => frame.node.id = Some(self.id(scope.active, text()?)?),
            Keyword::Type => self.types(scope.typed, value, frame)?,
            Keyword::Graph => {
                let mut items = Vec::new();
                self.element(scope.active, Place::Graph, value, false, &mut items)?;
                frame.node.graph = Some(items);
            }
            Keyword::Included => self.included(scope.active, value, frame)?,
            Keyword::Value => {
                frame.json |= is_json(scope, map);
                frame.value = Some(value);
            }
            Keyword::Language => {
                let tag = value.as_str().ok_or(JsonLdError::InvalidLanguage)?;
                frame.language = Some(language_tag(tag)?);
            }
            Keyword::Direction => frame.direction = Some(direction(value)?),
            Keyword::Index => frame.node.index = Some(text()?),
            Keyword::List => {
                if !matches!(place, Place::Term { .. }) {
                    return Err(JsonLdError::DroppedValue);
                }
                self.list_items(scope.active, place, value, &mut frame.items)?;
            }
            Keyword::Set => self.element(scope.active, place, value, false, &mut frame.items)?,
            Keyword::Reverse => self.reverse(scope.active, value, frame)?,
            _ => return Err(JsonLdError::InvalidKeywordValue),
        }
        Ok(())
    }

    /// The items of `@list`: an array inside of it is a list itself.
    fn list_items<'d>(
        &mut self,
        active: &Arc<ActiveContext>,
        place: Place<'_>,
        value: &'d Value,
        out: &mut Vec<Object<'d>>,
    ) -> Result<(), JsonLdError> {
        let in_list = place
            .definition()
            .is_some_and(|definition| definition.container.list);
        for item in as_items(value) {
            if item.is_array() && !in_list {
                // Lists of lists need `@list` at each level; anything else would be flattened.
                return Err(JsonLdError::InvalidSetOrList);
            }
            let mut items = Vec::new();
            self.element(active, place, item, false, &mut items)?;
            if item.is_array() {
                out.push(Object::List(List { items, index: None }));
            } else {
                out.append(&mut items);
            }
        }
        Ok(())
    }

    fn types<'d>(
        &mut self,
        typed: &Arc<ActiveContext>,
        value: &'d Value,
        frame: &mut Frame<'d>,
    ) -> Result<(), JsonLdError> {
        frame.many_types |= value.is_array();
        for item in as_items(value) {
            let text = item.as_str().ok_or(JsonLdError::InvalidKeywordValue)?;
            if typed.expand_vocab_or_base(text) == Mapping::Keyword(Keyword::Json) {
                frame.json = true;
                continue;
            }
            let iri = self.vocab_reference(typed, text)?;
            if !self.any_form {
                form::check_type(self.processor.contexts, typed, text, &iri)?;
            }
            frame.node.types.push(iri);
        }
        Ok(())
    }

    fn included<'d>(
        &mut self,
        active: &Arc<ActiveContext>,
        value: &'d Value,
        frame: &mut Frame<'d>,
    ) -> Result<(), JsonLdError> {
        if !as_items(value).iter().all(Value::is_object) {
            return Err(JsonLdError::InvalidNest);
        }
        let mut items = Vec::new();
        self.element(active, Place::Included, value, false, &mut items)?;
        frame.node.included.append(&mut items);
        Ok(())
    }

    /// `@reverse` (step 13.4.13): what it holds points at this node.
    fn reverse<'d>(
        &mut self,
        active: &Arc<ActiveContext>,
        value: &'d Value,
        frame: &mut Frame<'d>,
    ) -> Result<(), JsonLdError> {
        if !value.is_object() {
            return Err(JsonLdError::InvalidReverse);
        }
        let mut out = Vec::new();
        self.element(active, Place::ReverseMap, value, false, &mut out)?;
        for object in out {
            let Object::Node(node) = object else {
                return Err(JsonLdError::InvalidReverse);
            };
            let Node {
                properties,
                reverse,
                ..
            } = *node;
            frame.node.properties.extend(reverse);
            for (iri, items) in properties {
                only_nodes(&items)?;
                frame.node.reverse.push((iri, items));
            }
        }
        Ok(())
    }

    /// A property (steps 13.5 to 13.14).
    fn member<'d>(
        &mut self,
        active: &Arc<ActiveContext>,
        (key, definition, iri): (&'d str, Option<&Arc<Definition>>, &Arc<str>),
        value: &'d Value,
        frame: &mut Frame<'d>,
    ) -> Result<(), JsonLdError> {
        let container = definition.map(|term| term.container).unwrap_or_default();
        let place = Place::Term {
            name: key,
            definition,
        };
        let mut items = Vec::new();
        if definition.is_some_and(|term| term.types == Some(TypeMapping::Json)) {
            items.push(Object::Value(ValueObject::plain(Scalar::Json(value))));
        } else if let Value::Object(map) = value
            && container.language
        {
            self.language_map(active, definition, map, &mut items)?;
        } else if let Value::Object(map) = value
            && (container.index || container.types || container.id)
        {
            self.index_map(active, place, map, &mut items)?;
        } else {
            self.element(active, place, value, false, &mut items)?;
        }
        if container.list {
            let already = !value.is_array() && matches!(items.as_slice(), [Object::List(_)]);
            if !already {
                items = vec![Object::List(List { items, index: None })];
            }
        }
        if container.graph && !container.id && !container.index {
            items = items
                .into_iter()
                .map(into_graph)
                .collect::<Result<_, _>>()?;
        }
        if definition.is_some_and(|term| term.reverse) {
            only_nodes(&items)?;
            frame.node.reverse.push((Arc::clone(iri), items));
        } else {
            frame.node.properties.push((Arc::clone(iri), items));
        }
        Ok(())
    }
}

impl ActiveContext {
    /// A member name that is no term: an absolute IRI, or relative to a vocabulary, or undefined.
    fn expand_other_member(&self, key: &str) -> Result<Mapping, JsonLdError> {
        match self.expand_other(key, true, false) {
            Mapping::Iri(iri) if is_absolute(&iri) => Ok(Mapping::Iri(iri)),
            Mapping::Keyword(keyword) => Ok(Mapping::Keyword(keyword)),
            Mapping::Iri(_) | Mapping::Null => Err(JsonLdError::UndefinedTerm),
        }
    }
}

/// Whether an object has `@value`.
fn is_literal(active: &ActiveContext, map: &Map<String, Value>) -> bool {
    map.keys()
        .any(|key| is_keyword(active, key, Keyword::Value))
}

/// Whether the type of a value object is `@json` (step 12).
fn is_json(scope: Scope<'_>, map: &Map<String, Value>) -> bool {
    let first = map
        .iter()
        .filter(|(key, _)| is_keyword(scope.active, key, Keyword::Type))
        .min_by_key(|(key, _)| *key);
    let name = match first.map(|(_, value)| value) {
        Some(Value::String(name)) => name.as_str(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).max().unwrap_or(""),
        _ => return false,
    };
    scope.active.expand_vocab(name) == Mapping::Keyword(Keyword::Json)
}

/// A value as the items of an array.
pub(super) fn as_items(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        other => std::slice::from_ref(other),
    }
}

/// What a graph container makes of an item.
pub(super) fn into_graph(item: Object<'_>) -> Result<Object<'_>, JsonLdError> {
    match &item {
        Object::Node(node) if !node.is_bare() => Ok(Object::Node(Box::new(Node::graph_of(item)))),
        // In a graph of its own, a value or a mere name says nothing.
        Object::Node(_) | Object::Value(_) | Object::List(_) => Err(JsonLdError::DroppedValue),
    }
}

fn only_nodes(items: &[Object<'_>]) -> Result<(), JsonLdError> {
    if items.iter().all(|item| matches!(item, Object::Node(_))) {
        Ok(())
    } else {
        Err(JsonLdError::InvalidReverse)
    }
}
