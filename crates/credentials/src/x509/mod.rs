//! Certificate chains in `x5c` headers, checked against anchors that come from configuration.

use crate::crypto::{CryptoProvider, PublicKey};
use crate::time::UnixTime;

/// What an anchor vouches for. An anchor of one role is never used for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Issuers of credentials.
    Issuer,
    /// Signers of status lists.
    Status,
    /// Verifiers that ask wallets (access certificates).
    VerifierAccess,
}

/// Identifies an anchor: base64url(SHA-256(DER of its certificate)).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AnchorId(String);

impl AnchorId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for AnchorId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a chain is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum X509Error {
    /// Not base64, not DER, not a version 3 certificate.
    #[error("not a certificate")]
    Malformed,
    /// No certificate.
    #[error("empty certificate chain")]
    Empty,
    /// More than [`MAX_CERTIFICATES`].
    #[error("certificate chain too long")]
    TooLong,
    /// The anchors are for another role.
    #[error("anchors of another role")]
    WrongRole,
    /// The first certificate is self-signed (HAIP 1.0).
    #[error("leaf certificate is self-signed")]
    SelfSigned,
    /// The anchor itself is part of the chain (HAIP 1.0).
    #[error("trust anchor is part of the chain")]
    AnchorInChain,
    /// Not yet valid.
    #[error("certificate not yet valid")]
    NotYetValid,
    /// No longer valid.
    #[error("certificate expired")]
    Expired,
    /// No path to an anchor.
    #[error("no path to a trust anchor")]
    Untrusted,
    /// A path exists but breaks a rule: signature, name constraints, key usage, extensions.
    #[error("certificate chain breaks a rule")]
    Invalid,
    /// The leaf's key is neither P-256 nor Ed25519.
    #[error("unsupported leaf key")]
    UnsupportedKey,
}

/// Longest accepted `x5c`.
pub const MAX_CERTIFICATES: usize = 6;

/// Anchors of one role.
#[derive(Clone, Debug)]
pub struct TrustAnchors(());

impl TrustAnchors {
    /// No anchors yet.
    #[must_use]
    pub fn new(_role: Role) -> Self {
        unimplemented!()
    }

    /// The role.
    #[must_use]
    pub fn role(&self) -> Role {
        unimplemented!()
    }

    /// Adds a certificate (DER).
    pub fn add_der(&mut self, _der: &[u8]) -> Result<AnchorId, X509Error> {
        unimplemented!()
    }

    /// Adds every certificate of a PEM text; at least one.
    pub fn add_pem(&mut self, _pem: &str) -> Result<Vec<AnchorId>, X509Error> {
        unimplemented!()
    }
}

/// A chain as sent: leaf first, without the anchor. Not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain(());

impl Chain {
    /// Reads an `x5c` header (RFC 7515, section 4.1.6: base64, not base64url).
    pub fn from_x5c(_x5c: &[String]) -> Result<Self, X509Error> {
        unimplemented!()
    }

    /// From DER certificates.
    pub fn from_der(_certificates: Vec<Vec<u8>>) -> Result<Self, X509Error> {
        unimplemented!()
    }

    /// From a PEM text.
    pub fn from_pem(_pem: &str) -> Result<Self, X509Error> {
        unimplemented!()
    }

    /// The `x5c` value.
    #[must_use]
    pub fn to_x5c(&self) -> Vec<String> {
        unimplemented!()
    }

    /// DER of the leaf.
    #[must_use]
    pub fn leaf_der(&self) -> &[u8] {
        unimplemented!()
    }

    /// base64url(SHA-256(DER of the leaf)): OpenID4VP 1.0, `x509_hash`.
    #[must_use]
    pub fn x509_hash(&self) -> String {
        unimplemented!()
    }

    /// The key of the leaf, for configuration checks. Not verified.
    pub fn leaf_public_key(&self) -> Result<PublicKey, X509Error> {
        unimplemented!()
    }
}

/// What a verified chain says.
#[derive(Clone, Debug)]
pub struct VerifiedCertificate(());

impl VerifiedCertificate {
    /// The leaf's key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        unimplemented!()
    }

    /// Subject of the leaf as RFC 4514 text.
    #[must_use]
    pub fn subject(&self) -> &str {
        unimplemented!()
    }

    /// DNS names of the leaf.
    #[must_use]
    pub fn san_dns(&self) -> &[String] {
        unimplemented!()
    }

    /// URIs of the leaf.
    #[must_use]
    pub fn san_uri(&self) -> &[String] {
        unimplemented!()
    }

    /// The anchor that vouches.
    #[must_use]
    pub fn anchor_id(&self) -> &AnchorId {
        unimplemented!()
    }

    /// base64url(SHA-256(DER of the leaf)).
    #[must_use]
    pub fn x509_hash(&self) -> &str {
        unimplemented!()
    }
}

/// Checks a chain against the anchors of `role` at the time `now`.
pub fn verify_chain(
    _chain: &Chain,
    _anchors: &TrustAnchors,
    _role: Role,
    _now: UnixTime,
    _provider: &dyn CryptoProvider,
) -> Result<VerifiedCertificate, X509Error> {
    unimplemented!()
}
