//! IRI expansion (JSON-LD 1.1 API, section 5.2) with a finished context.

use std::sync::Arc;

use super::super::iri::{has_scheme, resolve};
use super::super::keyword::{Keyword, is_reserved};
use super::{ActiveContext, Mapping};

impl ActiveContext {
    /// A member name or a type: relative to the vocabulary.
    pub(crate) fn expand_vocab(&self, text: &str) -> Mapping {
        if let Some(definition) = self.term(text) {
            return definition.iri.clone();
        }
        self.expand_other(text, true, false)
    }

    /// A type or a `@vocab` reference: relative to the vocabulary, then to the document.
    pub(crate) fn expand_vocab_or_base(&self, text: &str) -> Mapping {
        if let Some(definition) = self.term(text) {
            return definition.iri.clone();
        }
        self.expand_other(text, true, true)
    }

    /// An id: relative to the document.
    pub(crate) fn expand_id(&self, text: &str) -> Mapping {
        if let Some(Mapping::Keyword(keyword)) = self.term(text).map(|term| &term.iri) {
            return Mapping::Keyword(*keyword);
        }
        self.expand_other(text, false, true)
    }

    /// What is left once `text` is known to be no term.
    pub(in crate::jsonld) fn expand_other(&self, text: &str, vocab: bool, base: bool) -> Mapping {
        if text.starts_with('@') {
            if let Some(keyword) = Keyword::parse(text) {
                return Mapping::Keyword(keyword);
            }
            if is_reserved(text) {
                return Mapping::Null;
            }
        }
        if let Some((prefix, suffix)) = split_compact(text) {
            if prefix == "_" || suffix.starts_with("//") {
                return Mapping::Iri(Arc::from(text));
            }
            if let Some(definition) = self.term(prefix)
                && definition.prefix
                && let Mapping::Iri(iri) = &definition.iri
            {
                return Mapping::Iri(concat(iri, suffix));
            }
            if has_scheme(text) {
                return Mapping::Iri(Arc::from(text));
            }
        }
        if vocab && let Some(vocab) = &self.vocab {
            return Mapping::Iri(concat(vocab, text));
        }
        match &self.base {
            Some(iri) if base => Mapping::Iri(Arc::from(resolve(iri, text))),
            Some(_) | None => Mapping::Iri(Arc::from(text)),
        }
    }
}

pub(super) fn concat(left: &str, right: &str) -> Arc<str> {
    let mut text = String::with_capacity(left.len() + right.len());
    text.push_str(left);
    text.push_str(right);
    Arc::from(text)
}

/// Splits at the first colon that is not the first character.
pub(super) fn split_compact(text: &str) -> Option<(&str, &str)> {
    let colon = text.bytes().skip(1).position(|byte| byte == b':')? + 1;
    Some((&text[..colon], &text[colon + 1..]))
}
