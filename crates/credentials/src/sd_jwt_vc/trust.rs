//! Which issuers are believed, and about what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::crypto::PublicKey;
use crate::did::{self, DidDocument, DidUrl, Relationship};
use crate::time::UnixTime;
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
    /// This DID, named by the absolute `kid`: a `did:key`, a `did:jwk`, or one whose document is given.
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
    /// Whether the entry is for documents (mdocs).
    pub(crate) fn issues_documents(&self) -> bool {
        matches!(self.method, IssuerMethod::Iaca { .. })
    }

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
    /// Two entries have the same id. One for documents (mdocs) and one for other credentials may.
    #[error("two trusted issuers with the same id")]
    DuplicateId,
    /// The DID cannot be resolved without a network.
    #[error("a trusted issuer's DID is not a did:key or did:jwk, and has no document")]
    Did,
    /// Two documents of one DID.
    #[error("two documents of the same DID")]
    DuplicateDocument,
    /// A document of a DID that holds its key: the key is the only document there is.
    #[error("a document for a did:key or did:jwk")]
    DocumentOfKey,
    /// The anchors are for another role.
    #[error("anchors of the wrong role")]
    Role,
}

/// The issuers that are believed.
#[derive(Debug, Clone)]
pub struct IssuerTrust {
    pub(crate) issuers: Vec<TrustedIssuer>,
    /// Documents of the DIDs that do not hold their keys.
    documents: BTreeMap<String, DidDocument>,
}

impl IssuerTrust {
    /// Checks and keeps the list.
    ///
    /// # Errors
    /// See [`TrustError`].
    pub fn new(issuers: Vec<TrustedIssuer>) -> Result<Self, TrustError> {
        Self::with_documents(issuers, Vec::new())
    }

    /// Checks and keeps the list. The documents are those that the DIDs of the list resolved to; whoever
    /// resolves them keeps them fresh, and gives none for a DID that is deactivated or does not resolve.
    ///
    /// # Errors
    /// See [`TrustError`].
    pub fn with_documents(
        issuers: Vec<TrustedIssuer>,
        documents: Vec<DidDocument>,
    ) -> Result<Self, TrustError> {
        let documents = by_did(documents)?;
        let mut seen = BTreeSet::new();
        for issuer in &issuers {
            if !seen.insert((issuer.id.as_str(), issuer.issues_documents())) {
                return Err(TrustError::DuplicateId);
            }
            match &issuer.method {
                IssuerMethod::X509 {
                    anchors,
                    subject: _,
                } => require(anchors, Role::Issuer)?,
                IssuerMethod::Iaca { anchors } => require(anchors, Role::MdocIssuer)?,
                IssuerMethod::Did(did) if documents.contains_key(did) => {}
                IssuerMethod::Did(did) => {
                    did::resolve_local(did).map_err(|_| TrustError::Did)?;
                }
            }
            match &issuer.status {
                StatusMethod::SameIssuer => {}
                StatusMethod::X509(anchors) => require(anchors, Role::Status)?,
            }
        }
        Ok(Self { issuers, documents })
    }

    /// The key of a DID that `url` names: the one key of a DID that holds it, or a key for assertions of
    /// the DID's document.
    pub(crate) fn did_key(&self, did: &str, url: &str, now: UnixTime) -> Option<PublicKey> {
        let Some(document) = self.documents.get(did) else {
            let (key, method) = did::resolve_local(did).ok()?;
            return (method == url).then_some(key);
        };
        let url = DidUrl::parse(url).ok()?;
        let method = document.method(&url, Relationship::AssertionMethod).ok()?;
        method
            .signature_key()
            .filter(|_| method.is_valid_at(now))
            .cloned()
    }

    /// The entry with this id; of one for documents and one for other credentials the latter.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<&TrustedIssuer> {
        let mut named = self.issuers.iter().filter(|issuer| issuer.id == id);
        let first = named.next();
        named.find(|issuer| !issuer.issues_documents()).or(first)
    }

    /// The entry that applied when `identity` was validated.
    pub(crate) fn of(&self, identity: &IssuerIdentity) -> Option<&TrustedIssuer> {
        let documents = matches!(identity.authority, IssuerAuthority::Iaca { .. });
        let mut issuers = self.issuers.iter();
        issuers
            .find(|issuer| issuer.id == identity.trusted && issuer.issues_documents() == documents)
    }
}

