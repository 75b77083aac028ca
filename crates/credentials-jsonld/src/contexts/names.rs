//! Which IRIs have a name in some context document.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use super::Contexts;
use crate::jsonld::context::{ActiveContext, Mapping, Processor, Scoped};

/// Deepest contexts of terms of contexts of terms.
const MAX_DEPTH: usize = 8;

/// The IRIs of the terms of all context documents, and their vocabularies.
#[derive(Debug, Default)]
pub(super) struct Names {
    terms: HashSet<Arc<str>>,
    vocabularies: HashSet<Arc<str>>,
}

impl Names {
    /// A document that cannot be processed names nothing: no document can use it.
    pub(super) fn of(contexts: &Contexts) -> Self {
        let mut names = Self::default();
        for url in contexts.urls() {
            if let Some(document) = contexts.document(url) {
                let mut processor = Processor::new(contexts, false, false, 0);
                names.collect(&mut processor, contexts.initial(), document, 0);
            }
        }
        names
    }

    pub(super) fn has(&self, iri: &str) -> bool {
        let within =
            |vocabulary: &Arc<str>| iri.len() > vocabulary.len() && iri.starts_with(&**vocabulary);
        self.terms.contains(iri) || self.vocabularies.iter().any(within)
    }

    fn collect(
        &mut self,
        processor: &mut Processor<'_>,
        outer: &Arc<ActiveContext>,
        context: &Arc<Scoped>,
        depth: usize,
    ) {
        let Ok(active) = processor.scoped(outer, context, true, true) else {
            return;
        };
        self.vocabularies.extend(active.vocab.clone());
        for definition in terms(&context.value).filter_map(|term| active.term(term)) {
            if let Mapping::Iri(iri) = &definition.iri {
                self.terms.insert(Arc::clone(iri));
            }
            if let Some(inner) = &definition.context
                && depth < MAX_DEPTH
            {
                self.collect(processor, &active, inner, depth + 1);
            }
        }
    }
}

/// What a context defines itself. The documents that it names are asked on their own.
fn terms(context: &Value) -> impl Iterator<Item = &String> {
    let items = match context {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let maps = items.iter().filter_map(Value::as_object);
    maps.flat_map(|map| map.keys())
}
