//! The keys of a configuration as files, to be taken elsewhere.

use vouchsafe_service::config::{ConfigError, KeysConfig, SecretText};
use vouchsafe_service::keys::secret_text;
use zeroize::Zeroizing;

use super::signing_key::pem;
use super::{Config, SigningConfig, SigningKeys};

impl Config {
    /// The master secret and the signing keys with their certificates: names of files and their texts.
    pub fn key_files(&self) -> Result<Vec<(String, Zeroizing<String>)>, ConfigError> {
        let KeysConfig {
            secret,
            secret_file,
        } = &self.keys;
        let value = secret.as_ref().map(SecretText::expose);
        let master = secret_text("keys.secret", value, secret_file.as_deref())?;
        let mut files = vec![("issuer-secret.txt".to_owned(), master)];
        let (status, metadata) = (&self.status.signing, &self.metadata.signing);
        for (what, setting, keys) in [
            ("issuer", "signing", Some(&self.signing)),
            ("status", "status.signing", status.as_ref()),
            ("metadata", "metadata.signing", metadata.as_ref()),
        ] {
            let keys = keys.into_iter().flat_map(SigningKeys::all);
            for (number, key) in (1..).zip(keys) {
                for (name, text) in of(key, setting)? {
                    files.push((format!("{what}-{number}-{name}"), text));
                }
            }
        }
        Ok(files)
    }
}

/// What is needed to sign as this key elsewhere.
fn of(
    key: &SigningConfig,
    setting: &'static str,
) -> Result<Vec<(&'static str, Zeroizing<String>)>, ConfigError> {
    let mut files = Vec::new();
    // A key behind a module or another signer does not leave it.
    if key.external.is_none() && key.pkcs11.is_none() {
        let value = key.key.as_ref().map(SecretText::expose);
        let secret = secret_text(setting, value, key.key_file.as_deref())?;
        files.push(("key.pem", secret));
    }
    for (name, member, value, file) in [
        (
            "certificates.pem",
            "certificates",
            &key.certificates,
            &key.certificates_file,
        ),
        (
            "authority.pem",
            "authority",
            &key.authority,
            &key.authority_file,
        ),
    ] {
        if value.is_some() || file.is_some() {
            let text = pem(member, value, file);
            let text = text.map_err(|problem| ConfigError::setting(setting, problem))?;
            files.push((name, Zeroizing::new(text)));
        }
    }
    Ok(files)
}
