//! What the Holder keeps, and what it sends.

use serde_json::{Map, Value};

use super::{IssuerIdentity, RegisteredClaims, VcError, claims, kb};
use crate::crypto::Signer;
use crate::encoding::b64url_decode;
use crate::json::parse_object;
use crate::jws::{JwsError, SignError};
use crate::sd_jwt::{
    self, ClaimPath, DisclosedClaim, HashAlg, Processed, SdJwt, SdJwtError, select,
};

/// A credential in the hands of its Holder, with all its Disclosures.
#[derive(Debug, Clone)]
pub struct HeldSdJwtVc {
    compact: String,
    issuer: IssuerIdentity,
    registered: RegisteredClaims,
    processed: Processed,
}

impl HeldSdJwtVc {
    pub(super) fn new(
        compact: String,
        issuer: IssuerIdentity,
        registered: RegisteredClaims,
        processed: Processed,
    ) -> Self {
        Self {
            compact,
            issuer,
            registered,
            processed,
        }
    }

    /// Reads a credential back from the Holder's own protected storage. The
    /// signature is **not** checked again: only for text that
    /// [`verify_issued`](super::verify_issued) accepted before.
    ///
    /// # Errors
    /// When the text is not such a credential.
    pub fn reopen_stored(compact: String, issuer: IssuerIdentity) -> Result<Self, VcError> {
        let sd_jwt = SdJwt::parse(&compact)?;
        if sd_jwt.key_binding().is_some() {
            return Err(VcError::KeyBindingUnexpected);
        }
        let payload = stored_payload(sd_jwt.issuer_signed()).map_err(VcError::IssuerJwt)?;
        let processed = sd_jwt::process(payload, sd_jwt.disclosures())?;
        let registered = RegisteredClaims::read(&processed.claims)?;
        claims::refuse_disclosed_registered(&processed.disclosed)?;
        Ok(Self::new(compact, issuer, registered, processed))
    }

    /// The text to store.
    #[must_use]
    pub fn compact(&self) -> &str {
        &self.compact
    }

    /// The validated issuer.
    #[must_use]
    pub fn issuer(&self) -> &IssuerIdentity {
        &self.issuer
    }

    /// The registered claims.
    #[must_use]
    pub fn registered(&self) -> &RegisteredClaims {
        &self.registered
    }

    /// All claims, registered ones included, with every Disclosure applied.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        &self.processed.claims
    }

    /// The claims that can be withheld.
    #[must_use]
    pub fn disclosable(&self) -> &[DisclosedClaim] {
        &self.processed.disclosed
    }

    /// A presentation that reveals the claims at `paths` (with all below them)
    /// and what is never hidden.
    ///
    /// # Errors
    /// [`SdJwtError::PathNotFound`] when a path leads to no claim.
    pub fn present(&self, paths: &[ClaimPath]) -> Result<Presentation, SdJwtError> {
        let chosen = select(&self.processed, paths)?;
        let parts = SdJwt::parse(&self.compact)?;
        let mut sd_jwt = String::with_capacity(self.compact.len());
        sd_jwt.push_str(parts.issuer_signed());
        sd_jwt.push('~');
        let mut disclosed = Vec::with_capacity(chosen.len());
        let mut withheld = Vec::new();
        let all = parts.disclosures().iter().zip(&self.processed.disclosed);
        for (position, (encoded, claim)) in all.enumerate() {
            if chosen.binary_search(&position).is_ok() {
                sd_jwt.push_str(encoded);
                sd_jwt.push('~');
                disclosed.push(claim.path.clone());
            } else {
                withheld.push(claim.path.clone());
            }
        }
        Ok(Presentation {
            sd_jwt,
            hash: self.processed.hash,
            disclosed,
            withheld,
        })
    }
}

/// The payload of a JWT whose signature was checked before it was stored.
fn stored_payload(jwt: &str) -> Result<Map<String, Value>, JwsError> {
    let mut parts = jwt.split('.');
    let (Some(_header), Some(payload), Some(_signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(JwsError::Malformed);
    };
    let bytes = b64url_decode(payload).map_err(|_| JwsError::Malformed)?;
    parse_object(&bytes).map_err(JwsError::PayloadJson)
}

/// A presentation that has not been bound to a transaction yet.
#[derive(Debug, Clone)]
pub struct Presentation {
    sd_jwt: String,
    hash: HashAlg,
    disclosed: Vec<ClaimPath>,
    withheld: Vec<ClaimPath>,
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
        &self.disclosed
    }

    /// Paths of the disclosable claims that stay.
    #[must_use]
    pub fn withheld(&self) -> &[ClaimPath] {
        &self.withheld
    }

    /// Adds a Key Binding JWT and gives the SD-JWT+KB.
    ///
    /// # Errors
    /// When the signer fails.
    pub async fn bind(
        &self,
        binding: &kb::Binding<'_>,
        signer: &dyn Signer,
    ) -> Result<String, SignError> {
        self.bind_agreeing(binding, None, signer).await
    }

    /// The same, where the Holder agrees to transaction data.
    ///
    /// # Errors
    /// When the signer fails.
    pub async fn bind_agreeing(
        &self,
        binding: &kb::Binding<'_>,
        agreed: Option<&kb::Agreed>,
        signer: &dyn Signer,
    ) -> Result<String, SignError> {
        let jwt = kb::build_agreeing(&self.sd_jwt, self.hash, binding, agreed, signer).await?;
        Ok(format!("{}{jwt}", self.sd_jwt))
    }
}
