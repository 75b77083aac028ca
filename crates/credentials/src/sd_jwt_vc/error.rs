//! Why a credential or a presentation is refused.

use thiserror::Error;

use crate::crypto::KeyError;
use crate::jws::JwsError;
use crate::sd_jwt::SdJwtError;
use crate::x509::X509Error;

/// Why an SD-JWT VC is refused. Each has a stable [`code`](Self::code) for the
/// log; none carries a byte of the credential.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VcError {
    /// Not an SD-JWT, or its Disclosures break a rule.
    #[error("the SD-JWT is not acceptable")]
    SdJwt(#[from] SdJwtError),
    /// The Issuer-signed JWT is not acceptable.
    #[error("the issuer-signed JWT is not acceptable")]
    IssuerJwt(#[source] JwsError),
    /// The certificate chain of the issuer is not acceptable.
    #[error("the issuer's certificate chain is not acceptable")]
    IssuerChain(#[source] X509Error),
    /// Neither `x5c` nor a `kid` with an absolute DID URL.
    #[error("the issuer's key is not named")]
    IssuerKeyMissing,
    /// Both `x5c` and a DID in `kid`.
    #[error("the issuer's key is named in two ways")]
    IssuerKeyAmbiguous,
    /// No trusted issuer for this certificate or DID.
    #[error("the issuer is not trusted")]
    IssuerUntrusted,
    /// `kid` names another verification method than the one of the DID.
    #[error("unknown key of the issuer's DID")]
    IssuerKeyUnknown,
    /// `iss` names another issuer than the validated one, or an issuer whose
    /// method is another one.
    #[error("`iss` is not the validated issuer")]
    IssuerMismatch,
    /// The issuer is trusted, but not for this type.
    #[error("the issuer may not issue this type")]
    IssuerNotForType,
    /// A registered claim has the wrong JSON type or an impossible value.
    #[error("the claim `{0}` is malformed")]
    ClaimMalformed(&'static str),
    /// A claim that must be in the clear is, or may be, hidden.
    #[error("the claim `{0}` must not be selectively disclosable")]
    ClaimHidden(&'static str),
    /// `vct` is missing.
    #[error("the type is missing")]
    TypeMissing,
    /// Another type than wanted.
    #[error("another type than wanted")]
    TypeNotAccepted,
    /// `exp` has passed.
    #[error("the credential has expired")]
    Expired,
    /// `nbf` has not come.
    #[error("the credential is not yet valid")]
    NotYetValid,
    /// `iat` lies in the future.
    #[error("the credential was issued in the future")]
    IssuedInFuture,
    /// `status` holds no mechanism that can be checked.
    #[error("the status cannot be checked")]
    StatusUnsupported,
    /// The policy wants a status and the credential has none.
    #[error("the credential has no status")]
    StatusMissing,
    /// `cnf` is missing where the holder must be bound.
    #[error("the credential is not bound to a key")]
    HolderKeyMissing,
    /// `cnf` holds anything but `jwk` alone.
    #[error("the holder's key is named in an unsupported way")]
    HolderKeyUnsupported,
    /// `cnf.jwk` is not an acceptable key.
    #[error("the holder's key is not acceptable")]
    HolderKey(#[source] KeyError),
    /// `cnf` is another key than the one the Holder asked for.
    #[error("the credential is bound to another key")]
    HolderKeyMismatch,
    /// A Key Binding JWT where none may be (at issuance).
    #[error("a Key Binding JWT where none may be")]
    KeyBindingUnexpected,
    /// No Key Binding JWT although one is required.
    #[error("the Key Binding JWT is missing")]
    KeyBindingMissing,
    /// The Key Binding JWT is not acceptable.
    #[error("the Key Binding JWT is not acceptable")]
    KeyBinding(#[from] KbError),
    /// The status was not settled, see the source.
    #[error("the status does not allow acceptance")]
    Status(#[from] crate::status_list::StatusError),
}

/// Why a Key Binding JWT is refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KbError {
    /// Not an acceptable JWS of the type `kb+jwt`.
    #[error("not an acceptable Key Binding JWT")]
    Jwt(#[source] JwsError),
    /// A claim is missing.
    #[error("the claim `{0}` is missing")]
    ClaimMissing(&'static str),
    /// A claim has the wrong JSON type or an impossible value.
    #[error("the claim `{0}` is malformed")]
    ClaimMalformed(&'static str),
    /// Made for another audience.
    #[error("made for another audience")]
    Audience,
    /// Made for another nonce.
    #[error("made for another nonce")]
    Nonce,
    /// `iat` more than 300 s ago, or `exp` has passed.
    #[error("too old")]
    TooOld,
    /// `iat` more than 60 s ahead, or `nbf` has not come.
    #[error("made in the future")]
    InFuture,
    /// Made for another SD-JWT or other Disclosures.
    #[error("made for other Disclosures")]
    SdHash,
    /// Agrees to transaction data that nobody asked about.
    #[error("agrees to transaction data that was not in the request")]
    TransactionData,
}

impl VcError {
    /// A stable code for logs and interfaces.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::SdJwt(error) => error.code(),
            Self::IssuerJwt(JwsError::WrongType) => "issuer_jwt_typ",
            Self::IssuerJwt(JwsError::Algorithm) => "issuer_jwt_alg",
            Self::IssuerJwt(JwsError::Signature) => "issuer_signature",
            Self::IssuerJwt(_) => "issuer_jwt_malformed",
            Self::IssuerChain(X509Error::Expired) => "issuer_certificate_expired",
            Self::IssuerChain(_) => "issuer_certificate",
            Self::IssuerKeyMissing => "issuer_key_missing",
            Self::IssuerKeyAmbiguous => "issuer_key_ambiguous",
            Self::IssuerKeyUnknown => "issuer_key_unknown",
            Self::IssuerUntrusted => "issuer_untrusted",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::IssuerNotForType => "issuer_not_for_type",
            Self::ClaimMalformed(_) => "claim_malformed",
            Self::ClaimHidden(_) => "claim_hidden",
            Self::TypeMissing => "type_missing",
            Self::TypeNotAccepted => "type_not_accepted",
            Self::Expired => "credential_expired",
            Self::NotYetValid => "credential_not_yet_valid",
            Self::IssuedInFuture => "credential_issued_in_future",
            Self::StatusUnsupported => "status_unsupported",
            Self::StatusMissing => "status_missing",
            Self::HolderKeyMissing => "holder_key_missing",
            Self::HolderKeyUnsupported => "holder_key_unsupported",
            Self::HolderKey(_) => "holder_key_invalid",
            Self::HolderKeyMismatch => "holder_key_mismatch",
            Self::KeyBindingUnexpected => "kb_unexpected",
            Self::KeyBindingMissing => "kb_missing",
            Self::KeyBinding(error) => error.code(),
            Self::Status(error) => error.code(),
        }
    }
}

impl KbError {
    /// A stable code for logs and interfaces.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Jwt(JwsError::WrongType) => "kb_typ",
            Self::Jwt(JwsError::Algorithm) => "kb_alg",
            Self::Jwt(JwsError::Signature) => "kb_signature",
            Self::Jwt(_) => "kb_malformed",
            Self::ClaimMissing(_) => "kb_claim_missing",
            Self::ClaimMalformed(_) => "kb_claim_malformed",
            Self::Audience => "kb_audience",
            Self::Nonce => "kb_nonce",
            Self::TooOld => "kb_too_old",
            Self::InFuture => "kb_in_future",
            Self::SdHash => "kb_sd_hash",
            Self::TransactionData => "kb_transaction_data",
        }
    }
}
