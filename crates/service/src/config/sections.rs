//! The sections that both services have.

use std::{net::SocketAddr, path::PathBuf};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{ConfigError, PublicUrl};
use crate::{
    keys::{KeyError, MasterSecret, secret_text},
    tls::{TlsConfig, TlsFiles},
};

/// A secret in the configuration file. `Debug` hides it; memory is wiped when it is dropped.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretText(…)")
    }
}

/// `[http]`: where the service listens and how others reach it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// Address to listen on; loopback unless something else is asked for.
    pub listen: SocketAddr,
    /// Address under which others reach the service.
    pub public_url: PublicUrl,
    /// Certificate and key for https; without them a proxy in front ends TLS.
    #[serde(default)]
    pub tls: Option<TlsFiles>,
    /// Address of the listener for metrics; none without it.
    #[serde(default)]
    pub metrics_listen: Option<SocketAddr>,
    /// Proxies whose `X-Forwarded-For` is believed: addresses or networks such as `10.0.0.0/8`.
    #[serde(default)]
    pub trusted_proxies: Vec<String>,
    /// Requests of one client network (an IPv4 address, a /64 of IPv6) per minute in the long run;
    /// 0 means no limit. The machine itself is not limited.
    #[serde(default = "default_requests_per_minute")]
    pub requests_per_minute: u32,
    /// Requests of one client network at once.
    #[serde(default = "default_burst")]
    pub burst: u32,
}

fn default_requests_per_minute() -> u32 {
    6_000
}

fn default_burst() -> u32 {
    600
}

impl HttpConfig {
    /// Loads certificate and key, if any.
    pub fn load_tls(&self) -> Result<Option<TlsConfig>, ConfigError> {
        match &self.tls {
            None => Ok(None),
            Some(files) => TlsConfig::load(files)
                .map(Some)
                .map_err(|error| ConfigError::setting("http.tls", error.to_string())),
        }
    }

    /// All addresses that are listened on.
    pub fn listeners(&self) -> Vec<SocketAddr> {
        std::iter::once(self.listen)
            .chain(self.metrics_listen)
            .collect()
    }
}

/// `[database]`: where data is kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite:<file>` or `postgres://…`. May contain a password.
    #[serde(default)]
    pub url: Option<SecretText>,
    /// File with the address.
    #[serde(default)]
    pub url_file: Option<PathBuf>,
}

impl DatabaseConfig {
    /// The address, from wherever it stands.
    pub fn resolve(&self) -> Result<Zeroizing<String>, KeyError> {
        let Self { url, url_file } = self;
        secret_text(
            "database.url",
            url.as_ref().map(SecretText::expose),
            url_file.as_deref(),
        )
    }
}

/// `[keys]`: the master secret.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysConfig {
    /// At least 32 random bytes in base64url.
    #[serde(default)]
    pub secret: Option<SecretText>,
    /// File with the secret.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
}

impl KeysConfig {
    /// The master secret, from wherever it stands.
    pub fn master(&self) -> Result<MasterSecret, KeyError> {
        let Self {
            secret,
            secret_file,
        } = self;
        let text = secret_text(
            "keys.secret",
            secret.as_ref().map(SecretText::expose),
            secret_file.as_deref(),
        )?;
        MasterSecret::parse(&text)
    }
}

/// `[fetch]`: exceptions from the rules for outbound requests.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FetchConfig {
    /// Hosts with other ports or private addresses.
    #[serde(default)]
    pub allow: Vec<AllowedHost>,
    /// Files with further CA certificates (PEM).
    #[serde(default)]
    pub extra_ca: Vec<PathBuf>,
}

/// One exception for outbound requests.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowedHost {
    /// Host name or address, exactly.
    pub host: String,
    /// Ports beside 443.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// Whether the host may have a private address.
    #[serde(default)]
    pub private: bool,
}

/// `[dev]`: for demonstrations on one machine only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DevConfig {
    /// Plain http on loopback, inbound and outbound. Refused unless every listener and every
    /// public address is loopback.
    #[serde(default)]
    pub loopback_http: bool,
}

/// `[log]`: what is written to standard error.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// `text` or `json`.
    #[serde(default)]
    pub format: LogFormat,
    /// Filter such as `info` or `info,vouchsafe_verifier=debug`.
    #[serde(default = "default_filter")]
    pub filter: String,
}

fn default_filter() -> String {
    "info".into()
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            format: LogFormat::default(),
            filter: default_filter(),
        }
    }
}

/// Shape of log lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}
