//! Token Status List (draft-ietf-oauth-status-list, HAIP 1.0's pin 14; the wire
//! format has not changed since), in JWT and in CWT form: encode, sign, verify, read.
//! Mdocs may name an identifier list instead.
//!
//! ```
//! use vouchsafe_credentials::crypto::{Algorithm, Portable, Signer as _, SigningKey};
//! use vouchsafe_credentials::did::{key, resolve_local};
//! use vouchsafe_credentials::sd_jwt_vc::{
//!     IssuerAuthority, IssuerIdentity, IssuerKey, IssuerMethod, IssuerTrust, StatusMethod, TrustedIssuer,
//! };
//! use vouchsafe_credentials::status_list::*;
//! use vouchsafe_credentials::time::UnixTime;
//! # struct Random(std::sync::atomic::AtomicU8);
//! # impl vouchsafe_credentials::random::Rng for Random {
//! #     fn fill(&self, buffer: &mut [u8]) { buffer.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst)) }
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let rng = Random(1.into()); // In a program: the system's random source.
//! let issuer = SigningKey::generate(Algorithm::EdDsa, &rng);
//! let did = key::encode(issuer.public_key());
//! let (_, url) = resolve_local(&did)?;
//! let now = UnixTime(1_800_000_000);
//!
//! // Issue: a list in which entry 7 is revoked.
//! let mut list = StatusList::new(Bits::Two, 100_000)?;
//! list.set(7, Status::Invalid)?;
//! let uri = "https://issuer.example/statuslists/1";
//! let input = StatusTokenInput {
//!     uri,
//!     issuer: Some(&did),
//!     list: &list,
//!     issued_at: now,
//!     expires_at: now.plus(86_400),
//!     ttl_s: 3_600,
//!     key: IssuerKey::Did(&url),
//! };
//! let token = sign_status_list(&input, &issuer).await?;
//!
//! // Present: a credential names its entry in the claim `status`.
//! let claim = StatusRef { uri: uri.to_owned(), idx: 7 }.to_claim();
//! let reference = StatusRef::from_json(&claim["status_list"])?;
//!
//! // Verify: by whom the issuer of the credential may have its lists signed.
//! let trust = IssuerTrust::new(vec![TrustedIssuer {
//!     id: did.clone(),
//!     method: IssuerMethod::Did(did.clone()),
//!     types: vec!["urn:example:card:1".to_owned()],
//!     status: StatusMethod::SameIssuer,
//! }])?;
//! let identity = IssuerIdentity { trusted: did.clone(), authority: IssuerAuthority::Did(did) };
//! let check = StatusCheck {
//!     uri: &reference.uri,
//!     issuer: &identity,
//!     trust: &trust,
//!     newest_seen: None,
//!     min_refresh_s: 60,
//!     now,
//! };
//! let verified = verify_status_list(&token, &check, &Portable)?;
//! assert_eq!(verified.status(&StatusRef { idx: 8, ..reference.clone() }, now)?, Status::Valid);
//!
//! // Refuse: the credential of entry 7, and everybody once the list has expired.
//! let error = verified.status(&reference, now)?.require_valid().unwrap_err();
//! assert_eq!(error.code(), "credential_revoked");
//! let late = verified.status(&reference, now.plus(86_400)).unwrap_err();
//! assert_eq!(late.code(), "status_token_expired");
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

mod check;
mod cwt;
mod error;
mod identifier_list;
mod list;
mod reference;
mod token;

pub use check::{MAX_REFRESH_S, StatusCheck};
pub use cwt::{
    MAX_CWT_BYTES, STATUS_LIST_CWT, StatusCwtInput, read_list as read_cbor_list,
    sign_status_list_cwt, verify_status_list_cwt, write_list as write_cbor_list,
};
pub use error::StatusError;
pub use identifier_list::{
    IDENTIFIER_LIST_CWT, IdentifierListInput, IdentifierRef, VerifiedIdentifierList,
    sign_identifier_list, verify_identifier_list,
};
pub use list::{Bits, MAX_COMPRESSED_BYTES, MAX_LIST_BYTES, Status, StatusList};
pub use reference::StatusRef;
pub use token::{StatusTokenInput, VerifiedStatusList, sign_status_list, verify_status_list};

#[cfg(test)]
mod cwt_tests;
#[cfg(test)]
mod tests;
