//! Configuration of the issuing service.

mod authentication;
mod certificates;
mod claims_source;
mod clients;
mod credentials;
mod key_files;
mod presentation;
mod signing;
mod signing_key;
mod status;
mod wallet_providers;

pub use authentication::{
    AuthenticationConfig, ClaimFrom, CodeConfig, FieldConfig, OpenIdConnectConfig, WebhookConfig,
};
pub use certificates::{CertificateError, NewCertificates};
pub use claims_source::ClaimsSourceConfig;
pub use clients::{AuthConfig, ClientConfig};
pub use credentials::{
    AttestedProof, EncryptionConfig, KeyAttestationConfig, ReuseOptionConfig, ReusePolicyConfig,
};
pub use presentation::{PresentationConfig, TrustedIssuerConfig};
pub use signing::{ConfiguredKey, KeyMethod, SigningConfig, SigningKeys};
pub use status::{MetadataConfig, StatusConfig};
pub use wallet_providers::WalletProviderConfig;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use vouchsafe_credentials::credential_type::CredentialType;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::config::{
    ConfigError, DatabaseConfig, DevConfig, FetchConfig, HttpConfig, KeysConfig, LogConfig,
    PublicUrl, check_addresses,
};
use vouchsafe_service::http::Edge;
use vouchsafe_service::upstream::ProviderConfig;
use vouchsafe_service::vc_api::VcApiConfig;

use crate::profile::{Profile, Rules, Use};
use crate::settings::{Lifetimes, Settings, StatusSettings};
use crate::sign::unknown_context;
use crate::signing::Signing;

/// Credential types by id, each with the text of its file.
pub type TypeFiles = BTreeMap<String, (Arc<CredentialType>, String)>;

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
    /// Exceptions for outbound requests.
    #[serde(default)]
    pub fetch: FetchConfig,
    /// The VC API. Off unless it is enabled here.
    #[serde(default)]
    pub vc_api: VcApiConfig,
    /// The console for operators.
    #[serde(default)]
    pub console: ConsoleConfig,
    /// Who issues what.
    pub issuer: IssuerConfig,
    /// The keys that sign credentials: one table, or `[[signing]]` several times.
    pub signing: SigningKeys,
    /// Status lists.
    #[serde(default)]
    pub status: StatusConfig,
    /// Signed metadata.
    #[serde(default)]
    pub metadata: MetadataConfig,
    /// Wallets that may use the authorization code flow.
    #[serde(default)]
    pub client: Vec<ClientConfig>,
    /// Who may attest wallets and their keys.
    #[serde(default)]
    pub wallet_provider: Vec<WalletProviderConfig>,
    /// Credential types that are bound to attested keys alone.
    #[serde(default)]
    pub key_attestation: Vec<KeyAttestationConfig>,
    /// Encrypted requests and responses.
    #[serde(default)]
    pub encryption: EncryptionConfig,
    /// How often wallets show one credential.
    #[serde(default)]
    pub reuse_policy: Vec<ReusePolicyConfig>,
    /// How persons who begin in the wallet are known.
    #[serde(default)]
    pub authentication: Vec<AuthenticationConfig>,
    /// Systems of the organisation that say what cards say.
    #[serde(default)]
    pub claims_source: Vec<ClaimsSourceConfig>,
}

/// `[issuer]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// The rules for wallets: `open`, `haip` or `age-verification`.
    #[serde(default)]
    pub profile: Profile,
    /// The issuer's name by language tag, such as `{ en = "The Club", de = "Der Verein" }`.
    pub names: BTreeMap<String, String>,
    /// What an offer link begins with.
    #[serde(default = "default_wallet_link")]
    pub wallet_link: String,
    /// Files that describe credential types. None: the types of the distribution.
    #[serde(default)]
    pub credential_types: Vec<PathBuf>,
    /// Proofs in one credential request at most, 1 to 100; 1 means no batch. Default: 10, or what
    /// the profile says.
    #[serde(default)]
    pub batch_size: Option<u32>,
    /// Whether a wallet without `client_id` may redeem a pre-authorized code. Default: yes, where
    /// the profile lets wallets go unauthenticated.
    #[serde(default)]
    pub anonymous_access: Option<bool>,
    /// Whether wallets get refresh tokens, so that a card can be issued again for 30 days.
    /// Default: what the profile says; no with `open`.
    #[serde(default)]
    pub refresh_tokens: Option<bool>,
    /// Whether the proof of a client attestation must carry a challenge of ours. Not every wallet
    /// can: without it a proof is good once and for a few minutes.
    #[serde(default)]
    pub attestation_challenges: bool,
    /// Whether holders with a DID may prove their keys with a presentation (`di_vp`).
    #[serde(default)]
    pub di_vp: bool,
}

