//! Why an envelope is refused, or was not made.

use thiserror::Error;

use crate::cose::{CoseError, CoseSignError};
use crate::data_integrity::ProofError;
use crate::json::JsonError;
use crate::jws::{JwsError, SignError};
use crate::problem::Problem;
use crate::sd_jwt::SdJwtError;
use crate::vcdm::VcdmError;

/// Why an envelope is refused. None carries a claim.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// A presentation where a credential is expected, or the other way round.
    #[error("another kind of envelope than expected")]
    Kind,
    /// The content is not text, where it must be.
    #[error("the envelope is not text")]
    Text,
    /// Not an acceptable JWS.
    #[error("the JWS is not acceptable")]
    Jws(#[source] JwsError),
    /// Not an acceptable SD-JWT.
    #[error("the SD-JWT is not acceptable")]
    SdJwt(#[source] SdJwtError),
    /// A Key Binding JWT, which these envelopes do not have.
    #[error("a Key Binding JWT where none may be")]
    KeyBinding,
    /// Not an acceptable `COSE_Sign1`.
    #[error("the COSE message is not acceptable")]
    Cose(#[source] CoseError),
    /// `typ` is not the one of the envelope.
    #[error("the type of the envelope is another")]
    Type,
    /// `cty` is neither absent nor the one of the envelope.
    #[error("the content type of the envelope is another")]
    ContentType,
    /// A header parameter that would have to be understood.
    #[error("a header parameter is not supported")]
    UnsupportedHeader,
    /// The payload is not acceptable JSON.
    #[error("the payload is not acceptable JSON")]
    PayloadJson(#[source] JsonError),
    /// `vc` or `vp`, the wrappers of data model 1.1.
    #[error("the claim `{0}` must not be there")]
    Wrapper(&'static str),
    /// A registered claim is malformed.
    #[error("the claim `{0}` is malformed")]
    ClaimMalformed(&'static str),
    /// `iss`, `sub` or `jti` contradicts the document.
    #[error("the claim `{0}` contradicts the document")]
    ClaimMismatch(&'static str),
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` has not come.
    #[error("the token is not yet valid")]
    NotYetValid,
    /// `nonce` is not the challenge.
    #[error("made for another challenge")]
    Challenge,
    /// `aud` is not the domain.
    #[error("made for another audience")]
    Audience,
    /// `kid` is missing or not an absolute URL of a verification method.
    #[error("the key is not named by an absolute URL")]
    KeyMissing,
    /// The verification method cannot be used, see the source.
    #[error("the verification method is not acceptable")]
    Method(#[source] ProofError),
    /// The key is not one that signs JOSE or COSE.
    #[error("the key is of another type")]
    Key,
    /// A credential in a presentation is neither enveloped nor proven.
    #[error("a credential of the presentation is not secured")]
    Unsecured,
}

impl EnvelopeError {
    /// A stable code for logs and interfaces.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Kind => "envelope_kind",
            Self::Text => "envelope_text",
            Self::Jws(error) => error.code(),
            Self::SdJwt(error) => error.code(),
            Self::KeyBinding => "kb_unexpected",
            Self::Cose(error) => error.code(),
            Self::Type => "envelope_typ",
            Self::ContentType => "envelope_cty",
            Self::UnsupportedHeader => "envelope_unsupported_header",
            Self::PayloadJson(_) => "envelope_payload_json",
            Self::Wrapper(_) => "envelope_wrapper",
            Self::ClaimMalformed(_) => "claim_malformed",
            Self::ClaimMismatch(_) => "claim_mismatch",
            Self::Expired => "envelope_expired",
            Self::NotYetValid => "envelope_not_yet_valid",
            Self::Challenge => "envelope_challenge",
            Self::Audience => "envelope_audience",
            Self::KeyMissing => "envelope_key_missing",
            Self::Method(error) => error.code(),
            Self::Key => "envelope_key",
            Self::Unsecured => "credential_unsecured",
        }
    }

    /// The problem type.
    #[must_use]
    pub const fn problem(&self) -> Problem {
        match self {
            Self::Kind
            | Self::Text
            | Self::Type
            | Self::ContentType
            | Self::PayloadJson(_)
            | Self::UnsupportedHeader => Problem::Parsing,
            Self::Wrapper(_) | Self::ClaimMalformed(_) | Self::ClaimMismatch(_) => {
                Problem::MalformedValue
            }
            Self::Expired | Self::NotYetValid => Problem::Range,
            Self::Challenge => Problem::InvalidChallenge,
            Self::Audience => Problem::InvalidDomain,
            Self::Method(error) => error.problem(),
            Self::KeyMissing => Problem::InvalidVerificationMethodUrl,
            Self::Key => Problem::InvalidVerificationMethod,
            Self::Jws(_) | Self::SdJwt(_) | Self::KeyBinding | Self::Cose(_) | Self::Unsecured => {
                Problem::CryptographicSecurity
            }
        }
    }
}

/// Why an envelope was not made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IssueError {
    /// Not a document of VCDM 2.0.
    #[error("not a well-formed document")]
    Malformed(#[from] VcdmError),
    /// Another kind of envelope than the function makes.
    #[error("another kind of envelope")]
    Kind,
    /// A claim that contradicts the document, or a wrapper.
    #[error("a claim is not acceptable")]
    Claim(#[from] EnvelopeError),
    /// The claims and the frame do not fit SD-JWT.
    #[error("the claims cannot be hidden as wanted")]
    Conceal(#[from] SdJwtError),
    /// A claim that must stay in the clear would be hidden.
    #[error("the property `{0}` must not be hidden")]
    Hidden(&'static str),
    /// The JWS could not be signed.
    #[error("the JWS could not be signed")]
    Jws(#[from] SignError),
    /// The COSE message could not be signed.
    #[error("the COSE message could not be signed")]
    Cose(#[from] CoseSignError),
    /// The document cannot be written.
    #[error("the document cannot be serialised")]
    Json(#[source] serde_json::Error),
}

impl IssueError {
    /// A stable code for logs and interfaces.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(error) => error.code(),
            Self::Kind => "envelope_kind",
            Self::Claim(error) => error.code(),
            Self::Conceal(error) => error.code(),
            Self::Hidden(_) => "claim_hidden",
            Self::Jws(_) | Self::Cose(_) => "signing_failed",
            Self::Json(_) => "envelope_payload_json",
        }
    }
}
