//! Configuration: a TOML file, overridden by environment variables, unknown keys refused.
//!
//! A service's own `Config` is a struct with `#[serde(deny_unknown_fields)]` whose members are
//! the sections here plus its own; [`load`] reads it. Secrets stand in the file by value or in a
//! file of their own (`secret_file`), never in error texts.

mod public_url;
mod sections;

pub use public_url::{PublicUrl, PublicUrlError};
pub use sections::{
    AllowedHost, DatabaseConfig, DevConfig, FetchConfig, HttpConfig, KeysConfig, LogConfig,
    LogFormat, SecretText,
};

use std::{net::SocketAddr, path::Path};

use figment::{
    Figment,
    error::Kind,
    providers::{Env, Format, Toml},
};
use serde::de::DeserializeOwned;

use crate::keys::KeyError;

/// Why the program does not start with this configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there.
    #[error("{0}: no such configuration file")]
    NoFile(String),
    /// A setting is wrong. The text names the setting, never its value.
    #[error("setting `{setting}`: {problem}")]
    Setting {
        /// Dotted path of the setting.
        setting: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A key or secret is missing or unsafe.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A public URL is not https and the loopback exception is off.
    #[error(
        "`{0}` is not an https address. Outside of a demonstration on loopback (`dev.loopback_http`) every public address must be https"
    )]
    NotHttps(PublicUrl),
    /// `dev.loopback_http` is on and something is reachable from outside.
    #[error("`dev.loopback_http` is on, but `{0}` is not on loopback")]
    DevOffLoopback(String),
}

impl ConfigError {
    /// A setting that parses but makes no sense.
    pub fn setting(setting: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Setting {
            setting: setting.into(),
            problem: problem.into(),
        }
    }
}

/// Reads `file`, then environment variables that begin with `environment` (such as
/// `VOUCHSAFE_ISSUER_`), where `__` separates section and key: `VOUCHSAFE_ISSUER_HTTP__LISTEN`.
pub fn load<T: DeserializeOwned>(file: Option<&Path>, environment: &str) -> Result<T, ConfigError> {
    let mut figment = Figment::new();
    if let Some(file) = file {
        if !file.is_file() {
            return Err(ConfigError::NoFile(file.display().to_string()));
        }
        figment = figment.merge(Toml::file_exact(file));
    }
    extract(figment.merge(Env::prefixed(environment).split("__")))
}

/// Reads `file` alone: environment variables change nothing.
pub fn load_file<T: DeserializeOwned>(file: &Path) -> Result<T, ConfigError> {
    if !file.is_file() {
        return Err(ConfigError::NoFile(file.display().to_string()));
    }
    extract(Figment::from(Toml::file_exact(file)))
}

/// Reads a configuration from TOML text alone. For `config check`, examples and tests.
pub fn parse<T: DeserializeOwned>(toml: &str) -> Result<T, ConfigError> {
    extract(Figment::from(Toml::string(toml)))
}

fn extract<T: DeserializeOwned>(figment: Figment) -> Result<T, ConfigError> {
    figment.extract().map_err(|error| {
        let setting = error.path.join(".");
        ConfigError::Setting {
            problem: problem(&error.kind),
            setting: if setting.is_empty() {
                "(file)".into()
            } else {
                setting
            },
        }
    })
}

/// Figment's own texts quote the value, which may be a secret; these do not.
fn problem(kind: &Kind) -> String {
    match kind {
        Kind::Message(message) if message.contains("TOML") => "the file is not valid TOML".into(),
        Kind::Message(message) => message.clone(),
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => {
            format!("expected {expected}")
        }
        Kind::InvalidLength(length, expected) => format!("has {length} items, expected {expected}"),
        Kind::UnknownVariant(_, expected) => format!("expected one of: {}", expected.join(", ")),
        Kind::UnknownField(name, expected) => {
            format!("unknown key `{name}`; known are: {}", expected.join(", "))
        }
        Kind::MissingField(name) => format!("`{name}` is missing"),
        Kind::DuplicateField(name) => format!("`{name}` is given twice"),
        Kind::ISizeOutOfRange(_) | Kind::USizeOutOfRange(_) => "the number is out of range".into(),
        Kind::Unsupported(_) | Kind::UnsupportedKey(..) => "this kind of value is not known".into(),
    }
}

/// The rule of plain http: only for public addresses on loopback, only with `dev.loopback_http`,
/// and with that switch nothing may be reachable from outside.
pub fn check_addresses(
    dev: &DevConfig,
    listeners: &[SocketAddr],
    public: &[&PublicUrl],
) -> Result<(), ConfigError> {
    let DevConfig { loopback_http } = dev;
    if !loopback_http {
        return match public.iter().find(|url| !url.is_https()) {
            Some(url) => Err(ConfigError::NotHttps((*url).clone())),
            None => Ok(()),
        };
    }
    if let Some(listener) = listeners.iter().find(|at| !at.ip().is_loopback()) {
        return Err(ConfigError::DevOffLoopback(listener.to_string()));
    }
    match public.iter().find(|url| !url.is_loopback()) {
        Some(url) => Err(ConfigError::DevOffLoopback(url.to_string())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
