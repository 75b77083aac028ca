//! The checked configuration: what the rest of the service sees.

mod lookup;

use std::collections::BTreeSet;
use std::sync::Arc;

use vouchsafe_protocol::http::UrlRule;
use vouchsafe_service::config::{PublicUrl, check_addresses};

use super::administration::{Administration, AdministrationConfig};
use super::attribute::Attribute;
use super::client::{Client, ClientConfig};
use super::consents::ConsentsConfig;
use super::digital_credentials::DigitalCredentials;
use super::error::ConfigError;
use super::hooks::Hook;
use super::numbers::NumbersConfig;
use super::passkeys::PasskeySettings;
use super::presentation::Presentation;
use super::presented::PresentedSettings;
use super::providers::UpstreamProvider;
use super::query::Query;
use super::registration::{Documents, Registration};
use super::resource_server::ResourceServer;
use super::risk::RiskSettings;
use super::totp::TotpSettings;
use super::trust::Trust;
use super::verifications::Verifications;
use super::{Config, RefreshConfig, SessionConfig, StatusConfig};
use crate::domain::notice::Controller;
use crate::journeys::JourneySettings;
use crate::login::ACCESS_TOKEN_S;
use crate::numbers::OTHER;
use crate::numbers::events::EventSettings;
use crate::status::StatusPolicy;

/// Checked settings. There is no other way to make them than [`Settings::parse`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// Issuer identifier.
    pub issuer: String,
    /// Public address.
    pub public_url: PublicUrl,
    /// Believed issuers.
    pub trust: Trust,
    queries: Vec<Query>,
    attributes: Vec<Attribute>,
    clients: Vec<Arc<Client>>,
    /// Applications that register by themselves.
    pub registration: Option<Registration>,
    /// Applications that are known by a document.
    pub documents: Option<Documents>,
    /// Applications that administrators keep.
    pub administration: Option<Administration>,
    resource_servers: Vec<ResourceServer>,
    /// This service where it asks for a card by itself, to add it to an account. `None`: no card leads
    /// to an account here.
    pub account_client: Option<Arc<Client>>,
    /// Who may ask over REST.
    pub verifications: Verifications,
    /// What the link to the wallet begins with.
    pub wallet_endpoint: String,
    /// What the link in a QR code begins with.
    pub qr_endpoint: String,
    /// Who the service is to wallets.
    pub presentation: Presentation,
    /// Cards in the form of a draft.
    pub presented: Option<PresentedSettings>,
    /// What is offered over the Digital Credentials API of browsers.
    pub digital_credentials: Option<DigitalCredentials>,
    /// How status lists are used.
    pub status: StatusPolicy,
    /// Seconds without known status after which a session ends.
    pub session_grace_s: i64,
    /// Longest life of a session in seconds.
    pub session_max_age_s: i64,
    /// How long refresh tokens last.
    pub refresh: RefreshConfig,
    /// Passkeys of people.
    pub passkeys: Option<PasskeySettings>,
    /// One-time codes of authenticator apps.
    pub totp: Option<TotpSettings>,
    /// Other OpenID Providers at which people may sign in.
    pub providers: Vec<UpstreamProvider>,
    /// What is done about unusual logins.
    pub risk: Option<RiskSettings>,
    /// Systems that steps of journeys may ask.
    pub hooks: Vec<Hook>,
    /// Who is told what steps of journeys say.
    pub told: Option<Hook>,
    /// Which steps lead to logins.
    pub journeys: Option<JourneySettings>,
    /// How numbers are read, where they are.
    pub numbers: Option<NumbersConfig>,
    /// Where events go.
    pub events: Option<EventSettings>,
    /// Who is responsible for what the applications of the configuration learn.
    pub controller: Option<Controller>,
    /// How long people agree, and for how long it is remembered.
    pub consents: ConsentsConfig,
}

