//! `[[wallet_provider]]`: who may attest wallets and their keys.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use vouchsafe_credentials::jwks::JwkSet;
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_protocol::oauth::{WalletProvider, WalletProviders};
use vouchsafe_service::config::ConfigError;

const SETTING: &str = "wallet_provider";

/// `[[wallet_provider]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalletProviderConfig {
    /// What `[[client]]` calls it, and the log.
    pub name: String,
    /// PEM files with the certificates of its authorities. An attestation then carries its chain
    /// (`x5c`), without the authority (HAIP 1.0).
    #[serde(default)]
    pub trust_anchors: Vec<PathBuf>,
    /// A file with its public keys (JSON Web Key Set). An attestation then names one (`kid`).
    #[serde(default)]
    pub jwks_file: Option<PathBuf>,
}

/// Reads the files and checks that each provider is known by something.
pub(super) fn load(configs: &[WalletProviderConfig]) -> Result<WalletProviders, ConfigError> {
    let mut providers: Vec<WalletProvider> = Vec::new();
    for config in configs {
        let provider = config.load()?;
        if providers
            .iter()
            .any(|known| known.name() == provider.name())
        {
            return wrong("two wallet providers with the same name");
        }
        providers.push(provider);
    }
    Ok(providers.into_iter().collect())
}

impl WalletProviderConfig {
    fn load(&self) -> Result<WalletProvider, ConfigError> {
        let Self {
            name,
            trust_anchors,
            jwks_file,
        } = self;
        let mut anchors = TrustAnchors::new(Role::WalletProvider);
        for path in trust_anchors {
            let added = anchors.add_pem(&read(path)?);
            added.map_err(|error| ConfigError::setting(SETTING, error.to_string()))?;
        }
        let keys = match jwks_file {
            Some(path) => JwkSet::parse(read(path)?.as_bytes())
                .map_err(|error| ConfigError::setting(SETTING, error.to_string()))?,
            None => JwkSet::default(),
        };
        if name.is_empty() {
            return wrong("name is empty");
        }
        if keys.keys().iter().any(|key| key.kid().is_none()) {
            return wrong("a key in jwks_file has no kid");
        }
        WalletProvider::new(name, anchors, keys)
            .map_err(|error| ConfigError::setting(SETTING, error.to_string()))
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path)
        .map_err(|_| ConfigError::setting(SETTING, "a file cannot be read"))
}

fn wrong<T>(problem: &str) -> Result<T, ConfigError> {
    Err(ConfigError::setting(SETTING, problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(name: &str, jwks_file: Option<PathBuf>) -> WalletProviderConfig {
        WalletProviderConfig {
            name: name.into(),
            trust_anchors: Vec::new(),
            jwks_file,
        }
    }

    fn jwks(file: &str, text: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("vouchsafe-wp-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(file);
        std::fs::write(&path, text).unwrap();
        path
    }

    const KEY: &str = r#"{"kty":"EC","crv":"P-256","kid":"1",
        "x":"VcKVNBZ4IaBAYW3jxM4w3TJFVA7myeUGQyGt-g_yvpQ",
        "y":"f-E-hYE3TAWKwhVv9pej9NABs9SX9XsNO80x57jFTyU"}"#;

    #[test]
    fn a_provider_by_its_keys() {
        let good = jwks("good.json", &format!(r#"{{"keys":[{KEY}]}}"#));
        let providers = load(&[config("a", Some(good.clone()))]).unwrap();
        assert!(providers.named("a").is_some() && providers.named("b").is_none());
        let twice = [config("a", Some(good.clone())), config("a", Some(good))];
        assert!(load(&twice).is_err());
    }

    #[test]
    fn what_is_no_provider_is_refused_at_start() {
        let nameless = jwks(
            "nameless.json",
            &format!(r#"{{"keys":[{}]}}"#, KEY.replace("kid", "x1")),
        );
        let rubbish = jwks("rubbish.json", "[]");
        for bad in [
            config("a", None),
            config("a", Some(nameless)),
            config("a", Some(rubbish)),
            config("a", Some(PathBuf::from("/nowhere"))),
        ] {
            assert!(load(std::slice::from_ref(&bad)).is_err(), "{bad:?}");
        }
    }
}
