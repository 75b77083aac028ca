//! DID documents (DID Core 1.0, section 5), parsed strictly.

mod method;
mod parse;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub(super) use method::write as write_method;
pub use method::{KeyFormat, VerificationMethod};

use super::{Did, DidUrl};

/// Largest DID document in bytes.
pub const MAX_DOCUMENT: usize = 64 * 1024;
/// Most verification methods, embedded ones included, and most services of a document.
pub const MAX_METHODS: usize = 128;

/// What a verification method may be used for (DID Core 1.0, section 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relationship {
    /// `authentication`: proofs of the subject about itself, presentations among them.
    Authentication,
    /// `assertionMethod`: credentials.
    AssertionMethod,
    /// `keyAgreement`: encryption to the subject.
    KeyAgreement,
    /// `capabilityInvocation`.
    CapabilityInvocation,
    /// `capabilityDelegation`.
    CapabilityDelegation,
}

impl Relationship {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Authentication,
        Self::AssertionMethod,
        Self::KeyAgreement,
        Self::CapabilityInvocation,
        Self::CapabilityDelegation,
    ];

    /// The name of the property, also of `proofPurpose`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::AssertionMethod => "assertionMethod",
            Self::KeyAgreement => "keyAgreement",
            Self::CapabilityInvocation => "capabilityInvocation",
            Self::CapabilityDelegation => "capabilityDelegation",
        }
    }

    /// The relationship with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.name() == name)
    }
}

/// Why a text is not a DID document we accept. Nothing of the document is in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// More than [`MAX_DOCUMENT`] bytes.
    #[error("the DID document is too large")]
    TooLarge,
    /// Not strict JSON (duplicate members, a byte order mark, too deep), or not an object.
    #[error("the DID document is not a JSON object")]
    Json,
    /// `id` is missing or not the DID that was asked for.
    #[error("the id of the DID document is another DID")]
    Id,
    /// `@context` has the wrong form or sets `@base`.
    #[error("the @context of the DID document is not acceptable")]
    Context,
    /// `controller` is not a DID or a set of DIDs.
    #[error("a controller is not a DID")]
    Controller,
    /// A verification method without the members it must have, or with an id that is not a DID URL.
    #[error("a verification method is malformed")]
    Method,
    /// Two verification methods or services with the same id.
    #[error("an id occurs twice")]
    DuplicateId,
    /// More than [`MAX_METHODS`] verification methods, references of one relationship, or services.
    #[error("too many entries")]
    TooMany,
    /// A key that is malformed, or private.
    #[error("a key is malformed or private")]
    Key,
    /// A verification relationship that is not a list of DID URLs and verification methods.
    #[error("a verification relationship is malformed")]
    Relationship,
    /// A service without the members it must have.
    #[error("a service is malformed")]
    Service,
    /// `alsoKnownAs` is not a set of texts.
    #[error("alsoKnownAs is malformed")]
    AlsoKnownAs,
}

/// Why a verification method may not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MethodError {
    /// The document has no such method.
    #[error("the DID document has no such verification method")]
    NotFound,
    /// The method is there, but not for this purpose.
    #[error("the verification method is not for this purpose")]
    Relationship,
    /// Somebody else controls the method.
    #[error("the verification method has another controller")]
    Controller,
    /// The kind of key is not known here.
    #[error("the verification method has an unsupported key")]
    Unsupported,
}

/// A service (DID Core 1.0, section 5.4).
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Its id: a DID URL of the document, or another URI.
    pub id: String,
    /// Its types.
    pub types: Vec<String>,
    /// The endpoint: a text, an object or a list of both.
    pub endpoint: Value,
}

/// A DID document that keeps the rules of DID Core 1.0, section 5.
#[derive(Clone, Debug, PartialEq)]
pub struct DidDocument {
    id: Did,
    json: Value,
    controllers: Vec<Did>,
    methods: Vec<Entry>,
    relationships: Vec<(Relationship, DidUrl)>,
    services: Vec<Service>,
}

/// A verification method; without its key where the type or curve is not known here.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    id: DidUrl,
    /// `None` when it names none: such a method is usable by nobody.
    controller: Option<Did>,
    method: Option<VerificationMethod>,
}

impl DidDocument {
    /// Parses the document of `did` from its bytes.
    ///
    /// # Errors
    /// See [`DocumentError`].
    pub fn parse(text: &[u8], did: &Did) -> Result<Self, DocumentError> {
        if text.len() > MAX_DOCUMENT {
            return Err(DocumentError::TooLarge);
        }
        let json = crate::json::parse_object(text).map_err(|_| DocumentError::Json)?;
        parse::document(Value::Object(json), did)
    }

    /// Checks the document of `did` that was parsed as part of something else.
    ///
    /// # Errors
    /// See [`DocumentError`].
    pub fn from_json(json: Value, did: &Did) -> Result<Self, DocumentError> {
        parse::document(json, did)
    }

    /// The DID that the document describes.
    #[must_use]
    pub fn id(&self) -> &Did {
        &self.id
    }

    /// The document as it was published.
    #[must_use]
    pub fn as_json(&self) -> &Value {
        &self.json
    }

    /// The document with every relative DID URL made absolute (DID Resolution v0.3, `expandRelativeUrls`).
    #[must_use]
    pub fn expanded(mut self) -> Self {
        let base = self.id.as_str().to_owned();
        let absolute = |value: &mut Value| match value.as_str() {
            Some(text) if text.starts_with('#') => *value = format!("{base}{text}").into(),
            _ => {}
        };
        let names = ["verificationMethod", "service"].into_iter();
        for name in names.chain(Relationship::ALL.map(Relationship::name)) {
            let list = self.json.get_mut(name).and_then(Value::as_array_mut);
            for part in list.into_iter().flatten() {
                match part.get_mut("id") {
                    Some(id) => absolute(id),
                    None => absolute(part),
                }
            }
        }
        self
    }

    /// Who else may change the document; empty when it is the subject alone.
    #[must_use]
    pub fn controllers(&self) -> &[Did] {
        &self.controllers
    }

    /// The services.
    #[must_use]
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// The verification methods whose keys are known here, embedded ones included.
    pub fn methods(&self) -> impl Iterator<Item = &VerificationMethod> {
        self.methods
            .iter()
            .filter_map(|entry| entry.method.as_ref())
    }

    /// The methods of one relationship that may be used.
    pub fn methods_for(
        &self,
        relationship: Relationship,
    ) -> impl Iterator<Item = &VerificationMethod> {
        let urls = self
            .relationships
            .iter()
            .filter(move |(own, _)| *own == relationship);
        urls.filter_map(move |(_, url)| self.method(url, relationship).ok())
    }

    /// The method with this id, for this purpose. It must stand in this document, in the
    /// relationship (by reference or embedded), and be controlled by the subject of the document.
    ///
    /// # Errors
    /// See [`MethodError`].
    pub fn method(
        &self,
        url: &DidUrl,
        relationship: Relationship,
    ) -> Result<&VerificationMethod, MethodError> {
        let entry = self
            .methods
            .iter()
            .find(|entry| entry.id == *url)
            .ok_or(MethodError::NotFound)?;
        // Controlled Identifiers 1.0, section 3.3, "Retrieve Verification Method".
        let related = |own: &(Relationship, DidUrl)| own.0 == relationship && own.1 == *url;
        if !self.relationships.iter().any(related) {
            return Err(MethodError::Relationship);
        }
        if entry.controller.as_ref() != Some(&self.id) || *entry.id.did() != self.id {
            return Err(MethodError::Controller);
        }
        entry.method.as_ref().ok_or(MethodError::Unsupported)
    }
}
