//! Issuers in whose name the service signs.

use serde_json::Value;
use vouchsafe_credentials::data_integrity::Suites;

use super::config::IdentityConfig;
use super::key::{BBS, IssuerKey};
use crate::config::{ConfigError, SecretText};
use crate::keys::secret_text;

/// An issuer, its key and its suites.
#[derive(Clone)]
pub(crate) struct Identity {
    /// The issuer as credentials name it.
    pub id: String,
    /// The URL of its key.
    pub verification_method: String,
    /// At least one.
    pub cryptosuites: Vec<String>,
    pub key: IssuerKey,
    pub mandatory_pointers: Vec<String>,
    pub status: bool,
}

impl IdentityConfig {
    /// The key.
    ///
    /// # Errors
    /// [`ConfigError`]: there is none, or it cannot be read.
    pub fn read_key(&self) -> Result<IssuerKey, ConfigError> {
        let value = self.key.as_ref().map(SecretText::expose);
        let text = secret_text("vc_api.identity.key", value, self.key_file.as_deref())?;
        IssuerKey::read(&text)
            .ok_or_else(|| ConfigError::setting("vc_api.identity", "the key cannot be read"))
    }
}

impl Identity {
    /// Reads the key and checks that its suites exist.
    pub(super) fn load(config: &IdentityConfig, suites: &Suites) -> Result<Self, ConfigError> {
        let wrong = |problem: &str| ConfigError::setting("vc_api.identity", problem);
        let IdentityConfig {
            id,
            verification_method,
            cryptosuites,
            mandatory_pointers,
            status,
            ..
        } = config;
        if cryptosuites.iter().any(|name| suites.get(name).is_none()) {
            return Err(wrong("an unknown cryptosuite"));
        }
        let key = config.read_key()?;
        if cryptosuites
            .iter()
            .any(|name| (name == BBS) != key.is_bbs())
        {
            return Err(wrong("the key is of another type than a cryptosuite uses"));
        }
        // A base proof is the holder's secret, and nothing to publish.
        if *status && cryptosuites.iter().all(|name| is_selective(name)) {
            return Err(wrong(
                "status lists need a cryptosuite without selective disclosure",
            ));
        }
        Ok(Self {
            verification_method: verification_method
                .clone()
                .unwrap_or_else(|| key.verification_method()),
            id: id.clone().unwrap_or_else(|| key.did()),
            cryptosuites: cryptosuites.clone(),
            key,
            mandatory_pointers: mandatory_pointers.clone(),
            status: *status,
        })
    }

    /// The suite that status lists are signed with. Some where there is a status.
    pub(super) fn list_suite(&self) -> Option<&str> {
        let names = self.cryptosuites.iter().map(String::as_str);
        names.into_iter().find(|name| !is_selective(name))
    }
}

/// Whether the proof that this suite makes is a base proof, for the holder alone.
pub(super) fn is_selective(cryptosuite: &str) -> bool {
    matches!(cryptosuite, "ecdsa-sd-2023" | BBS)
}

/// `issuer` of a credential: a string, or the `id` of an object (VCDM 2.0, section 4.7).
pub(super) fn issuer_of(credential: &Value) -> Option<&str> {
    match credential.get("issuer")? {
        Value::String(id) => Some(id),
        Value::Object(issuer) => issuer.get("id")?.as_str(),
        _ => None,
    }
}
