//! The form of a document: who reads its JSON must see every statement that is signed.
//!
//! A signature covers statements, and the rules of credentials are checked on members of the JSON.
//! A document that says `validUntil` under another name, in `@nest`, or in a second description of the
//! same node has the same statements, and a reader of the JSON would miss it. So a statement of
//! the data model has one place and one name.

use std::collections::HashMap;

use super::context::{ActiveContext, Definition, Mapping, TypeMapping};
use super::expand::Place;
use super::expanded::{Expanded, Node, Object, Scalar, ValueObject};
use super::iri::has_scheme;
use super::keyword::Keyword;
use super::vocabulary as iri;
use super::{JsonLdError, sets, to_rdf};
use crate::contexts::Contexts;

const CREDENTIALS: &str = "https://www.w3.org/2018/credentials#";
const SECURITY: &str = "https://w3id.org/security#";
/// Vocabularies whose terms are called what follows the `#`, save those in [`term_of`].
const VOCABULARIES: [&str; 4] = [
    CREDENTIALS,
    SECURITY,
    "https://www.w3.org/ns/credentials/status#",
    "https://w3id.org/vc/status-list#",
];
const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";

/// The one name of a property of the data models of credentials, proofs and status lists.
fn term_of(iri: &str) -> Option<&str> {
    if iri == "http://purl.org/dc/terms/created" {
        return Some("created");
    }
    let local = VOCABULARIES
        .iter()
        .find_map(|vocabulary| iri.strip_prefix(vocabulary))?;
    if !iri.starts_with(SECURITY) {
        return Some(local);
    }
    Some(match local {
        "expiration" => "expires",
        "authenticationMethod" => "authentication",
        "capabilityDelegationMethod" => "capabilityDelegation",
        "capabilityInvocationMethod" => "capabilityInvocation",
        "keyAgreementMethod" => "keyAgreement",
        other => other,
    })
}

/// A member that states something must have the name that readers of the JSON look for.
pub(super) fn check_member(
    contexts: &Contexts,
    active: &ActiveContext,
    key: &str,
    definition: Option<&Definition>,
    iri: &str,
) -> Result<(), JsonLdError> {
    let hidden = match term_of(iri) {
        Some(term) => key != term,
        // `rdf:type` is `type`, `rdf:first` and `rdf:rest` are lists.
        None => iri
            .strip_prefix(RDF)
            .is_some_and(|local| matches!(local, "type" | "first" | "rest")),
    };
    let reversed = definition.is_some_and(|definition| definition.reverse);
    if hidden || reversed || (definition.is_none() && !is_the_name(contexts, active, key, iri)) {
        return Err(JsonLdError::HiddenStatement);
    }
    Ok(())
}

/// Whether `text`, which is no term, is the one name of an IRI. Contexts are not signed: who takes one
/// away could write out what it had a name for, so the IRI stands only for what no context document names.
fn is_the_name(contexts: &Contexts, active: &ActiveContext, text: &str, iri: &str) -> bool {
    if has_term(active, iri) {
        return false;
    }
    match active
        .vocab
        .as_deref()
        .and_then(|own| iri.strip_prefix(own))
    {
        Some(local) => local == text,
        None => text == iri && !contexts.name(iri),
    }
}

/// A type that has a name is called by it: policies compare names, and the name brings the context of the type.
pub(super) fn check_type(
    contexts: &Contexts,
    active: &ActiveContext,
    text: &str,
    iri: &str,
) -> Result<(), JsonLdError> {
    if active.term(text).is_none() && !is_the_name(contexts, active, text, iri) {
        return Err(JsonLdError::HiddenStatement);
    }
    Ok(())
}

/// An id is written out: readers of the JSON compare texts.
pub(super) fn check_id(text: &str, iri: &str) -> Result<(), JsonLdError> {
    if has_scheme(text) && text != iri {
        return Err(JsonLdError::HiddenStatement);
    }
    Ok(())
}

/// A value that can be written plainly is: who looks for a text, a number or a truth value does not
/// expect an object in its place. `plain` is what the value means without the object around it.
pub(super) fn check_literal(
    definition: Option<&Definition>,
    value: &ValueObject<'_>,
    plain: &Object<'_>,
) -> Result<(), JsonLdError> {
    let coerced = |types: &TypeMapping| matches!(types, TypeMapping::Iri(_));
    let coerced = definition.is_some_and(|term| term.types.as_ref().is_some_and(coerced));
    let hidden = match (value.value, value.datatype.as_deref()) {
        (Scalar::Text(text), Some(datatype)) => match datatype {
            // `@language`, `@direction` and `@json` are the ways to say these.
            _ if datatype.starts_with(iri::I18N) => true,
            _ if *datatype == **iri::rdf_json() => true,
            _ if *datatype == **iri::rdf_lang_string() => true,
            _ if *datatype == **iri::xsd_string() => !coerced,
            _ => !coerced && to_rdf::is_native(text, datatype),
        },
        _ => false,
    };
    let same = matches!(plain, Object::Value(plain)
        if plain.datatype == value.datatype
            && plain.language == value.language
            && plain.direction == value.direction);
    if hidden || (same && value.index.is_none() && !matches!(value.value, Scalar::Json(_))) {
        return Err(JsonLdError::HiddenStatement);
    }
    Ok(())
}

