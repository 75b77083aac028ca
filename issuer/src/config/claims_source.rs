//! `[[claims_source]]`: what cards say, and how a system of the organisation is written.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use vouchsafe_service::config::{ConfigError, SecretText};
use vouchsafe_service::keys::secret_text;
use vouchsafe_service::webhooks::{Secrets, System, WebhookSecret};

use crate::claims_source::ClaimsSource;

/// `[[claims_source]]`: the organisation's system that says what cards say.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimsSourceConfig {
    /// Ids of the credential types; none: every other type.
    #[serde(default)]
    pub credential_types: Vec<String>,
    /// The address of the system.
    pub url: String,
    /// The secret that signs the questions, `whsec_…`.
    #[serde(default)]
    pub secret: Option<SecretText>,
    /// A file with that secret.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// How long one try may take, in seconds.
    #[serde(default = "default_timeout_s")]
    pub timeout_s: u64,
    /// How long all tries together may take, in seconds.
    #[serde(default = "default_patience_s")]
    pub patience_s: u64,
}

/// The request that waits for the answer may take 30 seconds, and has more to do.
const MOST_PATIENCE_S: u64 = 20;

pub(super) fn default_timeout_s() -> u64 {
    4
}

pub(super) fn default_patience_s() -> u64 {
    10
}

/// What all sections have in common.
pub(super) struct Around<'a> {
    /// Our own address.
    pub(super) issuer: &'a str,
    /// How the issuer is called, by language tag.
    pub(super) names: &'a BTreeMap<String, String>,
    /// Whether http on loopback is allowed.
    pub(super) loopback_http: bool,
}

/// How a system is written in a section.
pub(super) struct Written<'a> {
    pub(super) section: &'static str,
    pub(super) url: &'a str,
    pub(super) secret: Option<&'a SecretText>,
    pub(super) secret_file: &'a Option<PathBuf>,
    pub(super) timeout_s: u64,
    pub(super) patience_s: u64,
}

impl Written<'_> {
    pub(super) fn system(&self, around: &Around<'_>) -> Result<System, ConfigError> {
        let wrong = |setting: &str, problem: String| {
            ConfigError::setting(format!("{}.{setting}", self.section), problem)
        };
        let url = url::Url::parse(self.url).ok();
        let secure = |url: &url::Url| match url.scheme() {
            "https" => true,
            "http" => around.loopback_http,
            _ => false,
        };
        if !url.as_ref().is_some_and(secure) {
            return Err(wrong("url", "must be an https address".to_owned()));
        }
        let patience = 1..=MOST_PATIENCE_S;
        if !patience.contains(&self.patience_s) || !(1..=self.patience_s).contains(&self.timeout_s)
        {
            let problem = "must be 1 to 20, and timeout_s not more";
            return Err(wrong("patience_s", problem.to_owned()));
        }
        let value = self.secret.map(SecretText::expose);
        let text = secret_text("secret", value, self.secret_file.as_deref());
        let text = text.map_err(|error| wrong("secret_file", error.to_string()))?;
        let secret = WebhookSecret::parse(&text);
        let problem = "must be `whsec_` and base64 of 24 to 64 bytes";
        let secret = secret.ok_or_else(|| wrong("secret_file", problem.to_owned()))?;
        Ok(System {
            url: self.url.to_owned(),
            secrets: Secrets::of(secret, None),
            timeout: Duration::from_secs(self.timeout_s),
            patience: Duration::from_secs(self.patience_s),
        })
    }
}

/// Checks `[[claims_source]]`; each type has one at most.
pub(super) fn claims_sources(
    configs: &[ClaimsSourceConfig],
    around: &Around<'_>,
) -> Result<Vec<ClaimsSource>, ConfigError> {
    one_each(
        "claims_source",
        configs.iter().map(|one| one.credential_types.as_slice()),
    )?;
    let source = |config: &ClaimsSourceConfig| {
        let written = Written {
            section: "claims_source",
            url: &config.url,
            secret: config.secret.as_ref(),
            secret_file: &config.secret_file,
            timeout_s: config.timeout_s,
            patience_s: config.patience_s,
        };
        Ok(ClaimsSource {
            credential_types: config.credential_types.clone(),
            system: written.system(around)?,
        })
    };
    configs.iter().map(source).collect()
}

/// No type is named twice, and one rule at most is for every other type.
pub(super) fn one_each<'a>(
    section: &'static str,
    rules: impl Iterator<Item = &'a [String]>,
) -> Result<(), ConfigError> {
    let (mut named, mut default) = (Vec::new(), false);
    for types in rules {
        if types.is_empty() && std::mem::replace(&mut default, true) {
            return Err(ConfigError::setting(
                section,
                "two rules without credential_types",
            ));
        }
        for id in types {
            if named.contains(&id) {
                return Err(ConfigError::setting(
                    section,
                    "two rules for one credential type",
                ));
            }
            named.push(id);
        }
    }
    Ok(())
}
