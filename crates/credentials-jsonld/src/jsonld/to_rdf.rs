//! Deserialization to RDF (JSON-LD 1.1 API, section 8).

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Number;
use vouchsafe_credentials::crypto::sha256;

use super::JsonLdError;
use super::expanded::{Expanded, List, Node, Object, Scalar, ValueObject};
use super::limits::{MAX_TERMS_BYTES, check_length};
use super::vocabulary as iri;
use crate::rdf::{Literal, Quad, Term, to_nquad};

/// Collects the statements of a document.
struct Writer {
    quads: Vec<Quad>,
    /// Labels that the document uses itself.
    taken: HashSet<Arc<str>>,
    next: usize,
    /// What is left of the bytes of all terms.
    bytes: usize,
    /// Name list cells after their place, so that parts of a document agree on them.
    stable_lists: bool,
}

/// The statements of an expanded document.
pub(super) fn to_rdf(
    document: &Expanded<'_>,
    stable_lists: bool,
) -> Result<Vec<Quad>, JsonLdError> {
    let mut taken = HashSet::new();
    collect_labels(&document.nodes, &mut taken);
    let mut writer = Writer {
        quads: Vec::with_capacity(64),
        taken,
        next: 0,
        bytes: MAX_TERMS_BYTES,
        stable_lists,
    };
    for object in &document.nodes {
        writer.object(object, None)?;
    }
    Ok(writer.quads)
}

