//! SD-JWT based verifiable credentials (SD-JWT VC): issue, verify, present.
//!
//! Wire format: HAIP 1.0's pin, draft 13; fields of later drafts (`aka_vcts`,
//! no `iss`) are read. `typ` is exactly `dc+sd-jwt`.
//!
//! - The issuer calls [`issue()`].
//! - The Holder calls [`verify_issued`] and gets a [`HeldSdJwtVc`], from which
//!   [`HeldSdJwtVc::present`] and [`Presentation::bind`] make an answer.
//! - The Verifier calls [`verify_presented`] and gets a [`StatusOwed`]; only
//!   settling the status makes a `Verified<SdJwtVc>`.
//!
//! ```
//! use serde_json::json;
//! use vouchsafe_credentials::crypto::{Algorithm, Portable, Signer as _, SigningKey};
//! use vouchsafe_credentials::did::resolve_local;
//! use vouchsafe_credentials::sd_jwt::{ClaimPath, Frame, HashAlg};
//! use vouchsafe_credentials::sd_jwt_vc::*;
//! use vouchsafe_credentials::time::UnixTime;
//! # struct Random(std::sync::atomic::AtomicU8);
//! # impl vouchsafe_credentials::random::Rng for Random {
//! #     fn fill(&self, buffer: &mut [u8]) { buffer.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst)) }
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let rng = Random(1.into()); // In a program: the system's random source.
//! let issuer = SigningKey::generate(Algorithm::Es256, &rng);
//! let did = vouchsafe_credentials::did::key::encode(issuer.public_key());
//! let (_, url) = resolve_local(&did)?;
//! let holder = SigningKey::generate(Algorithm::Es256, &rng);
//! let (vct, now) = ("urn:example:card:1", UnixTime(1_800_000_000));
//!
//! // Issue: both claims can be withheld.
//! let frame = Frame::new()
//!     .hide(&ClaimPath::of_keys(&["name"]))?
//!     .hide(&ClaimPath::of_keys(&["over18"]))?;
//! let input = IssueInput {
//!     vct,
//!     issuer: Some(&did),
//!     key: IssuerKey::Did(&url),
//!     issued_at: Some(now),
//!     not_before: None,
//!     expires_at: Some(now.plus(86_400)),
//!     holder_key: Some(holder.public_key()),
//!     status: None,
//!     claims: json!({"name": "Ada", "over18": true}).as_object().cloned().unwrap_or_default(),
//!     frame: &frame,
//!     hash: HashAlg::Sha256,
//! };
//! let compact = issue(input, &issuer, &rng).await?;
//!
//! // Present: one of the two claims leaves, for one verifier and one moment.
//! let trust = IssuerTrust::new(vec![TrustedIssuer {
//!     id: did.clone(),
//!     method: IssuerMethod::Did(did.clone()),
//!     types: vec![vct.to_owned()],
//!     status: StatusMethod::SameIssuer,
//! }])?;
//! let policy = IssuancePolicy { trust: &trust, vct, holder_key: Some(holder.public_key()), now };
//! let held = verify_issued(&compact, &policy, &Portable)?.into_inner();
//! let chosen = held.present(&[ClaimPath::of_keys(&["over18"])])?;
//! let binding = kb::Binding { audience: "x509_hash:…", nonce: "n-0S6_WzA2Mj", issued_at: now };
//! let shown = chosen.bind(&binding, &holder).await?;
//!
//! // Verify.
//! let mut policy = Policy {
//!     trust: &trust,
//!     types: &[vct.to_owned()],
//!     key_binding: KeyBindingPolicy::Required { audience: "x509_hash:…", nonce: "n-0S6_WzA2Mj" },
//!     status: StatusPolicy::WhenPresent,
//!     now,
//! };
//! let credential = verify_presented(&shown, &policy, &Portable)?.settle(None, now)?.into_inner();
//! assert_eq!(credential.claims["over18"], true);
//! assert!(!credential.claims.contains_key("name"));
//!
//! // Refuse: the same bytes a second time.
//! policy.key_binding = KeyBindingPolicy::Required { audience: "x509_hash:…", nonce: "another" };
//! assert_eq!(verify_presented(&shown, &policy, &Portable).unwrap_err().code(), "kb_nonce");
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

pub(crate) mod claims;
mod error;
mod held;
mod issue;
pub(crate) mod issuer_key;
pub mod kb;
mod status_owed;
mod trust;
mod verify;

pub use claims::RegisteredClaims;
pub use error::{KbError, VcError};
pub use held::{HeldSdJwtVc, Presentation};
pub use issue::{IssueError, IssueInput, IssuerKey, issue, issue_with_type};
pub use status_owed::{SdJwtVc, StatusOwed, StatusPolicy};
pub use trust::{
    IssuerAuthority, IssuerIdentity, IssuerMethod, IssuerTrust, StatusMethod, TrustError,
    TrustedIssuer,
};
pub use verify::{
    CLOCK_SKEW_S, IssuancePolicy, KeyBindingPolicy, Policy, verify_agreeing, verify_issued,
    verify_presented,
};

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod kb_tests;
#[cfg(test)]
mod tests;