impl Settings {
    /// Checks everything but the keys.
    pub fn parse(config: &Config) -> Result<Self, ConfigError> {
        let shared =
            |error: vouchsafe_service::config::ConfigError| ConfigError::Shared(error.to_string());
        check_addresses(
            &config.dev,
            &config.http.listeners(),
            &[&config.http.public_url],
        )
        .map_err(shared)?;
        let trust = Trust::parse(&config.trust)?;
        let queries = config
            .query
            .iter()
            .map(|query| Query::parse(query, config.subject.as_ref(), &trust))
            .collect::<Result<Vec<_>, _>>()?;
        unique("query", queries.iter().map(|query| query.id.as_str()))?;
        unique("query scope", queries.iter().flat_map(Query::scope_names))?;
        let attributes = config
            .attribute
            .iter()
            .map(|attribute| Attribute::parse(attribute, &queries))
            .collect::<Result<Vec<_>, _>>()?;
        unique("attribute", attributes.iter().map(|one| one.name.as_str()))?;
        let claims = attributes.iter().map(|one| one.claim.as_str());
        unique("attribute claim", claims)?;
        let clients = config
            .client
            .iter()
            .map(|client| Client::parse(client, &queries, config.dev.loopback_http))
            .collect::<Result<Vec<_>, _>>()?;
        for client in &clients {
            knows_attributes(client, &attributes)?;
        }
        if let Some(taken) = clients.iter().find(|client| client.id.as_str() == OTHER) {
            return Err(ConfigError::client(
                taken.id.as_str(),
                "numbers call so what the configuration does not name: choose another id",
            ));
        }
        let resource_servers = config
            .resource_server
            .iter()
            .map(|server| ResourceServer::parse(server, &clients, config.dev.loopback_http))
            .collect::<Result<Vec<_>, _>>()?;
        let verifications =
            Verifications::parse(&config.verifications, &queries, config.dev.loopback_http)?;
        let ids = clients.iter().map(|client| client.id.as_str());
        let servers = resource_servers.iter().map(|server| server.id.as_str());
        unique("client", ids.chain(servers))?;
        let loopback = config.dev.loopback_http;
        let registration = (config.registration.as_ref())
            .map(|config| Registration::parse(config, &queries, loopback))
            .transpose()?;
        let documents = (config.client_documents.as_ref())
            .map(|config| Documents::parse(config, &queries, loopback))
            .transpose()?;
        let providers = config.providers.iter();
        let providers = providers
            .map(|provider| provider.parse(&config.http.public_url, loopback))
            .collect::<Result<Vec<_>, _>>()?;
        unique("provider", providers.iter().map(|one| one.id.as_str()))?;
        // Who sends a browser back is known by the address alone, which follows from the issuer.
        let issuers = providers.iter().map(|one| one.settings.issuer.as_str());
        unique("provider issuer", issuers)?;
        let StatusConfig {
            min_refresh_s,
            stale_grace_s,
            session_grace_s,
            most_lists_per_100_cards: most_lists,
        } = config.status;
        if !(0..=86_400).contains(&stale_grace_s) {
            return Err(ConfigError::Shared(
                "status.stale_grace_s must be between 0 and one day".to_owned(),
            ));
        }
        if most_lists.is_some_and(|most| !(1..=100).contains(&most)) {
            return Err(ConfigError::Shared(
                "status.most_lists_per_100_cards must be between 1 and 100".to_owned(),
            ));
        }
        let SessionConfig { max_age_s } = config.session;
        for (name, seconds) in [
            ("status.min_refresh_s", min_refresh_s),
            ("status.session_grace_s", session_grace_s),
            ("session.max_age_s", max_age_s),
            ("refresh.max_age_s", config.refresh.max_age_s),
            ("refresh.idle_s", config.refresh.idle_s),
        ] {
            if !(1..=30 * 86_400).contains(&seconds) {
                return Err(ConfigError::Shared(format!(
                    "{name} must be between 1 second and 30 days"
                )));
            }
        }
        // A session without a browser lasts as long as its token, and the access token rests on it.
        if config.refresh.idle_s < ACCESS_TOKEN_S {
            return Err(ConfigError::Shared(format!(
                "refresh.idle_s must be at least {ACCESS_TOKEN_S}, the life of an access token"
            )));
        }
        let endpoint = &config.wallet.endpoint;
        let qr_endpoint = config.wallet.qr_endpoint.as_ref().unwrap_or(endpoint);
        for (name, address) in [("endpoint", endpoint), ("qr_endpoint", qr_endpoint)] {
            let blank = |c: char| c.is_whitespace() || c.is_control();
            let scheme = address.split(':').next().unwrap_or_default();
            let runs = ["javascript", "data", "vbscript", "file", "blob", "about"];
            let runs = runs.iter().any(|bad| scheme.eq_ignore_ascii_case(bad));
            if !address.contains(':') || runs || address.chars().any(blank) {
                return Err(ConfigError::Shared(format!(
                    "wallet.{name} must be an address such as openid4vp://"
                )));
            }
        }
        let digital_credentials =
            DigitalCredentials::parse(&config.wallet.digital_credentials, &config.http.public_url)?;
        let rule = match loopback {
            true => UrlRule::LoopbackAllowed,
            false => UrlRule::AnyHttps,
        };
        let presented = config.presented_credentials.as_ref();
        let presented = PresentedSettings::parse(presented, &queries, &clients)?;
        let settings = Self {
            issuer: config.http.public_url.as_str().to_owned(),
            public_url: config.http.public_url.clone(),
            trust,
            account_client: account_client(config, &queries)?.map(Arc::new),
            queries,
            attributes,
            clients: clients.into_iter().map(Arc::new).collect(),
            registration,
            documents,
            administration: (config.administration).map(|AdministrationConfig {}| Administration {
                loopback_http: loopback,
            }),
            resource_servers,
            verifications,
            wallet_endpoint: endpoint.clone(),
            qr_endpoint: qr_endpoint.clone(),
            presentation: Presentation::parse(config, digital_credentials.as_ref())?,
            presented,
            digital_credentials,
            status: StatusPolicy {
                min_refresh_s,
                stale_grace_s,
                most_lists,
            },
            session_grace_s,
            session_max_age_s: max_age_s,
            refresh: config.refresh,
            passkeys: PasskeySettings::parse(&config.passkeys, &config.http.public_url)?,
            totp: TotpSettings::parse(&config.totp, &config.http.public_url)?,
            providers,
            risk: (config.risk.as_ref())
                .map(|risk| RiskSettings::parse(risk, rule))
                .transpose()?,
            hooks: (config.journeys.as_ref())
                .map_or(Ok(Vec::new()), |journeys| journeys.hooks(rule))?,
            told: (config.journeys.as_ref()).map_or(Ok(None), |journeys| journeys.told(rule))?,
            journeys: None,
            numbers: config.numbers.clone(),
            events: (config.events.as_ref())
                .map(|events| events.parse(loopback))
                .transpose()?,
            controller: (config.controller.as_ref())
                .map(|controller| controller.parse(loopback))
                .transpose()
                .map_err(|reason| ConfigError::Shared(format!("controller: {reason}")))?,
            consents: config.consents.parse().map_err(ConfigError::Shared)?,
        };
        // They may name everything above.
        let usual = config.subject.as_ref();
        let journeys = config.journeys.as_ref();
        let journeys = journeys.map(|journeys| journeys.parse(&settings, usual));
        Ok(Self {
            journeys: journeys.transpose()?,
            ..settings
        })
    }
}

