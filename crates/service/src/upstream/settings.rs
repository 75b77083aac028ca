//! Who we are at a provider.

use std::path::PathBuf;

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::config::{ConfigError, SecretText};
use crate::jose::{JwtKey, SigningAlg};
use crate::keys::{read_private_file, secret_text};

/// How a provider is written in a configuration file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// The issuer identifier, exactly as the provider's metadata say it.
    pub issuer: String,
    /// Our client identifier there.
    pub client_id: String,
    /// The client secret.
    #[serde(default)]
    pub client_secret: Option<SecretText>,
    /// A file with the client secret.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// A file with a private key (PKCS #8, PEM) instead of a secret: `private_key_jwt`.
    #[serde(default)]
    pub client_key_file: Option<PathBuf>,
    /// The algorithm of that key: `ES256` or `RS256`.
    #[serde(default)]
    pub client_key_alg: Option<String>,
    /// How the client is registered to authenticate. Without it: with a key `private_key_jwt`, with
    /// a secret what the provider takes, `client_secret_basic` first.
    #[serde(default)]
    pub client_auth_method: Option<ClientAuthMethod>,
    /// Scopes beside `openid`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whether UserInfo is asked too.
    #[serde(default)]
    pub user_info: bool,
}

impl ProviderConfig {
    /// Checks it and reads the secret. `section` names the settings in errors, `redirect_uri` is
    /// where the provider sends the browser back to, and no other provider (RFC 9700, section
    /// 4.4.2.2).
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting.
    pub fn settings(
        &self,
        section: &str,
        redirect_uri: &str,
    ) -> Result<ProviderSettings, ConfigError> {
        let name = |setting: &str| format!("{section}.{setting}");
        let wrong =
            |setting: &str, problem: &str| Err(ConfigError::setting(name(setting), problem));
        // OpenID Connect Discovery 1.0, section 3: no query and no fragment.
        let issuer = url::Url::parse(&self.issuer).ok();
        let Some(issuer) = issuer.filter(|url| url.query().is_none() && url.fragment().is_none())
        else {
            return wrong(
                "issuer",
                "must be an absolute address without query or fragment",
            );
        };
        if !matches!(issuer.scheme(), "https" | "http") {
            return wrong("issuer", "must be an https address");
        }
        if self.client_id.is_empty() {
            return wrong("client_id", "is empty");
        }
        // RFC 6749, section 3.3: the characters of a scope token.
        let token = |b: u8| b == 0x21 || (0x23..=0x5b).contains(&b) || (0x5d..=0x7e).contains(&b);
        if !self
            .scopes
            .iter()
            .all(|s| !s.is_empty() && s.bytes().all(token))
        {
            return wrong("scopes", "a scope has a character that scopes do not have");
        }
        let mut scopes = vec!["openid".to_owned()];
        scopes.extend(self.scopes.iter().filter(|s| *s != "openid").cloned());
        Ok(ProviderSettings {
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            authentication: self.authentication(section)?,
            scopes,
            user_info: self.user_info,
            redirect_uri: redirect_uri.to_owned(),
        })
    }

    fn authentication(&self, section: &str) -> Result<ClientAuthentication, ConfigError> {
        let method = match (self.client_auth_method, &self.client_key_file) {
            (None, _) | (Some(ClientAuthMethod::PrivateKeyJwt), Some(_)) => None,
            (Some(ClientAuthMethod::ClientSecretBasic), None) => Some(SecretMethod::Basic),
            (Some(ClientAuthMethod::ClientSecretPost), None) => Some(SecretMethod::Post),
            (Some(_), _) => {
                return Err(ConfigError::setting(
                    format!("{section}.client_auth_method"),
                    "does not go with what is configured: private_key_jwt is for a key, the others are for a secret",
                ));
            }
        };
        let (value, file) = (&self.client_secret, &self.client_secret_file);
        let Some(path) = &self.client_key_file else {
            if self.client_key_alg.is_some() {
                let name = format!("{section}.client_key_alg");
                return Err(ConfigError::setting(
                    name.clone(),
                    "belongs to client_key_file",
                ));
            }
            let value = value.as_ref().map(SecretText::expose);
            let secret = secret_text("client_secret", value, file.as_deref());
            let name = format!("{section}.client_secret_file");
            let secret =
                secret.map_err(|error| ConfigError::setting(name.clone(), error.to_string()))?;
            if secret.is_empty() {
                return Err(ConfigError::setting(name.clone(), "the secret is empty"));
            }
            return Ok(ClientAuthentication::Secret(secret, method));
        };
        let name = format!("{section}.client_key_file");
        let wrong = |problem: String| ConfigError::setting(name.clone(), problem);
        if value.is_some() || file.is_some() {
            return Err(wrong("give either a secret or a key".to_owned()));
        }
        let alg = self.client_key_alg.as_deref().unwrap_or("ES256");
        let alg = SigningAlg::parse(alg)
            .ok_or_else(|| wrong("client_key_alg must be ES256 or RS256".to_owned()))?;
        let pem = read_private_file(path).map_err(|error| wrong(error.to_string()))?;
        let key = JwtKey::from_pem(alg, &pem).map_err(|error| wrong(error.to_string()))?;
        Ok(ClientAuthentication::PrivateKeyJwt(Box::new(key)))
    }
}

/// Who we are at a provider, checked.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// The provider's issuer identifier, compared exactly.
    pub issuer: String,
    /// Our client identifier.
    pub client_id: String,
    /// How we authenticate.
    pub authentication: ClientAuthentication,
    /// Scopes, `openid` among them.
    pub scopes: Vec<String>,
    /// Whether UserInfo is asked too.
    pub user_info: bool,
    /// Where the provider sends the browser back to. No other provider has the same.
    pub redirect_uri: String,
}

/// How a client is registered to authenticate (OpenID Connect Core 1.0, section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthMethod {
    /// The secret in the header.
    ClientSecretBasic,
    /// The secret in the form.
    ClientSecretPost,
    /// A signed assertion.
    PrivateKeyJwt,
}

/// Where a secret goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretMethod {
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
}

/// How we authenticate at a provider (OpenID Connect Core 1.0, section 9).
#[derive(Clone)]
pub enum ClientAuthentication {
    /// A secret, in the way that is registered; without one in the way that the provider takes,
    /// `client_secret_basic` first.
    Secret(Zeroizing<String>, Option<SecretMethod>),
    /// `private_key_jwt`. The audience of the assertion is the issuer identifier of the provider.
    PrivateKeyJwt(Box<JwtKey>),
}

impl std::fmt::Debug for ClientAuthentication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Secret(_, _) => "Secret(…)",
            Self::PrivateKeyJwt(_) => "PrivateKeyJwt(…)",
        })
    }
}
