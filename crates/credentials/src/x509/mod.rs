//! Certificate chains in `x5c` headers, checked against anchors that come from configuration.

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

mod anchors;
mod cache;
mod chain;
mod document_signer;
mod signatures;
#[cfg(test)]
pub(crate) mod tests;
mod usage;
mod verify;

pub use anchors::TrustAnchors;
pub use cache::MAX_CACHED_CHAINS;
pub use chain::Chain;
pub use verify::{VerifiedCertificate, verify_chain};

use crate::crypto::sha256;
use crate::encoding::b64url;

/// What an anchor vouches for. An anchor of one role is never used for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Issuers of credentials in JOSE formats.
    Issuer,
    /// Issuers of mdocs: the anchors are IACA certificates, the leaf is a document signer
    /// (ISO/IEC 18013-5:2021, annex B.1).
    MdocIssuer,
    /// Providers of wallets: signers of wallet and key attestations.
    WalletProvider,
    /// Signers of status lists.
    Status,
    /// Verifiers that ask wallets (access certificates).
    VerifierAccess,
    /// Operators that sign lists of trusted entities.
    ListOperator,
    /// Registrars: signers of what verifiers may ask for (registration certificates).
    Registrar,
}

/// Identifies an anchor: base64url(SHA-256(DER of its certificate)).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AnchorId(String);

impl AnchorId {
    fn of(der: &[u8]) -> Self {
        Self(b64url(&sha256(der)))
    }

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
    /// The leaf's extended key usage is for another role, or lacks the one of the role.
    #[error("certificate is for another use")]
    WrongUsage,
    /// An end-entity certificate was given as an anchor: it must not issue others.
    #[error("an end-entity certificate is no trust anchor")]
    NotAnAuthority,
    /// The leaf's key is of a type that is not supported.
    #[error("unsupported leaf key")]
    UnsupportedKey,
}

impl X509Error {
    /// Stable code for logs and interfaces.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "x509_malformed",
            Self::Empty => "x509_empty",
            Self::TooLong => "x509_too_long",
            Self::WrongRole => "x509_wrong_role",
            Self::SelfSigned => "x509_self_signed",
            Self::AnchorInChain => "x509_anchor_in_chain",
            Self::NotYetValid => "x509_not_yet_valid",
            Self::Expired => "x509_expired",
            Self::Untrusted => "x509_untrusted",
            Self::Invalid => "x509_invalid",
            Self::WrongUsage => "x509_wrong_usage",
            Self::NotAnAuthority => "x509_not_an_authority",
            Self::UnsupportedKey => "x509_unsupported_key",
        }
    }
}

/// Longest accepted `x5c`.
pub const MAX_CERTIFICATES: usize = 6;
