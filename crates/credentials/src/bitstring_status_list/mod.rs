//! Bitstring Status List 1.0: statuses of many credentials in one credential.
//!
//! - The issuer of a list packs a [`Bitstring`], writes [`list_credential`] and secures it as any credential.
//! - The issuer of a credential writes an [`Entry`] into `credentialStatus`.
//! - A verifier passes a [`StatusListSource`] with its policy ([`crate::vcdm::StatusPolicy`]).
//!
//! Not to be mixed up with [`crate::status_list`] (IETF Token Status List): here the
//! stream is GZIP in multibase, and index 0 is the *most* significant bit.
//!
//! ```
//! use serde_json::json;
//! use vouchsafe_credentials::bitstring_status_list::{
//!     Bitstring, Entry, FetchedList, ListOptions, RetrievalError, StatusListSource, list_credential,
//! };
//! use vouchsafe_credentials::crypto::{Algorithm, Portable, Signer, SigningKey};
//! use vouchsafe_credentials::data_integrity::{
//!     EddsaJcs2022, ProofOptions, ProofPurpose, SuiteSigner, Suites, add_proof, verify_credential,
//! };
//! use vouchsafe_credentials::did::{LocalResolver, key};
//! use vouchsafe_credentials::time::UnixTime;
//! use vouchsafe_credentials::vcdm::{Issuers, Policy, StatusLists, StatusPolicy};
//! # struct Fixed(u8);
//! # impl vouchsafe_credentials::random::Rng for Fixed {
//! #     fn fill(&self, buffer: &mut [u8]) { buffer.fill(self.0) }
//! # }
//! /// Serves one list; a program fetches it with guards and keeps it for its `ttl`.
//! struct Published(String);
//!
//! #[async_trait::async_trait]
//! impl StatusListSource for Published {
//!     async fn fetch(&self, _url: &str) -> Result<FetchedList, RetrievalError> {
//!         Ok(FetchedList { media_type: "application/vc".to_owned(), body: self.0.clone().into_bytes() })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let rng = Fixed(7);
//! let issuer = SigningKey::generate(Algorithm::EdDsa, &rng);
//! let did = key::encode(issuer.public_key());
//! let method = format!("{did}#{}", key::encode_multibase(issuer.public_key()));
//! let options = ProofOptions::new(method, ProofPurpose::AssertionMethod);
//! let signer = SuiteSigner::Signature(&issuer);
//!
//! // Issue: a list in which one place is set, itself a credential.
//! let url = "https://issuer.example/status/1";
//! let mut list = Bitstring::new(131_072, 1)?;
//! list.set(94_567, 1)?;
//! let list = list_credential(
//!     &ListOptions { id: url, issuer: &did, purpose: "revocation", valid_from: None, valid_until: None, ttl_ms: Some(300_000) },
//!     &list,
//! );
//! let published = Published(add_proof(&list, &options, &EddsaJcs2022, signer, &rng).await?.to_string());
//!
//! // Present: each credential names its place.
//! let credential = |place| json!({
//!     "@context": ["https://www.w3.org/ns/credentials/v2"],
//!     "type": ["VerifiableCredential"],
//!     "issuer": did,
//!     "credentialSubject": {"name": "Ada"},
//!     "credentialStatus": Entry::new("revocation", url, place).to_json(),
//! });
//! let good = add_proof(&credential(94_568), &options, &EddsaJcs2022, signer, &rng).await?;
//! let revoked = add_proof(&credential(94_567), &options, &EddsaJcs2022, signer, &rng).await?;
//!
//! // Verify.
//! let status = StatusPolicy::Required(StatusLists::new(&published));
//! let policy = Policy::new(Issuers::AnyResolvable, UnixTime(1_795_435_200), status);
//! let verified = verify_credential(&good, &Suites::jcs(), &policy, &LocalResolver, &Portable).await?;
//! assert_eq!(verified.get().issuer(), did);
//!
//! // Refuse: the place that is set.
//! let error = verify_credential(&revoked, &Suites::jcs(), &policy, &LocalResolver, &Portable).await.unwrap_err();
//! assert_eq!(error.code(), "status_revoked");
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

mod bits;
mod check;
mod entry;
mod error;
mod list;
#[cfg(test)]
mod tests;

pub use bits::{Bitstring, MAX_COMPRESSED_BYTES, MAX_LIST_BYTES, MIN_BITS};
pub(crate) use check::check;
pub use check::{CredentialStatus, FetchedList, MAX_CREDENTIAL, RetrievalError, StatusListSource};
pub use entry::{ENTRY_TYPE, Entry};
pub use error::StatusError;
pub use list::{ListOptions, StatusListCredential, list_credential};
