//! What is looked up in the checked configuration.

use std::sync::Arc;

use url::Url;
use vouchsafe_protocol::oidc::discovery::{self, Presentations};
use vouchsafe_protocol::oidc::verified_claims::VerifiedWish;
use vouchsafe_protocol::vp::values::LocalizedText;

use super::Settings;
use super::knows_attributes;
use crate::config::assurance;
use crate::config::attribute::Attribute;
use crate::config::authentication::ClientSecret;
use crate::config::client::{Client, ClientConfig};
use crate::config::error::ConfigError;
use crate::config::hooks::Hook;
use crate::config::presented::PresentedSettings;
use crate::config::profile::Profile;
use crate::config::providers::UpstreamProvider;
use crate::config::query::Query;
use crate::config::registration::Allowed;
use crate::config::resource_server::ResourceServer;
use crate::domain::ids::{ClientId, QueryId};
use crate::numbers::OTHER;

impl Settings {
    /// The application of this id in the configuration. Whoever looks an application up asks
    /// [`crate::app::Parts::client`], which knows the others too.
    #[must_use]
    pub(crate) fn configured(&self, id: &ClientId) -> Option<&Arc<Client>> {
        self.clients.iter().find(|client| client.id == *id)
    }

    /// An application that an administrator keeps, checked as those of the configuration are. `secret`:
    /// what is known of its secret, where it has one.
    pub(crate) fn managed(
        &self,
        config: &ClientConfig,
        secret: Option<ClientSecret>,
    ) -> Result<Client, ConfigError> {
        let loopback = self.administration.is_some_and(|one| one.loopback_http);
        let client = Client::managed(config, secret, &self.queries, loopback)?;
        knows_attributes(&client, &self.attributes)?;
        self.presentation.fits(client.cross_device)?;
        Ok(client)
    }

    /// Whether an id is that of an application or a resource server of the configuration, or a word of
    /// ours.
    pub(crate) fn is_taken(&self, id: &ClientId) -> bool {
        self.configured(id).is_some() || self.resource_server(id).is_some() || id.as_str() == OTHER
    }

    /// What cards of a type are called that lead to accounts, where a question says it.
    #[must_use]
    pub fn card_name(&self, card_type: &str) -> Option<&LocalizedText> {
        let named = self
            .queries
            .iter()
            .filter(|query| query.is_known_by(card_type));
        named.into_iter().find_map(|query| query.card_name.as_ref())
    }

    /// The resource server of this id.
    #[must_use]
    pub fn resource_server(&self, id: &ClientId) -> Option<&ResourceServer> {
        self.resource_servers.iter().find(|server| server.id == *id)
    }

    /// All applications of the configuration.
    #[must_use]
    pub fn clients(&self) -> &[Arc<Client>] {
        &self.clients
    }

    /// What applications may do that are not in the configuration.
    pub fn others(&self) -> impl Iterator<Item = &Allowed> {
        let registered = self.registration.iter().map(|one| &one.allowed);
        registered.chain(self.documents.iter().map(|one| &one.allowed))
    }

    /// Whether there may be applications that are not in the configuration.
    #[must_use]
    pub fn serves_others(&self) -> bool {
        self.administration.is_some() || self.others().next().is_some()
    }

    /// Whether every application pushes its requests.
    #[must_use]
    pub fn only_pushed(&self) -> bool {
        let only = self.clients.iter().all(|client| client.only_pushed);
        only && !self.clients.is_empty() && !self.serves_others()
    }

    /// Whether any application gets refresh tokens.
    #[must_use]
    pub fn gives_refresh_tokens(&self) -> bool {
        let configured = self.clients.iter().any(|client| client.offline_access);
        configured
            || self.administration.is_some()
            || self.others().any(|allowed| allowed.offered.refresh)
    }

    /// Whether any application is a device that shows a code.
    #[must_use]
    pub fn serves_devices(&self) -> bool {
        let configured = self.clients.iter().any(|client| client.device);
        configured
            || self.administration.is_some()
            || self.others().any(|allowed| allowed.offered.devices)
    }

    /// Whether any application is told of security events.
    #[must_use]
    pub fn serves_receivers(&self) -> bool {
        self.clients.iter().any(|client| client.security_events)
    }

    /// Whether anybody is told by webhook.
    #[must_use]
    pub fn tells_callers(&self) -> bool {
        let mut clients = self.clients.iter();
        let events = self.events.as_ref();
        self.verifications.enabled()
            || self.told.is_some()
            || events.is_some_and(|events| events.webhook.is_some())
            || clients.any(|client| client.consent.webhook.is_some())
    }

    /// Whether DPoP nonces are given out: where an application must show them.
    #[must_use]
    pub fn nonces(&self) -> bool {
        self.clients.iter().any(|client| client.profile.nonces())
    }

    /// The profile that every application keeps.
    #[must_use]
    pub fn profile(&self) -> Profile {
        let mut profiles = self.clients.iter().map(|client| client.profile);
        let Some(first) = profiles.next() else {
            return Profile::Open;
        };
        // Whoever is not in the configuration keeps no profile.
        if self.serves_others() {
            return Profile::Open;
        }
        match profiles.all(|profile| profile == first) {
            true => first,
            false => Profile::Open,
        }
    }

    /// The query of this id.
    #[must_use]
    pub fn query(&self, id: &QueryId) -> Option<&Query> {
        self.queries.iter().find(|query| query.id == *id)
    }

    /// Cards in the form of a draft, where an application may have them.
    #[must_use]
    pub fn served_presentations(&self) -> Option<Presentations> {
        let served = self
            .clients
            .iter()
            .any(|client| client.presented_credentials);
        let presented = self.presented.as_ref().filter(|_| served);
        presented.map(PresentedSettings::metadata)
    }

    /// What `verified_claims` can say.
    #[must_use]
    pub fn assurance(&self) -> Option<discovery::Assurance> {
        assurance::metadata(&self.trust, &self.queries)
    }

    /// Whether a card that may answer could tell this claim as it is asked for.
    #[must_use]
    pub fn may_verify(&self, query: &Query, wish: &VerifiedWish, claim: &str) -> bool {
        let mappings = query.claims.iter().filter(|one| one.name == claim);
        let entries = mappings.flat_map(|one| &one.credentials);
        let mut entries = entries.filter_map(|id| query.dcql.credential(id));
        entries.any(|entry| {
            let mut known = self.trust.assured(entry);
            known.any(|one| wish.may_hold(&one.verification()))
        })
    }

    /// All queries.
    #[must_use]
    pub fn queries(&self) -> &[Query] {
        &self.queries
    }

    /// The system at this address that steps may ask.
    #[must_use]
    pub fn hook(&self, url: &str) -> Option<&Hook> {
        let url = Url::parse(url).ok()?;
        self.hooks.iter().find(|hook| hook.webhook.url == url)
    }

    /// The provider of this id.
    #[must_use]
    pub fn provider(&self, id: &str) -> Option<&UpstreamProvider> {
        self.providers.iter().find(|provider| provider.id == id)
    }

    /// What the service may know about people.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The attribute of this name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|one| one.name == name)
    }

    /// Whether a scope value asks for attributes.
    #[must_use]
    pub fn is_attribute_scope(&self, scope: &str) -> bool {
        let mut scopes = self
            .attributes
            .iter()
            .filter_map(|one| one.scope.as_deref());
        scopes.any(|known| known == scope)
    }

    /// An address of ours; `path` begins with `/` and is one of our own.
    #[must_use]
    pub fn url(&self, path: &str) -> Url {
        Url::parse(&self.public_url.join(path))
            .expect("a public address with a path of ours is an address")
    }
}
