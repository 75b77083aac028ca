//! `[signing]`: a private key and how it is named.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use vouchsafe_credentials::crypto::{AwsLcSigningKey, PublicKey, Signer, SigningKey, is_published};
use vouchsafe_credentials::did;
use vouchsafe_credentials::x509::Chain;
use vouchsafe_service::config::{ConfigError, SecretText};
use vouchsafe_service::keys::secret_text;

use crate::signing::{KeyName, NamedSigner};

/// How a signature names its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyMethod {
    /// A certificate chain.
    X5c,
    /// `did:key`.
    DidKey,
    /// `did:jwk`.
    DidJwk,
}

/// `[signing]`, `[status.signing]`: a key and its name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningConfig {
    /// How the key is named.
    pub method: KeyMethod,
    /// Private key, PKCS#8 PEM.
    #[serde(default)]
    pub key: Option<SecretText>,
    /// File with the private key.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// Certificate chain in PEM, leaf first, without the anchor. For `x5c`.
    #[serde(default)]
    pub certificates: Option<String>,
    /// File with the certificate chain.
    #[serde(default)]
    pub certificates_file: Option<PathBuf>,
}

impl SigningConfig {
    /// Reads the key and checks that its name fits it.
    pub(super) fn load(&self, setting: &'static str) -> Result<NamedSigner, ConfigError> {
        let wrong = |problem: &str| ConfigError::setting(setting, problem);
        let pem = secret_text(
            setting,
            self.key.as_ref().map(SecretText::expose),
            self.key_file.as_deref(),
        )?;
        let key = SigningKey::from_pkcs8_pem(&pem)
            .map_err(|_| wrong("the key is not a P-256 or Ed25519 key in PKCS#8 PEM"))?;
        if is_published(key.public_key()) {
            return Err(wrong(
                "the key is printed in a specification: everybody has it",
            ));
        }
        let name = self.name(key.public_key(), &wrong)?;
        let signer = AwsLcSigningKey::new(&key).map_err(|_| wrong("the key cannot sign"))?;
        Ok(NamedSigner {
            signer: Arc::new(signer),
            name,
        })
    }

    fn name(
        &self,
        key: &PublicKey,
        wrong: &dyn Fn(&str) -> ConfigError,
    ) -> Result<KeyName, ConfigError> {
        let did = match self.method {
            KeyMethod::X5c => return self.chain(key, wrong).map(KeyName::X5c),
            KeyMethod::DidKey => did::key::encode(key),
            KeyMethod::DidJwk => did::jwk::encode(key),
        };
        let (_, kid) = did::resolve_local(&did).map_err(|_| wrong("the key has no DID"))?;
        Ok(KeyName::Did(kid))
    }

    fn chain(
        &self,
        key: &PublicKey,
        wrong: &dyn Fn(&str) -> ConfigError,
    ) -> Result<Chain, ConfigError> {
        let pem = match (&self.certificates, &self.certificates_file) {
            (Some(pem), None) => pem.clone(),
            (None, Some(path)) => std::fs::read_to_string(path)
                .map_err(|_| wrong("the file of certificates cannot be read"))?,
            (Some(_), Some(_)) | (None, None) => {
                return Err(wrong("give either certificates or certificates_file"));
            }
        };
        let chain = Chain::from_pem(&pem).map_err(|error| wrong(&error.to_string()))?;
        match chain.leaf_public_key() {
            Ok(leaf) if leaf == *key => Ok(chain),
            Ok(_) => Err(wrong("key and certificate do not fit each other")),
            Err(error) => Err(wrong(&error.to_string())),
        }
    }
}
