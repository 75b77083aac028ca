//! What a caller should know of something that verified (VCALM 1.0, "Verification Errors vs. Warnings").

use serde_json::{Value, json};
use vouchsafe_credentials::data_integrity::Secured;
use vouchsafe_credentials::problem::Problem as Kind;
use vouchsafe_credentials_jsonld::jsonld::brings_contexts;

use super::Parts;

/// Warnings about documents that verified.
pub(super) fn of<'v>(parts: &Parts, documents: impl IntoIterator<Item = &'v Value>) -> Vec<Value> {
    // Without that leave such documents are refused.
    let renamed = parts.inline_contexts && documents.into_iter().any(names_are_unsigned);
    match renamed {
        true => vec![json!({
            "type": Kind::CryptographicSecurity.url(),
            "title": Kind::CryptographicSecurity.name(),
            "code": "inline_context",
            "detail": "The document defines names itself, and its proof does not cover what they \
                mean: whoever passed it on may have renamed its claims and types.",
        })],
        false => Vec::new(),
    }
}

/// Whether a document has contexts of its own, and a proof that covers statements and not its JSON.
fn names_are_unsigned(document: &Value) -> bool {
    let of_statements = |secured: Secured| {
        let mut proofs = secured.proofs.iter();
        proofs.any(|proof| !proof.cryptosuite().contains("-jcs-"))
    };
    brings_contexts(document) && Secured::parse(document).is_ok_and(of_statements)
}
