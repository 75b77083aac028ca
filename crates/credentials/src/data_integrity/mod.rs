//! Verifiable Credential Data Integrity 1.0: proofs that stand in the document they secure.
//!
//! - [`verify_credential`] and [`verify_presentation`] are the ways to a
//!   `Verified<…>`; [`verify_proofs`] is below them, for documents of other kinds.
//! - [`add_proof`] secures a document, also with proof sets and chains.
//! - A [`Cryptosuite`] knows how one kind of proof is made and checked; the caller
//!   passes a table of those it allows ([`Suites`]). This crate has the two that need
//!   no JSON-LD: [`EddsaJcs2022`] and [`EcdsaJcs2019`].
//!
//! Who verifies what somebody else sent parses it with [`crate::json`], which keeps every
//! number exact and refuses duplicate members; other parsers change what was signed.
//!
//! Issue, present and verify:
//!
//! ```
//! use serde_json::json;
//! use vouchsafe_credentials::crypto::{Algorithm, Portable, Signer, SigningKey};
//! use vouchsafe_credentials::data_integrity::{
//!     EddsaJcs2022, ProofOptions, ProofPurpose, SuiteSigner, Suites, add_proof, verify_credential,
//!     verify_presentation,
//! };
//! use vouchsafe_credentials::did::{LocalResolver, key};
//! use vouchsafe_credentials::time::UnixTime;
//! use vouchsafe_credentials::vcdm::{
//!     Binding, EmptyPresentation, HolderPolicy, Issuers, Policy, PresentationPolicy, StatusPolicy,
//! };
//! # struct Fixed(u8);
//! # impl vouchsafe_credentials::random::Rng for Fixed {
//! #     fn fill(&self, buffer: &mut [u8]) { buffer.fill(self.0) }
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let rng = Fixed(7); // In a program: the system's random source.
//! let issuer = SigningKey::generate(Algorithm::EdDsa, &rng);
//! let did = key::encode(issuer.public_key());
//! let method = format!("{did}#{}", key::encode_multibase(issuer.public_key()));
//!
//! // Issue.
//! let credential = json!({
//!     "@context": ["https://www.w3.org/ns/credentials/v2"],
//!     "type": ["VerifiableCredential"],
//!     "issuer": did,
//!     "credentialSubject": {"id": did, "name": "Ada"},
//! });
//! let signer = SuiteSigner::Signature(&issuer);
//! let options = ProofOptions::new(&method, ProofPurpose::AssertionMethod);
//! let secured = add_proof(&credential, &options, &EddsaJcs2022, signer, &rng).await?;
//!
//! // The holder verifies what it gets.
//! let policy = Policy::new(Issuers::AnyResolvable, UnixTime(1_795_435_200), StatusPolicy::Unchecked);
//! let verified = verify_credential(&secured, &Suites::jcs(), &policy, &LocalResolver, &Portable).await?;
//! assert_eq!(verified.get().issuer(), did);
//!
//! // Present (here the same party): to one verifier, once.
//! let presentation = json!({
//!     "@context": ["https://www.w3.org/ns/credentials/v2"],
//!     "type": "VerifiablePresentation",
//!     "holder": did,
//!     "verifiableCredential": [secured],
//! });
//! let mut options = ProofOptions::new(&method, ProofPurpose::Authentication);
//! options.challenge = Some("n-0S6_WzA2Mj".to_owned());
//! options.domain = vec!["verifier.example".to_owned()];
//! let presented = add_proof(&presentation, &options, &EddsaJcs2022, signer, &rng).await?;
//!
//! // Verify.
//! let mut expected = PresentationPolicy {
//!     credentials: policy,
//!     challenge: Binding::Expected("n-0S6_WzA2Mj"),
//!     domain: Binding::Expected("verifier.example"),
//!     holder: HolderPolicy::IsSubject,
//!     empty: EmptyPresentation::Refused,
//! };
//! let suites = Suites::jcs();
//! let verified = verify_presentation(&presented, &suites, &expected, &LocalResolver, &Portable).await?;
//! assert_eq!(verified.get().credentials().len(), 1);
//!
//! // Refuse: it was made for another challenge.
//! expected.challenge = Binding::Expected("another");
//! let error = verify_presentation(&presented, &suites, &expected, &LocalResolver, &Portable).await.unwrap_err();
//! assert_eq!(error.code(), "proof_challenge");
//! # Ok(())
//! # }
//! ```

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unwrap_used
    )
)]

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
pub(crate) use credential::verify_presented;
pub use error::{ProofError, SuiteError};
pub use jcs_suites::{EcdsaJcs2019, EddsaJcs2022};
pub use presentation::verify_presentation;
pub use proof::{MAX_PROOF_VALUE, MAX_PROOFS, Proof, ProofPurpose, Secured};
pub use suite::{BbsSigner, Cryptosuite, DeriveOptions, ProofOptions, SuiteSigner, Suites};
pub(crate) use verify::method_key;
pub use verify::{ProofPolicy, ProvenDocument, VerifiedProof, verify_proofs};
