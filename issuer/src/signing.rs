//! The keys that sign credentials and status lists, and how their names go out.

use std::sync::Arc;

use vouchsafe_credentials::crypto::Signer;
use vouchsafe_credentials::sd_jwt_vc::IssuerKey;
use vouchsafe_credentials::x509::Chain;

/// How a signature names its key.
#[derive(Debug, Clone)]
pub enum KeyName {
    /// A certificate chain in `x5c`, leaf first, without the anchor.
    X5c(Chain),
    /// The absolute DID URL of the key in `kid`.
    Did(String),
}

impl KeyName {
    /// The form that signing functions take.
    pub fn as_issuer_key(&self) -> IssuerKey<'_> {
        match self {
            Self::X5c(chain) => IssuerKey::X5c(chain),
            Self::Did(url) => IssuerKey::Did(url),
        }
    }
}

/// A signer and its name.
#[derive(Clone)]
pub struct NamedSigner {
    /// Signs.
    pub signer: Arc<dyn Signer>,
    /// How the key is named.
    pub name: KeyName,
}

impl std::fmt::Debug for NamedSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NamedSigner")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The issuer's signers.
#[derive(Debug, Clone)]
pub struct Signing {
    /// Signs credentials.
    pub credentials: NamedSigner,
    /// Signs status lists. May be a key of its own.
    pub status: NamedSigner,
    /// `iss` of what is signed: an https URL or a DID, else nothing.
    pub iss: Option<String>,
}
