//! `[journeys]`: files that say which steps lead to a login.

use std::path::PathBuf;

use serde::Deserialize;
use vouchsafe_protocol::http::UrlRule;

use super::error::ConfigError;
use super::hooks::{Hook, HookConfig};
use super::query::SubjectConfig;
use super::settings::{Settings, unique};
use crate::journeys::{JourneySettings, Known};

/// The section, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JourneysConfig {
    /// The folder with the files: every `*.toml` in it is one journey.
    pub dir: PathBuf,
    /// Systems that `webhook` steps may ask, each by its address.
    #[serde(default)]
    pub webhook: Vec<HookConfig>,
    /// The system of the operator that is told what `notify` steps say.
    pub notify: Option<HookConfig>,
}

impl JourneysConfig {
    /// The systems that steps may ask.
    pub(super) fn hooks(&self, rule: UrlRule) -> Result<Vec<Hook>, ConfigError> {
        let hooks = self.webhook.iter();
        let hooks = hooks.map(|hook| hook.parse("journeys.webhook", rule));
        let hooks = hooks.collect::<Result<Vec<_>, _>>()?;
        let urls = hooks.iter().map(|hook| hook.webhook.url.as_str());
        unique("journeys.webhook", urls)?;
        Ok(hooks)
    }

    /// Who is told what steps say.
    pub(super) fn told(&self, rule: UrlRule) -> Result<Option<Hook>, ConfigError> {
        let told = self.notify.as_ref();
        let told = told.map(|hook| hook.parse("journeys.notify", rule));
        let told = told.transpose()?;
        let answers = self
            .notify
            .as_ref()
            .is_some_and(|hook| !hook.answers.is_empty());
        if answers {
            let reason = "journeys.notify: who is told answers nothing: leave answers out";
            return Err(ConfigError::Shared(reason.to_owned()));
        }
        Ok(told)
    }

    /// Reads every file, against the settings that it may name.
    pub(super) fn parse(
        &self,
        settings: &Settings,
        usual: Option<&SubjectConfig>,
    ) -> Result<JourneySettings, ConfigError> {
        let Self {
            dir,
            webhook: _,
            notify: _,
        } = self;
        let known = Known::of(settings, usual);
        JourneySettings::read(dir, &known).map_err(|error| ConfigError::Journeys(error.to_string()))
    }
}
