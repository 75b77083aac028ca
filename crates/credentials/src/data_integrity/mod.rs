//! Verifiable Credential Data Integrity 1.0: proofs that stand in the document they secure.
//!
//! - [`verify_credential`] and [`verify_presentation`] are the ways to a
//!   `Verified<…>`; [`verify_proofs`] is below them, for documents of other kinds.
//! - [`add_proof`] secures a document, also with proof sets and chains.
//! - A [`Cryptosuite`] knows how one kind of proof is made and checked; the caller
//!   passes a table of those it allows ([`Suites`]). This crate has the two that need
//!   no JSON-LD: [`EddsaJcs2022`] and [`EcdsaJcs2019`].

mod create;
mod credential;
mod error;
mod jcs_suites;
mod presentation;
mod proof;
mod suite;
#[cfg(test)]
mod tests;
mod verify;

pub use create::add_proof;
pub use credential::verify_credential;
pub use error::{ProofError, SuiteError};
pub use jcs_suites::{EcdsaJcs2019, EddsaJcs2022};
pub use presentation::verify_presentation;
pub use proof::{MAX_PROOF_VALUE, MAX_PROOFS, Proof, ProofPurpose, Secured};
pub use suite::{BbsSigner, Cryptosuite, DeriveOptions, ProofOptions, SuiteSigner, Suites};
pub(crate) use verify::method_key;
pub use verify::{ProofPolicy, ProvenDocument, VerifiedProof, verify_proofs};
