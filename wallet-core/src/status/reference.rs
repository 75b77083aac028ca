//! Where the status of a card stands.

use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::status_list::{IdentifierRef, StatusRef};

use crate::credential::Held;

/// The kind of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum ListKind {
    /// A status list.
    Statuses,
    /// A list of the identifiers that were revoked.
    Identifiers,
}

impl ListKind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Statuses => "statuses",
            Self::Identifiers => "identifiers",
        }
    }
}

/// A place in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reference {
    /// An index in a status list.
    Status(StatusRef),
    /// An identifier that an identifier list may have.
    Identifier(IdentifierRef),
}

impl Reference {
    pub(super) const fn kind(&self) -> ListKind {
        match self {
            Self::Status(_) => ListKind::Statuses,
            Self::Identifier(_) => ListKind::Identifiers,
        }
    }

    pub(super) fn uri(&self) -> &str {
        match self {
            Self::Status(reference) => &reference.uri,
            Self::Identifier(reference) => &reference.uri,
        }
    }

    /// The place as text, one for each in a list.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Status(reference) => reference.idx.to_string(),
            Self::Identifier(reference) => b64url(&reference.id),
        }
    }
}

/// The places of a copy; of an mdoc there may be two.
pub(super) fn references(held: &Held) -> Vec<Reference> {
    match held {
        Held::SdJwtVc(held) => {
            let status = held.registered().status.clone();
            status.map(Reference::Status).into_iter().collect()
        }
        Held::Mdoc(held) => {
            let Some(status) = held.status() else {
                return Vec::new();
            };
            let list = status.status_list.clone().map(Reference::Status);
            let identifier = status.identifier_list.clone().map(Reference::Identifier);
            list.into_iter().chain(identifier).collect()
        }
    }
}
