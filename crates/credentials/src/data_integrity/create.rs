//! Securing a document (Data Integrity 1.0, sections 4.2 and 4.4).

use serde_json::Value;

use super::proof::without_proof;
use super::verify::{matching, seal};
use super::{Cryptosuite, MAX_PROOFS, Proof, ProofError, ProofOptions, Secured, SuiteSigner};
use crate::random::Rng;

/// Adds a proof. A document that has proofs already gets a proof set, or, with
/// [`ProofOptions::previous`], a proof chain.
///
/// # Errors
/// [`ProofError`]: the options, the canonical form, the key, the signer.
pub async fn add_proof(
    document: &Value,
    options: &ProofOptions,
    suite: &dyn Cryptosuite,
    signer: SuiteSigner<'_>,
    rng: &dyn Rng,
) -> Result<Value, ProofError> {
    let members = document.as_object().ok_or(ProofError::Document)?;
    let known = match members.get("proof") {
        None => Vec::new(),
        Some(_) => Secured::parse(document)?.proofs,
    };
    if known.len() == MAX_PROOFS {
        return Err(ProofError::TooMany);
    }
    let own_id_taken = options
        .id
        .as_deref()
        .is_some_and(|id| known.iter().any(|proof| proof.id() == Some(id)));
    if own_id_taken {
        return Err(ProofError::DuplicateId);
    }
    let mut input = without_proof(members);
    seal(
        &mut input,
        matching(&known, &options.previous, options.id.as_deref())?,
    );
    let proof = Value::Object(suite.create(&input, options, signer, rng).await?);
    // What we make, we can read.
    Proof::parse(&proof)?;
    let mut secured = members.clone();
    let proof = match secured.get("proof") {
        None => proof,
        Some(Value::Array(proofs)) => Value::Array(proofs.iter().cloned().chain([proof]).collect()),
        Some(one) => Value::Array(vec![one.clone(), proof]),
    };
    secured.insert("proof".to_owned(), proof);
    Ok(Value::Object(secured))
}
