//! `[verifications]`: who may ask wallets over REST, without a login. Off while nobody may.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Deserialize;
use url::Url;
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_service::keys::secret_text;
use vouchsafe_service::webhooks::WebhookSecret;

use super::error::ConfigError;
use super::query::Query;
use crate::domain::ids::{CallerId, QueryId};

/// `[verifications]`, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerificationsConfig {
    /// Seconds that a wallet has to answer.
    #[serde(default = "default_lifetime")]
    pub lifetime_s: i64,
    /// Seconds after which a result is forgotten.
    #[serde(default = "default_keep")]
    pub keep_s: i64,
    /// Who may ask. Without any there is no such interface.
    #[serde(default)]
    pub caller: Vec<VerificationCallerConfig>,
}

/// Longest life of a question that is shown as a QR code, in seconds.
const LONGEST_WITH_CODE_S: i64 = 180;

fn default_lifetime() -> i64 {
    120
}

fn default_keep() -> i64 {
    600
}

impl Default for VerificationsConfig {
    fn default() -> Self {
        Self {
            lifetime_s: default_lifetime(),
            keep_s: default_keep(),
            caller: Vec::new(),
        }
    }
}

/// Somebody who may ask, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerificationCallerConfig {
    /// Its name in keys.
    pub id: String,
    /// How people know it: the wallet shows it.
    pub name: String,
    /// Its host, which the wallet shows beside the name.
    pub host: Option<String>,
    /// The questions that it may put by name.
    #[serde(default)]
    pub queries: Vec<String>,
    /// Whether it may also put questions of its own (DCQL). Off: it asks for what it was registered for.
    #[serde(default)]
    pub inline_queries: bool,
    /// Where people may be sent after they answered on the same device; compared exactly.
    #[serde(default)]
    pub return_urls: Vec<String>,
    /// Whether wallets of other devices may answer: with a QR code, and without a way back. Off: who
    /// shows the question to somebody else gets nothing of the answer.
    #[serde(default)]
    pub cross_device: bool,
    /// Questions that may wait for an answer at the same time. Ten times as many are kept.
    #[serde(default = "default_open")]
    pub most_open: u32,
    /// Where its system is told that a verification ended (Standard Webhooks).
    pub webhook: Option<WebhookConfig>,
}

/// Where a system is told, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// The address.
    pub url: String,
    /// Signs every message: `whsec_` and base64 of 24 to 64 bytes.
    pub secret: Option<String>,
    /// The same from a file.
    pub secret_file: Option<PathBuf>,
}

/// Where a system is told.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The address.
    pub url: Url,
    /// Signs every message.
    pub secret: WebhookSecret,
}

fn default_open() -> u32 {
    1000
}

/// Checked rules of verifications.
#[derive(Debug, Clone)]
pub struct Verifications {
    /// Seconds that a wallet has to answer.
    pub lifetime_s: i64,
    /// Seconds after which a result is forgotten.
    pub keep_s: i64,
    callers: Vec<VerificationCaller>,
}

/// Somebody who may ask.
#[derive(Debug, Clone)]
pub struct VerificationCaller {
    /// Its name in keys.
    pub id: CallerId,
    /// How people know it.
    pub name: String,
    /// Its host.
    pub host: Option<String>,
    /// Whether it may put questions of its own.
    pub inline_queries: bool,
    /// Whether wallets of other devices may answer.
    pub cross_device: bool,
    /// Questions that may wait at the same time.
    pub most_open: u32,
    /// Where its system is told.
    pub webhook: Option<Webhook>,
    queries: Vec<QueryId>,
    return_urls: Vec<String>,
}

impl Verifications {
    /// Checks the section against the questions. `loopback_http` allows `http` addresses of this
    /// machine to return to.
    pub fn parse(
        config: &VerificationsConfig,
        queries: &[Query],
        loopback_http: bool,
    ) -> Result<Self, ConfigError> {
        let VerificationsConfig {
            lifetime_s,
            keep_s,
            caller,
        } = config;
        // RFC 10027: a code that is shown to people lives for two or three minutes. Without one, not
        // longer than a login does.
        let codes = caller.iter().any(|caller| caller.cross_device);
        let longest = if codes { LONGEST_WITH_CODE_S } else { 300 };
        for (name, value, least, most) in [
            ("lifetime_s", *lifetime_s, 30, longest),
            ("keep_s", *keep_s, 60, 86_400),
        ] {
            if !(least..=most).contains(&value) {
                return Err(ConfigError::Shared(format!(
                    "verifications.{name} must be between {least} and {most} seconds"
                )));
            }
        }
        let callers = caller
            .iter()
            .map(|caller| VerificationCaller::parse(caller, queries, loopback_http))
            .collect::<Result<Vec<_>, _>>()?;
        let mut seen = BTreeSet::new();
        if let Some(twice) = callers.iter().find(|caller| !seen.insert(&caller.id)) {
            return Err(ConfigError::Duplicate {
                kind: "verifications.caller",
                id: twice.id.as_str().to_owned(),
            });
        }
        Ok(Self {
            lifetime_s: *lifetime_s,
            keep_s: *keep_s,
            callers,
        })
    }

