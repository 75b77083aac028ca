//! Term definitions (JSON-LD 1.1 API, section 4.2).

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::super::JsonLdError;
use super::super::iri::is_absolute;
use super::super::keyword::Keyword;
use super::super::limits::MAX_TERM_BYTES;
use super::iri::{concat, split_compact};
use super::process::{Origin, direction, language_tag};
use super::rules::{check_name, container, ends_like_a_prefix, is_directive, known_members};
use super::{ActiveContext, Container, Definition, Mapping, Scoped, Setting, TypeMapping, next_id};

/// Creates the definitions of one context object.
pub(super) struct Definitions<'a> {
    active: &'a mut ActiveContext,
    local: &'a Map<String, Value>,
    origin: Origin,
    protected: bool,
    override_protected: bool,
    /// `false` while a term is being defined.
    defined: HashMap<&'a str, bool>,
    /// How many terms are being defined at once.
    depth: usize,
}

/// Longest chain of terms that need each other.
const MAX_DEPTH: usize = 64;

impl<'a> Definitions<'a> {
    pub(super) fn new(
        active: &'a mut ActiveContext,
        local: &'a Map<String, Value>,
        origin: Origin,
        protected: bool,
        override_protected: bool,
    ) -> Self {
        Self {
            active,
            local,
            origin,
            protected,
            override_protected,
            defined: HashMap::new(),
            depth: 0,
        }
    }

    pub(super) fn create_all(mut self) -> Result<(), JsonLdError> {
        let local = self.local;
        for term in local.keys() {
            if !is_directive(term) {
                self.create(term)?;
            }
        }
        Ok(())
    }

    fn create(&mut self, term: &'a str) -> Result<(), JsonLdError> {
        match self.defined.get(term) {
            Some(true) => return Ok(()),
            Some(false) => return Err(JsonLdError::CyclicIriMapping),
            None => {}
        }
        if term.is_empty() {
            return Err(JsonLdError::InvalidTermDefinition);
        }
        if self.depth >= MAX_DEPTH {
            return Err(JsonLdError::LimitExceeded);
        }
        self.depth += 1;
        self.defined.insert(term, false);
        let value = self.local.get(term).unwrap_or(&Value::Null);
        check_name(term, value)?;
        let previous = self.active.terms.remove(term);
        let mut definition = self.define(term, value)?;
        if !self.override_protected
            && let Some(previous) = previous
            && previous.protected
        {
            // Section 4.2.2, step 27: only the very same definition is allowed again.
            if !definition.same(&previous) {
                return Err(JsonLdError::ProtectedTermRedefinition);
            }
            definition.protected = true;
        }
        self.active
            .terms
            .insert(Arc::from(term), Arc::new(definition));
        self.defined.insert(term, true);
        self.depth -= 1;
        Ok(())
    }

