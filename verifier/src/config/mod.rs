//! Configuration: one file per section; everything is checked before anything starts.
//!
//! To add a setting: a field in its section (unknown keys are refused), its check in the
//! section's `parse`, its negative test in `tests/it/config.rs`.

mod administration;
mod assurance;
mod attribute;
mod authentication;
mod bindings;
mod claims;
mod client;
mod consents;
mod digital_credentials;
mod error;
mod hooks;
mod journeys;
mod keys;
mod numbers;
mod passkeys;
mod presentation;
mod presented;
mod profile;
mod providers;
mod query;
mod registration;
mod resource_server;
mod risk;
mod settings;
mod standing;
mod totp;
mod trust;
mod verifications;

use serde::Deserialize;
use vouchsafe_service::config::{DatabaseConfig, DevConfig, FetchConfig, HttpConfig, LogConfig};
use vouchsafe_service::vc_api::VcApiConfig;

pub use administration::{Administration, AdministrationConfig};
pub use assurance::{Assurance, AssuranceConfig, EvidenceConfig, EvidenceKind};
pub use attribute::{Attribute, AttributeConfig, FromCard, KindConfig};
pub use authentication::{Authentication, ClientKeys, ClientSecret};
pub use claims::ClaimMapping;
pub(crate) use claims::{RESERVED as RESERVED_CLAIMS, localized};
pub use client::{Client, ClientConfig, IdTokenAlg, Pkce};
pub(crate) use consents::controller_of;
pub use consents::{ClientConsent, ClientConsentConfig, ConsentsConfig, ControllerConfig};
pub use digital_credentials::DigitalCredentials;
pub use error::ConfigError;
pub use hooks::{Hook, HookAnswer, HookConfig};
pub use journeys::JourneysConfig;
pub use keys::{Keys, KeysConfig};
pub use numbers::{EventsConfig, NumbersConfig};
pub use passkeys::{PasskeySettings, PasskeysConfig};
pub use presentation::{
    ClientIdPrefix, DidMethod, Presentation, PresentationConfig, PresentationProfile,
};
pub(crate) use presented::RESERVED_ID;
pub use presented::{Draft, OfferedCard, PresentedConfig, PresentedSettings};
pub use profile::Profile;
pub use providers::{UpstreamConfig, UpstreamProvider};
pub(crate) use query::types_of;
pub use query::{
    Query, QueryConfig, ScopeClaims, SubjectClaim, SubjectConfig, SubjectStrategy, format_of,
    untrusted_type,
};
pub use registration::{Allowed, Documents, DocumentsConfig, Registration, RegistrationConfig};
pub use resource_server::{ResourceServer, ResourceServerConfig};
pub use risk::{RiskConfig, RiskSettings};
pub use settings::{ACCOUNT_CLIENT, Settings};
pub use standing::Standing;
pub use totp::{TotpConfig, TotpSettings};
pub use trust::{Trust, TrustConfig, TrustedIssuerConfig};
pub use verifications::{
    VerificationCaller, VerificationCallerConfig, Verifications, VerificationsConfig, Webhook,
    WebhookConfig,
};

/// The configuration of the login service, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where it listens and how others reach it.
    pub http: HttpConfig,
    /// Where data is kept.
    pub database: DatabaseConfig,
    /// Keys.
    pub keys: KeysConfig,
    /// Exceptions for outbound requests.
    #[serde(default)]
    pub fetch: FetchConfig,
    /// The VC API: its verifying half. Off unless it is enabled here.
    #[serde(default)]
    pub vc_api: VcApiConfig,
    /// For demonstrations on one machine.
    #[serde(default)]
    pub dev: DevConfig,
    /// Log.
    #[serde(default)]
    pub log: LogConfig,
    /// Believed issuers.
    #[serde(default)]
    pub trust: TrustConfig,
    /// Whose login it is, for questions that do not say it themselves.
    pub subject: Option<SubjectConfig>,
    /// Questions to wallets.
    #[serde(default)]
    pub query: Vec<QueryConfig>,
    /// What the service may know about people who want it to.
    #[serde(default)]
    pub attribute: Vec<AttributeConfig>,
    /// Applications.
    #[serde(default)]
    pub client: Vec<ClientConfig>,
    /// Applications that register by themselves. Off unless it is written.
    pub registration: Option<RegistrationConfig>,
    /// Applications that are known by a document at their `client_id`. Off unless it is written.
    pub client_documents: Option<DocumentsConfig>,
    /// The REST interface for those who run the service. Off unless it is written.
    pub administration: Option<AdministrationConfig>,
    /// Services that take access tokens of applications.
    #[serde(default)]
    pub resource_server: Vec<ResourceServerConfig>,
    /// Who may ask wallets over REST, without a login.
    #[serde(default)]
    pub verifications: VerificationsConfig,
    /// The wallet that links open.
    #[serde(default)]
    pub wallet: WalletConfig,
    /// Who the service is to wallets.
    #[serde(default)]
    pub presentation: PresentationConfig,
    /// Cards in the form of draft-svensson-credential-oidc-bridge. Off unless it is written.
    pub presented_credentials: Option<PresentedConfig>,
    /// Status of credentials.
    #[serde(default)]
    pub status: StatusConfig,
    /// Sessions.
    #[serde(default)]
    pub session: SessionConfig,
    /// Refresh tokens.
    #[serde(default)]
    pub refresh: RefreshConfig,
    /// Passkeys of people. Off unless they are enabled here.
    #[serde(default)]
    pub passkeys: PasskeysConfig,
    /// One-time codes of authenticator apps. Off unless they are enabled here.
    #[serde(default)]
    pub totp: TotpConfig,
    /// Other OpenID Providers at which people may sign in, where a journey asks for it.
    #[serde(default)]
    pub providers: Vec<UpstreamConfig>,
    /// Unusual logins. Off unless it is written.
    pub risk: Option<RiskConfig>,
    /// Files that say which steps lead to a login. None unless it is written.
    pub journeys: Option<JourneysConfig>,
    /// Who may read what is counted. Nobody unless it is written.
    pub numbers: Option<NumbersConfig>,
    /// The log of events. Off unless it is written.
    pub events: Option<EventsConfig>,
    /// Who is responsible for what the applications of the configuration learn.
    pub controller: Option<ControllerConfig>,
    /// How long people agree, and for how long it is remembered.
    #[serde(default)]
    pub consents: ConsentsConfig,
}

