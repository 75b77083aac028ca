//! `[journeys]`: files that say which steps lead to a login.

use std::path::PathBuf;

use serde::Deserialize;

use super::error::ConfigError;
use super::query::SubjectConfig;
use super::settings::Settings;
use crate::journeys::{JourneySettings, Known};

/// The section, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JourneysConfig {
    /// The folder with the files: every `*.toml` in it is one journey.
    pub dir: PathBuf,
}

impl JourneysConfig {
    /// Reads every file, against the settings that it may name.
    pub(super) fn parse(
        &self,
        settings: &Settings,
        usual: Option<&SubjectConfig>,
    ) -> Result<JourneySettings, ConfigError> {
        let Self { dir } = self;
        let known = Known::of(settings, usual);
        JourneySettings::read(dir, &known).map_err(|error| ConfigError::Journeys(error.to_string()))
    }
}
