//! The expanded form of a document, borrowed from it where it can be.

use std::sync::Arc;

use serde_json::{Number, Value};

use super::context::Direction;

/// An expanded document: every name an absolute IRI, nothing lost on the way.
#[derive(Debug)]
pub struct Expanded<'d> {
    pub(crate) nodes: Vec<Object<'d>>,
}

/// An item of a property.
#[derive(Clone, Debug)]
pub(crate) enum Object<'d> {
    Node(Box<Node<'d>>),
    Value(ValueObject<'d>),
    List(List<'d>),
}

/// A list object.
#[derive(Clone, Debug)]
pub(crate) struct List<'d> {
    pub(crate) items: Vec<Object<'d>>,
    pub(crate) index: Option<&'d str>,
}

/// A node object or a graph object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node<'d> {
    /// Address of the object in the document that it was made of; 0 where there is none.
    pub(crate) source: usize,
    pub(crate) id: Option<Arc<str>>,
    pub(crate) types: Vec<Arc<str>>,
    /// One entry for each member of the document; an IRI may come up twice.
    pub(crate) properties: Vec<(Arc<str>, Vec<Object<'d>>)>,
    pub(crate) reverse: Vec<(Arc<str>, Vec<Object<'d>>)>,
    pub(crate) graph: Option<Vec<Object<'d>>>,
    pub(crate) included: Vec<Object<'d>>,
    pub(crate) index: Option<&'d str>,
}

/// What a value object holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scalar<'d> {
    Text(&'d str),
    Bool(bool),
    Number(&'d Number),
    Json(&'d Value),
}

/// A value object.
#[derive(Clone, Debug)]
pub(crate) struct ValueObject<'d> {
    pub(crate) value: Scalar<'d>,
    pub(crate) datatype: Option<Arc<str>>,
    pub(crate) language: Option<Arc<str>>,
    pub(crate) direction: Option<Direction>,
    pub(crate) index: Option<&'d str>,
}

impl<'d> ValueObject<'d> {
    pub(crate) const fn plain(value: Scalar<'d>) -> Self {
        Self {
            value,
            datatype: None,
            language: None,
            direction: None,
            index: None,
        }
    }
}

impl<'d> Node<'d> {
    pub(crate) fn reference(id: Arc<str>) -> Self {
        Self {
            id: Some(id),
            ..Self::default()
        }
    }

    pub(crate) fn graph_of(item: Object<'d>) -> Self {
        Self {
            graph: Some(vec![item]),
            ..Self::default()
        }
    }

    /// Whether it says nothing but a name.
    pub(crate) fn is_bare(&self) -> bool {
        self.types.is_empty()
            && self.properties.is_empty()
            && self.reverse.is_empty()
            && self.graph.is_none()
            && self.included.is_empty()
    }

    pub(crate) fn is_graph_object(&self) -> bool {
        self.graph.is_some()
            && self.types.is_empty()
            && self.properties.is_empty()
            && self.reverse.is_empty()
            && self.included.is_empty()
    }
}