/// Whether the context has a term for an IRI.
fn has_term(active: &ActiveContext, iri: &str) -> bool {
    let means = |mapping: &Mapping| matches!(mapping, Mapping::Iri(known) if **known == *iri);
    active
        .terms
        .values()
        .any(|definition| means(&definition.iri))
}

/// Keywords that move statements to another place, and other names of `id` and `type`.
/// `literal`: the object has `@value`.
pub(super) fn check_keyword(
    active: &ActiveContext,
    place: Place<'_>,
    key: &str,
    keyword: Keyword,
    literal: bool,
) -> Result<(), JsonLdError> {
    let alias = match keyword {
        Keyword::Nest | Keyword::Included | Keyword::Graph | Keyword::Reverse | Keyword::Set => {
            return Err(JsonLdError::HiddenStatement);
        }
        Keyword::Id => "id",
        Keyword::Type if !literal => "type",
        _ => return Ok(()),
    };
    let usual = active
        .term(alias)
        .is_some_and(|term| term.iri == Mapping::Keyword(keyword));
    // Other aliases, such as `uid` of ODRL, are for what only readers of that vocabulary read.
    let raw = key.starts_with('@');
    if key != alias && usual && (raw || is_read(place)) {
        return Err(JsonLdError::HiddenStatement);
    }
    Ok(())
}

/// Whether the object at this place is read by the rules of the data model.
fn is_read(place: Place<'_>) -> bool {
    match place {
        Place::Term { .. } => place_iri(place).is_some_and(|iri| term_of(iri).is_some()),
        Place::Top | Place::Graph | Place::Included | Place::ReverseMap => true,
    }
}

fn place_iri(place: Place<'_>) -> Option<&str> {
    match &place.definition()?.iri {
        Mapping::Iri(iri) => Some(iri),
        Mapping::Keyword(_) | Mapping::Null => None,
    }
}

/// Whether an object at this place may have a context of its own: the document, the credentials
/// of a presentation, which are documents themselves, and proofs, which repeat the document's.
pub(super) fn may_have_context(place: Place<'_>) -> bool {
    matches!(place, Place::Top)
        || place_iri(place).is_some_and(|iri| {
            iri.strip_prefix(CREDENTIALS) == Some("verifiableCredential")
                || iri.strip_prefix(SECURITY) == Some("proof")
        })
}

/// A node that the data model has something to say about is described in one place of its graph.
pub(super) fn check_described_once(document: &Expanded<'_>) -> Result<(), JsonLdError> {
    check_graph(&document.nodes)
}

/// Recursion ends with the depth of the document.
fn check_graph(objects: &[Object<'_>]) -> Result<(), JsonLdError> {
    let mut described = HashMap::new();
    objects
        .iter()
        .try_for_each(|object| check_object(object, &mut described))
}

/// `described`: whether the data model speaks of a node, for each that was described.
fn check_object<'o>(
    object: &'o Object<'_>,
    described: &mut HashMap<&'o str, bool>,
) -> Result<(), JsonLdError> {
    let node = match object {
        Object::Value(_) => return Ok(()),
        Object::List(list) => {
            return list
                .items
                .iter()
                .try_for_each(|item| check_object(item, described));
        }
        Object::Node(node) => node,
    };
    if let Some(id) = node.id.as_deref()
        && !node.is_bare()
    {
        let ours = is_ours(node);
        match described.get(id) {
            Some(before) if *before || ours => return Err(JsonLdError::HiddenStatement),
            Some(_) => {}
            None => {
                described.insert(id, ours);
            }
        }
    }
    sets::check(node)?;
    let items = node.properties.iter().chain(&node.reverse);
    for item in items.flat_map(|(_, items)| items).chain(&node.included) {
        check_object(item, described)?;
    }
    node.graph.as_deref().map_or(Ok(()), check_graph)
}

fn is_ours(node: &Node<'_>) -> bool {
    node.properties
        .iter()
        .map(|(iri, _)| iri)
        .chain(&node.types)
        .any(|iri| term_of(iri).is_some())
}