    fn define(&mut self, term: &'a str, value: &'a Value) -> Result<Definition, JsonLdError> {
        let mut definition = Definition::new(self.protected);
        let (map, simple) = match value {
            Value::Null => return Ok(definition),
            Value::String(id) => {
                self.identify(term, Some(id), true, &mut definition)?;
                return Ok(definition);
            }
            Value::Object(map) => (map, false),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                return Err(JsonLdError::InvalidTermDefinition);
            }
        };
        if let Some(protected) = map.get("@protected") {
            definition.protected = protected
                .as_bool()
                .ok_or(JsonLdError::InvalidTermDefinition)?;
        }
        self.coerce(map, &mut definition)?;
        if let Some(reverse) = map.get("@reverse") {
            self.reverse(map, reverse, &mut definition)?;
            return Ok(definition);
        }
        match map.get("@id") {
            Some(Value::Null) => {}
            Some(Value::String(id)) => self.identify(term, Some(id), simple, &mut definition)?,
            Some(_) => return Err(JsonLdError::InvalidIriMapping),
            None => self.identify(term, None, simple, &mut definition)?,
        }
        self.details(term, map, &mut definition)?;
        Ok(definition)
    }

    /// `@type` (steps 12 and 21).
    fn coerce(
        &mut self,
        map: &'a Map<String, Value>,
        definition: &mut Definition,
    ) -> Result<(), JsonLdError> {
        let Some(value) = map.get("@type") else {
            return Ok(());
        };
        let text = value.as_str().ok_or(JsonLdError::InvalidTermDefinition)?;
        definition.types = Some(match self.expand(text)? {
            Mapping::Keyword(Keyword::Id) => TypeMapping::Id,
            Mapping::Keyword(Keyword::Vocab) => TypeMapping::Vocab,
            Mapping::Keyword(Keyword::Json) => TypeMapping::Json,
            Mapping::Keyword(Keyword::None) => TypeMapping::None,
            Mapping::Iri(iri) if is_absolute(&iri) => TypeMapping::Iri(iri),
            Mapping::Iri(_) | Mapping::Keyword(_) | Mapping::Null => {
                return Err(JsonLdError::InvalidTermDefinition);
            }
        });
        Ok(())
    }

    /// `@reverse` (step 13).
    fn reverse(
        &mut self,
        map: &'a Map<String, Value>,
        value: &'a Value,
        definition: &mut Definition,
    ) -> Result<(), JsonLdError> {
        if map.contains_key("@id") || map.contains_key("@nest") {
            return Err(JsonLdError::InvalidReverse);
        }
        let text = value.as_str().ok_or(JsonLdError::InvalidIriMapping)?;
        match self.expand(text)? {
            Mapping::Iri(iri) if is_absolute(&iri) => definition.iri = Mapping::Iri(iri),
            Mapping::Iri(_) | Mapping::Keyword(_) | Mapping::Null => {
                return Err(JsonLdError::InvalidIriMapping);
            }
        }
        definition.container = match map.get("@container").map(Value::as_str) {
            None => Container::default(),
            Some(Some("@set")) => Container {
                set: true,
                ..Container::default()
            },
            Some(Some("@index")) => Container {
                index: true,
                ..Container::default()
            },
            Some(_) => return Err(JsonLdError::InvalidReverse),
        };
        definition.reverse = true;
        known_members(map)
    }

    /// The IRI of a term (steps 14 to 18).
    fn identify(
        &mut self,
        term: &'a str,
        id: Option<&'a str>,
        simple: bool,
        definition: &mut Definition,
    ) -> Result<(), JsonLdError> {
        if let Some(id) = id
            && id != term
        {
            self.identify_by(term, id, simple, definition)?;
            return short(&definition.iri);
        }
        definition.iri = if let Some((prefix, suffix)) = split_compact(term) {
            if self.local.contains_key(prefix) {
                self.create_key(prefix)?;
            }
            match self.active.term(prefix).map(|prefix| &prefix.iri) {
                Some(Mapping::Iri(iri)) => Mapping::Iri(concat(iri, suffix)),
                Some(Mapping::Keyword(_) | Mapping::Null) | None => Mapping::Iri(Arc::from(term)),
            }
        } else if term.contains('/') {
            self.active.expand_other(term, true, true)
        } else if term == "@type" {
            Mapping::Keyword(Keyword::Type)
        } else if let Some(vocab) = &self.active.vocab {
            Mapping::Iri(concat(vocab, term))
        } else {
            return Err(JsonLdError::InvalidIriMapping);
        };
        short(&definition.iri)?;
        match &definition.iri {
            Mapping::Iri(iri) if is_absolute(iri) => Ok(()),
            Mapping::Keyword(Keyword::Type) => Ok(()),
            Mapping::Iri(_) | Mapping::Keyword(_) | Mapping::Null => {
                Err(JsonLdError::InvalidIriMapping)
            }
        }
    }

    fn identify_by(
        &mut self,
        term: &'a str,
        id: &'a str,
        simple: bool,
        definition: &mut Definition,
    ) -> Result<(), JsonLdError> {
        definition.iri = self.expand(id)?;
        match &definition.iri {
            Mapping::Keyword(Keyword::Context) | Mapping::Null => {
                return Err(JsonLdError::InvalidIriMapping);
            }
            Mapping::Keyword(_) => {}
            // A blank node as a property is no RDF; its label would be free text in a line.
            Mapping::Iri(iri) if is_absolute(iri) => {}
            Mapping::Iri(_) => return Err(JsonLdError::InvalidIriMapping),
        }
        let inner_colon = term
            .get(1..)
            .is_some_and(|rest| rest.strip_suffix(':').unwrap_or(rest).contains(':'));
        if inner_colon || term.contains('/') {
            // Step 14.2.4: a term that looks like an IRI must mean that IRI.
            self.defined.insert(term, true);
            let meant = self.expand_without(term)?;
            if meant != definition.iri {
                return Err(JsonLdError::InvalidIriMapping);
            }
        } else if simple && let Mapping::Iri(iri) = &definition.iri {
            definition.prefix = !term.contains(':') && ends_like_a_prefix(iri);
        }
        Ok(())
    }

    /// `@container`, `@index`, `@context`, `@language`, `@direction`, `@nest`, `@prefix` (steps 19 to 26).
    fn details(
        &mut self,
        term: &'a str,
        map: &'a Map<String, Value>,
        definition: &mut Definition,
    ) -> Result<(), JsonLdError> {
        if let Some(value) = map.get("@container") {
            definition.container = container(value)?;
            if definition.container.types {
                match definition.types.get_or_insert(TypeMapping::Id) {
                    TypeMapping::Id | TypeMapping::Vocab => {}
                    TypeMapping::Json | TypeMapping::None | TypeMapping::Iri(_) => {
                        return Err(JsonLdError::InvalidTermDefinition);
                    }
                }
            }
        }
        if let Some(value) = map.get("@index") {
            let text = value.as_str().ok_or(JsonLdError::InvalidTermDefinition)?;
            if !definition.container.index {
                return Err(JsonLdError::InvalidTermDefinition);
            }
            match self.expand(text)? {
                Mapping::Iri(iri) if is_absolute(&iri) => definition.index = Some(Arc::from(text)),
                Mapping::Iri(_) | Mapping::Keyword(_) | Mapping::Null => {
                    return Err(JsonLdError::InvalidTermDefinition);
                }
            }
        }
        if let Some(value) = map.get("@context") {
            definition.context = Some(Arc::new(Scoped {
                id: next_id(),
                value: value.clone(),
                origin: self.origin,
            }));
        }
        if !map.contains_key("@type") {
            definition.language = match map.get("@language") {
                None => Setting::Absent,
                Some(Value::Null) => Setting::Null,
                Some(Value::String(tag)) => Setting::Some(language_tag(tag)?),
                Some(_) => return Err(JsonLdError::InvalidLanguage),
            };
            definition.direction = match map.get("@direction") {
                None => Setting::Absent,
                Some(Value::Null) => Setting::Null,
                Some(value) => Setting::Some(direction(value)?),
            };
        }
        if let Some(value) = map.get("@nest") {
            let text = value.as_str().ok_or(JsonLdError::InvalidNest)?;
            if !matches!(Keyword::parse(text), None | Some(Keyword::Nest)) {
                return Err(JsonLdError::InvalidNest);
            }
            definition.nest = Some(Arc::from(text));
        }
        if let Some(value) = map.get("@prefix") {
            definition.prefix = value.as_bool().ok_or(JsonLdError::InvalidTermDefinition)?;
            let keyword = matches!(definition.iri, Mapping::Keyword(_));
            if term.contains(':') || term.contains('/') || (definition.prefix && keyword) {
                return Err(JsonLdError::InvalidTermDefinition);
            }
        }
        known_members(map)
    }

    /// IRI expansion relative to the vocabulary that first defines what it needs.
    fn expand(&mut self, text: &'a str) -> Result<Mapping, JsonLdError> {
        if Keyword::parse(text).is_none() && self.local.contains_key(text) {
            self.create(text)?;
        }
        if let Some(definition) = self.active.term(text) {
            return Ok(definition.iri.clone());
        }
        self.expand_without(text)
    }

    /// The same for a text that is not taken as a term.
    fn expand_without(&mut self, text: &'a str) -> Result<Mapping, JsonLdError> {
        if let Some((prefix, suffix)) = split_compact(text)
            && prefix != "_"
            && !suffix.starts_with("//")
            && self.local.contains_key(prefix)
        {
            self.create_key(prefix)?;
        }
        Ok(self.active.expand_other(text, true, false))
    }

    /// Defines a term whose name is a part of another text.
    fn create_key(&mut self, name: &str) -> Result<(), JsonLdError> {
        let local = self.local;
        match local.get_key_value(name) {
            Some((term, _)) => self.create(term),
            None => Ok(()),
        }
    }
}

/// Definitions build on each other: the first one that is too long ends it.
fn short(mapping: &Mapping) -> Result<(), JsonLdError> {
    match mapping {
        Mapping::Iri(iri) if iri.len() > MAX_TERM_BYTES => Err(JsonLdError::LimitExceeded),
        Mapping::Iri(_) | Mapping::Keyword(_) | Mapping::Null => Ok(()),
    }
}
