//! Objects: their context, their members, and what kind of object they turn out to be.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::super::JsonLdError;
use super::super::context::{ActiveContext, Direction, Mapping, Scoped};
use super::super::expanded::{List, Node, Object, Scalar, ValueObject};
use super::super::form::{self, may_have_context};
use super::super::iri::is_absolute;
use super::super::keyword::Keyword;
use super::members::as_items;
use super::{Expander, Place, Trace};

/// An object while its members are read.
#[derive(Debug, Default)]
pub(super) struct Frame<'d> {
    seen: u32,
    pub(super) node: Node<'d>,
    /// `@type` was an array.
    pub(super) many_types: bool,
    /// `@type` is `@json`.
    pub(super) json: bool,
    pub(super) value: Option<&'d Value>,
    pub(super) language: Option<Arc<str>>,
    pub(super) direction: Option<Direction>,
    pub(super) items: Vec<Object<'d>>,
}

impl Frame<'_> {
    /// Notes a keyword; `true` if it was there before.
    pub(super) fn note(&mut self, keyword: Keyword) -> bool {
        let bit = 1_u32 << (keyword as u32);
        let before = self.seen & bit != 0;
        self.seen |= bit;
        before
    }

    fn has(&self, keyword: Keyword) -> bool {
        self.seen & (1_u32 << (keyword as u32)) != 0
    }

    /// Whether there are keywords besides these.
    fn has_others(&self, allowed: &[Keyword]) -> bool {
        let mask = allowed
            .iter()
            .fold(0, |mask, keyword| mask | 1_u32 << (*keyword as u32));
        self.seen & !mask != 0
    }

    fn has_members(&self) -> bool {
        !self.node.properties.is_empty() || !self.node.reverse.is_empty()
    }
}

impl<'c> Expander<'c> {
    pub(super) fn object<'d>(
        &mut self,
        active: &Arc<ActiveContext>,
        place: Place<'_>,
        map: &'d Map<String, Value>,
        from_map: bool,
        out: &mut Vec<Object<'d>>,
    ) -> Result<(), JsonLdError> {
        let (active, typed) = self.contexts_of(active, place, map, from_map)?;
        let mut frame = Frame::default();
        frame.node.source = std::ptr::from_ref(map).addr();
        self.members(&active, &typed, place, map, &mut frame)?;
        if let Some(trace) = &mut self.trace {
            trace.note(frame.node.source, &active);
        }
        let literal = frame.has(Keyword::Value);
        finish(frame, place, out)?;
        if literal
            && !self.any_form
            && let Some(Object::Value(value)) = out.last()
        {
            let definition = place.definition().map(|found| &**found);
            // What it would be is no part of the document: its label is none of a blank node.
            let trace = self.trace.take();
            let plain = self.coerced(&active, definition, value.value)?;
            self.trace = trace;
            form::check_literal(definition, value, &plain)?;
        }
        Ok(())
    }

    /// The contexts for the members of an object and for its types (steps 7 to 11).
    fn contexts_of(
        &mut self,
        active: &Arc<ActiveContext>,
        place: Place<'_>,
        map: &Map<String, Value>,
        from_map: bool,
    ) -> Result<(Arc<ActiveContext>, Arc<ActiveContext>), JsonLdError> {
        let mut active = Arc::clone(active);
        // Step 7: what a type brought ends at the next node.
        if !from_map
            && let Some(previous) = &active.previous
            && !stays(&active, map)
        {
            active = Arc::clone(previous);
        }
        if let Some(context) = place.definition().and_then(|term| term.context.as_ref()) {
            active = self.processor.scoped(&active, context, true, true)?;
        }
        if let Some(context) = map.get("@context") {
            if !(self.inline_contexts || may_have_context(place) && names_documents(context)) {
                return Err(JsonLdError::InlineContext);
            }
            active = self.processor.embedded(&active, context)?;
        }
        let typed = Arc::clone(&active);
        for context in type_scoped(&typed, map) {
            active = self.processor.scoped(&active, &context, false, false)?;
        }
        Ok((active, typed))
    }
}

/// Whether a context is made of nothing but URLs of context documents.
fn names_documents(context: &Value) -> bool {
    as_items(context).iter().all(Value::is_string)
}

/// The contexts that the types of an object bring, in the order of the types (step 11).
fn type_scoped(active: &ActiveContext, map: &Map<String, Value>) -> Vec<Arc<Scoped>> {
    let mut keys: Vec<(&String, &Value)> = map
        .iter()
        .filter(|(key, _)| is_keyword(active, key, Keyword::Type))
        .collect();
    keys.sort_unstable_by_key(|(key, _)| *key);
    let mut contexts = Vec::new();
    for (_, value) in keys {
        let mut names: Vec<&str> = match value {
            Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
            Value::String(name) => vec![name],
            _ => Vec::new(),
        };
        names.sort_unstable();
        let scoped = |name: &str| active.term(name).and_then(|term| term.context.clone());
        contexts.extend(names.into_iter().filter_map(scoped));
    }
    contexts
}

