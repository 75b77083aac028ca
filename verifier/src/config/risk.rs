//! `[risk]`: whether a session answers alone when a login looks unusual.

use std::collections::HashSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use vouchsafe_protocol::http::UrlRule;

use super::error::ConfigError;
use super::hooks::{Hook, HookConfig};
use crate::risk::place::Places;
use crate::risk::{RiskLevel, Thresholds};

/// The section, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskConfig {
    /// A database of countries or cities in the MaxMind DB format.
    pub places: Option<PathBuf>,
    /// A database of autonomous systems in the same format.
    pub networks: Option<PathBuf>,
    /// Exits of the Tor network: a file with an address on each line.
    pub tor_exits: Option<PathBuf>,
    /// From this level on a session does not answer: the person shows the card again.
    #[serde(default = "high")]
    pub ask_again_at: RiskLevel,
    /// Scores of the levels; without them the rules speak alone. `vouchsafe risk tune` finds them.
    pub thresholds: Option<Thresholds>,
    /// So many refused logins in ten minutes, from one address or of one account, are a sign
    /// (`failed_burst`); 0: they are none.
    #[serde(default = "burst")]
    pub failed_burst: u32,
    /// A system of somebody else that may raise the level in a `risk` step of a journey.
    pub webhook: Option<HookConfig>,
}

fn burst() -> u32 {
    5
}

fn high() -> RiskLevel {
    RiskLevel::High
}

/// The checked section.
#[derive(Debug, Clone)]
pub struct RiskSettings {
    /// Where addresses are.
    pub places: Places,
    /// Exits of the Tor network.
    pub tor_exits: Arc<HashSet<IpAddr>>,
    /// From this level on a session does not answer.
    pub ask_again_at: RiskLevel,
    /// Scores of the levels.
    pub thresholds: Option<Thresholds>,
    /// So many refused logins are a sign; `None`: they are none.
    pub failed_burst: Option<i64>,
    /// Who may raise the level in a `risk` step.
    pub webhook: Option<Hook>,
}

impl RiskSettings {
    /// Checks the section and reads its files.
    pub fn parse(config: &RiskConfig, rule: UrlRule) -> Result<Self, ConfigError> {
        let RiskConfig {
            places,
            networks,
            tor_exits,
            ask_again_at,
            thresholds,
            failed_burst,
            webhook,
        } = config;
        let webhook = webhook.as_ref();
        let webhook = webhook.map(|hook| hook.parse("risk.webhook", rule));
        if config
            .webhook
            .as_ref()
            .is_some_and(|hook| !hook.answers.is_empty())
        {
            return refuse("risk.webhook: it answers a level and nothing else: leave answers out");
        }
        if *ask_again_at == RiskLevel::Low {
            return refuse("risk.ask_again_at must be medium, high or critical");
        }
        if thresholds.is_some_and(|thresholds| !thresholds.are_ordered()) {
            return refuse("risk.thresholds must be positive and ascend from medium to critical");
        }
        let places = Places::open(places.as_deref(), networks.as_deref())
            .map_err(|error| ConfigError::Shared(format!("risk: {error}")))?;
        let exits = tor_exits.as_deref().map(addresses).transpose()?;
        Ok(Self {
            places,
            tor_exits: Arc::new(exits.unwrap_or_default()),
            ask_again_at: *ask_again_at,
            thresholds: *thresholds,
            failed_burst: (*failed_burst > 0).then(|| i64::from(*failed_burst)),
            webhook: webhook.transpose()?,
        })
    }
}

fn refuse<T>(reason: &str) -> Result<T, ConfigError> {
    Err(ConfigError::Shared(reason.to_owned()))
}

/// One address on each line; empty lines and lines that begin with `#` say nothing.
fn addresses(path: &Path) -> Result<HashSet<IpAddr>, ConfigError> {
    let wrong =
        |what: String| ConfigError::Shared(format!("risk.tor_exits: {}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|_| wrong("cannot be read".to_owned()))?;
    let lines = text.lines().map(str::trim).enumerate();
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| {
            let address: Result<IpAddr, _> = line.parse();
            let address = address.map(|address| address.to_canonical());
            address.map_err(|_| wrong(format!("line {} is no address", number + 1)))
        })
        .collect()
}
