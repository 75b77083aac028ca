//! All state of a login service in one encrypted file, to be taken from one database to another, of
//! whatever kind, and from one master secret to another. `specs/export.md` describes the file.
//!
//! Every `sub` stays what it is: the keys that make them are in the file. Sessions, codes and tokens
//! are not taken along, and the database that takes the state begins a new epoch: see
//! [`crate::restore`].

mod export;
mod import;
mod manifest;

pub use export::{Exported, export};
pub use import::{Imported, import};

use vouchsafe_service::db::DbError;
use vouchsafe_service::portable::ExportError;

use crate::config::ConfigError;
use crate::instance::InstanceError;
use crate::store::StoreError;

/// Why nothing was exported or imported.
#[derive(Debug, thiserror::Error)]
pub enum PortableError {
    /// The configuration is refused.
    #[error("the configuration is refused")]
    Config(#[from] ConfigError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
    /// What is kept does not open, or does not serialise.
    #[error("what is kept cannot be read under this master secret")]
    Store(#[source] StoreError),
    /// The database is not opened.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// The file was not written, or is none.
    #[error("the file is no export of a login service")]
    File(#[source] ExportError),
    /// A later version of the program wrote it.
    #[error("the export was made by a newer version of the program: use that one")]
    Newer,
    /// An earlier version of the program wrote it.
    #[error(
        "the export was made by a version with an older database schema: `vouchsafe migrate`, then export again"
    )]
    Older,
    /// Of another service.
    #[error(
        "the export is of {owner}, and the configuration says {here}: every `sub` belongs to that address"
    )]
    OtherService {
        /// The address in the export.
        owner: String,
        /// The address in the configuration.
        here: String,
    },
    /// An application would get other names for its people.
    #[error(
        "the application {client} had the sector {before} and has {now}: every `sub` would be another one for it. \
         Configure `sector = \"{before}\"`"
    )]
    Sector {
        /// The application.
        client: String,
        /// Its sector in the export.
        before: String,
        /// Its sector in the configuration.
        now: String,
    },
    /// The audit log was edited.
    #[error("the audit log of the export was changed at event {0}")]
    Edited(i64),
    /// Nothing is written over.
    #[error("the database is not empty: table {0} has rows")]
    NotEmpty(String),
}

impl PortableError {
    /// A stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config(_) => "configuration_refused",
            Self::Db(_) => "database_failed",
            Self::Store(_) => "state_unreadable",
            Self::Instance(_) => "database_not_opened",
            Self::File(error) => error.code(),
            Self::Newer => "export_newer",
            Self::Older => "export_older",
            Self::OtherService { .. } => "export_of_another_service",
            Self::Sector { .. } => "export_sector_differs",
            Self::Edited(_) => "export_audit_log_edited",
            Self::NotEmpty(_) => "database_not_empty",
        }
    }
}

impl From<ExportError> for PortableError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Db(error) => Self::Db(error),
            ExportError::Newer => Self::Newer,
            ExportError::File(_) | ExportError::Path { .. } | ExportError::Content(_) => {
                Self::File(error)
            }
        }
    }
}

impl From<StoreError> for PortableError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Db(error @ DbError::Row(_)) => Self::Store(StoreError::Db(error)),
            StoreError::Db(error) => Self::Db(error),
            StoreError::Serialise(_) => Self::Store(error),
        }
    }
}