/// `[console]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsoleConfig {
    /// Whether there are pages for operators, under `/console/`. Default: yes, except at an IP address
    /// that others reach, where browsers know no passkeys.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// The OpenID Provider where operators may sign in, too.
    #[serde(default)]
    pub upstream: Option<ProviderConfig>,
    /// What the button calls it; its issuer identifier where this is missing.
    #[serde(default)]
    pub upstream_name: Option<String>,
}

impl ConsoleConfig {
    /// Whether there is a console at this address.
    pub fn is_on(&self, public_url: &PublicUrl) -> bool {
        let possible = || crate::console::site(public_url, "").is_ok();
        self.enabled.unwrap_or_else(possible)
    }
}

fn default_wallet_link() -> String {
    vouchsafe_protocol::vci::offer::SCHEME.to_owned()
}

/// How many credentials one offer may bring in all. A wallet may repeat requests, and ask again
/// while it has a refresh token.
fn max_credentials(batch_size: u32, refresh_tokens: bool) -> i64 {
    let once = 4 * i64::from(batch_size);
    if refresh_tokens { 16 * once } else { once }
}

impl Config {
    /// Checks everything that can be checked without a database.
    pub fn settings(&self) -> Result<Settings, ConfigError> {
        let url = &self.http.public_url;
        check_addresses(&self.dev, &self.http.listeners(), &[url])?;
        Edge::new(&self.http)?;
        self.vc_api.check(&self.http)?;
        let wrong = |setting: &str, problem: &str| Err(ConfigError::setting(setting, problem));
        if !url.path().is_empty() {
            return wrong("http.public_url", "a path is not supported");
        }
        if self.console.enabled == Some(true) {
            crate::console::site(url, "")?;
        }
        if self.issuer.names.is_empty() {
            return wrong("issuer.names", "at least one name is needed");
        }
        let rules = self.issuer.profile.rules();
        self.check_profile(&rules)?;
        let batch_size = self.issuer.batch_size.unwrap_or(rules.batch_size);
        if !(1..=100).contains(&batch_size) {
            return wrong("issuer.batch_size", "must be 1 to 100");
        }
        if !(16..=4_194_304).contains(&self.status.list_size) {
            return wrong("status.list_size", "must be 16 to 4194304");
        }
        if self.status.lifetime_s < 60 || i64::from(self.status.ttl_s) > self.status.lifetime_s {
            return wrong(
                "status.lifetime_s",
                "must be 60 at least and not below ttl_s",
            );
        }
        // Token Status List, section 5.1: a positive number, so relying parties refuse 0.
        if self.status.ttl_s == 0 {
            return wrong("status.ttl_s", "must be 1 at least");
        }
        let wallet_providers = wallet_providers::load(&self.wallet_provider)?;
        let refresh_tokens = match rules.refresh_tokens {
            Use::Required => true,
            Use::Offered => self.issuer.refresh_tokens.unwrap_or(false),
            Use::Off => false,
        };
        let attested = !wallet_providers.is_empty();
        let around = claims_source::Around {
            issuer: url.as_str(),
            names: &self.issuer.names,
            loopback_http: self.dev.loopback_http,
        };
        let claims_sources = claims_source::claims_sources(&self.claims_source, &around)?;
        Ok(Settings {
            authentications: authentication::authentications(
                &self.authentication,
                &claims_sources,
                &around,
            )?,
            claims_sources,
            key_attestations: credentials::key_attestations(&self.key_attestation, attested)?,
            encryption: self.encryption.settings()?,
            reuse_policies: credentials::reuse_policies(&self.reuse_policy, batch_size)?,
            di_vp: self.issuer.di_vp,
            profile: self.issuer.profile,
            refresh_tokens,
            attestation_challenges: self.issuer.attestation_challenges,
            issuer: url.as_str().to_owned(),
            names: self.issuer.names.clone(),
            wallet_link: self.issuer.wallet_link.clone(),
            anonymous_access: self
                .issuer
                .anonymous_access
                .unwrap_or(rules.client_authentication != Use::Required),
            clients: clients::load(&self.client, &rules, &wallet_providers)?,
            wallet_providers,
            batch_size,
            max_credentials_per_offer: max_credentials(batch_size, refresh_tokens),
            lifetimes: Lifetimes::default(),
            status: StatusSettings {
                ttl_s: self.status.ttl_s,
                lifetime_s: self.status.lifetime_s,
                list_size: self.status.list_size,
            },
        })
    }