    /// Whether anybody may ask.
    #[must_use]
    pub fn enabled(&self) -> bool {
        !self.callers.is_empty()
    }

    /// Everybody who may ask.
    #[must_use]
    pub fn callers(&self) -> &[VerificationCaller] {
        &self.callers
    }

    /// Who has this id.
    #[must_use]
    pub fn caller(&self, id: &str) -> Option<&VerificationCaller> {
        self.callers.iter().find(|caller| caller.id.as_str() == id)
    }
}

impl Webhook {
    /// Catalogue 398: the address is looked at again, resolved, whenever something is sent.
    pub(super) fn parse(config: &WebhookConfig, rule: UrlRule) -> Result<Self, String> {
        let WebhookConfig {
            url,
            secret,
            secret_file,
        } = config;
        let url = rule.endpoint(url).map_err(|error| error.to_string())?;
        let text = secret_text("secret", secret.as_deref(), secret_file.as_deref())
            .map_err(|error| error.to_string())?;
        let secret = WebhookSecret::parse(&text)
            .ok_or("the secret must be whsec_ and base64 of 24 to 64 bytes")?;
        Ok(Self { url, secret })
    }
}

impl VerificationCaller {
    fn parse(
        config: &VerificationCallerConfig,
        queries: &[Query],
        loopback_http: bool,
    ) -> Result<Self, ConfigError> {
        let VerificationCallerConfig {
            id,
            name,
            host,
            queries: named,
            inline_queries,
            return_urls,
            cross_device,
            most_open,
            webhook,
        } = config;
        let refuse =
            |reason: String| ConfigError::Shared(format!("verifications.caller {id}: {reason}"));
        if id.is_empty() || id.chars().any(char::is_whitespace) || name.is_empty() {
            return Err(refuse(
                "id or name is empty, or the id has a space".to_owned(),
            ));
        }
        if named.is_empty() && !inline_queries {
            return Err(refuse("it may ask nothing: name queries".to_owned()));
        }
        if return_urls.is_empty() && !cross_device {
            return Err(refuse(
                "nobody could answer: name return_urls, or set cross_device".to_owned(),
            ));
        }
        let known = |name: &&String| queries.iter().any(|query| query.id.as_str() == **name);
        if let Some(unknown) = named.iter().find(|name| !known(name)) {
            return Err(refuse(format!("there is no query {unknown}")));
        }
        let rule = match loopback_http {
            true => UrlRule::LoopbackAllowed,
            false => UrlRule::AnyHttps,
        };
        for url in return_urls {
            rule.parse(url)
                .map_err(|error| refuse(format!("return_urls: {error}")))?;
        }
        if *most_open == 0 {
            return Err(refuse("most_open must be at least 1".to_owned()));
        }
        Ok(Self {
            id: CallerId::from_text(id.clone()),
            name: name.clone(),
            host: host.clone(),
            inline_queries: *inline_queries,
            cross_device: *cross_device,
            most_open: *most_open,
            webhook: (webhook.as_ref())
                .map(|webhook| Webhook::parse(webhook, rule))
                .transpose()
                .map_err(|reason| refuse(format!("webhook: {reason}")))?,
            queries: named.iter().cloned().map(QueryId::from_text).collect(),
            return_urls: return_urls.clone(),
        })
    }

    /// Whether it may put this question by name.
    #[must_use]
    pub fn may_ask(&self, query: &QueryId) -> bool {
        self.queries.contains(query)
    }

    /// The address to return to, if it is a registered one.
    #[must_use]
    pub fn return_url(&self, wanted: &str) -> Option<Url> {
        let known = self.return_urls.iter().any(|url| url == wanted);
        known.then(|| Url::parse(wanted).ok()).flatten()
    }

    /// What the wallet shows: who asks, and from where (catalogue 316).
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.host {
            Some(host) => format!("{} ({host})", self.name),
            None => self.name.clone(),
        }
    }
}
