//! What the Holder keeps, and what it sends.

use serde_json::{Map, Value};

use super::{IssuerIdentity, RegisteredClaims, VcError, kb};
use crate::crypto::Signer;
use crate::jws::SignError;
use crate::sd_jwt::{ClaimPath, DisclosedClaim, SdJwtError};

/// A credential in the hands of its Holder, with all its Disclosures.
#[derive(Debug, Clone)]
pub struct HeldSdJwtVc {
    compact: String,
}

impl HeldSdJwtVc {
    /// Reads a credential back from the Holder's own protected storage. The
    /// signature is **not** checked again: only for text that
    /// [`verify_issued`](super::verify_issued) accepted before.
    ///
    /// # Errors
    /// When the text is not such a credential.
    pub fn reopen_stored(_compact: String, _issuer: IssuerIdentity) -> Result<Self, VcError> {
        unimplemented!()
    }

    /// The text to store.
    #[must_use]
    pub fn compact(&self) -> &str {
        &self.compact
    }

    /// The validated issuer.
    #[must_use]
    pub fn issuer(&self) -> &IssuerIdentity {
        unimplemented!()
    }

    /// The registered claims.
    #[must_use]
    pub fn registered(&self) -> &RegisteredClaims {
        unimplemented!()
    }

    /// All claims, registered ones included, with every Disclosure applied.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        unimplemented!()
    }

    /// The claims that can be withheld.
    #[must_use]
    pub fn disclosable(&self) -> &[DisclosedClaim] {
        unimplemented!()
    }

    /// A presentation that reveals the claims at `paths` (with all below them)
    /// and what is never hidden.
    ///
    /// # Errors
    /// [`SdJwtError::PathNotFound`] when a path leads to no claim.
    pub fn present(&self, _paths: &[ClaimPath]) -> Result<Presentation, SdJwtError> {
        unimplemented!()
    }
}

/// A presentation that has not been bound to a transaction yet.
#[derive(Debug, Clone)]
pub struct Presentation {
    sd_jwt: String,
}

impl Presentation {
    /// The SD-JWT without key binding, ending in `~`.
    #[must_use]
    pub fn sd_jwt(&self) -> &str {
        &self.sd_jwt
    }

    /// Paths of the disclosable claims that leave.
    #[must_use]
    pub fn disclosed(&self) -> &[ClaimPath] {
        unimplemented!()
    }

    /// Paths of the disclosable claims that stay.
    #[must_use]
    pub fn withheld(&self) -> &[ClaimPath] {
        unimplemented!()
    }

    /// Adds a Key Binding JWT and gives the SD-JWT+KB.
    ///
    /// # Errors
    /// When the signer fails.
    pub async fn bind(
        &self,
        _binding: &kb::Binding<'_>,
        _signer: &dyn Signer,
    ) -> Result<String, SignError> {
        unimplemented!()
    }
}
