//! What names and members of definitions may be (JSON-LD 1.1 API, section 4.2.2).

use serde_json::{Map, Value};

use super::super::JsonLdError;
use super::super::keyword::{Keyword, is_reserved};
use super::Container;

/// Members of a context that are not terms.
pub(super) fn is_directive(key: &str) -> bool {
    matches!(
        Keyword::parse(key),
        Some(
            Keyword::Base
                | Keyword::Direction
                | Keyword::Import
                | Keyword::Language
                | Keyword::Propagate
                | Keyword::Protected
                | Keyword::Version
                | Keyword::Vocab
        )
    )
}

/// Keywords cannot be defined, save `@type` with `@container: @set` and `@protected`.
pub(super) fn check_name(term: &str, value: &Value) -> Result<(), JsonLdError> {
    if term == "@type" {
        let allowed = value.as_object().is_some_and(|map| {
            !map.is_empty()
                && map.iter().all(|(key, value)| match key.as_str() {
                    "@container" => value == "@set",
                    "@protected" => value.is_boolean(),
                    _ => false,
                })
        });
        return if allowed {
            Ok(())
        } else {
            Err(JsonLdError::KeywordRedefinition)
        };
    }
    // Terms that look like keywords are ignored by other processors: their values would stay unsigned.
    if Keyword::parse(term).is_some() || is_reserved(term) {
        return Err(JsonLdError::KeywordRedefinition);
    }
    Ok(())
}

/// Step 26: other members are an error.
pub(super) fn known_members(map: &Map<String, Value>) -> Result<(), JsonLdError> {
    let known = |key: &String| {
        matches!(
            Keyword::parse(key),
            Some(
                Keyword::Id
                    | Keyword::Reverse
                    | Keyword::Container
                    | Keyword::Context
                    | Keyword::Direction
                    | Keyword::Index
                    | Keyword::Language
                    | Keyword::Nest
                    | Keyword::Prefix
                    | Keyword::Protected
                    | Keyword::Type
            )
        )
    };
    if map.keys().all(known) {
        Ok(())
    } else {
        Err(JsonLdError::InvalidTermDefinition)
    }
}

/// RFC 3986 gen-delims at the end make a simple term a prefix.
pub(super) fn ends_like_a_prefix(iri: &str) -> bool {
    iri.ends_with([':', '/', '?', '#', '[', ']', '@'])
}

/// Step 19: which containers exist and go together.
pub(super) fn container(value: &Value) -> Result<Container, JsonLdError> {
    let mut container = Container::default();
    let items = match value {
        Value::Array(items) => items.as_slice(),
        other => std::slice::from_ref(other),
    };
    for item in items {
        let place = match item.as_str() {
            Some("@graph") => &mut container.graph,
            Some("@id") => &mut container.id,
            Some("@index") => &mut container.index,
            Some("@language") => &mut container.language,
            Some("@list") => &mut container.list,
            Some("@set") => &mut container.set,
            Some("@type") => &mut container.types,
            Some(_) | None => return Err(JsonLdError::InvalidContainerMapping),
        };
        if std::mem::replace(place, true) {
            return Err(JsonLdError::InvalidContainerMapping);
        }
    }
    let Container {
        graph,
        id,
        index,
        language,
        list,
        set,
        types,
    } = container;
    let others = [id, index, language, types, list]
        .iter()
        .filter(|set| **set)
        .count();
    let fits = if graph {
        !list && !language && !types && (!id || !index)
    } else {
        others <= 1 && (!list || !set)
    };
    if fits && !items.is_empty() {
        Ok(container)
    } else {
        Err(JsonLdError::InvalidContainerMapping)
    }
}
