//! On which lists a card is.

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::vp::dcql::{CredentialQuery, Meta};

use crate::credential::{CredentialId, Held, Record, StoredCredential};
use crate::error::CredentialError;
use crate::storage::{RecordId, Vault};

const SD_JWT_VC: &str = "dc+sd-jwt";
const MSO_MDOC: &str = "mso_mdoc";

/// A card with more types than this is looked at whatever type is asked for.
const MOST_TYPES: usize = 16;

/// What a list says of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The card.
    pub(super) id: CredentialId,
    /// When it was added.
    pub(super) added_at: UnixTime,
    /// From when no copy of it is valid any more.
    pub(super) expires_at: Option<UnixTime>,
}

/// A list of cards.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum List {
    /// Those of a format and a type.
    Type {
        /// `dc+sd-jwt`
        format: String,
        /// `vct` or document type.
        name: String,
    },
    /// Those of a format with too many types.
    Wide {
        /// `dc+sd-jwt`
        format: String,
    },
    /// Those of an issuer.
    Issuer(String),
}

/// A card and its lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) entry: Entry,
    pub(super) lists: Vec<List>,
}

impl List {
    pub(super) fn issuer(credential_issuer: &str) -> Self {
        Self::Issuer(credential_issuer.to_owned())
    }

    pub(super) fn kind(format: &str, name: &str) -> Self {
        Self::Type {
            format: format.to_owned(),
            name: name.to_owned(),
        }
    }

    fn wide(format: &str) -> Self {
        Self::Wide {
            format: format.to_owned(),
        }
    }

    /// The name of a page, which says nothing without the key of the wallet.
    pub(super) fn page(&self, vault: &Vault, number: usize) -> RecordId {
        let number = number.to_string();
        match self {
            Self::Type { format, name } => vault.name_for(&["type", format, name, &number]),
            Self::Wide { format } => vault.name_for(&["wide", format, &number]),
            Self::Issuer(issuer) => vault.name_for(&["issuer", issuer, &number]),
        }
    }
}

impl Listed {
    /// Where a card belongs, read from the card itself.
    pub(super) fn of(record: &Record) -> Result<Self, CredentialError> {
        let card = StoredCredential::open(record.clone())?;
        let (format, types) = types_of(&card);
        let mut lists: Vec<List> = if types.len() <= MOST_TYPES {
            types.iter().map(|name| List::kind(format, name)).collect()
        } else {
            vec![List::wide(format)]
        };
        lists.push(List::issuer(&record.credential_issuer));
        lists.sort();
        lists.dedup();
        Ok(Self {
            entry: Entry {
                id: record.id.clone(),
                added_at: record.added_at,
                expires_at: record.ends_at(),
            },
            lists,
        })
    }
}

/// The format of a card, and every type that it answers for.
fn types_of(card: &StoredCredential) -> (&'static str, Vec<&str>) {
    match &card.held {
        Held::SdJwtVc(held) => {
            let registered = held.registered();
            let also = registered.aka_vcts.iter().map(String::as_str);
            let types = std::iter::once(registered.vct.as_str()).chain(also);
            (SD_JWT_VC, types.collect())
        }
        Held::Mdoc(_) => (MSO_MDOC, vec![card.record.vct.as_str()]),
    }
}

/// Whether a card is of a type, or stands for it.
pub(crate) fn is_of(card: &StoredCredential, kind: &str) -> bool {
    types_of(card).1.contains(&kind)
}

/// The lists whose cards may answer a Credential Query.
pub(super) fn asked(query: &CredentialQuery) -> Vec<List> {
    let format = query.format().as_str();
    let mut lists: Vec<List> = match query.meta() {
        Meta::SdJwtVc { vct_values } => vct_values
            .iter()
            .map(|vct| List::kind(format, vct))
            .collect(),
        Meta::MsoMdoc { doctype_value } => vec![List::kind(format, doctype_value)],
        // No card here answers it.
        Meta::Other => return Vec::new(),
    };
    lists.push(List::wide(format));
    lists
}

/// The lists whose cards may be of a type, in any format.
pub(super) fn of_type(name: &str) -> Vec<List> {
    let of_format = |format: &str| [List::kind(format, name), List::wide(format)];
    [SD_JWT_VC, MSO_MDOC]
        .into_iter()
        .flat_map(of_format)
        .collect()
}
