//! `[controller]`, `[consents]` and `[client.consent]`: who is responsible for what applications learn,
//! and how long people agree to it.

use serde::Deserialize;
use vouchsafe_protocol::http::UrlRule;

use super::client::Client;
use super::settings::Settings;
use super::verifications::{Webhook, WebhookConfig};
use crate::domain::notice::Controller;

/// Ten years.
const LONGEST_DAYS: i64 = 3650;

/// Who is responsible, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControllerConfig {
    /// What it is called.
    pub name: String,
    /// Where people reach it: an address of e-mail or of a page.
    pub contact: Option<String>,
    /// Address of its privacy policy.
    pub privacy_policy: Option<String>,
    /// Postal address.
    pub address: Option<String>,
    /// Country whose law applies (ISO 3166-1 alpha-2).
    pub country: Option<String>,
    /// Countries where the facts are stored.
    #[serde(default)]
    pub storage: Vec<String>,
}

/// `[consents]`, as written.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentsConfig {
    /// Days for which the record of a consent is kept that is over.
    #[serde(default = "default_keep")]
    pub keep_days: i64,
    /// Days after which a consent ends and is asked for again, where its application says nothing.
    pub expires_days: Option<i64>,
}

fn default_keep() -> i64 {
    365
}

impl Default for ConsentsConfig {
    fn default() -> Self {
        Self {
            keep_days: default_keep(),
            expires_days: None,
        }
    }
}

/// `[client.consent]`, as written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientConsentConfig {
    /// Who is responsible for this application, where it is not who `[controller]` names.
    pub controller: Option<ControllerConfig>,
    /// Days for which it keeps the facts.
    pub stays_days: Option<i64>,
    /// Days after which a consent ends and is asked for again.
    pub expires_days: Option<i64>,
    /// Others whom it gives the facts to.
    #[serde(default)]
    pub recipients: Vec<String>,
    /// Where it is told that somebody withdrew (Standard Webhooks).
    pub webhook: Option<WebhookConfig>,
}

/// What an application says about consents.
#[derive(Debug, Clone, Default)]
pub struct ClientConsent {
    /// Who is responsible.
    pub controller: Option<Controller>,
    /// Days for which it keeps the facts.
    pub stays_days: Option<i64>,
    /// Days after which a consent ends.
    pub expires_days: Option<i64>,
    /// Others whom it gives the facts to.
    pub recipients: Vec<String>,
    /// Where it is told.
    pub webhook: Option<Webhook>,
}

fn rule(loopback_http: bool) -> UrlRule {
    match loopback_http {
        true => UrlRule::LoopbackAllowed,
        false => UrlRule::AnyHttps,
    }
}

fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

impl ControllerConfig {
    /// Checks it.
    pub(super) fn parse(&self, loopback_http: bool) -> Result<Controller, String> {
        let Self {
            name,
            contact,
            privacy_policy,
            address,
            country,
            storage,
        } = self;
        let empty = |text: &String| text.trim().is_empty();
        if empty(name) || [contact, address].into_iter().flatten().any(empty) {
            return Err("name, contact or address is empty".to_owned());
        }
        if let Some(policy) = privacy_policy {
            let read = rule(loopback_http).parse(policy);
            read.map_err(|error| format!("privacy_policy: {error}"))?;
        }
        let mut countries = country.iter().chain(storage);
        if !countries.all(|country| is_country(country)) {
            return Err("a country is two capital letters (ISO 3166-1)".to_owned());
        }
        Ok(Controller {
            name: name.clone(),
            contact: contact.clone(),
            privacy_policy: privacy_policy.clone(),
            address: address.clone(),
            country: country.clone(),
            storage: storage.clone(),
        })
    }
}

fn days(name: &str, value: Option<i64>) -> Result<(), String> {
    match value {
        Some(days) if !(1..=LONGEST_DAYS).contains(&days) => {
            Err(format!("{name} must be between 1 and {LONGEST_DAYS}"))
        }
        _ => Ok(()),
    }
}

impl ConsentsConfig {
    /// Checks the section.
    pub(super) fn parse(self) -> Result<Self, String> {
        days("consents.keep_days", Some(self.keep_days))?;
        days("consents.expires_days", self.expires_days)?;
        Ok(self)
    }
}

impl ClientConsentConfig {
    /// Checks what an application says.
    pub(super) fn parse(&self, loopback_http: bool) -> Result<ClientConsent, String> {
        let Self {
            controller,
            stays_days,
            expires_days,
            recipients,
            webhook,
        } = self;
        days("consent.stays_days", *stays_days)?;
        days("consent.expires_days", *expires_days)?;
        if recipients.iter().any(|name| name.trim().is_empty()) {
            return Err("consent.recipients: a name is empty".to_owned());
        }
        let controller = controller.as_ref();
        let webhook = webhook.as_ref();
        Ok(ClientConsent {
            controller: controller
                .map(|one| one.parse(loopback_http))
                .transpose()
                .map_err(|reason| format!("consent.controller: {reason}"))?,
            stays_days: *stays_days,
            expires_days: *expires_days,
            recipients: recipients.clone(),
            webhook: webhook
                .map(|one| Webhook::parse(one, rule(loopback_http)))
                .transpose()
                .map_err(|reason| format!("consent.webhook: {reason}"))?,
        })
    }
}

/// Who is responsible for an application. The operator answers for those of the configuration, and for those that administrators keep.
pub(crate) fn controller_of(settings: &Settings, client: &Client, locale: &str) -> Controller {
    let configured = settings.controller.as_ref();
    let configured = configured.filter(|_| client.standing.is_of_operator());
    let own = client.consent.controller.as_ref().or(configured);
    own.cloned().unwrap_or_else(|| {
        let policy = client.about.policy_uri.as_ref();
        Controller {
            name: client.name_in(locale).to_owned(),
            contact: None,
            privacy_policy: policy.map(|policy| policy.for_locale(locale).to_owned()),
            address: None,
            country: None,
            storage: Vec::new(),
        }
    })
}
