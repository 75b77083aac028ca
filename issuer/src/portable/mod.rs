//! All state of an issuer in one encrypted file, to be taken from one database to another, of
//! whatever kind. `specs/export.md` describes the file.
//!
//! Codes, tokens and open offers are not taken along, and the database that takes the state begins
//! a new epoch: see [`crate::restore`].

mod export;
mod import;
mod manifest;

pub use export::{Exported, export};
pub use import::{Imported, import, write_keys};

use std::path::PathBuf;

use vouchsafe_service::config::ConfigError;
use vouchsafe_service::db::DbError;
use vouchsafe_service::keys::KeyError;
use vouchsafe_service::portable::ExportError;
use vouchsafe_service::sealed_file::SealedFileError;

use crate::instance::InstanceError;

/// Why nothing was exported or imported.
#[derive(Debug, thiserror::Error)]
pub enum PortableError {
    /// The configuration is wrong.
    #[error("the configuration is wrong")]
    Config(#[from] ConfigError),
    /// A key is missing or unsafe.
    #[error("a key is missing or unsafe")]
    Key(#[from] KeyError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
    /// The database is not this issuer's.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// The file does not open.
    #[error(transparent)]
    File(#[from] SealedFileError),
    /// A file cannot be read or written.
    #[error("{path}: {problem}")]
    Path {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// What is in the file is not what an issuer exports.
    #[error("the file is no export of an issuer: {0}")]
    Content(&'static str),
    /// Another version of the program wrote it.
    #[error(
        "the export was made by a version with another database schema: use that version, or `vouchsafe migrate` before the export"
    )]
    Schema,
    /// Of another issuer.
    #[error(
        "the export is of {owner}, and the configuration says {here}: import it as {owner}, then `vouchsafe issuer move`"
    )]
    OtherIssuer {
        /// The address in the export.
        owner: String,
        /// The address in the configuration.
        here: String,
    },
    /// The state is sealed under another secret.
    #[error(
        "the configuration has another master secret than the export: use that one (`--keys-to` writes it, where the export has it)"
    )]
    OtherSecret,
    /// The audit log was edited.
    #[error("the audit log of the export was changed at event {0}")]
    Edited(i64),
    /// Nothing is written over.
    #[error("the database is not empty: table {0} has rows")]
    NotEmpty(String),
    /// It was exported without keys.
    #[error("the export has no keys: make it with --with-keys")]
    NoKeys,
}

impl PortableError {
    fn path(path: &std::path::Path, problem: impl std::fmt::Display) -> Self {
        Self::Path {
            path: path.to_owned(),
            problem: problem.to_string(),
        }
    }
}

impl From<ExportError> for PortableError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::File(error) => Self::File(error),
            ExportError::Path { path, problem } => Self::Path { path, problem },
            ExportError::Content(problem) => Self::Content(problem),
            ExportError::Newer => Self::Content("it is of a newer version"),
            ExportError::Db(error) => Self::Db(error),
        }
    }
}
