//! Why an mdoc is refused, or was not issued.

use thiserror::Error;

use crate::cbor::CborError;
use crate::cose::{CoseError, CoseSignError};
use crate::status_list::StatusError;
use crate::x509::X509Error;

/// Why an mdoc is refused. Each has a stable [`code`](Self::code) for the log;
/// none carries a byte of the document.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MdocError {
    /// Not base64url without padding, where text carries it.
    #[error("not base64url")]
    Encoding,
    /// Not acceptable as CBOR, or another structure than it should be.
    #[error("not an acceptable structure")]
    Cbor(#[from] CborError),
    /// `version` is not 1.x.
    #[error("unknown version")]
    Version,
    /// `status` is not 0.
    #[error("the device answered with an error status")]
    ResponseStatus,
    /// No document, or more than one.
    #[error("not exactly one document")]
    Documents,
    /// Documents that the device did not return.
    #[error("the device did not return a document")]
    DocumentErrors,
    /// `issuerAuth` is not acceptable.
    #[error("the issuer's signature is not acceptable")]
    IssuerAuth(#[source] CoseError),
    /// No `x5chain` in the unprotected header.
    #[error("no certificate chain in the unprotected header")]
    ChainMissing,
    /// No trusted issuer for this certificate.
    #[error("the issuer is not trusted")]
    IssuerUntrusted,
    /// The document signer's chain is not acceptable.
    #[error("the document signer's certificate chain is not acceptable")]
    IssuerChain(#[source] X509Error),
    /// The issuer is trusted, but not for this type.
    #[error("the issuer may not issue this type")]
    IssuerNotForType,
    /// The mobile security object is malformed; the name of the part.
    #[error("`{0}` of the mobile security object is malformed")]
    Mso(&'static str),
    /// A digest algorithm other than SHA-256, SHA-384 and SHA-512.
    #[error("the digest algorithm is not allowed")]
    DigestAlgorithm,
    /// `docType` of the document is not the one that was signed.
    #[error("the type of the document is not the one that was signed")]
    DocTypeMismatch,
    /// Another type than wanted.
    #[error("another type than wanted")]
    TypeNotAccepted,
    /// A malformed `IssuerSignedItem`.
    #[error("a malformed element")]
    Item,
    /// The namespace or the `digestID` is not in `valueDigests`.
    #[error("an element that was not signed")]
    DigestMissing,
    /// A `digestID` or an element twice in a namespace.
    #[error("an element twice")]
    DuplicateElement,
    /// The digest of an element is another one.
    #[error("an element that was altered")]
    DigestMismatch,
    /// A known element with a value of the wrong type or size.
    #[error("an element with a value that its data type does not have")]
    ElementType,
    /// An element that this type of document must not have.
    #[error("an element that this type of document does not have")]
    ElementUnexpected,
    /// No such element.
    #[error("the document has no such element")]
    ElementNotFound,
    /// `signed` lies outside of the validity of the document signer's certificate.
    #[error("signed outside of the validity of the signer's certificate")]
    SignedOutsideCertificate,
    /// `validUntil` has passed.
    #[error("the document has expired")]
    Expired,
    /// `validFrom` has not come.
    #[error("the document is not yet valid")]
    NotYetValid,
    /// `signed` lies in the future.
    #[error("the document was signed in the future")]
    SignedInFuture,
    /// `deviceAuth` is not acceptable: another key, transcript or element.
    #[error("the device authentication is not acceptable")]
    DeviceAuth(#[source] CoseError),
    /// Both a signature and a code, or neither.
    #[error("not exactly one device authentication")]
    DeviceAuthForm,
    /// A code for which there is no key of the reader.
    #[error("device authentication by a code cannot be checked here")]
    MacUnsupported,
    /// An element signed by the device that its key may not sign.
    #[error("an element that the device key may not sign")]
    NotAuthorized,
    /// The device key is another one than wanted.
    #[error("bound to another key")]
    DeviceKeyMismatch,
    /// A status is required.
    #[error("the document has no status")]
    StatusMissing,
    /// The status is not "valid", or not known.
    #[error("the status forbids acceptance")]
    Status(#[from] StatusError),
    /// The device's signature could not be made.
    #[error("the device could not sign")]
    Sign(#[source] CoseSignError),
}

impl MdocError {
    /// A stable code for logs and interfaces.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Encoding => "mdoc_encoding",
            Self::Cbor(error) => error.code(),
            Self::Version => "mdoc_version",
            Self::ResponseStatus => "mdoc_response_status",
            Self::Documents => "mdoc_documents",
            Self::DocumentErrors => "mdoc_document_errors",
            Self::IssuerAuth(_) => "mdoc_issuer_auth",
            Self::ChainMissing => "mdoc_chain_missing",
            Self::IssuerUntrusted => "issuer_untrusted",
            Self::IssuerChain(_) => "issuer_chain",
            Self::IssuerNotForType => "issuer_not_for_type",
            Self::Mso(_) => "mdoc_mso",
            Self::DigestAlgorithm => "mdoc_digest_algorithm",
            Self::DocTypeMismatch => "mdoc_doctype_mismatch",
            Self::TypeNotAccepted => "type_not_accepted",
            Self::Item => "mdoc_item",
            Self::DigestMissing => "mdoc_digest_missing",
            Self::DuplicateElement => "mdoc_duplicate_element",
            Self::DigestMismatch => "mdoc_digest_mismatch",
            Self::ElementType => "mdoc_element_type",
            Self::ElementUnexpected => "mdoc_element_unexpected",
            Self::ElementNotFound => "mdoc_element_not_found",
            Self::SignedOutsideCertificate => "mdoc_signed_outside_certificate",
            Self::Expired => "credential_expired",
            Self::NotYetValid => "credential_not_yet_valid",
            Self::SignedInFuture => "credential_issued_in_future",
            Self::DeviceAuth(_) => "mdoc_device_auth",
            Self::DeviceAuthForm => "mdoc_device_auth_form",
            Self::MacUnsupported => "mdoc_mac_unsupported",
            Self::NotAuthorized => "mdoc_not_authorized",
            Self::DeviceKeyMismatch => "holder_key_mismatch",
            Self::StatusMissing => "status_missing",
            Self::Status(error) => error.code(),
            Self::Sign(_) => "signing_failed",
        }
    }
}

/// Why an mdoc was not issued.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IssueError {
    /// No element, an empty namespace, or too many elements.
    #[error("no element, or too many")]
    Elements,
    /// An element twice.
    #[error("an element twice")]
    DuplicateElement,
    /// A value that its data type does not have, an element that the type does not have, or a
    /// value that no reader would accept.
    #[error("an element that readers would refuse")]
    Element(#[source] MdocError),
    /// `validFrom` before `signed`, or `validUntil` not after `validFrom`.
    #[error("the times are not in order")]
    Validity,
    /// The signature could not be made.
    #[error("the document could not be signed")]
    Sign(#[from] CoseSignError),
}

impl IssueError {
    /// A stable code for logs and interfaces.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Elements => "mdoc_elements",
            Self::DuplicateElement => "mdoc_duplicate_element",
            Self::Element(error) => error.code(),
            Self::Validity => "mdoc_validity",
            Self::Sign(_) => "signing_failed",
        }
    }
}
