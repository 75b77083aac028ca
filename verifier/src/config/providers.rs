//! `[[providers]]`: other OpenID Providers at which people may sign in, where a journey asks for it.

use std::path::PathBuf;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use vouchsafe_service::config::{PublicUrl, SecretText};
use vouchsafe_service::upstream::{ClientAuthMethod, ProviderConfig, ProviderSettings};

use super::error::ConfigError;

/// Longest name on a button.
const LONGEST_NAME: usize = 60;

/// A provider, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamConfig {
    /// What journeys call it.
    pub id: String,
    /// What people call it: it stands on the button and on the page of the account.
    pub name: String,
    /// Its issuer identifier, exactly as its metadata say it.
    pub issuer: String,
    /// Our client identifier there.
    pub client_id: String,
    /// The client secret.
    pub client_secret: Option<SecretText>,
    /// A file with the client secret.
    pub client_secret_file: Option<PathBuf>,
    /// A file with a private key (PKCS #8, PEM) instead of a secret: `private_key_jwt`.
    pub client_key_file: Option<PathBuf>,
    /// The algorithm of that key: `ES256` or `RS256`.
    pub client_key_alg: Option<String>,
    /// How the client is registered to authenticate.
    pub client_auth_method: Option<ClientAuthMethod>,
    /// Scopes beside `openid`.
    #[serde(default)]
    pub scopes: Vec<String>,
}

/// A provider, checked.
#[derive(Debug, Clone)]
pub struct UpstreamProvider {
    /// What journeys call it.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Where it sends browsers back to, and no other provider does (RFC 9700, section 4.4.2.2).
    pub back: String,
    /// Who we are there.
    pub settings: ProviderSettings,
}

impl UpstreamConfig {
    pub(super) fn parse(
        &self,
        public_url: &PublicUrl,
        loopback: bool,
    ) -> Result<UpstreamProvider, ConfigError> {
        let Self {
            id,
            name,
            issuer,
            client_id,
            client_secret,
            client_secret_file,
            client_key_file,
            client_key_alg,
            client_auth_method,
            scopes,
        } = self;
        let refuse = |reason: &str| ConfigError::Shared(format!("providers {id}: {reason}"));
        let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b);
        if id.is_empty() || id.len() > 64 || !id.bytes().all(fine) {
            return Err(refuse("id must be 1 to 64 of a-z, 0-9, _ and -"));
        }
        let shown = name.trim();
        let long = shown.chars().count() > LONGEST_NAME;
        if shown.is_empty() || long || shown.chars().any(char::is_control) {
            return Err(refuse(
                "name must be what people call it, 60 characters at most",
            ));
        }
        // Outside of this machine the fetcher takes nothing else anyway.
        let local = loopback && issuer.starts_with("http://");
        let fits = issuer.starts_with("https://") || local;
        if !fits {
            return Err(refuse("issuer must be an https address"));
        }
        let written = ProviderConfig {
            issuer: issuer.clone(),
            client_id: client_id.clone(),
            client_secret: client_secret.clone(),
            client_secret_file: client_secret_file.clone(),
            client_key_file: client_key_file.clone(),
            client_key_alg: client_key_alg.clone(),
            client_auth_method: *client_auth_method,
            scopes: scopes.clone(),
            // Who it is says the ID token; nothing else is read.
            user_info: false,
        };
        let back = public_url.join(&path(issuer));
        let settings = written.settings(&format!("providers.{id}"), &back);
        Ok(UpstreamProvider {
            id: id.clone(),
            name: shown.to_owned(),
            settings: settings.map_err(|error| ConfigError::Shared(error.to_string()))?,
            back,
        })
    }
}

/// Where a provider sends browsers back to.
fn path(issuer: &str) -> String {
    let digest = Sha256::digest(issuer.as_bytes());
    let name: String = digest.iter().take(16).map(|b| format!("{b:02x}")).collect();
    format!("/upstream/{name}")
}

#[cfg(test)]
mod tests {
    use super::path;

    /// `printf %s https://login.example | sha256sum | cut -c1-32`
    #[test]
    fn each_provider_has_a_way_back_of_its_own() {
        let known = path("https://login.example");
        assert_eq!(known, "/upstream/ced4229bf4ad3faa114cd9e344f79886");
        assert_ne!(known, path("https://login.example/"));
    }
}
