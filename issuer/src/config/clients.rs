//! `[[client]]`: a wallet.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use vouchsafe_credentials::jwks::JwkSet;
use vouchsafe_protocol::oauth::values::ClientId;
use vouchsafe_protocol::oauth::{RedirectUris, WalletProviders};
use vouchsafe_service::config::ConfigError;

use crate::profile::{Rules, Use};
use crate::settings::{ClientAuth, WalletClient};

/// How a wallet authenticates (RFC 7591, `token_endpoint_auth_method`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthConfig {
    /// Not at all: a public client.
    #[default]
    None,
    /// With a signed assertion.
    PrivateKeyJwt,
    /// With an attestation of its provider and a proof of the attested key.
    AttestJwtClientAuth,
    /// With an attestation whose proof is the DPoP proof.
    AttestJwtClientAuthDpop,
}

/// `[[client]]`: a wallet.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientConfig {
    /// Its `client_id`.
    pub id: String,
    /// Shown to the person.
    pub name: String,
    /// Where answers may go; compared byte for byte.
    pub redirect_uris: Vec<String>,
    /// How it authenticates.
    #[serde(default)]
    pub auth: AuthConfig,
    /// For `private_key_jwt`: a file with its public keys (JSON Web Key Set).
    #[serde(default)]
    pub jwks_file: Option<PathBuf>,
    /// For attestations: the name of the `[[wallet_provider]]` that attests it.
    #[serde(default)]
    pub wallet_provider: Option<String>,
}

/// Checks all wallets against the profile.
pub(super) fn load(
    configs: &[ClientConfig],
    rules: &Rules,
    providers: &WalletProviders,
) -> Result<BTreeMap<String, WalletClient>, ConfigError> {
    let mut clients = BTreeMap::new();
    for config in configs {
        let ClientConfig {
            id,
            name,
            redirect_uris,
            auth,
            jwks_file: _,
            wallet_provider: _,
        } = config;
        ClientId::parse(id).map_err(|error| setting("client.id", error.to_string()))?;
        let redirect_uris = RedirectUris::register(redirect_uris)
            .map_err(|error| setting("client.redirect_uris", error.to_string()))?
            // Wallets run on people's own machines.
            .at_any_loopback_port(true);
        match (rules.client_authentication, auth) {
            (Use::Required, AuthConfig::None) => {
                return Err(setting("client.auth", "the profile demands authentication"));
            }
            (Use::Off, auth) if *auth != AuthConfig::None => {
                return Err(setting("client.auth", "the profile has no authentication"));
            }
            (_, AuthConfig::AttestJwtClientAuthDpop) if !rules.dpop.on() => {
                return Err(setting("client.auth", "the profile has no DPoP"));
            }
            (_, _) => {}
        }
        let client = WalletClient {
            name: name.clone(),
            redirect_uris,
            auth: config.auth(providers)?,
        };
        if clients.insert(id.clone(), client).is_some() {
            return Err(setting("client.id", "two clients with the same id"));
        }
    }
    Ok(clients)
}

impl ClientConfig {
    fn auth(&self, providers: &WalletProviders) -> Result<ClientAuth, ConfigError> {
        let attested = |combined| {
            let name = self.wallet_provider.clone().unwrap_or_default();
            if self.jwks_file.is_some() || providers.named(&name).is_none() {
                let problem = "must name a [[wallet_provider]], and nothing else";
                return Err(setting("client.wallet_provider", problem));
            }
            Ok(ClientAuth::Attested {
                provider: name,
                combined,
            })
        };
        match (self.auth, &self.jwks_file, &self.wallet_provider) {
            (AuthConfig::None, None, None) => Ok(ClientAuth::None),
            (AuthConfig::PrivateKeyJwt, Some(path), None) => {
                let bytes = std::fs::read(path)
                    .map_err(|_| setting("client.jwks_file", "the file cannot be read"))?;
                let keys = JwkSet::parse(&bytes)
                    .map_err(|error| setting("client.jwks_file", error.to_string()))?;
                if keys.keys().is_empty() {
                    return Err(setting("client.jwks_file", "no key"));
                }
                Ok(ClientAuth::PrivateKeyJwt(keys))
            }
            (AuthConfig::AttestJwtClientAuth, _, _) => attested(false),
            (AuthConfig::AttestJwtClientAuthDpop, _, _) => attested(true),
            (AuthConfig::None | AuthConfig::PrivateKeyJwt, _, _) => Err(setting(
                "client.auth",
                "jwks_file belongs to private_key_jwt, wallet_provider to attestations",
            )),
        }
    }
}

fn setting(name: &'static str, problem: impl Into<String>) -> ConfigError {
    ConfigError::setting(name, problem)
}
