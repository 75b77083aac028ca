//! Statements by their subject, compared with members of JSON.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;
use vouchsafe_credentials::jcs;

use super::vocabulary as iri;
use crate::rdf::{Quad, Term};

/// The JSON says something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Differs;

/// The statements of a dataset by graph and subject, each in the order of the document.
pub(super) struct Statements<'q> {
    graphs: Vec<Graph<'q>>,
    places: HashMap<Option<&'q Term>, usize>,
}

#[derive(Default)]
struct Graph<'q> {
    said: Vec<Vec<&'q Quad>>,
    subjects: HashMap<&'q Term, usize>,
    /// What properties point at.
    objects: HashSet<&'q Term>,
}

/// A node of a graph with what is said about it.
pub(super) struct Node<'s, 'q> {
    graph: &'s Graph<'q>,
    said: &'s [&'q Quad],
}

impl<'q> Statements<'q> {
    pub(super) fn new(quads: &'q [Quad]) -> Self {
        let mut all = Self {
            graphs: Vec::new(),
            places: HashMap::new(),
        };
        // Statements about one node mostly follow each other.
        let mut last: Option<(&'q Quad, usize, usize)> = None;
        for quad in quads {
            let (graph, subject) = match last {
                Some((before, graph, subject)) if before.graph == quad.graph => {
                    let same = before.subject == quad.subject;
                    (graph, same.then_some(subject))
                }
                Some(_) | None => (all.place(quad.graph.as_ref()), None),
            };
            let to = &mut all.graphs[graph];
            let subject = subject.unwrap_or_else(|| to.place(&quad.subject));
            to.said[subject].push(quad);
            if !matches!(quad.object, Term::Literal(_)) && *quad.predicate != *iri::TYPE {
                to.objects.insert(&quad.object);
            }
            last = Some((quad, graph, subject));
        }
        all
    }

    fn place(&mut self, graph: Option<&'q Term>) -> usize {
        *self.places.entry(graph).or_insert_with(|| {
            self.graphs.push(Graph::default());
            self.graphs.len() - 1
        })
    }

    /// The node that `document` describes: it has the name that the JSON says, and it alone may be
    /// described without something that points at it.
    pub(super) fn root(
        &self,
        graph: Option<&'q Term>,
        document: &Value,
    ) -> Result<Node<'_, 'q>, Differs> {
        let place = self.places.get(&graph).ok_or(Differs)?;
        let graph = self.graphs.get(*place).ok_or(Differs)?;
        let mut free = graph
            .subjects
            .keys()
            .filter(|term| !graph.objects.contains(*term));
        let (first, second) = (free.next(), free.next());
        let name = name_of(document)?;
        let root: &Term = match (name, first, second) {
            (_, Some(free), None) if is(free, name) => free,
            // Something of the document refers to the document.
            (Some(name), None, None) => {
                let named = |term: &&&Term| matches!(term, Term::Iri(iri) if **iri == *name);
                graph.subjects.keys().find(named).ok_or(Differs)?
            }
            _ => return Err(Differs),
        };
        Ok(graph.node(root))
    }
}

impl<'q> Graph<'q> {
    fn place(&mut self, subject: &'q Term) -> usize {
        *self.subjects.entry(subject).or_insert_with(|| {
            self.said.push(Vec::new());
            self.said.len() - 1
        })
    }

    fn node(&self, term: &Term) -> Node<'_, 'q> {
        let place = self.subjects.get(term);
        let said = place.and_then(|place| self.said.get(*place));
        Node {
            graph: self,
            said: said.map_or(&[][..], Vec::as_slice),
        }
    }
}

impl<'s, 'q> Node<'s, 'q> {
    /// Every property of the node.
    pub(super) fn predicates(&self) -> impl Iterator<Item = &'q str> {
        self.said.iter().map(|quad| &*quad.predicate)
    }