/// Whether a member name is this keyword or an alias of it.
pub(super) fn is_keyword(active: &ActiveContext, key: &str, keyword: Keyword) -> bool {
    Keyword::parse(key) == Some(keyword)
        || active
            .term(key)
            .is_some_and(|term| term.iri == Mapping::Keyword(keyword))
}

/// Step 7: value objects and mere references keep the context of the type around them.
fn stays(active: &ActiveContext, map: &Map<String, Value>) -> bool {
    map.keys()
        .any(|key| is_keyword(active, key, Keyword::Value))
        || (map.len() == 1 && map.keys().all(|key| is_keyword(active, key, Keyword::Id)))
}

impl Trace {
    /// Notes how `@id` is called at an object.
    fn note(&mut self, object: usize, active: &ActiveContext) {
        let alias = match &self.last {
            Some((id, alias)) if *id == active.id => alias.clone(),
            Some(_) | None => id_alias(active),
        };
        self.last = Some((active.id, alias.clone()));
        if let Some(alias) = alias {
            self.aliases.insert(object, alias);
        }
    }
}

/// The member name that means `@id` here.
fn id_alias(active: &ActiveContext) -> Option<Arc<str>> {
    let is_id = |name: &str| {
        active
            .term(name)
            .is_some_and(|term| term.iri == Mapping::Keyword(Keyword::Id))
    };
    if is_id("id") {
        return Some(Arc::from("id"));
    }
    active
        .terms
        .keys()
        .filter(|name| is_id(name))
        .min()
        .cloned()
}

/// Steps 15 to 19: value, list, set, or node.
fn finish<'d>(
    frame: Frame<'d>,
    place: Place<'_>,
    out: &mut Vec<Object<'d>>,
) -> Result<(), JsonLdError> {
    let floating = matches!(place, Place::Top | Place::Graph | Place::Included);
    if frame.has(Keyword::Value) {
        let object = value_object(frame)?;
        if floating {
            return Err(JsonLdError::DroppedValue);
        }
        out.push(Object::Value(object));
    } else if frame.has(Keyword::List) {
        if frame.has_others(&[Keyword::List, Keyword::Index]) || frame.has_members() {
            return Err(JsonLdError::InvalidSetOrList);
        }
        if floating {
            return Err(JsonLdError::DroppedValue);
        }
        out.push(Object::List(List {
            items: frame.items,
            index: frame.node.index,
        }));
    } else if frame.has(Keyword::Set) {
        if frame.has_others(&[Keyword::Set, Keyword::Index]) || frame.has_members() {
            return Err(JsonLdError::InvalidSetOrList);
        }
        out.extend(frame.items);
    } else {
        // A language or direction without a value, `@type: @json` without one: they would be dropped.
        if frame.has(Keyword::Language) || frame.has(Keyword::Direction) || frame.json {
            return Err(JsonLdError::DroppedValue);
        }
        if floating && frame.node.is_bare() {
            return Err(JsonLdError::DroppedValue);
        }
        out.push(Object::Node(Box::new(frame.node)));
    }
    Ok(())
}

/// Step 15.
fn value_object(frame: Frame<'_>) -> Result<ValueObject<'_>, JsonLdError> {
    let allowed = [
        Keyword::Value,
        Keyword::Type,
        Keyword::Language,
        Keyword::Direction,
        Keyword::Index,
    ];
    if frame.has_others(&allowed) || frame.has_members() {
        return Err(JsonLdError::InvalidValueObject);
    }
    let tagged = frame.language.is_some() || frame.direction.is_some();
    if tagged && frame.has(Keyword::Type) {
        return Err(JsonLdError::InvalidValueObject);
    }
    let value = match frame.value {
        Some(value) if frame.json => Scalar::Json(value),
        Some(Value::String(text)) => Scalar::Text(text),
        Some(Value::Bool(value)) => Scalar::Bool(*value),
        Some(Value::Number(number)) => Scalar::Number(number),
        Some(Value::Null) | None => return Err(JsonLdError::DroppedValue),
        Some(Value::Array(_) | Value::Object(_)) => return Err(JsonLdError::InvalidValueObject),
    };
    if tagged && !matches!(value, Scalar::Text(_)) {
        return Err(JsonLdError::InvalidValueObject);
    }
    let mut types = frame.node.types.into_iter();
    let datatype = types.next();
    if types.next().is_some()
        || frame.many_types
        || datatype
            .as_ref()
            .is_some_and(|datatype| !is_absolute(datatype))
    {
        return Err(JsonLdError::InvalidValueObject);
    }
    Ok(ValueObject {
        value,
        datatype,
        language: frame.language,
        direction: frame.direction,
        index: frame.node.index,
    })
}
