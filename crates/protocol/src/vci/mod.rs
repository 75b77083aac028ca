//! OpenID for Verifiable Credential Issuance 1.0: what issuer and wallet say to each other.
//!
//! The issuer builds [`metadata`] and [`offer`], hands out nonces ([`nonce`]), parses the
//! credential [`request`], which may be encrypted ([`encryption`]), and verifies its [`proofs`];
//! the wallet does the reverse. Token requests are in [`crate::oauth::token`]. To add a proof
//! type: a member of [`request::Proofs`], a module beside [`proof`] and [`di_vp`], an arm in
//! [`proofs::verify`], an entry in `proof_types_supported`.

pub mod di_vp;
pub mod encryption;
pub mod encryption_of_wallet;
pub mod error;
pub mod key_attestation;
pub mod metadata;
pub mod nonce;
pub mod notification;
pub mod offer;
pub mod proof;
pub mod proofs;
pub mod received;
pub mod request;
pub mod response;

pub use crate::oauth::token::{self, ReceivedToken, TokenRequest, TokenResponse};
pub use error::{CredentialError, CredentialErrorCode};
pub use metadata::{CredentialIssuerMetadata, IssuerMetadata};
pub use nonce::{NonceKeys, NonceResponse};
pub use offer::{CredentialOffer, OfferInvocation};
pub use request::CredentialRequest;
pub use response::{CredentialResponse, ReceivedCredentials};

use crate::http::{UrlRefused, UrlRule};

/// Identifier of a credential issuer, compared byte for byte (section 12.2.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CredentialIssuerId(String);

impl CredentialIssuerId {
    /// Reads an identifier: a URL that fits the rule, without query and fragment.
    ///
    /// # Errors
    /// [`UrlRefused`].
    pub fn parse(text: &str, rule: UrlRule) -> Result<Self, UrlRefused> {
        let url = rule.parse(text)?;
        if url.query().is_some() {
            return Err(UrlRefused::Query);
        }
        Ok(Self(text.to_owned()))
    }

    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where its metadata are (section 12.2.2).
    ///
    /// # Errors
    /// [`UrlRefused`] where the rule is stricter than the one it was parsed with.
    pub fn metadata_url(&self, rule: UrlRule) -> Result<url::Url, UrlRefused> {
        crate::oauth::metadata::insert_well_known(&self.0, metadata::WELL_KNOWN, rule)
    }
}

impl std::fmt::Display for CredentialIssuerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod vectors;
