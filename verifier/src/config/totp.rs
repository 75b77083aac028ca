//! `[totp]`: one-time codes of authenticator apps (RFC 6238), a factor beside another one.

use serde::Deserialize;
use vouchsafe_service::config::PublicUrl;

use super::error::ConfigError;

/// Letters of a name that apps show whole.
const LONGEST_NAME: usize = 40;

/// The section, as written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TotpConfig {
    /// Whether people may add an authenticator app to their account.
    #[serde(default)]
    pub enabled: bool,
    /// What apps call this service; its host without it.
    pub name: Option<String>,
}

/// The checked section, where codes are on.
#[derive(Debug, Clone)]
pub struct TotpSettings {
    /// What apps call this service.
    pub name: String,
}

impl TotpSettings {
    /// Checks the section; `None` where codes are off.
    pub fn parse(config: &TotpConfig, public_url: &PublicUrl) -> Result<Option<Self>, ConfigError> {
        let TotpConfig { enabled, name } = config;
        if let Some(name) = name {
            let length = name.chars().count();
            // A colon parts the name from the account in what apps read.
            let fits = |c: char| c != ':' && !c.is_control();
            if name.trim() != name
                || !(1..=LONGEST_NAME).contains(&length)
                || !name.chars().all(fits)
            {
                let reason = "totp.name must be 1 to 40 characters without a colon";
                return Err(ConfigError::Shared(reason.to_owned()));
            }
        }
        let host = public_url.url().host_str().unwrap_or_default();
        let name = name.clone().unwrap_or_else(|| host.to_owned());
        Ok(enabled.then_some(Self { name }))
    }
}
