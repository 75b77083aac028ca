//! Elements by namespace and identifier.

use std::collections::BTreeMap;

use crate::cbor::{CborError, Value, to_json};

/// Namespace and identifier of an element.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ElementPath {
    /// Namespace.
    pub namespace: String,
    /// `elementIdentifier`
    pub element: String,
}

impl ElementPath {
    /// The element `element` of `namespace`.
    #[must_use]
    pub fn new(namespace: &str, element: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            element: element.to_owned(),
        }
    }
}

/// Elements with their values, by namespace.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Elements(BTreeMap<String, BTreeMap<String, Value>>);

impl Elements {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an element. `false`, and no change, when it is there already.
    #[must_use = "an element that is there twice is ambiguous"]
    pub fn add(&mut self, namespace: &str, element: &str, value: Value) -> bool {
        let own = self.0.entry(namespace.to_owned()).or_default();
        let fresh = !own.contains_key(element);
        if fresh {
            own.insert(element.to_owned(), value);
        }
        fresh
    }

    /// The value of an element.
    #[must_use]
    pub fn get(&self, namespace: &str, element: &str) -> Option<&Value> {
        self.0.get(namespace)?.get(element)
    }

    /// The namespaces with their elements.
    pub fn namespaces(&self) -> impl Iterator<Item = (&str, &BTreeMap<String, Value>)> {
        self.0
            .iter()
            .map(|(name, elements)| (name.as_str(), elements))
    }

    /// The paths of all elements.
    #[must_use]
    pub fn paths(&self) -> Vec<ElementPath> {
        let of = |(namespace, elements): (&str, &BTreeMap<String, Value>)| {
            let paths = elements.keys().map(|own| ElementPath::new(namespace, own));
            paths.collect::<Vec<_>>()
        };
        self.namespaces().flat_map(of).collect()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.values().all(BTreeMap::is_empty)
    }

    /// The elements as a JSON object of objects, for claims queries (OpenID4VP 1.0, section 7.2).
    ///
    /// # Errors
    /// When a value has no JSON form.
    pub fn to_json(&self) -> Result<serde_json::Value, CborError> {
        let mut namespaces = serde_json::Map::new();
        for (name, elements) in &self.0 {
            let mut object = serde_json::Map::new();
            for (element, value) in elements {
                object.insert(element.clone(), to_json(value)?);
            }
            namespaces.insert(name.clone(), object.into());
        }
        Ok(namespaces.into())
    }
}
