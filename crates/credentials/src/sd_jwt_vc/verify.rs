//! Verifying, RFC 9901, section 7, with the rules of SD-JWT VC.

use super::{HeldSdJwtVc, IssuerTrust, StatusOwed, StatusPolicy, VcError};
use crate::Verified;
use crate::crypto::{CryptoProvider, PublicKey};
use crate::time::UnixTime;

/// What the Verifier wants to know about the Holder. It is decided before the
/// presentation is seen (RFC 9901, section 7.3, step 1).
#[derive(Debug, Clone, Copy)]
pub enum KeyBindingPolicy<'a> {
    /// A Key Binding JWT for this audience and nonce must be there.
    Required {
        /// The full client identifier with its prefix, or `origin:…`.
        audience: &'a str,
        /// `nonce` of the request.
        nonce: &'a str,
    },
    /// One may be missing; one that is there must be valid all the same.
    Optional {
        /// As above.
        audience: &'a str,
        /// As above.
        nonce: &'a str,
    },
    /// None may be there.
    Forbidden,
}

/// What a Verifier accepts.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// Issuers that are believed.
    pub trust: &'a IssuerTrust,
    /// Types (`vct`) that were asked for.
    pub types: &'a [String],
    /// Key binding.
    pub key_binding: KeyBindingPolicy<'a>,
    /// Status.
    pub status: StatusPolicy,
    /// The time now.
    pub now: UnixTime,
}

/// What a Holder accepts from an issuer.
#[derive(Debug, Clone, Copy)]
pub struct IssuancePolicy<'a> {
    /// Issuers that are believed.
    pub trust: &'a IssuerTrust,
    /// The type (`vct`) that was asked for.
    pub vct: &'a str,
    /// The key that `cnf` must hold; `None`: there must be no `cnf`.
    pub holder_key: Option<&'a PublicKey>,
    /// The time now.
    pub now: UnixTime,
}

/// Verifies a presentation but for its status.
///
/// # Errors
/// Each rule has its own [`VcError`].
pub fn verify_presented(
    _compact: &str,
    _policy: &Policy<'_>,
    _provider: &dyn CryptoProvider,
) -> Result<StatusOwed, VcError> {
    unimplemented!()
}

/// Verifies a credential as the issuer sends it. An SD-JWT+KB is refused
/// (RFC 9901, section 7.2).
///
/// # Errors
/// Each rule has its own [`VcError`].
pub fn verify_issued(
    _compact: &str,
    _policy: &IssuancePolicy<'_>,
    _provider: &dyn CryptoProvider,
) -> Result<Verified<HeldSdJwtVc>, VcError> {
    unimplemented!()
}
