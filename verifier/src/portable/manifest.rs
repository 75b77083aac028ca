//! The first line of an export.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vouchsafe_service::db::Db;
use vouchsafe_service::portable::ExportError;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::config::Settings;
use crate::instance::{StateKeys, key_of, text_of};
use crate::store;

/// The version of the form.
pub(super) const VERSION: u32 = 1;
/// The member of the first line that says it.
pub(super) const MEMBER: &str = "vouchsafe_verifier_export";

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// [`VERSION`].
    pub vouchsafe_verifier_export: u32,
    /// The issuer identifier of the service.
    pub issuer: String,
    /// The epoch of its database.
    pub epoch: i64,
    /// UNIX seconds.
    pub exported_at: i64,
    /// Component, number and checksum of every step of the schema.
    pub schema: Vec<(String, i64, String)>,
    /// The sector of each application of the configuration.
    pub sectors: BTreeMap<String, String>,
    /// The keys that state depends on.
    pub keys: KeyTexts,
}

/// The keys that state depends on, in base64url; wiped from memory when dropped.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyTexts {
    pairwise: String,
    binding: String,
    audit: String,
}

impl KeyTexts {
    pub(super) fn of(keys: &StateKeys) -> Self {
        let StateKeys {
            pairwise,
            binding,
            audit,
        } = keys;
        let text = |key| text_of(key).as_str().to_owned();
        Self {
            pairwise: text(pairwise),
            binding: text(binding),
            audit: text(audit),
        }
    }

    pub(super) fn keys(&self) -> Result<StateKeys, ExportError> {
        let key = |text: &str| key_of(text).ok_or(ExportError::Content("a key is none"));
        Ok(StateKeys {
            pairwise: key(&self.pairwise)?,
            binding: key(&self.binding)?,
            audit: key(&self.audit)?,
        })
    }
}

/// The schema of this program.
pub(super) fn schema() -> Vec<(String, i64, String)> {
    Db::known_migrations(&[store::MIGRATIONS])
}

/// The sectors of the applications of a configuration.
pub(super) fn sectors(settings: &Settings) -> BTreeMap<String, String> {
    let clients = settings.clients().iter();
    let sectors = clients.map(|client| {
        let sector = client.sector.as_str().to_owned();
        (client.id.as_str().to_owned(), sector)
    });
    sectors.collect()
}
