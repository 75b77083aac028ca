//! What resolving a DID gives (DID Resolution v0.3, section 4) and the port behind which it happens.

use serde_json::{Map, Value, json};

use super::DidDocument;
use crate::time::UnixTime;

/// Resolution options (DID Resolution v0.3, section 4.1; did:key, section 3.1.2; did:webvh 1.0, "Read").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResolutionOptions {
    /// The media type that the caller wants, where it wants one.
    pub accept: Option<String>,
    /// `expandRelativeUrls`: relative DID URLs of the document are made absolute.
    pub expand_relative_urls: bool,
    /// `versionId`: this version and no other.
    pub version_id: Option<String>,
    /// `versionTime`: the version that was valid then.
    pub version_time: Option<UnixTime>,
    /// `versionNumber` of did:webvh: the version with this number, from 1.
    pub version_number: Option<u64>,
    /// `noCache`: ask the source again. Caches may refuse to do so too often.
    pub no_cache: bool,
    /// `publicKeyFormat` of did:key; `Multikey` without.
    pub public_key_format: Option<String>,
    /// `enableEncryptionKeyDerivation` of did:key: an X25519 key is derived from an Ed25519 key.
    pub enable_encryption_key_derivation: bool,
    /// `enableExperimentalPublicKeyTypes` of did:key.
    pub enable_experimental_public_key_types: bool,
}

/// The errors of DID Resolution v0.3, section 10, of did:key and of the DID extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The DID does not conform to the syntax or the rules of its method.
    InvalidDid,
    /// The DID URL does not conform to the syntax.
    InvalidDidUrl,
    /// The document is malformed or breaks a rule.
    InvalidDidDocument,
    /// The document is too large.
    InvalidDidDocumentLength,
    /// No such DID, version or resource.
    NotFound,
    /// The representation that was asked for is not available.
    RepresentationNotSupported,
    /// This resolver does not know the method.
    MethodNotSupported,
    /// An option that this method does not have.
    FeatureNotSupported,
    /// Options that make no sense.
    InvalidOptions,
    /// Resolution failed on the way: the host is down, or an address is refused.
    InternalError,
    /// did:key: not a key of its type.
    InvalidPublicKey,
    /// did:key: a key of the wrong length.
    InvalidPublicKeyLength,
    /// did:key: a key format that does not fit.
    InvalidPublicKeyType,
    /// did:key: an unknown key format.
    UnsupportedPublicKeyType,
    /// Dereferencing: what the fragment names is no verification method.
    InvalidVerificationMethod,
    /// Dereferencing: the verification method does not stand in the relationship that was asked for.
    InvalidRelationshipForVerificationMethod,
}

impl ErrorCode {
    const ALL: [(Self, &'static str, &'static str); 16] = [
        (Self::InvalidDid, "INVALID_DID", "invalidDid"),
        (Self::InvalidDidUrl, "INVALID_DID_URL", "invalidDidUrl"),
        (
            Self::InvalidDidDocument,
            "INVALID_DID_DOCUMENT",
            "invalidDidDocument",
        ),
        (
            Self::InvalidDidDocumentLength,
            "INVALID_DID_DOCUMENT_LENGTH",
            "invalidDidDocumentLength",
        ),
        (Self::NotFound, "NOT_FOUND", "notFound"),
        (
            Self::RepresentationNotSupported,
            "REPRESENTATION_NOT_SUPPORTED",
            "representationNotSupported",
        ),
        (
            Self::MethodNotSupported,
            "METHOD_NOT_SUPPORTED",
            "methodNotSupported",
        ),
        (
            Self::FeatureNotSupported,
            "FEATURE_NOT_SUPPORTED",
            "featureNotSupported",
        ),
        (Self::InvalidOptions, "INVALID_OPTIONS", "invalidOptions"),
        (Self::InternalError, "INTERNAL_ERROR", "internalError"),
        (
            Self::InvalidPublicKey,
            "INVALID_PUBLIC_KEY",
            "invalidPublicKey",
        ),
        (
            Self::InvalidPublicKeyLength,
            "INVALID_PUBLIC_KEY_LENGTH",
            "invalidPublicKeyLength",
        ),
        (
            Self::InvalidPublicKeyType,
            "INVALID_PUBLIC_KEY_TYPE",
            "invalidPublicKeyType",
        ),
        (
            Self::UnsupportedPublicKeyType,
            "UNSUPPORTED_PUBLIC_KEY_TYPE",
            "unsupportedPublicKeyType",
        ),
        (
            Self::InvalidVerificationMethod,
            "INVALID_VERIFICATION_METHOD",
            "invalidVerificationMethod",
        ),
        (
            Self::InvalidRelationshipForVerificationMethod,
            "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD",
            "invalidRelationshipForVerificationMethod",
        ),
    ];

    fn names(self) -> (&'static str, &'static str) {
        let row = Self::ALL.iter().find(|(code, ..)| *code == self);
        row.map_or(("INTERNAL_ERROR", "internalError"), |(_, name, legacy)| {
            (name, legacy)
        })
    }

