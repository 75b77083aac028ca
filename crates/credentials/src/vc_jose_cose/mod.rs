//! Securing Verifiable Credentials using JOSE and COSE 1.0: credentials and presentations of VCDM 2.0 in an envelope.
//!
//! `vc+jwt`, `vp+jwt`, `vc+sd-jwt`, `vp+sd-jwt`, `vc+cose`, `vp+cose`. The payload *is*
//! the document. That makes them other formats than `jwt_vc_json` (data model 1.1 in a
//! claim `vc`) and `dc+sd-jwt` ([`crate::sd_jwt_vc`]): nothing here guesses between
//! them, the caller says which envelope it has.
//!
//! - [`verify_credential`], [`verify_presentation`]: by policy, to a `Verified<…>`.
//! - [`open_presentation`]: the envelope of a presentation alone, to an [`EnvelopeOnly`].
//! - [`issue_jwt`], [`issue_sd_jwt`], [`issue_cose`].
//!
//! ```
//! use serde_json::json;
//! use vouchsafe_credentials::crypto::{Algorithm, Portable, Signer, SigningKey};
//! use vouchsafe_credentials::data_integrity::Suites;
//! use vouchsafe_credentials::did::{LocalResolver, key};
//! use vouchsafe_credentials::time::UnixTime;
//! use vouchsafe_credentials::vc_jose_cose::{
//!     KeySource, issue_cose, issue_jwt, verify_credential, verify_presentation,
//! };
//! use vouchsafe_credentials::vcdm::{
//!     Binding, EmptyPresentation, EnvelopeType, Enveloped, HolderPolicy, Issuers, Policy,
//!     PresentationPolicy, StatusPolicy,
//! };
//! # struct Fixed(u8);
//! # impl vouchsafe_credentials::random::Rng for Fixed {
//! #     fn fill(&self, buffer: &mut [u8]) { buffer.fill(self.0) }
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let rng = Fixed(7);
//! let issuer = SigningKey::generate(Algorithm::Es256, &rng);
//! let did = key::encode(issuer.public_key());
//! let kid = format!("{did}#{}", key::encode_multibase(issuer.public_key()));
//! let credential = json!({
//!     "@context": ["https://www.w3.org/ns/credentials/v2"],
//!     "type": ["VerifiableCredential"],
//!     "issuer": did,
//!     "credentialSubject": {"id": did, "name": "Ada"},
//! });
//!
//! // Issue: vc+jwt, and the same as vc+cose.
//! let jwt = issue_jwt(&credential, EnvelopeType::VcJwt, &kid, &issuer).await?;
//! let cose = issue_cose(&credential, EnvelopeType::VcCose, &kid, &issuer).await?;
//!
//! // The holder verifies what it gets.
//! let policy = Policy::new(Issuers::AnyResolvable, UnixTime(1_795_435_200), StatusPolicy::Unchecked);
//! let keys = KeySource::Resolver(&LocalResolver);
//! let envelopes = [
//!     Enveloped::new(EnvelopeType::VcJwt, jwt),
//!     Enveloped::new(EnvelopeType::VcCose, cose),
//! ];
//! for envelope in &envelopes {
//!     let verified = verify_credential(envelope, keys, &Suites::jcs(), &policy, &Portable).await?;
//!     assert_eq!(verified.get().issuer(), did);
//! }
//!
//! // Present: both in one presentation, for one verifier, once.
//! let presentation = json!({
//!     "@context": ["https://www.w3.org/ns/credentials/v2"],
//!     "type": "VerifiablePresentation",
//!     "holder": did,
//!     "nonce": "n-0S6_WzA2Mj",
//!     "aud": "verifier.example",
//!     "verifiableCredential": [envelopes[0].to_json(), envelopes[1].to_json()],
//! });
//! let mut expected = PresentationPolicy {
//!     credentials: policy,
//!     challenge: Binding::Expected("n-0S6_WzA2Mj"),
//!     domain: Binding::Expected("verifier.example"),
//!     holder: HolderPolicy::IsSubject,
//!     empty: EmptyPresentation::Refused,
//! };
//! let jwt = issue_jwt(&presentation, EnvelopeType::VpJwt, &kid, &issuer).await?;
//! let cose = issue_cose(&presentation, EnvelopeType::VpCose, &kid, &issuer).await?;
//!
//! // Verify.
//! let (suites, jwt) = (Suites::jcs(), Enveloped::new(EnvelopeType::VpJwt, jwt));
//! for envelope in [&jwt, &Enveloped::new(EnvelopeType::VpCose, cose)] {
//!     let verified = verify_presentation(envelope, &suites, &expected, &LocalResolver, &Portable).await?;
//!     assert_eq!(verified.get().credentials().len(), 2);
//! }
//!
//! // Refuse: it was made for another moment.
//! expected.challenge = Binding::Expected("another");
//! let error = verify_presentation(&jwt, &suites, &expected, &LocalResolver, &Portable).await;
//! assert_eq!(error.unwrap_err().code(), "envelope_challenge");
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

mod claims;
mod envelope_only;
mod error;
mod issue;
mod key;
mod open;
#[cfg(test)]
mod tests;
mod verify;

pub use envelope_only::EnvelopeOnly;
pub use error::{EnvelopeError, IssueError};
pub use issue::{issue_cose, issue_jwt, issue_sd_jwt};
pub use key::KeySource;
pub(crate) use verify::verify_presented;
pub use verify::{open_presentation, verify_credential, verify_presentation};
