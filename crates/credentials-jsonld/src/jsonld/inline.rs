//! Contexts that a document brings.

use serde_json::Value;

/// Whether a document defines names itself: a context that is written out, takes others away, or
/// stands elsewhere than at the root, in a credential of a presentation and in a proof. Such documents are
/// read with [`super::Options::inline_contexts`] alone, and no signature of RDF covers what their names mean.
///
/// The document was parsed with a bound on its depth.
#[must_use]
pub fn brings_contexts(document: &Value) -> bool {
    brings(document, true)
}

fn brings(value: &Value, may_name: bool) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| brings(item, may_name)),
        Value::Object(members) => members.iter().any(|(name, member)| match name.as_str() {
            "@context" => !(may_name && names_documents(member)),
            "proof" | "verifiableCredential" => brings(member, true),
            _ => brings(member, false),
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn names_documents(context: &Value) -> bool {
    match context {
        Value::Array(items) => items.iter().all(Value::is_string),
        one => one.is_string(),
    }
}
