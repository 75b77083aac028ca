//! Value expansion (JSON-LD 1.1 API, section 5.3).

use std::sync::Arc;

use serde_json::Value;

use super::super::JsonLdError;
use super::super::context::{ActiveContext, Definition, Setting, TypeMapping};
use super::super::expanded::{Node, Object, Scalar, ValueObject};
use super::super::form;
use super::{Expander, Place};

impl Expander<'_> {
    pub(super) fn scalar<'d>(
        &mut self,
        active: &Arc<ActiveContext>,
        place: Place<'_>,
        value: &'d Value,
        out: &mut Vec<Object<'d>>,
    ) -> Result<(), JsonLdError> {
        let Place::Term { name, definition } = place else {
            // Safe mode: a free-floating scalar.
            return Err(JsonLdError::DroppedValue);
        };
        let scalar = match value {
            Value::String(text) => Scalar::Text(text),
            Value::Bool(value) => Scalar::Bool(*value),
            Value::Number(number) => Scalar::Number(number),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                return Err(JsonLdError::DroppedValue);
            }
        };
        if let Some(context) = definition.and_then(|definition| definition.context.as_ref()) {
            let scoped = self.processor.scoped(active, context, true, true)?;
            let definition = scoped.term(name).cloned();
            out.push(self.coerced(&scoped, definition.as_deref(), scalar)?);
        } else {
            out.push(self.coerced(active, definition.map(|found| &**found), scalar)?);
        }
        Ok(())
    }

    /// A scalar with the type, language and direction of its term.
    pub(super) fn coerced<'d>(
        &mut self,
        active: &ActiveContext,
        definition: Option<&Definition>,
        scalar: Scalar<'d>,
    ) -> Result<Object<'d>, JsonLdError> {
        let mut value = ValueObject::plain(scalar);
        match (
            definition.and_then(|definition| definition.types.as_ref()),
            scalar,
        ) {
            (Some(TypeMapping::Id), Scalar::Text(text)) => {
                let id = self.id(active, text)?;
                return Ok(Object::Node(Box::new(Node::reference(id))));
            }
            (Some(TypeMapping::Vocab), Scalar::Text(text)) => {
                let id = self.vocab_reference(active, text)?;
                if !self.any_form {
                    form::check_type(self.processor.contexts, active, text, &id)?;
                }
                return Ok(Object::Node(Box::new(Node::reference(id))));
            }
            (Some(TypeMapping::Iri(datatype)), _) => {
                value.datatype = Some(Arc::clone(datatype));
                return Ok(Object::Value(value));
            }
            (
                Some(TypeMapping::Id | TypeMapping::Vocab | TypeMapping::Json | TypeMapping::None),
                _,
            )
            | (None, _) => {}
        }
        if let Scalar::Text(_) = scalar {
            value.language = match definition.map(|definition| &definition.language) {
                Some(Setting::Some(tag)) => Some(Arc::clone(tag)),
                Some(Setting::Null) => None,
                Some(Setting::Absent) | None => active.language.clone(),
            };
            value.direction = direction(active, definition);
        }
        Ok(Object::Value(value))
    }
}

/// The base direction that a term gives to its text.
pub(super) fn direction(
    active: &ActiveContext,
    definition: Option<&Definition>,
) -> Option<super::super::context::Direction> {
    match definition.map(|definition| definition.direction.clone()) {
        Some(Setting::Some(direction)) => Some(direction),
        Some(Setting::Null) => None,
        Some(Setting::Absent) | None => active.direction,
    }
}