    fn objects(&self, predicate: &str) -> impl Iterator<Item = &'q Term> {
        let of = move |quad: &&&'q Quad| *quad.predicate == *predicate;
        self.said.iter().filter(of).map(|quad| &quad.object)
    }

    pub(super) fn has_type(&self, class: &str) -> bool {
        self.objects(iri::TYPE)
            .any(|term| matches!(term, Term::Iri(iri) if **iri == *class))
    }

    /// As many types as the JSON has; those that decide how a document is read, and those that are
    /// written as IRIs, are the very same.
    pub(super) fn types(&self, object: &Value) -> Result<(), Differs> {
        let mut names = BTreeSet::new();
        for item in items(object.get("type")) {
            names.insert(item.as_str().ok_or(Differs)?);
        }
        let types: BTreeSet<&Term> = self.objects(iri::TYPE).collect();
        let stands = |name: &&str| match iri::type_of(name) {
            Some(iri) => self.has_type(iri),
            None => !name.contains(':') || self.has_type(name),
        };
        let known = |term: &&&Term| matches!(term, Term::Iri(iri) if iri::is_known_type(iri));
        let named = names.iter().filter(|name| {
            let iri = iri::type_of(name).unwrap_or(name);
            iri::is_known_type(iri)
        });
        let same = names.len() == types.len()
            && names.iter().all(stands)
            && named.count() == types.iter().filter(known).count();
        same.then_some(()).ok_or(Differs)
    }

    /// The texts and integers of a member are those of the literals.
    pub(super) fn texts(&self, predicate: &str, member: Option<&Value>) -> Result<(), Differs> {
        let mut written = BTreeSet::new();
        for item in items(member) {
            written.insert(match item {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.as_u64().ok_or(Differs)?.to_string(),
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                    return Err(Differs);
                }
            });
        }
        let mut said = BTreeSet::new();
        for term in self.objects(predicate) {
            match term {
                Term::Literal(literal) => said.insert(&*literal.value),
                Term::Iri(_) | Term::Blank(_) => return Err(Differs),
            };
        }
        let same = written.iter().map(String::as_str).eq(said);
        same.then_some(()).ok_or(Differs)
    }

    /// The objects of a member are, one after the other, the nodes that the statements name; gives both.
    pub(super) fn links<'v>(
        &self,
        predicate: &str,
        member: Option<&'v Value>,
    ) -> Result<Vec<(&'v Value, Node<'s, 'q>)>, Differs> {
        let mut objects = self.objects(predicate);
        let mut pairs = Vec::new();
        for item in items(member) {
            let term = objects.next().ok_or(Differs)?;
            if !is(term, name_of(item)?) {
                return Err(Differs);
            }
            pairs.push((item, self.graph.node(term)));
        }
        objects.next().is_none().then_some(pairs).ok_or(Differs)
    }

    /// The same where the statements have that property at all.
    pub(super) fn links_where_known<'v>(
        &self,
        predicate: &str,
        member: Option<&'v Value>,
    ) -> Result<Vec<(&'v Value, Node<'s, 'q>)>, Differs> {
        match self.objects(predicate).next() {
            None => Ok(Vec::new()),
            Some(_) => self.links(predicate, member),
        }
    }

    /// The node that a member names, by its IRI.
    pub(super) fn link_to(&self, predicate: &str, wanted: Option<&str>) -> Result<(), Differs> {
        let mut objects = self.objects(predicate);
        let same = match (objects.next(), wanted) {
            (None, None) => true,
            (Some(Term::Iri(iri)), Some(wanted)) => **iri == *wanted,
            _ => false,
        };
        (same && objects.next().is_none())
            .then_some(())
            .ok_or(Differs)
    }

    /// The objects of a member are, one after the other, graphs without a name of their own.
    pub(super) fn graphs<'v>(
        &self,
        predicate: &str,
        member: Option<&'v Value>,
    ) -> Result<Vec<(&'v Value, &'q Term)>, Differs> {
        let mut objects = self.objects(predicate);
        let mut pairs = Vec::new();
        for item in items(member) {
            match objects.next() {
                Some(graph @ Term::Blank(_)) => pairs.push((item, graph)),
                _ => return Err(Differs),
            }
        }
        objects.next().is_none().then_some(pairs).ok_or(Differs)
    }

    /// A member that is one JSON literal.
    pub(super) fn json(&self, predicate: &str, member: Option<&Value>) -> Result<(), Differs> {
        let mut objects = self.objects(predicate);
        let same = match (objects.next(), member) {
            (None, None) => true,
            (Some(Term::Literal(literal)), Some(value)) => {
                let text = jcs::canonicalize(value).map_err(|_| Differs)?;
                *literal.value == *text
            }
            _ => false,
        };
        (same && objects.next().is_none())
            .then_some(())
            .ok_or(Differs)
    }
}

/// The values of a member: its elements where it is an array.
pub(super) fn items(member: Option<&Value>) -> impl Iterator<Item = &Value> {
    match member {
        None => [].iter(),
        Some(Value::Array(items)) => items.iter(),
        Some(one) => std::slice::from_ref(one).iter(),
    }
}

/// The name that a value gives to a node: a reference, the `id` of an object, or none.
fn name_of(value: &Value) -> Result<Option<&str>, Differs> {
    match value {
        Value::String(name) => Ok(Some(name)),
        Value::Object(members) => match members.get("id") {
            None => Ok(None),
            Some(id) => id.as_str().map(Some).ok_or(Differs),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => Err(Differs),
    }
}

/// Whether a node has that name. The label of a blank node is a name inside of one document, and no more.
fn is(term: &Term, name: Option<&str>) -> bool {
    match (term, name) {
        (Term::Iri(iri), Some(name)) => **iri == *name,
        (Term::Blank(_), Some(name)) => name.starts_with("_:"),
        (Term::Blank(_), None) => true,
        (Term::Iri(_), None) | (Term::Literal(_), _) => false,
    }
}