    /// The name at the end of the error's type, for example `INVALID_DID`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.names().0
    }

    /// The code of older drafts and of DID Core 1.0, section 7.1.2, for example `invalidDid`.
    #[must_use]
    pub fn legacy(self) -> &'static str {
        self.names().1
    }

    /// The `type` of the problem details object, for example `https://www.w3.org/ns/did#INVALID_DID`.
    #[must_use]
    pub fn iri(self) -> String {
        let vocabulary = match self {
            Self::InvalidVerificationMethod | Self::InvalidRelationshipForVerificationMethod => {
                "https://w3id.org/security#"
            }
            _ => "https://www.w3.org/ns/did#",
        };
        format!("{vocabulary}{}", self.name())
    }

    /// Reads the `error` of a resolution result: the object of newer drafts or the string of older ones.
    #[must_use]
    pub fn read(error: &Value) -> Option<Self> {
        let text = match error {
            Value::String(text) => text.as_str(),
            Value::Object(object) => object.get("type")?.as_str()?,
            _ => return None,
        };
        let name = text.rsplit_once('#').map_or(text, |(_, name)| name);
        let known = |row: &&(Self, &str, &str)| row.1 == name || row.2 == name;
        Self::ALL.iter().find(known).map(|row| row.0)
    }
}

/// Why a DID did not resolve. The texts are for people; they carry nothing of the document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", code.name())]
pub struct ResolutionError {
    /// The standard error.
    pub code: ErrorCode,
    /// What exactly is wrong.
    pub detail: &'static str,
    /// The source could not be asked; the same request may succeed later.
    pub temporary: bool,
}

impl ResolutionError {
    /// An error that lasts.
    #[must_use]
    pub const fn new(code: ErrorCode, detail: &'static str) -> Self {
        Self {
            code,
            detail,
            temporary: false,
        }
    }

    /// An error that may pass: the source did not answer.
    #[must_use]
    pub const fn temporary(detail: &'static str) -> Self {
        Self {
            code: ErrorCode::InternalError,
            detail,
            temporary: true,
        }
    }

    /// Stable code for callers: `temporarily_unavailable`, else the standard name in lower case.
    #[must_use]
    pub fn code(&self) -> String {
        if self.temporary {
            "temporarily_unavailable".to_owned()
        } else {
            self.code.name().to_ascii_lowercase()
        }
    }

    /// The problem details object (RFC 9457; DID Resolution v0.3, section 10).
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({"type": self.code.iri(), "title": self.code.name(), "detail": self.detail})
    }
}

/// `didResolutionMetadata`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResolutionMetadata {
    /// Media type of the document, `application/did` by default.
    pub content_type: Option<&'static str>,
    /// Why there is no document.
    pub error: Option<ResolutionError>,
}

impl ResolutionMetadata {
    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut members = Map::new();
        if let Some(content_type) = self.content_type {
            members.insert("contentType".into(), content_type.into());
        }
        if let Some(error) = &self.error {
            members.insert("error".into(), error.to_json());
        }
        Value::Object(members)
    }
}

/// `didDocumentMetadata`: what the method says about the document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DocumentMetadata(pub Map<String, Value>);

impl DocumentMetadata {
    /// The DID is deactivated: its keys prove nothing any more.
    #[must_use]
    pub fn deactivated(&self) -> bool {
        self.0.get("deactivated") == Some(&Value::Bool(true))
    }

    /// `versionId` of this document.
    #[must_use]
    pub fn version_id(&self) -> Option<&str> {
        self.0.get("versionId").and_then(Value::as_str)
    }
}

/// The result triple of DID resolution. There is a document exactly when there is no error,
/// except that a deactivated DID has neither.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Resolution {
    /// The document.
    pub document: Option<DidDocument>,
    /// About the act of resolving.
    pub resolution_metadata: ResolutionMetadata,
    /// About the document.
    pub document_metadata: DocumentMetadata,
}

impl Resolution {
    /// A document.
    #[must_use]
    pub fn found(document: DidDocument, document_metadata: DocumentMetadata) -> Self {
        let content_type = Some("application/did");
        Self {
            document: Some(document),
            resolution_metadata: ResolutionMetadata {
                content_type,
                error: None,
            },
            document_metadata,
        }
    }

    /// No document because of an error.
    #[must_use]
    pub fn failed(error: ResolutionError) -> Self {
        Self {
            document: None,
            resolution_metadata: ResolutionMetadata {
                content_type: None,
                error: Some(error),
            },
            document_metadata: DocumentMetadata::default(),
        }
    }

    /// The document of an active DID: what a verifier may take keys from.
    ///
    /// # Errors
    /// The error of the resolution; [`ErrorCode::NotFound`] for a deactivated DID.
    pub fn active(&self) -> Result<&DidDocument, ResolutionError> {
        if let Some(error) = &self.resolution_metadata.error {
            return Err(error.clone());
        }
        if self.document_metadata.deactivated() {
            return Err(ResolutionError::new(
                ErrorCode::NotFound,
                "the DID is deactivated",
            ));
        }
        self.document.as_ref().ok_or(ResolutionError::new(
            ErrorCode::InternalError,
            "no document and no error",
        ))
    }

    /// The triple as JSON (DID Resolution v0.3, "DID Resolution Result").
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "@context": "https://w3id.org/did-resolution/v1",
            "didDocument": self.document.as_ref().map(DidDocument::as_json),
            "didResolutionMetadata": self.resolution_metadata.to_json(),
            "didDocumentMetadata": self.document_metadata.0,
        })
    }
}

impl From<Result<Self, ResolutionError>> for Resolution {
    fn from(result: Result<Self, ResolutionError>) -> Self {
        result.unwrap_or_else(Self::failed)
    }
}

/// Resolves DIDs (DID Resolution v0.3, section 4: `resolve(did, resolutionOptions)`).
#[async_trait::async_trait]
pub trait Resolver: Send + Sync {
    /// Resolves a DID. Errors are in the result; nothing is ever accepted when the source is down.
    async fn resolve(&self, did: &str, options: &ResolutionOptions) -> Resolution;
}
