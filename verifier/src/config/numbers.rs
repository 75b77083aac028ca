//! `[numbers]` and `[events]`: what is counted, and where events go.

use std::path::PathBuf;

use serde::Deserialize;

use super::error::ConfigError;
use super::verifications::{Webhook, WebhookConfig};
use crate::numbers::events::EventSettings;

/// `[numbers]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumbersConfig {
    /// Series about logins have the application as the label `client`. Off: there may be many.
    #[serde(default)]
    pub client_label: bool,
    /// People are asked one question when they have logged out, and on their account page: how it was.
    #[serde(default)]
    pub satisfaction: bool,
}

/// `[events]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventsConfig {
    /// A file that events are appended to.
    pub file: Option<PathBuf>,
    /// From so many megabytes on the file is renamed to `….1`, and another begins.
    #[serde(default = "default_megabytes")]
    pub file_megabytes: u64,
    /// Events are kept in the database as well.
    #[serde(default)]
    pub database: bool,
    /// For so many days.
    #[serde(default = "default_days")]
    pub database_days: i64,
    /// A system that is told.
    pub webhook: Option<WebhookConfig>,
    /// What the application calls the person is among the facts.
    #[serde(default)]
    pub pairwise_sub: bool,
}

fn default_megabytes() -> u64 {
    100
}

fn default_days() -> i64 {
    30
}

impl EventsConfig {
    /// Checks the section. `loopback_http` allows `http` addresses of this machine.
    pub fn parse(&self, loopback_http: bool) -> Result<EventSettings, ConfigError> {
        let Self {
            file,
            file_megabytes,
            database,
            database_days,
            webhook,
            pairwise_sub,
        } = self;
        let refuse = |reason: String| Err(ConfigError::Shared(reason));
        if file.is_none() && !database && webhook.is_none() {
            return refuse("events needs file, database or webhook".to_owned());
        }
        // An account that is deleted would live on there, under the name of the application.
        if *pairwise_sub && (*database || webhook.is_some()) {
            return refuse("events.pairwise_sub is for the file alone".to_owned());
        }
        if !(1..=10_000).contains(file_megabytes) {
            return refuse("events.file_megabytes must be between 1 and 10000".to_owned());
        }
        if !(1..=366).contains(database_days) {
            return refuse("events.database_days must be between 1 and 366".to_owned());
        }
        let webhook = webhook.as_ref();
        let webhook = webhook.map(|webhook| Webhook::checked(webhook, loopback_http));
        let webhook = match webhook.transpose() {
            Ok(webhook) => webhook,
            Err(reason) => return refuse(format!("events.webhook: {reason}")),
        };
        let bytes = file_megabytes * 1_000_000;
        Ok(EventSettings {
            file: file.clone().map(|file| (file, bytes)),
            database_days: database.then_some(*database_days),
            webhook,
            pairwise_sub: *pairwise_sub,
        })
    }
}
