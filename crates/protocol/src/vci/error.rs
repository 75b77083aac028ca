//! Errors of the credential endpoints (sections 8.3.1.2 and 9.3).

use serde::Serialize;

use crate::oauth::error::ErrorDescription;

/// Codes of section 8.3.1.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialErrorCode {
    /// Malformed, a parameter missing, repeated or not supported.
    InvalidCredentialRequest,
    /// No such credential configuration.
    UnknownCredentialConfiguration,
    /// No such credential dataset.
    UnknownCredentialIdentifier,
    /// Proofs missing or one of them invalid.
    InvalidProof,
    /// A proof carries a nonce that is not, or no longer, good: fetch a new one.
    InvalidNonce,
    /// Encryption parameters invalid or missing.
    InvalidEncryptionParameters,
    /// The issuer does not issue this credential; do not retry.
    CredentialRequestDenied,
    /// Of the deferred credential endpoint: no such transaction, or it is done (section 9.3).
    InvalidTransactionId,
}

impl CredentialErrorCode {
    /// All codes.
    pub const ALL: [Self; 8] = [
        Self::InvalidCredentialRequest,
        Self::UnknownCredentialConfiguration,
        Self::UnknownCredentialIdentifier,
        Self::InvalidProof,
        Self::InvalidNonce,
        Self::InvalidEncryptionParameters,
        Self::CredentialRequestDenied,
        Self::InvalidTransactionId,
    ];

    /// Code on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidCredentialRequest => "invalid_credential_request",
            Self::UnknownCredentialConfiguration => "unknown_credential_configuration",
            Self::UnknownCredentialIdentifier => "unknown_credential_identifier",
            Self::InvalidProof => "invalid_proof",
            Self::InvalidNonce => "invalid_nonce",
            Self::InvalidEncryptionParameters => "invalid_encryption_parameters",
            Self::CredentialRequestDenied => "credential_request_denied",
            Self::InvalidTransactionId => "invalid_transaction_id",
        }
    }

    /// Reads a code from the wire.
    #[must_use]
    pub fn from_wire(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str() == text)
    }
}

/// The error object; always status 400 with `Cache-Control: no-store`, never encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{}", error.as_str())]
pub struct CredentialError {
    /// Code.
    pub error: CredentialErrorCode,
    /// Text of ours for developers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_description: Option<ErrorDescription>,
}

impl CredentialError {
    /// Code with a text of ours.
    #[must_use]
    pub fn new(error: CredentialErrorCode, description: &'static str) -> Self {
        Self {
            error,
            error_description: Some(ErrorDescription::new(description)),
        }
    }
}

impl From<CredentialErrorCode> for CredentialError {
    fn from(error: CredentialErrorCode) -> Self {
        Self {
            error,
            error_description: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_the_wire() {
        for code in CredentialErrorCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert_eq!(CredentialErrorCode::from_wire(code.as_str()), Some(code));
        }
    }
}
