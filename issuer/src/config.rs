//! Configuration of the issuing service.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use vouchsafe_credentials::credential_type::CredentialType;
use vouchsafe_credentials::crypto::{AwsLcSigningKey, PublicKey, Signer, SigningKey};
use vouchsafe_credentials::did;
use vouchsafe_credentials::x509::Chain;
use vouchsafe_protocol::oauth::RedirectUris;
use vouchsafe_service::config::{
    ConfigError, DatabaseConfig, DevConfig, HttpConfig, KeysConfig, LogConfig, SecretText,
    check_addresses,
};
use vouchsafe_service::keys::secret_text;

use crate::settings::{Lifetimes, Settings, StatusSettings, WalletClient};
use crate::signing::{KeyName, NamedSigner, Signing};

/// The configuration file of the issuing service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the service listens and how others reach it.
    pub http: HttpConfig,
    /// Where data is kept.
    pub database: DatabaseConfig,
    /// The master secret.
    pub keys: KeysConfig,
    /// Log lines.
    #[serde(default)]
    pub log: LogConfig,
    /// For demonstrations on one machine only.
    #[serde(default)]
    pub dev: DevConfig,
    /// Who issues what.
    pub issuer: IssuerConfig,
    /// The key that signs credentials.
    pub signing: SigningConfig,
    /// Status lists.
    #[serde(default)]
    pub status: StatusConfig,
    /// Wallets that may use the authorization code flow.
    #[serde(default)]
    pub client: Vec<ClientConfig>,
}

/// `[issuer]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// The issuer's name by language tag, such as `{ en = "The Club", de = "Der Verein" }`.
    pub names: BTreeMap<String, String>,
    /// What an offer link begins with.
    #[serde(default = "default_wallet_link")]
    pub wallet_link: String,
    /// Files that describe credential types. None: the types of the distribution.
    #[serde(default)]
    pub credential_types: Vec<PathBuf>,
    /// Proofs in one credential request at most, 1 to 100; 1 means no batch.
    #[serde(default = "default_batch_size")]
    pub batch_size: u32,
    /// Whether a wallet without `client_id` may redeem a pre-authorized code.
    #[serde(default = "default_true")]
    pub anonymous_access: bool,
}

fn default_wallet_link() -> String {
    vouchsafe_protocol::vci::offer::SCHEME.to_owned()
}

fn default_batch_size() -> u32 {
    10
}

fn default_true() -> bool {
    true
}

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

/// `[status]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusConfig {
    /// How long a relying party may keep a list, in seconds.
    #[serde(default = "default_ttl_s")]
    pub ttl_s: u32,
    /// How long a status list token is valid, in seconds.
    #[serde(default = "default_lifetime_s")]
    pub lifetime_s: i64,
    /// Entries of a list. The more, the less an index tells.
    #[serde(default = "default_list_size")]
    pub list_size: u32,
    /// A key of its own for status lists. Without it the key of credentials signs.
    #[serde(default)]
    pub signing: Option<SigningConfig>,
}

fn default_ttl_s() -> u32 {
    60
}

fn default_lifetime_s() -> i64 {
    86_400
}

fn default_list_size() -> u32 {
    131_072
}

impl Default for StatusConfig {
    fn default() -> Self {
        Self {
            ttl_s: default_ttl_s(),
            lifetime_s: default_lifetime_s(),
            list_size: default_list_size(),
            signing: None,
        }
    }
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
}