/// The labels of blank nodes in the document.
pub(super) fn collect_labels(objects: &[Object<'_>], labels: &mut HashSet<Arc<str>>) {
    for object in objects {
        match object {
            Object::Value(_) => {}
            Object::List(list) => collect_labels(&list.items, labels),
            Object::Node(node) => {
                for iri in node.id.iter().chain(&node.types) {
                    if let Some(label) = iri.strip_prefix("_:") {
                        labels.insert(Arc::from(label));
                    }
                }
                for (_, items) in node.properties.iter().chain(&node.reverse) {
                    collect_labels(items, labels);
                }
                collect_labels(node.graph.as_deref().unwrap_or_default(), labels);
                collect_labels(&node.included, labels);
            }
        }
    }
}

impl Writer {
    fn blank(&mut self) -> Term {
        loop {
            let label: Arc<str> = Arc::from(format!("b{}", self.next));
            self.next += 1;
            if !self.taken.contains(&label) {
                return Term::Blank(label);
            }
        }
    }

    fn push(
        &mut self,
        subject: &Term,
        predicate: &Arc<str>,
        object: Term,
        graph: Option<&Term>,
    ) -> Result<(), JsonLdError> {
        // A long name is written again with each statement: the sum counts, not the document.
        let bytes = check_iri(predicate)?
            + check_term(subject)?
            + check_term(&object)?
            + graph.map_or(Ok(0), check_term)?;
        self.bytes = self
            .bytes
            .checked_sub(bytes)
            .ok_or(JsonLdError::LimitExceeded)?;
        self.quads.push(Quad {
            subject: subject.clone(),
            predicate: Arc::clone(predicate),
            object,
            graph: graph.cloned(),
        });
        Ok(())
    }

    fn object(&mut self, object: &Object<'_>, graph: Option<&Term>) -> Result<Term, JsonLdError> {
        match object {
            Object::Node(node) => self.node(node, graph),
            Object::Value(value) => literal(value).map(Term::Literal),
            Object::List(_) => Err(JsonLdError::InvalidSetOrList),
        }
    }

    fn node(&mut self, node: &Node<'_>, graph: Option<&Term>) -> Result<Term, JsonLdError> {
        no_index(node.index)?;
        let subject = match &node.id {
            Some(id) => resource(id),
            None => self.blank(),
        };
        for class in &node.types {
            self.push(&subject, iri::rdf_type(), resource(class), graph)?;
        }
        for (predicate, items) in &node.properties {
            for item in items {
                let object = match item {
                    Object::List(list) => self.list((&subject, predicate), list, graph)?,
                    Object::Node(_) | Object::Value(_) => self.object(item, graph)?,
                };
                self.push(&subject, predicate, object, graph)?;
            }
        }
        for (predicate, items) in &node.reverse {
            for item in items {
                let other = self.object(item, graph)?;
                self.push(&other, predicate, subject.clone(), graph)?;
            }
        }
        for item in &node.included {
            self.object(item, graph)?;
        }
        for item in node.graph.as_deref().unwrap_or_default() {
            self.object(item, Some(&subject))?;
        }
        Ok(subject)
    }

    /// The cells of a list (section 8.3); the first one, or `rdf:nil`.
    fn list(
        &mut self,
        place: (&Term, &Arc<str>),
        list: &List<'_>,
        graph: Option<&Term>,
    ) -> Result<Term, JsonLdError> {
        no_index(list.index)?;
        let mut cells = Vec::with_capacity(list.items.len() + 1);
        for position in 0..list.items.len() {
            cells.push(if self.stable_lists {
                self.stable_cell(place, position)?
            } else {
                self.blank()
            });
        }
        cells.push(Term::Iri(Arc::clone(iri::rdf_nil())));
        for (item, pair) in list.items.iter().zip(cells.windows(2)) {
            let [cell, rest] = pair else { continue };
            let object = match item {
                Object::List(inner) => self.list((cell, iri::rdf_first()), inner, graph)?,
                Object::Node(_) | Object::Value(_) => self.object(item, graph)?,
            };
            self.push(cell, iri::rdf_first(), object, graph)?;
            self.push(cell, iri::rdf_rest(), rest.clone(), graph)?;
        }
        Ok(cells.swap_remove(0))
    }

    /// A cell that every part of a skolemized document gives the same label. With two lists at one
    /// place the cells could not be told apart.
    fn stable_cell(
        &mut self,
        (subject, predicate): (&Term, &Arc<str>),
        position: usize,
    ) -> Result<Term, JsonLdError> {
        let place = Quad {
            subject: subject.clone(),
            predicate: Arc::clone(predicate),
            object: Term::Blank(Arc::from(position.to_string())),
            graph: None,
        };
        let hash = sha256(to_nquad(&place).as_bytes());
        let mut label = String::with_capacity(33);
        label.push('l');
        for byte in hash.iter().take(16) {
            // Writing to a String does not fail.
            let _ = write!(label, "{byte:02x}");
        }
        let label: Arc<str> = Arc::from(label);
        if !self.taken.insert(Arc::clone(&label)) {
            return Err(JsonLdError::NotSkolemizable);
        }
        Ok(Term::Blank(label))
    }
}

/// The bytes of a term, where its parts are of a usual length.
fn check_term(term: &Term) -> Result<usize, JsonLdError> {
    match term {
        Term::Iri(iri) | Term::Blank(iri) => check_iri(iri),
        Term::Literal(literal) => {
            let language = literal.language.as_ref().map_or(Ok(0), check_iri)?;
            Ok(literal.value.len() + check_iri(&literal.datatype)? + language)
        }
    }
}

fn check_iri(iri: &Arc<str>) -> Result<usize, JsonLdError> {
    check_length(iri, iri).map(|()| iri.len())
}

/// RDF has no place for `@index`: it would stay unsigned.
fn no_index(index: Option<&str>) -> Result<(), JsonLdError> {
    if index.is_some() {
        Err(JsonLdError::DroppedValue)
    } else {
        Ok(())
    }
}

pub(super) fn resource(iri: &Arc<str>) -> Term {
    match iri.strip_prefix("_:") {
        Some(label) => Term::Blank(Arc::from(label)),
        None => Term::Iri(Arc::clone(iri)),
    }
}

/// Section 8.2.
pub(super) fn literal(object: &ValueObject<'_>) -> Result<Literal, JsonLdError> {
    no_index(object.index)?;
    let datatype = |default: &Arc<str>| object.datatype.as_ref().unwrap_or(default).clone();
    let (value, datatype): (Arc<str>, Arc<str>) = match object.value {
        Scalar::Json(json) => {
            let text = vouchsafe_credentials::jcs::canonicalize(json)
                .map_err(|_| JsonLdError::InvalidNumber)?;
            (Arc::from(text), Arc::clone(iri::rdf_json()))
        }
        Scalar::Bool(value) => (
            Arc::from(if value { "true" } else { "false" }),
            datatype(iri::xsd_boolean()),
        ),
        Scalar::Number(value) => number(value, object.datatype.as_ref())?,
        Scalar::Text(text) => return Ok(text_literal(object, text)),
    };
    Ok(Literal {
        value,
        datatype,
        language: None,
    })
}

fn text_literal(object: &ValueObject<'_>, text: &str) -> Literal {
    let language = object.language.clone();
    let datatype = match (&object.datatype, object.direction, &language) {
        (Some(datatype), _, _) => Arc::clone(datatype),
        (None, Some(direction), _) => {
            // JSON-LD 1.1, section 10.1: the datatype carries language and direction.
            let tag = language.as_deref().unwrap_or_default();
            let datatype = format!("{}{tag}_{}", iri::I18N, direction.name());
            return Literal {
                value: Arc::from(text),
                datatype: datatype.into(),
                language: None,
            };
        }
        (None, None, Some(_)) => Arc::clone(iri::rdf_lang_string()),
        (None, None, None) => Arc::clone(iri::xsd_string()),
    };
    Literal {
        value: Arc::from(text),
        datatype,
        language,
    }
}

/// Integers and doubles in canonical form (section 8.2.2, steps 9 to 11, and section 8.6).
fn number(
    number: &Number,
    datatype: Option<&Arc<str>>,
) -> Result<(Arc<str>, Arc<str>), JsonLdError> {
    let double = datatype.is_some_and(|datatype| datatype == iri::xsd_double());
    let chosen = |default: &Arc<str>| datatype.unwrap_or(default).clone();
    if !double {
        if let Some(integer) = number.as_i64() {
            return Ok((integer.to_string().into(), chosen(iri::xsd_integer())));
        }
        if let Some(integer) = number.as_u64() {
            return Ok((integer.to_string().into(), chosen(iri::xsd_integer())));
        }
    }
    let value = number
        .as_f64()
        .filter(|value| value.is_finite())
        .ok_or(JsonLdError::InvalidNumber)?;
    if !double && value.fract() == 0.0 && value.abs() < 1e21 {
        // Adding zero turns minus zero into zero.
        return Ok((
            format!("{:.0}", value + 0.0).into(),
            chosen(iri::xsd_integer()),
        ));
    }
    let text = canonical_double(value);
    // Sixteen digits do not hold every double: a neighbour would have the same statement.
    if text.parse() != Ok(value) {
        return Err(JsonLdError::InvalidNumber);
    }
    Ok((text.into(), chosen(iri::xsd_double())))
}

/// Whether a number or a truth value gives this literal.
pub(super) fn is_native(text: &str, datatype: &str) -> bool {
    if *datatype == **iri::xsd_boolean() {
        return matches!(text, "true" | "false");
    }
    let native = match text.parse::<i64>() {
        Ok(integer) if *datatype == **iri::xsd_integer() => Some(Number::from(integer)),
        _ => text.parse().ok().and_then(Number::from_f64),
    };
    let said = native.and_then(|native| number(&native, None).ok());
    said.is_some_and(|(value, kind)| *value == *text && *kind == *datatype)
}

/// XSD canonical double with at most fifteen digits after the point.
fn canonical_double(value: f64) -> String {
    let text = format!("{value:.15e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let fraction = if fraction.is_empty() { "0" } else { fraction };
    format!("{whole}.{fraction}E{exponent}")
}
