//! RDF terms and quads (RDF 1.1 Concepts).

use std::sync::Arc;

/// A subject, an object or the name of a graph.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Term {
    /// An absolute IRI.
    Iri(Arc<str>),
    /// A blank node; the label without `_:`.
    Blank(Arc<str>),
    /// A literal (only as an object).
    Literal(Literal),
}

impl Term {
    /// The label, where this is a blank node.
    #[must_use]
    pub fn blank_label(&self) -> Option<&str> {
        match self {
            Self::Blank(label) => Some(label),
            Self::Iri(_) | Self::Literal(_) => None,
        }
    }
}

/// A literal with its datatype.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Literal {
    /// The lexical form.
    pub value: Arc<str>,
    /// The datatype IRI (`xsd:string` for plain text, `rdf:langString` with a language).
    pub datatype: Arc<str>,
    /// The language tag, where there is one.
    pub language: Option<Arc<str>>,
}

/// A statement in a graph; `graph` is `None` in the default graph.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Quad {
    /// An IRI or a blank node.
    pub subject: Term,
    /// An IRI.
    pub predicate: Arc<str>,
    /// Any term.
    pub object: Term,
    /// An IRI or a blank node.
    pub graph: Option<Term>,
}
