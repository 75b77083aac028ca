//! Lists of trusted entities: who may issue, provide wallets, sign status lists and ask wallets.
//!
//! Two forms, one result: [`import_lote`] reads the JSON binding of ETSI TS 119 602 v1.1.1
//! (signed as compact JAdES), `import_trusted_list` (feature `xml-trusted-list`) reads ETSI
//! TS 119 612 v2.4.1 (XML, enveloped XAdES). Both give a `Verified<TrustList>`, whose
//! [`TrustList::anchors`] are what [`crate::x509::verify_chain`] takes.
//!
//! What every import demands, and in what way it fails: the signer stands below the anchors of
//! [`Role::ListOperator`](crate::x509::Role::ListOperator) or is one of its listed signers; the list is of the kind that was asked
//! for; it is not older than the one known before (sequence number); it is not past its next
//! update. A certificate becomes an anchor of the roles that the kind of the list gives to its
//! service type, and of no other.

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

mod instant;
mod jades;
mod kind;
mod list;
mod lote;
#[cfg(test)]
pub(crate) mod tests;
#[cfg(feature = "xml-trusted-list")]
mod xml;

pub use kind::ListKind;
pub use list::{Checkpoint, ListPolicy, ListedService, TrustList};
pub use lote::{MAX_LOTE_BYTES, import_lote};
#[cfg(feature = "xml-trusted-list")]
pub use xml::{MAX_XML_BYTES, import_trusted_list};

use crate::json::JsonError;
use crate::x509::X509Error;

/// Why a list is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustListError {
    /// Larger than allowed.
    #[error("the list is too large")]
    TooLarge,
    /// Not a compact JWS, not XML, or without a member that every list has.
    #[error("the list is malformed: {0}")]
    Malformed(&'static str),
    /// Not strict JSON.
    #[error("the list is not acceptable JSON")]
    Json(#[source] JsonError),
    /// The signature has a form or an algorithm that is not accepted.
    #[error("the signature of the list is not acceptable: {0}")]
    SignatureForm(&'static str),
    /// The signature does not fit.
    #[error("the signature of the list is wrong")]
    Signature,
    /// The signer is nobody who may sign lists.
    #[error("the signer of the list is not trusted")]
    Signer(#[source] X509Error),
    /// A list of another kind.
    #[error("the list is of another kind")]
    Kind,
    /// A list of another territory.
    #[error("the list is of another territory")]
    Territory,
    /// A date is missing or no date.
    #[error("a date of the list is unusable")]
    Date,
    /// Issued in the future.
    #[error("the list is issued in the future")]
    NotYetIssued,
    /// Past its next update, or without one: its scheme has ended.
    #[error("the list is past its next update")]
    Outdated,
    /// The next update is further away than six months.
    #[error("the next update of the list is too far away")]
    NextUpdateTooFar,
    /// An older list than the one known before.
    #[error("the list is older than the one known before")]
    Rollback,
    /// The same sequence number with another content.
    #[error("two lists with one sequence number")]
    Fork,
}

impl TrustListError {
    /// Stable code for logs and interfaces.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "trust_list_too_large",
            Self::Malformed(_) => "trust_list_malformed",
            Self::Json(_) => "trust_list_json",
            Self::SignatureForm(_) => "trust_list_signature_form",
            Self::Signature => "trust_list_signature",
            Self::Signer(_) => "trust_list_signer",
            Self::Kind => "trust_list_kind",
            Self::Territory => "trust_list_territory",
            Self::Date => "trust_list_date",
            Self::NotYetIssued => "trust_list_not_yet_issued",
            Self::Outdated => "trust_list_outdated",
            Self::NextUpdateTooFar => "trust_list_next_update_too_far",
            Self::Rollback => "trust_list_rollback",
            Self::Fork => "trust_list_fork",
        }
    }
}
