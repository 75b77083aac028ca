//! Systems that a run asks and that answer at once: `[[journeys.webhook]]`, `[risk.webhook]`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Deserialize;
use vouchsafe_protocol::http::UrlRule;

use super::error::ConfigError;
use super::verifications::{Webhook, WebhookConfig};

/// A system, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookConfig {
    /// The address; a step names it.
    pub url: String,
    /// Signs every question: `whsec_` and base64 of 24 to 64 bytes.
    pub secret: Option<String>,
    /// The same from a file.
    pub secret_file: Option<PathBuf>,
    /// It is told the pairwise `sub` of the person, where it is known.
    #[serde(default)]
    pub subject: bool,
    /// What it may answer beside `ok` and `declined`.
    #[serde(default)]
    pub answers: Vec<HookAnswer>,
}

/// What a system may answer beside `ok` and `declined`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookAnswer {
    /// The person typed a code that was sent by SMS.
    Sms,
    /// The risk is higher.
    Risk,
}

/// A system that a run asks.
#[derive(Debug, Clone)]
pub struct Hook {
    /// Where it is, and what signs the questions.
    pub webhook: Webhook,
    /// It is told the `sub`.
    pub subject: bool,
    answers: BTreeSet<HookAnswer>,
}

impl HookConfig {
    pub(super) fn parse(&self, section: &str, rule: UrlRule) -> Result<Hook, ConfigError> {
        let Self {
            url,
            secret,
            secret_file,
            subject,
            answers,
        } = self;
        let refuse = |reason: String| ConfigError::Shared(format!("{section} {url}: {reason}"));
        let written = WebhookConfig {
            url: url.clone(),
            secret: secret.clone(),
            secret_file: secret_file.clone(),
        };
        // A code proves something about the person to whom it was sent.
        if answers.contains(&HookAnswer::Sms) && !subject {
            let reason = "without subject = true it cannot know whom to send a code";
            return Err(refuse(reason.to_owned()));
        }
        Ok(Hook {
            webhook: Webhook::parse(&written, rule).map_err(refuse)?,
            subject: *subject,
            answers: answers.iter().copied().collect(),
        })
    }
}

impl Hook {
    /// Whether it may answer this.
    #[must_use]
    pub fn may_answer(&self, answer: HookAnswer) -> bool {
        self.answers.contains(&answer)
    }
}