    /// What the profile does not have cannot be turned on beside it.
    fn check_profile(&self, rules: &Rules) -> Result<(), ConfigError> {
        let wrong = |setting: &str, problem: &str| Err(ConfigError::setting(setting, problem));
        let issuer = &self.issuer;
        if rules.client_authentication == Use::Required && issuer.anonymous_access == Some(true) {
            return wrong(
                "issuer.anonymous_access",
                "the profile demands authentication",
            );
        }
        match (rules.refresh_tokens, issuer.refresh_tokens) {
            (Use::Required, Some(false)) => {
                return wrong("issuer.refresh_tokens", "the profile has refresh tokens");
            }
            (Use::Off, Some(true)) => {
                return wrong("issuer.refresh_tokens", "the profile has no refresh tokens");
            }
            (_, _) => {}
        }
        if !rules.nonces && issuer.attestation_challenges {
            return wrong(
                "issuer.attestation_challenges",
                "the profile has no challenges",
            );
        }
        if rules.client_authentication == Use::Off && !self.wallet_provider.is_empty() {
            return wrong("wallet_provider", "the profile has no attestations");
        }
        // HAIP 1.0, section 6.1.1; EU age verification: an mdoc carries its chain too.
        let keys = self.configured_keys();
        let mut keys = keys.iter();
        if rules.x5c && keys.any(|key| key.config.method != KeyMethod::X5c) {
            return wrong("signing.method", "the profile demands x5c");
        }
        Ok(())
    }

    /// The credential types and the signers, which fit each other.
    pub fn issued(&self, now: UnixTime) -> Result<(TypeFiles, Signing), ConfigError> {
        let (types, signing) = (self.types()?, self.signers(now)?);
        for (kind, _) in types.values() {
            if let Some(url) = unknown_context(kind, &signing) {
                let problem = format!("`{}` has a context that is not known: {url}", kind.id);
                return Err(ConfigError::setting("issuer.credential_types", problem));
            }
        }
        Ok((types, signing))
    }

    /// The credential types of files.
    pub fn types(&self) -> Result<TypeFiles, ConfigError> {
        const BUILT_IN: [&str; 2] = [
            include_str!("../../../specs/credential-types/age.toml"),
            include_str!("../../../specs/credential-types/membership.toml"),
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
            let id = kind.id.clone();
            if types.insert(id, (Arc::new(kind), text)).is_some() {
                return Err(ConfigError::setting(setting, "two types with the same id"));
            }
        }
        let attested = self.key_attestation.iter().map(|one| &one.credential_types);
        let reused = self.reuse_policy.iter().map(|one| &one.credential_types);
        let known = self
            .authentication
            .iter()
            .flat_map(AuthenticationConfig::credential_types);
        let sourced = self
            .claims_source
            .iter()
            .flat_map(|one| &one.credential_types);
        let mut named = attested.chain(reused).flatten().chain(known).chain(sourced);
        if let Some(id) = named.find(|id| !types.contains_key(*id)) {
            let problem = format!("`{id}` has a rule, and is no credential type");
            return Err(ConfigError::setting(setting, problem));
        }
        Ok(types)
    }
}
