//! `[keys]`: one master secret for everything symmetric, one private key for each signing purpose.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use vouchsafe_credentials::crypto::{PublicKey, Signer as _, SigningKey, is_published};
use vouchsafe_credentials::x509::Chain;
use vouchsafe_service::keys::{MasterSecret, secret_text};

use super::error::ConfigError;
use super::trust::text;

/// The keys, as written: each by value or from a file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysConfig {
    /// At least 32 random bytes, base64url.
    pub secret: Option<String>,
    /// The same from a file.
    pub secret_file: Option<PathBuf>,
    /// Signs request objects: PKCS#8 PEM, P-256.
    pub request: Option<String>,
    /// The same from a file.
    pub request_file: Option<PathBuf>,
    /// Access certificate of the request key and its chain, leaf first: PEM. Needed where wallets know
    /// the service by it (`presentation.client_id_prefix`).
    pub request_chain: Option<String>,
    /// The same from a file.
    pub request_chain_file: Option<PathBuf>,
    /// Signs ID tokens with RS256: PKCS#8 PEM, RSA of 2048 bits or more.
    pub id_token_rs256: Option<String>,
    /// The same from a file.
    pub id_token_rs256_file: Option<PathBuf>,
    /// Signs ID tokens with ES256: PKCS#8 PEM, P-256.
    pub id_token_es256: Option<String>,
    /// The same from a file.
    pub id_token_es256_file: Option<PathBuf>,
}

/// Checked keys.
pub struct Keys {
    /// Everything symmetric derives from it.
    pub master: MasterSecret,
    /// Signs request objects.
    pub request: SigningKey,
    /// Its certificates, which the prefixes of X.509 need.
    pub request_chain: Option<Chain>,
    /// PEM of the RS256 key.
    pub id_token_rs256: zeroize::Zeroizing<String>,
    /// PEM of the ES256 key.
    pub id_token_es256: zeroize::Zeroizing<String>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    /// Reads and checks the keys. Catalogue 379: one key never serves two purposes.
    pub fn parse(config: &KeysConfig) -> Result<Self, ConfigError> {
        let master = secret(
            "secret",
            config.secret.as_deref(),
            config.secret_file.as_deref(),
        )?;
        let master = MasterSecret::parse(&master).map_err(|error| refuse("secret", &error))?;
        let request = secret(
            "request",
            config.request.as_deref(),
            config.request_file.as_deref(),
        )?;
        let request =
            SigningKey::from_pkcs8_pem(&request).map_err(|error| refuse("request", &error))?;
        let chain = text(
            config.request_chain.as_deref(),
            config.request_chain_file.as_ref(),
        )
        .map_err(|reason| ConfigError::Key {
            name: "request_chain",
            reason,
        })?;
        let request_chain = chain
            .map(|pem| certificates(&pem, request.public_key()))
            .transpose()?;
        let id_token_rs256 = secret(
            "id_token_rs256",
            config.id_token_rs256.as_deref(),
            config.id_token_rs256_file.as_deref(),
        )?;
        let id_token_es256 = secret(
            "id_token_es256",
            config.id_token_es256.as_deref(),
            config.id_token_es256_file.as_deref(),
        )?;
        let es256 = SigningKey::from_pkcs8_pem(&id_token_es256)
            .map_err(|error| refuse("id_token_es256", &error))?;
        for (name, key) in [("request", &request), ("id_token_es256", &es256)] {
            if is_published(key.public_key()) {
                return Err(ConfigError::Key {
                    name,
                    reason: "is printed in a specification: everybody has it".to_owned(),
                });
            }
        }
        refuse_shared(
            "request",
            request.public_key(),
            "id_token_es256",
            es256.public_key(),
        )?;
        Ok(Self {
            master,
            request,
            request_chain,
            id_token_rs256,
            id_token_es256,
        })
    }
}

/// The chain of a PEM text, whose leaf must be for this key.
fn certificates(pem: &str, key: &PublicKey) -> Result<Chain, ConfigError> {
    let name = "request_chain";
    let chain = Chain::from_pem(pem).map_err(|error| refuse(name, &error))?;
    let certified = chain.leaf_public_key();
    if certified.map_err(|error| refuse(name, &error))? != *key {
        return Err(ConfigError::Key {
            name,
            reason: "is not the certificate of keys.request".to_owned(),
        });
    }
    Ok(chain)
}

fn secret(
    name: &'static str,
    value: Option<&str>,
    file: Option<&Path>,
) -> Result<zeroize::Zeroizing<String>, ConfigError> {
    secret_text(name, value, file).map_err(|error| refuse(name, &error))
}

fn refuse(name: &'static str, error: &dyn std::error::Error) -> ConfigError {
    ConfigError::Key {
        name,
        reason: error.to_string(),
    }
}

fn refuse_shared(
    first: &'static str,
    a: &PublicKey,
    second: &'static str,
    b: &PublicKey,
) -> Result<(), ConfigError> {
    if a == b {
        Err(ConfigError::SharedKey { first, second })
    } else {
        Ok(())
    }
}