/// An application may learn what the service may know at all.
fn knows_attributes(client: &Client, attributes: &[Attribute]) -> Result<(), ConfigError> {
    let known = |name: &String| attributes.iter().any(|one| one.name == *name);
    match client.attributes.iter().all(known) {
        true => Ok(()),
        false => Err(ConfigError::client(
            client.id.as_str(),
            "attributes names one that is not configured",
        )),
    }
}

/// The id under which this service asks for cards by itself. No application is looked up by it.
pub const ACCOUNT_CLIENT: &str = "urn:vouchsafe:account";

/// This service, asking for a card that the same device shows.
fn account_client(config: &Config, queries: &[Query]) -> Result<Option<Client>, ConfigError> {
    let known = queries.iter().find(|query| query.subject.claim().is_some());
    let Some(query) = known else {
        return Ok(None);
    };
    let url = config.http.public_url.as_str();
    let host = url.split_once("://").map_or(url, |(_, host)| host);
    let written = serde_json::json!({
        "id": ACCOUNT_CLIENT,
        "name": host.split('/').next().unwrap_or(host),
        "redirect_uris": [format!("{}/account", url.trim_end_matches('/'))],
        "default_query": query.id.as_str(),
        // A relayed code would lead somebody's card to another account for good.
        "cross_device": false,
    });
    let written: ClientConfig = serde_json::from_value(written)
        .map_err(|_| ConfigError::client(ACCOUNT_CLIENT, "cannot be made"))?;
    Client::parse(&written, queries, config.dev.loopback_http).map(Some)
}

pub(super) fn unique<'a>(
    kind: &'static str,
    ids: impl Iterator<Item = &'a str>,
) -> Result<(), ConfigError> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(ConfigError::Duplicate {
                kind,
                id: id.to_owned(),
            });
        }
    }
    Ok(())
}
