//! The lines of an export.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_service::db::Db;
use vouchsafe_service::keys::{MasterSecret, Purpose};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::store;

/// The version of the form.
pub(super) const VERSION: u32 = 1;
/// The member of the first line that says it.
pub(super) const MEMBER: &str = "vouchsafe_issuer_export";

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// [`VERSION`].
    pub vouchsafe_issuer_export: u32,
    /// The issuer's public address.
    pub url: String,
    /// The epoch of its database.
    pub epoch: i64,
    /// UNIX seconds.
    pub exported_at: i64,
    /// Component, number and checksum of every step of the schema.
    pub schema: Vec<(String, i64, String)>,
    /// A hash that only the same master secret gives.
    pub master: String,
    /// The keys, where they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<KeyFile>>,
}

/// A key, as a file; wiped from memory when dropped.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyFile {
    /// Its name: letters, digits, hyphens and dots.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// The schema of this program.
pub(super) fn schema() -> Vec<(String, i64, String)> {
    Db::known_migrations(&[store::MIGRATIONS])
}

/// A hash that only the same master secret gives.
pub(super) fn master_id(master: &MasterSecret) -> String {
    let key = master.derive(Purpose::Binding).child("export");
    b64url(&Sha256::digest(key.expose()))
}
