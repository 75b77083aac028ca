//! From the reason why a presentation was refused to the page that a person understands.

use vouchsafe_credentials::mdoc::MdocError;
use vouchsafe_credentials::sd_jwt_vc::VcError;
use vouchsafe_credentials::status_list::StatusError;
use vouchsafe_protocol::vp::dcql::CredentialMismatch;
use vouchsafe_protocol::vp::verify::{PresentationError, StatusSourceError};

use crate::domain::reason::{Explanation, Failure};

/// What a refused presentation means for the login. `None`: whoever posted it did not show that
/// they know the request (wrong key, wrong `state`, garbage), so the login goes on.
#[must_use]
pub fn explain(error: &PresentationError) -> Option<Failure> {
    let explanation = match error {
        PresentationError::Way
        | PresentationError::Protocol
        | PresentationError::NotEncrypted
        | PresentationError::ResponseUri
        | PresentationError::TransactionExpired
        | PresentationError::Jwe(_)
        | PresentationError::EncryptionKey
        | PresentationError::Json
        | PresentationError::State
        | PresentationError::Wallet(_) => return None,
        PresentationError::ResponseClaim(_)
        | PresentationError::ResponseExpired
        | PresentationError::ResponseNotYetValid
        | PresentationError::ResponseAudience
        | PresentationError::ErrorBesideToken
        | PresentationError::TokenMissing
        | PresentationError::TokenShape
        | PresentationError::TokenUnknownId
        | PresentationError::TokenCount
        | PresentationError::TokenDuplicate
        | PresentationError::Format
        | PresentationError::TransactionData(_)
        | PresentationError::HolderDiffers
        | PresentationError::Sets(_) => Explanation::NotProven,
        PresentationError::StatusSource(StatusSourceError::Refused(_)) => Explanation::Issuer,
        PresentationError::StatusSource(
            StatusSourceError::Unavailable(_) | StatusSourceError::Rejected(_),
        ) => Explanation::Status,
        PresentationError::Query { query: _, mismatch } => match mismatch {
            CredentialMismatch::Type | CredentialMismatch::Format => Explanation::Type,
            CredentialMismatch::Authority => Explanation::Issuer,
            CredentialMismatch::HolderBinding | CredentialMismatch::Claims => {
                Explanation::NotProven
            }
        },
        PresentationError::Credential { query: _, error } => credential(error),
        PresentationError::Mdoc { query: _, error } => mdoc(error),
    };
    Some(Failure::new(error.code(), explanation))
}

fn credential(error: &VcError) -> Explanation {
    match error {
        VcError::Status(error) => status(error),
        VcError::StatusMissing | VcError::StatusUnsupported => Explanation::Status,
        VcError::Expired | VcError::NotYetValid => Explanation::Expired,
        VcError::IssuerUntrusted
        | VcError::IssuerChain(_)
        | VcError::IssuerMismatch
        | VcError::IssuerNotForType => Explanation::Issuer,
        VcError::TypeNotAccepted | VcError::TypeMissing => Explanation::Type,
        // The list of reasons grows with the formats; what has no page of its own was not proven.
        _ => Explanation::NotProven,
    }
}

fn mdoc(error: &MdocError) -> Explanation {
    match error {
        MdocError::Status(error) => status(error),
        MdocError::StatusMissing => Explanation::Status,
        MdocError::Expired | MdocError::NotYetValid => Explanation::Expired,
        MdocError::IssuerUntrusted
        | MdocError::IssuerChain(_)
        | MdocError::ChainMissing
        | MdocError::IssuerNotForType => Explanation::Issuer,
        MdocError::TypeNotAccepted | MdocError::DocTypeMismatch => Explanation::Type,
        // As above.
        _ => Explanation::NotProven,
    }
}

fn status(error: &StatusError) -> Explanation {
    match error {
        StatusError::Revoked => Explanation::Revoked,
        StatusError::Suspended => Explanation::Suspended,
        _ => Explanation::Status,
    }
}