/// Documents by their DIDs, one each. Keys that a DID holds are never replaced by a document.
fn by_did(documents: Vec<DidDocument>) -> Result<BTreeMap<String, DidDocument>, TrustError> {
    let mut by_did = BTreeMap::new();
    for document in documents {
        if matches!(document.id().method(), "key" | "jwk") {
            return Err(TrustError::DocumentOfKey);
        }
        let did = document.id().as_str().to_owned();
        if by_did.insert(did, document).is_some() {
            return Err(TrustError::DuplicateDocument);
        }
    }
    Ok(by_did)
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
    /// The authority above a document signer. Its signers follow one another and work side by
    /// side; which one signed says nothing about whose document it is.
    Iaca {
        /// base64url(SHA-256(DER of the anchor)).
        anchor: String,
    },
    /// A DID.
    Did(String),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::did::Did;

    const DID: &str = "did:web:issuer.example";
    const KEY: &str = "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp";

    fn issuer() -> TrustedIssuer {
        TrustedIssuer {
            id: DID.into(),
            method: IssuerMethod::Did(DID.into()),
            types: Vec::new(),
            status: StatusMethod::SameIssuer,
        }
    }

    #[test]
    fn one_id_may_stand_for_documents_and_for_other_credentials() {
        let anchors = |role| std::sync::Arc::new(TrustAnchors::new(role));
        let entry = |method| TrustedIssuer {
            id: "https://issuer.example".into(),
            method,
            types: Vec::new(),
            status: StatusMethod::SameIssuer,
        };
        let card = entry(IssuerMethod::X509 {
            anchors: anchors(Role::Issuer),
            subject: None,
        });
        let document = entry(IssuerMethod::Iaca {
            anchors: anchors(Role::MdocIssuer),
        });
        for order in [[&document, &card], [&card, &document]] {
            let trust = IssuerTrust::new(order.map(Clone::clone).to_vec()).unwrap();
            let identity = |authority| IssuerIdentity {
                trusted: "https://issuer.example".to_owned(),
                authority,
            };
            let anchor = String::new;
            let iaca = identity(IssuerAuthority::Iaca { anchor: anchor() });
            let x509 = identity(IssuerAuthority::X509 {
                anchor: anchor(),
                subject: String::new(),
            });
            assert!(trust.of(&iaca).unwrap().issues_documents());
            assert!(!trust.of(&x509).unwrap().issues_documents());
            let named = trust.by_id("https://issuer.example").unwrap();
            assert!(!named.issues_documents());
        }
        for one in [card, document] {
            let twice = IssuerTrust::new(vec![one.clone(), one]);
            assert_eq!(twice.unwrap_err(), TrustError::DuplicateId);
        }
    }

    #[test]
    fn a_document_serves_the_keys_of_its_did() {
        let method = |id: &str| {
            json!({
                "id": id, "type": "Multikey", "controller": DID, "publicKeyMultibase": KEY,
                "expires": "2030-01-01T00:00:00Z",
            })
        };
        let document = json!({
            "id": DID, "assertionMethod": [method("#a")], "authentication": [method("#b")],
        });
        let document = DidDocument::from_json(document, &Did::parse(DID).unwrap()).unwrap();
        assert_eq!(
            IssuerTrust::new(vec![issuer()]).unwrap_err(),
            TrustError::Did
        );
        let trust = IssuerTrust::with_documents(vec![issuer()], vec![document]).unwrap();
        let key = |url: &str, seconds: i64| trust.did_key(DID, url, UnixTime(seconds)).is_some();
        let (before, after) = (1_893_455_999, 1_893_456_000);
        assert!(key("did:web:issuer.example#a", before));
        assert!(!key("did:web:issuer.example#a", after));
        for url in [
            "did:web:issuer.example#b",
            "did:web:issuer.example#c",
            DID,
            "#a",
            "did:web:other.example#a",
        ] {
            assert!(!key(url, before), "{url}");
        }
        // A document speaks for its own DID alone.
        assert!(
            trust
                .did_key(
                    "did:web:other.example",
                    "did:web:other.example#a",
                    UnixTime(0)
                )
                .is_none()
        );
    }

    #[test]
    fn documents_are_of_one_did_each_and_never_of_a_key() {
        let document = |did: &str| {
            DidDocument::from_json(json!({"id": did}), &Did::parse(did).unwrap()).unwrap()
        };
        let with = |documents| IssuerTrust::with_documents(vec![issuer()], documents).map(drop);
        assert_eq!(
            with(vec![document(DID), document("did:web:b.example")]),
            Ok(())
        );
        assert_eq!(
            with(vec![document(DID), document(DID)]),
            Err(TrustError::DuplicateDocument)
        );
        for did in [
            format!("did:key:{KEY}"),
            "did:jwk:eyJrdHkiOiJPS1AifQ".to_owned(),
            "did:key:z6Mk".to_owned(),
        ] {
            assert_eq!(
                with(vec![document(DID), document(&did)]),
                Err(TrustError::DocumentOfKey),
                "{did}"
            );
        }
    }
}
