//! Mobile documents (ISO/IEC 18013-5:2021), of any `docType`.
//!
//! - The issuer calls [`issue()`] and sends the `IssuerSigned` structure.
//! - The Holder calls [`verify_issued`] and gets a [`HeldMdoc`], from which
//!   [`HeldMdoc::present`] and [`Presentation::sign`] or [`Presentation::mac`]
//!   make a `DeviceResponse` for one [`SessionTranscript`].
//! - The Verifier calls [`verify_presented`] and gets a [`StatusOwed`]; only
//!   settling the status makes a `Verified<Mdoc>`.
//!
//! Bytes that are digested or signed are used as received, never encoded again.
//!
//! ```
//! # use std::sync::Arc;
//! # use vouchsafe_credentials::cbor::Value;
//! # use vouchsafe_credentials::crypto::{Algorithm, Portable, Signer as _, SigningKey};
//! # use vouchsafe_credentials::mdoc::*;
//! # use vouchsafe_credentials::random::Rng;
//! # use vouchsafe_credentials::sd_jwt_vc::{IssuerMethod, IssuerTrust, StatusMethod, StatusPolicy, TrustedIssuer};
//! # use vouchsafe_credentials::time::UnixTime;
//! # use vouchsafe_credentials::x509::{Chain, Role, TrustAnchors};
//! # struct Random;
//! # impl Rng for Random {
//! #     fn fill(&self, buffer: &mut [u8]) { buffer.iter_mut().enumerate().for_each(|(at, byte)| *byte = (at as u8).wrapping_add(1)) }
//! # }
//! # fn make() -> (Vec<u8>, SigningKey, Vec<u8>) {
//! #     use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
//! #     let key = KeyPair::generate().unwrap();
//! #     let mut iaca = CertificateParams::default();
//! #     iaca.distinguished_name.push(DnType::CountryName, "AT");
//! #     iaca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
//! #     let der = iaca.self_signed(&key).unwrap().der().to_vec();
//! #     let by = Issuer::new(iaca, key);
//! #     let key = KeyPair::generate().unwrap();
//! #     let mut leaf = CertificateParams::default();
//! #     leaf.distinguished_name.push(DnType::CommonName, "Document signer");
//! #     leaf.distinguished_name.push(DnType::CountryName, "AT");
//! #     leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(vec![1, 0, 18013, 5, 1, 2])];
//! #     let leaf = leaf.signed_by(&key, &by).unwrap();
//! #     (der, SigningKey::from_pkcs8_der(&key.serialize_der()).unwrap(), leaf.der().to_vec())
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (iaca, signer, certificate) = make();
//! # let chain = Chain::from_der(vec![certificate])?;
//! # let device = SigningKey::generate(Algorithm::Es256, &Random);
//! # let now = UnixTime(1_800_000_000);
//! // Issue.
//! let mut elements = Elements::new();
//! assert!(elements.add(MDL_NAMESPACE, "family_name", Value::from("Mustermann")));
//! assert!(elements.add(MDL_NAMESPACE, "age_over_18", Value::from(true)));
//! let input = IssueInput {
//!     doctype: MDL,
//!     elements: &elements,
//!     validity: Validity { signed: now, valid_from: now, valid_until: now.plus(86_400), expected_update: None },
//!     device_key: device.public_key(),
//!     key_authorizations: &KeyAuthorizations::default(),
//!     status: None,
//!     chain: &chain,
//!     digest_algorithm: DigestAlgorithm::Sha256,
//! };
//! let issued = issue(input, &signer, &Random).await?;
//!
//! // Present: the holder keeps it, and one of the two elements leaves.
//! let mut anchors = TrustAnchors::new(Role::MdocIssuer);
//! anchors.add_der(&iaca)?;
//! let trust = IssuerTrust::new(vec![TrustedIssuer {
//!     id: "https://mdl.example".into(),
//!     method: IssuerMethod::Iaca { anchors: Arc::new(anchors) },
//!     types: vec![MDL.into()],
//!     status: StatusMethod::SameIssuer,
//! }])?;
//! let policy = IssuancePolicy { trust: &trust, doctype: MDL, device_key: device.public_key(), now };
//! let held = verify_issued(&issued, &policy, &Portable)?.into_inner();
//! let transcript = SessionTranscript::openid4vp("x509_hash:…", "nonce", None, "https://verifier.example/response");
//! let chosen = held.present(&[ElementPath::new(MDL_NAMESPACE, "age_over_18")])?;
//! let response = chosen.sign(&transcript, &Elements::new(), &device).await?;
//!
//! // Verify.
//! let policy = Policy {
//!     trust: &trust,
//!     doctypes: &[MDL.into()],
//!     transcript: &transcript,
//!     reader_key: None,
//!     status: StatusPolicy::WhenPresent,
//!     now,
//! };
//! let owed = verify_presented(&response, &policy, &Portable)?;
//! let mdoc = owed.settle(None, None, now)?.into_inner();
//! assert_eq!(age_over(&mdoc.elements, MDL_NAMESPACE, 18), Some(true));
//! assert_eq!(mdoc.elements.get(MDL_NAMESPACE, "family_name"), None);
//!
//! // Refuse: the same bytes in another exchange.
//! let transcript = SessionTranscript::openid4vp("x509_hash:…", "another", None, "https://verifier.example/response");
//! let policy = Policy { transcript: &transcript, ..policy };
//! assert_eq!(verify_presented(&response, &policy, &Portable).unwrap_err().code(), "mdoc_device_auth");
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

mod age;
mod authorization;
mod data_types;
mod device;
mod elements;
mod error;
mod held;
mod issue;
mod issuer_signed;
mod mso;
mod response;
mod status_owed;
mod tdate;
mod transcript;
mod verify;

pub use age::{age_over, nearest_age_over};
pub use authorization::KeyAuthorizations;
pub use data_types::{
    AGE_VERIFICATION, MAX_PORTRAIT_BYTES, MDL, MDL_NAMESPACE, PID, check_element,
};
pub use elements::{ElementPath, Elements};
pub use error::{IssueError, MdocError};
pub use held::{HeldMdoc, Presentation};
pub use issue::{IssueInput, issue};
pub use issuer_signed::IssuerSigned;
pub use mso::{DigestAlgorithm, MobileSecurityObject, MsoStatus, Validity};
pub use response::{DeviceAuth, DeviceResponse, DeviceSigned, Document};
pub use status_owed::{Mdoc, StatusOwed};
pub use transcript::SessionTranscript;
pub use verify::{IssuancePolicy, Policy, verify_issued, verify_presented};

#[cfg(test)]
mod tests;
