//! Which issuers are believed, and about what.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::did;
use crate::x509::{Role, TrustAnchors};

/// How an issuer proves its key. It is fixed here, never chosen by what a
/// credential brings along (SD-JWT VC, "Ecosystem-specific Public Key
/// Verification Methods").
#[derive(Debug, Clone)]
pub enum IssuerMethod {
    /// A certificate chain in `x5c` that ends in one of these anchors.
    X509 {
        /// Anchors of the role [`Role::Issuer`].
        anchors: Arc<TrustAnchors>,
        /// RFC 4514 subject the leaf must have; `None`: any below the anchors.
        subject: Option<String>,
    },
    /// A document signer's certificate in `x5chain`, below one of these IACA certificates
    /// (ISO/IEC 18013-5:2021, section 9.3.3): the issuer of mdocs.
    Iaca {
        /// Anchors of the role [`Role::MdocIssuer`].
        anchors: Arc<TrustAnchors>,
    },
    /// This DID (`did:key` or `did:jwk`), named by the absolute `kid`.
    Did(String),
}

/// Who may sign the status lists of an issuer.
#[derive(Debug, Clone)]
pub enum StatusMethod {
    /// The issuer itself, by its own method: the same DID, or a chain to the
    /// same anchor with the same subject.
    SameIssuer,
    /// A certificate chain in `x5c` to anchors of the role [`Role::Status`].
    X509(Arc<TrustAnchors>),
}

/// An issuer that is believed.
#[derive(Debug, Clone)]
pub struct TrustedIssuer {
    /// Name of this entry, also what `iss` may say: an https URL or the DID.
    pub id: String,
    /// How it proves its key.
    pub method: IssuerMethod,
    /// The types (`vct`, or `docType` of mdocs) it may issue.
    pub types: Vec<String>,
    /// Who signs its status lists.
    pub status: StatusMethod,
}

impl TrustedIssuer {
    /// Whether it may issue this type.
    #[must_use]
    pub fn may_issue(&self, vct: &str) -> bool {
        self.types.iter().any(|own| own == vct)
    }
}

/// Why a list of issuers is unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TrustError {
    /// Two entries have the same id.
    #[error("two trusted issuers with the same id")]
    DuplicateId,
    /// The DID cannot be resolved without a network.
    #[error("a trusted issuer's DID is not a did:key or did:jwk")]
    Did,
    /// The anchors are for another role.
    #[error("anchors of the wrong role")]
    Role,
}

/// The issuers that are believed.
#[derive(Debug, Clone)]
pub struct IssuerTrust {
    pub(crate) issuers: Vec<TrustedIssuer>,
}

impl IssuerTrust {
    /// Checks and keeps the list.
    ///
    /// # Errors
    /// See [`TrustError`].
    pub fn new(issuers: Vec<TrustedIssuer>) -> Result<Self, TrustError> {
        let mut seen = BTreeSet::new();
        for issuer in &issuers {
            if !seen.insert(issuer.id.as_str()) {
                return Err(TrustError::DuplicateId);
            }
            match &issuer.method {
                IssuerMethod::X509 {
                    anchors,
                    subject: _,
                } => require(anchors, Role::Issuer)?,
                IssuerMethod::Iaca { anchors } => require(anchors, Role::MdocIssuer)?,
                IssuerMethod::Did(did) => {
                    did::resolve_local(did).map_err(|_| TrustError::Did)?;
                }
            }
            match &issuer.status {
                StatusMethod::SameIssuer => {}
                StatusMethod::X509(anchors) => require(anchors, Role::Status)?,
            }
        }
        Ok(Self { issuers })
    }

    /// The entry with this id.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<&TrustedIssuer> {
        self.issuers.iter().find(|issuer| issuer.id == id)
    }
}

fn require(anchors: &TrustAnchors, role: Role) -> Result<(), TrustError> {
    if anchors.role() == role {
        Ok(())
    } else {
        Err(TrustError::Role)
    }
}

/// An issuer whose key has been validated: what accounts may be bound to,
/// never the `iss` claim.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IssuerIdentity {
    /// The [`TrustedIssuer::id`] that applied.
    pub trusted: String,
    /// What was validated.
    pub authority: IssuerAuthority,
}

/// What stands behind an [`IssuerIdentity`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssuerAuthority {
    /// The subject of a certificate below an anchor.
    X509 {
        /// base64url(SHA-256(DER of the anchor)).
        anchor: String,
        /// RFC 4514 subject of the leaf.
        subject: String,
    },
    /// A DID.
    Did(String),
}
