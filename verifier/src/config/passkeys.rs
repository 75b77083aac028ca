//! `[passkeys]`: passkeys of people, beside their cards.

use serde::Deserialize;
use vouchsafe_service::config::PublicUrl;
use vouchsafe_service::webauthn::RelyingParty;

use super::error::ConfigError;

/// The section, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasskeysConfig {
    /// Whether people may log in with passkeys.
    #[serde(default)]
    pub enabled: bool,
    /// So many days after its last card an account shows one again, passkey or not.
    #[serde(default = "default_card_max_age")]
    pub card_max_age_days: i64,
}

fn default_card_max_age() -> i64 {
    90
}

impl Default for PasskeysConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            card_max_age_days: default_card_max_age(),
        }
    }
}

/// The checked section, where passkeys are on.
#[derive(Debug, Clone)]
pub struct PasskeySettings {
    /// The site that they are made for.
    pub site: RelyingParty,
    /// Its host name: the RP ID.
    pub host: String,
    /// A passkey stands for a card that was shown at most so many seconds ago.
    pub card_max_age_s: i64,
}

impl PasskeySettings {
    /// Checks the section; `None` where passkeys are off.
    pub fn parse(
        config: &PasskeysConfig,
        public_url: &PublicUrl,
    ) -> Result<Option<Self>, ConfigError> {
        let PasskeysConfig {
            enabled,
            card_max_age_days,
        } = *config;
        if !(1..=3650).contains(&card_max_age_days) {
            return refuse("passkeys.card_max_age_days must be between 1 and 3650");
        }
        if !enabled {
            return Ok(None);
        }
        let host = public_url.url().host_str().unwrap_or_default().to_owned();
        let Some(site) = RelyingParty::of(public_url, &host) else {
            return refuse(
                "passkeys need a public_url with a name: browsers make none for an IP address",
            );
        };
        Ok(Some(Self {
            site,
            host,
            card_max_age_s: card_max_age_days * 86_400,
        }))
    }
}

fn refuse<T>(reason: &str) -> Result<T, ConfigError> {
    Err(ConfigError::Shared(reason.to_owned()))
}
