//! Bounds of a document, checked before anything is expanded.

use serde_json::Value;

use super::JsonLdError;

/// Longest IRI, label, language tag and datatype in bytes. `data:` URLs are longer; their sum is bounded.
pub(super) const MAX_TERM_BYTES: usize = 4 << 10;
/// Most bytes of the terms of all statements of a document, each as often as it is written.
pub(super) const MAX_TERMS_BYTES: usize = 8 << 20;

/// Whether an IRI is of a usual length. A `data:` URL may be longer where the document has it written out.
pub(super) fn check_length(text: &str, iri: &str) -> Result<(), JsonLdError> {
    let written = text.len() == iri.len() && iri.starts_with("data:");
    if iri.len() > MAX_TERM_BYTES && !written {
        return Err(JsonLdError::LimitExceeded);
    }
    Ok(())
}

/// Bounds of a document.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most bytes of all strings and member names together, with one for each other value.
    pub bytes: usize,
    /// Deepest nesting.
    pub depth: usize,
    /// Most values (objects, arrays, strings, numbers).
    pub values: usize,
    /// Most contexts that the document may name or carry.
    pub contexts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 1 << 20,
            depth: 32,
            values: 20_000,
            contexts: 128,
        }
    }
}

impl Limits {
    pub(super) fn check(&self, document: &Value) -> Result<(), JsonLdError> {
        let mut left = *self;
        left.take(document, self.depth)
    }

    /// Recursion ends at `depth`.
    fn take(&mut self, value: &Value, depth: usize) -> Result<(), JsonLdError> {
        self.values = self
            .values
            .checked_sub(1)
            .ok_or(JsonLdError::LimitExceeded)?;
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => self.spend(1),
            Value::String(text) => self.spend(text.len()),
            Value::Array(items) => {
                let depth = depth.checked_sub(1).ok_or(JsonLdError::LimitExceeded)?;
                items.iter().try_for_each(|item| self.take(item, depth))
            }
            Value::Object(map) => {
                let depth = depth.checked_sub(1).ok_or(JsonLdError::LimitExceeded)?;
                map.iter().try_for_each(|(key, item)| {
                    self.spend(key.len())?;
                    self.take(item, depth)
                })
            }
        }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), JsonLdError> {
        self.bytes = self
            .bytes
            .checked_sub(bytes)
            .ok_or(JsonLdError::LimitExceeded)?;
        Ok(())
    }
}
