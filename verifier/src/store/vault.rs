//! Sealed columns: JSON that the database alone cannot read.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use vouchsafe_credentials::random::Rng;
use vouchsafe_protocol::oauth::error::{ErrorCode, OAuthError};
use vouchsafe_service::db::{DbError, RowError, Table};
use vouchsafe_service::seal::{Place, Sealer};

/// Why a repository failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database.
    #[error("database")]
    Db(#[from] DbError),
    /// A value that is to be sealed does not serialise.
    #[error("a value does not serialise")]
    Serialise(#[source] serde_json::Error),
}

impl StoreError {
    /// What an application is told of it.
    #[must_use]
    pub fn to_oauth(&self) -> OAuthError {
        match self {
            Self::Db(error) if error.is_temporary() => ErrorCode::TemporarilyUnavailable.into(),
            Self::Db(_) | Self::Serialise(_) => ErrorCode::ServerError.into(),
        }
    }
}

impl From<RowError> for StoreError {
    fn from(error: RowError) -> Self {
        Self::Db(DbError::Row(error))
    }
}

/// Seals and opens the columns of this service.
#[derive(Clone)]
pub struct Vault {
    sealer: Sealer,
    rng: Arc<dyn Rng>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// A vault under this sealer.
    pub fn new(sealer: Sealer, rng: Arc<dyn Rng>) -> Self {
        Self { sealer, rng }
    }

    /// A vault whose key only the bearer of `token` has.
    #[must_use]
    pub fn under_token(&self, purpose: &str, token: &str) -> Self {
        Self {
            sealer: Sealer::under_token(purpose, token),
            rng: Arc::clone(&self.rng),
        }
    }

    /// Seals `value` for a row of a table.
    pub fn seal<T: Serialize>(&self, place: &[&str], value: &T) -> Result<Vec<u8>, StoreError> {
        let plain =
            zeroize::Zeroizing::new(serde_json::to_vec(value).map_err(StoreError::Serialise)?);
        Ok(self
            .sealer
            .seal(&Place::new(place), &plain, self.rng.as_ref()))
    }

    /// Opens a sealed column of `table`.
    pub fn open<T: DeserializeOwned>(
        &self,
        table: Table,
        column: &'static str,
        place: &[&str],
        sealed: &[u8],
    ) -> Result<T, StoreError> {
        let plain = self
            .sealer
            .open(&Place::new(place), sealed)
            .map_err(|error| table.invalid(column, error))?;
        // The reason names a line and a column of the JSON, never its content.
        serde_json::from_slice(&plain).map_err(|error| {
            table
                .invalid(
                    column,
                    format!("{:?} at {}", error.classify(), error.column()),
                )
                .into()
        })
    }

    /// Seals `value` into text for a cookie or a URL.
    pub fn seal_text<T: Serialize>(&self, place: &[&str], value: &T) -> Result<String, StoreError> {
        let plain = serde_json::to_vec(value).map_err(StoreError::Serialise)?;
        Ok(self
            .sealer
            .seal_text(&Place::new(place), &plain, self.rng.as_ref()))
    }

    /// Opens text that came back from a browser; `None` if it is not ours for this place.
    #[must_use]
    pub fn open_text<T: DeserializeOwned>(&self, place: &[&str], sealed: &str) -> Option<T> {
        let plain = self.sealer.open_text(&Place::new(place), sealed).ok()?;
        serde_json::from_slice(&plain).ok()
    }
}