impl Config {
    /// Checks everything that can be checked without a database.
    pub fn settings(&self) -> Result<Settings, ConfigError> {
        let url = &self.http.public_url;
        check_addresses(&self.dev, &self.http.listeners(), &[url])?;
        let wrong = |setting: &str, problem: &str| Err(ConfigError::setting(setting, problem));
        if !url.path().is_empty() {
            return wrong("http.public_url", "a path is not supported");
        }
        if self.issuer.names.is_empty() {
            return wrong("issuer.names", "at least one name is needed");
        }
        if !(1..=100).contains(&self.issuer.batch_size) {
            return wrong("issuer.batch_size", "must be 1 to 100");
        }
        if !(16..=4_194_304).contains(&self.status.list_size) {
            return wrong("status.list_size", "must be 16 to 4194304");
        }
        if self.status.lifetime_s < 60 || i64::from(self.status.ttl_s) > self.status.lifetime_s {
            return wrong("status.lifetime_s", "must be 60 at least and not below ttl_s");
        }
        Ok(Settings {
            issuer: url.as_str().to_owned(),
            names: self.issuer.names.clone(),
            wallet_link: self.issuer.wallet_link.clone(),
            anonymous_access: self.issuer.anonymous_access,
            clients: self.clients()?,
            batch_size: self.issuer.batch_size,
            max_credentials_per_offer: 4 * i64::from(self.issuer.batch_size),
            lifetimes: Lifetimes::default(),
            status: StatusSettings {
                ttl_s: self.status.ttl_s,
                lifetime_s: self.status.lifetime_s,
                list_size: self.status.list_size,
            },
        })
    }

    fn clients(&self) -> Result<BTreeMap<String, WalletClient>, ConfigError> {
        let mut clients = BTreeMap::new();
        for ClientConfig { id, name, redirect_uris } in &self.client {
            let redirect_uris = RedirectUris::register(redirect_uris)
                .map_err(|error| ConfigError::setting("client.redirect_uris", error.to_string()))?;
            let client = WalletClient { name: name.clone(), redirect_uris };
            if clients.insert(id.clone(), client).is_some() {
                return Err(ConfigError::setting("client.id", "two clients with the same id"));
            }
        }
        Ok(clients)
    }

    /// The credential types.
    pub fn types(&self) -> Result<BTreeMap<String, CredentialType>, ConfigError> {
        const BUILT_IN: [&str; 2] = [
            include_str!("../../specs/credential-types/age.toml"),
            include_str!("../../specs/credential-types/membership.toml"),
        ];
        let setting = "issuer.credential_types";
        let mut texts = Vec::new();
        for path in &self.issuer.credential_types {
            let text = std::fs::read_to_string(path)
                .map_err(|_| ConfigError::setting(setting, "a file cannot be read"))?;
            texts.push(text);
        }
        if texts.is_empty() {
            texts.extend(BUILT_IN.map(str::to_owned));
        }
        let mut types = BTreeMap::new();
        for text in texts {
            let kind = CredentialType::from_toml(&text)
                .map_err(|error| ConfigError::setting(setting, error.to_string()))?;
            if types.insert(kind.id.clone(), kind).is_some() {
                return Err(ConfigError::setting(setting, "two types with the same id"));
            }
        }
        Ok(types)
    }

    /// The signers.
    pub fn signers(&self) -> Result<Signing, ConfigError> {
        let credentials = self.signing.load("signing")?;
        let status = match &self.status.signing {
            Some(own) => own.load("status.signing")?,
            None => credentials.clone(),
        };
        let url = &self.http.public_url;
        // SD-JWT VC: `iss` is an https URL or a DID; on loopback http there is none.
        let iss = match &credentials.name {
            KeyName::X5c(_) => url.is_https().then(|| url.as_str().to_owned()),
            KeyName::Did(kid) => kid.split_once('#').map(|(did, _)| did.to_owned()),
        };
        Ok(Signing { credentials, status, iss })
    }
}

impl SigningConfig {
    fn load(&self, setting: &'static str) -> Result<NamedSigner, ConfigError> {
        let wrong = |problem: &str| ConfigError::setting(setting, problem);
        let pem = secret_text(
            setting,
            self.key.as_ref().map(SecretText::expose),
            self.key_file.as_deref(),
        )?;
        let key = SigningKey::from_pkcs8_pem(&pem)
            .map_err(|_| wrong("the key is not a P-256 or Ed25519 key in PKCS#8 PEM"))?;
        let name = self.name(key.public_key(), &wrong)?;
        let signer = AwsLcSigningKey::new(&key).map_err(|_| wrong("the key cannot sign"))?;
        Ok(NamedSigner { signer: Arc::new(signer), name })
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