/// `[wallet]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalletConfig {
    /// What the link to the wallet begins with.
    #[serde(default = "default_endpoint")]
    pub endpoint: String,
    /// What the link in a QR code begins with, where another device has other wallets than this one;
    /// otherwise as `endpoint`.
    #[serde(default)]
    pub qr_endpoint: Option<String>,
    /// What pages may ask browsers for that have the Digital Credentials API, the preferred one
    /// first: `openid4vp-v1-signed`, `openid4vp-v1-unsigned`. An empty list turns it off.
    #[serde(default = "default_protocols")]
    pub digital_credentials: Vec<String>,
}

fn default_endpoint() -> String {
    "openid4vp://".to_owned()
}

/// Signed requests: with them a wallet knows who asks, and the login service is certified anyway.
fn default_protocols() -> Vec<String> {
    vec!["openid4vp-v1-signed".to_owned()]
}

impl Default for WalletConfig {
    fn default() -> Self {
        Self {
            endpoint: default_endpoint(),
            qr_endpoint: None,
            digital_credentials: default_protocols(),
        }
    }
}

/// `[status]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusConfig {
    /// A list is fetched again after so many seconds at the earliest, whatever its `ttl`.
    #[serde(default = "default_refresh")]
    pub min_refresh_s: i64,
    /// When the host of a list does not answer, a login may rest on the last good list so many
    /// seconds after a fresh one was due, never beyond its `exp`. 0: such a login is refused.
    #[serde(default)]
    pub stale_grace_s: i64,
    /// A session ends when the status of its card could not be learned for so many seconds.
    #[serde(default = "default_grace")]
    pub session_grace_s: i64,
    /// Refuses cards of an issuer that has more lists than this among a hundred of its cards:
    /// with a list for each card it would learn where its holder shows it.
    #[serde(default)]
    pub most_lists_per_100_cards: Option<u32>,
}

fn default_refresh() -> i64 {
    60
}

fn default_grace() -> i64 {
    3600
}

impl Default for StatusConfig {
    fn default() -> Self {
        Self {
            min_refresh_s: default_refresh(),
            stale_grace_s: 0,
            session_grace_s: default_grace(),
            most_lists_per_100_cards: None,
        }
    }
}

/// `[session]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionConfig {
    /// A session ends after so many seconds at the latest.
    #[serde(default = "default_session")]
    pub max_age_s: i64,
}

fn default_session() -> i64 {
    8 * 3600
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            max_age_s: default_session(),
        }
    }
}

/// `[refresh]`: how long an application may go on while the person is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshConfig {
    /// So many seconds after the login at the latest it ends.
    #[serde(default = "default_refresh_age")]
    pub max_age_s: i64,
    /// A refresh token that is not used for so many seconds ends, and the grant with it.
    #[serde(default = "default_refresh_idle")]
    pub idle_s: i64,
}

fn default_refresh_age() -> i64 {
    30 * 86_400
}

fn default_refresh_idle() -> i64 {
    7 * 86_400
}

impl Default for RefreshConfig {
    fn default() -> Self {
        Self {
            max_age_s: default_refresh_age(),
            idle_s: default_refresh_idle(),
        }
    }
}
