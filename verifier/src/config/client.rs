//! `[[client]]`: the applications that people log in to.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;
use vouchsafe_credentials::text::is_hidden;
use vouchsafe_protocol::oauth::authorize::ClientRules;
use vouchsafe_protocol::oauth::pkce::PkceRule;
use vouchsafe_protocol::oauth::redirect::{RedirectUri, RedirectUris};
use vouchsafe_protocol::oauth::registration::About;
use vouchsafe_protocol::oidc::subject::Sector;
use vouchsafe_protocol::vp::values::LocalizedText;

use super::authentication::{Authentication, ClientSecret, Written};
use super::consents::{ClientConsent, ClientConsentConfig};
use super::error::ConfigError;
use super::profile::Profile;
use super::query::Query;
use super::standing::Standing;
use crate::domain::approval::ApprovalType;
use crate::domain::ids::{ClientId, QueryId};

/// An application, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientConfig {
    /// `client_id`.
    pub id: String,
    /// How people know it.
    pub name: String,
    /// The rules that it keeps.
    #[serde(default)]
    pub profile: Profile,
    /// Its secret; a client without one and without keys is public and needs PKCE.
    pub secret: Option<String>,
    /// The same from a file.
    pub secret_file: Option<PathBuf>,
    /// Its public keys instead of a secret (`private_key_jwt`): a JSON Web Key Set.
    pub jwks: Option<String>,
    /// The same from a file.
    pub jwks_file: Option<PathBuf>,
    /// Where it publishes them.
    pub jwks_uri: Option<String>,
    /// Where it receives people back; compared exactly. A client that is only a device has none.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Where people may go after they logged out; compared exactly.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    /// Whether PKCE may be left out.
    #[serde(default)]
    pub pkce: Pkce,
    /// How its ID tokens and logout tokens are signed.
    #[serde(default)]
    pub id_token_signed_response_alg: IdTokenAlg,
    /// Where it takes logout tokens.
    pub backchannel_logout_uri: Option<String>,
    /// Sector of its pairwise subjects; without it, the one host of its redirect URIs.
    pub sector: Option<String>,
    /// Whether people may answer from another device (off unless switched on).
    #[serde(default)]
    pub cross_device: bool,
    /// Whether people whose browser has the Digital Credentials API are not offered a QR code: the
    /// browser itself finds a wallet on another device, and knows that it is near.
    #[serde(default)]
    pub prefer_digital_credentials: bool,
    /// Whether it is a device that shows a code which people type elsewhere (RFC 8628; off unless
    /// switched on, because people can be talked into typing the code of somebody else).
    #[serde(default)]
    pub device: bool,
    /// Scope values it may ask for, beside `openid`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Names of attributes that it may learn, where it asks for them and the person agrees.
    #[serde(default)]
    pub attributes: Vec<String>,
    /// Whether it may go on while the person is away (scope `offline_access`).
    #[serde(default)]
    pub offline_access: bool,
    /// Whether it must push its authorization requests (RFC 9126, section 6).
    #[serde(default)]
    pub require_pushed_authorization_requests: bool,
    /// Whether it gets no tokens but those that are bound to a key (RFC 9449, section 5.2).
    #[serde(default)]
    pub dpop_bound_access_tokens: bool,
    /// Whether it may be told of sessions that end (Shared Signals Framework 1.0).
    #[serde(default)]
    pub security_events: bool,
    /// Whether it is told by which id the organisation knows the account (claim `external_id`).
    #[serde(default)]
    pub external_id: bool,
    /// Kinds of transactions that it may ask people to approve (`authorization_details`, RFC 9396).
    #[serde(default)]
    pub authorization_details_types: BTreeSet<ApprovalType>,
    /// Whether it gets cards in the form of `[presented_credentials]`, where it asks by those scopes.
    #[serde(default)]
    pub presented_credentials: bool,
    /// Whether people may log in to it with a passkey, where `[passkeys]` is on.
    #[serde(default = "yes")]
    pub passkeys: bool,
    /// The query that logs people in when no scope of a query is asked for.
    pub default_query: Option<String>,
    /// Oldest acceptable login in seconds, where the request names none.
    pub default_max_age: Option<u64>,
    /// What people are told before they agree.
    #[serde(default)]
    pub consent: ClientConsentConfig,
}

fn yes() -> bool {
    true
}

/// Whether PKCE may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pkce {
    /// S256 is required.
    #[default]
    Required,
    /// A client with a secret or keys may leave it out altogether.
    Optional,
}

/// Algorithm of ID tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub enum IdTokenAlg {
    /// What most client libraries expect (OpenID Connect Core 1.0, section 15.1).
    #[default]
    RS256,
    /// P-256.
    ES256,
}

/// A checked application.
#[derive(Debug, Clone)]
pub struct Client {
    /// `client_id`.
    pub id: ClientId,
    /// Whose word it is known by.
    pub standing: Standing,
    /// How people know it.
    pub name: LocalizedText,
    /// What it says about itself beside; shown as text.
    pub about: About,
    /// Host of its first redirect URI, to show to people.
    pub host: Option<String>,
    /// The rules that it keeps.
    pub profile: Profile,
    /// How it proves who it is.
    pub authentication: Authentication,
    /// Where it receives people back.
    pub redirect_uris: RedirectUris,
    /// Where people may go after they logged out.
    pub post_logout_redirect_uris: Vec<String>,
    /// Rules of its requests.
    pub rules: ClientRules,
    /// Whether PKCE may be left out.
    pub pkce: Pkce,
    /// Algorithm of its tokens.
    pub alg: IdTokenAlg,
    /// Where it takes logout tokens.
    pub backchannel_logout_uri: Option<Url>,
    /// Sector of its pairwise subjects.
    pub sector: Sector,
    /// Whether people may answer from another device.
    pub cross_device: bool,
    /// Whether no QR code is offered where the browser has the Digital Credentials API.
    pub prefer_digital_credentials: bool,
    /// Whether it is a device that shows a code.
    pub device: bool,
    /// Scope values it may ask for.
    pub scopes: Vec<String>,
    /// Names of attributes that it may learn.
    pub attributes: Vec<String>,
    /// Whether it gets refresh tokens where it asks for them.
    pub offline_access: bool,
    /// Whether only requests that it pushed are served.
    pub only_pushed: bool,
    /// Whether it gets no tokens but bound ones.
    pub only_bound: bool,
    /// Whether it is told by which id the organisation knows the account.
    pub external_id: bool,
    /// Kinds of transactions that it may ask people to approve.
    pub approvals: BTreeSet<ApprovalType>,
    /// Whether it gets cards in the form of `[presented_credentials]`.
    pub presented_credentials: bool,
    /// Whether people may log in to it with a passkey.
    pub passkeys: bool,
    /// Whether it may manage a stream of security events.
    pub security_events: bool,
    /// The query without a scope.
    pub default_query: Option<QueryId>,
    /// Oldest acceptable login in seconds.
    pub default_max_age: Option<u64>,
    /// Classes that it would accept where a request names none.
    pub default_acr: Vec<String>,
    /// What people are told before they agree.
    pub consent: ClientConsent,
}

impl Client {
    /// Its name in a language.
    #[must_use]
    pub fn name_in(&self, locale: &str) -> &str {
        self.name.for_locale(locale)
    }

    /// Checks an application against the questions. `loopback_http` allows `http` addresses of
    /// this machine for logout tokens.
    pub fn parse(
        config: &ClientConfig,
        queries: &[Query],
        loopback_http: bool,
    ) -> Result<Self, ConfigError> {
        let authentication = written(config, loopback_http)?;
        Self::check(config, authentication, queries, loopback_http)
    }

    /// Checks an application that an administrator keeps. `secret`: what is known of its secret, where it
    /// has one.
    pub(super) fn managed(
        config: &ClientConfig,
        secret: Option<ClientSecret>,
        queries: &[Query],
        loopback_http: bool,
    ) -> Result<Self, ConfigError> {
        let authentication = match secret {
            Some(secret) => Authentication::Secret(secret),
            None => written(config, loopback_http)?,
        };
        let client = Self::check(config, authentication, queries, loopback_http)?;
        Ok(Self {
            standing: Standing::Managed,
            ..client
        })
    }

    fn check(
        config: &ClientConfig,
        authentication: Authentication,
        queries: &[Query],
        loopback_http: bool,
    ) -> Result<Self, ConfigError> {
        let refuse = |reason: &str| ConfigError::client(&config.id, reason);
        if config.id.is_empty() || config.name.is_empty() {
            return Err(refuse("id or name is empty"));
        }
        // As for applications that register: two names that look the same are the same.
        let misleads = |c: char| is_hidden(c) || matches!(c, '\u{2028}' | '\u{2029}');
        if config.name.chars().any(misleads) {
            return Err(refuse(
                "name has characters that nobody sees, or that turn the direction of text",
            ));
        }
        let rules = match (config.pkce, authentication.is_confidential()) {
            (Pkce::Required, true) => ClientRules::confidential(PkceRule::Required),
            (Pkce::Optional, true) => ClientRules::confidential(PkceRule::OptionalForConfidential),
            (Pkce::Required, false) => ClientRules::public(),
            (Pkce::Optional, false) => {
                return Err(refuse(
                    "pkce may be optional only for a client with a secret or keys",
                ));
            }
        };
        // RFC 6749, section 4.4: the client credentials grant is for confidential clients alone.
        if config.security_events && !authentication.is_confidential() {
            return Err(refuse("security_events need a secret or keys"));
        }
        // What the browser of a person could push in the name of an application is not its word.
        if !config.authorization_details_types.is_empty() && !authentication.is_confidential() {
            return Err(refuse("authorization_details_types need a secret or keys"));
        }
        // RFC 9449, section 5.2: tokens for streams are not bound to a key.
        let bound = config.dpop_bound_access_tokens || config.profile.only_bound();
        if config.security_events && bound {
            return Err(refuse(
                "security_events are not served to an application whose tokens must be bound",
            ));
        }
        let redirect_uris = match config.redirect_uris.as_slice() {
            [] if config.device => RedirectUris::none(),
            uris => RedirectUris::register(uris).map_err(|error| refuse(&error.to_string()))?,
        };
        let native = !authentication.is_confidential();
        let redirect_uris = redirect_uris.at_any_loopback_port(native);
        let profile = config.profile;
        profile
            .check(config, &authentication, &redirect_uris, loopback_http)
            .map_err(refuse)?;
        for uri in &config.post_logout_redirect_uris {
            RedirectUri::register_after_logout(uri)
                .map_err(|error| refuse(&format!("post_logout_redirect_uris: {error}")))?;
        }
        let offered: Vec<&str> = queries.iter().flat_map(Query::scope_names).collect();
        let unknown = |scope: &&String| !offered.contains(&scope.as_str());
        if let Some(scope) = config.scopes.iter().find(unknown) {
            return Err(refuse(&format!("no query has the scope {scope}")));
        }
        let default_query = config.default_query.clone().map(QueryId::from_text);
        if default_query
            .as_ref()
            .is_some_and(|id| !queries.iter().any(|query| query.id == *id))
        {
            return Err(refuse("default_query names no query"));
        }
        if config.scopes.is_empty() && default_query.is_none() {
            return Err(refuse(
                "scopes and default_query are both empty: there is nothing to ask people for",
            ));
        }
        let host = redirect_uris
            .iter()
            .next()
            .and_then(|uri| uri.to_url().host_str().map(str::to_owned));
        Ok(Self {
            id: ClientId::from_text(config.id.clone()),
            standing: Standing::Configured,
            name: LocalizedText {
                default: config.name.clone(),
                ..LocalizedText::default()
            },
            about: About::default(),
            host,
            profile,
            authentication,
            sector: sector(config)?,
            redirect_uris,
            post_logout_redirect_uris: config.post_logout_redirect_uris.clone(),
            rules,
            pkce: config.pkce,
            alg: config.id_token_signed_response_alg,
            backchannel_logout_uri: logout_uri(config, loopback_http)?,
            cross_device: config.cross_device,
            prefer_digital_credentials: config.prefer_digital_credentials,
            device: config.device,
            scopes: config.scopes.clone(),
            attributes: config.attributes.clone(),
            offline_access: config.offline_access,
            only_pushed: config.require_pushed_authorization_requests || profile.only_pushed(),
            only_bound: config.dpop_bound_access_tokens || profile.only_bound(),
            external_id: config.external_id,
            approvals: config.authorization_details_types.clone(),
            presented_credentials: config.presented_credentials,
            passkeys: config.passkeys,
            security_events: config.security_events,
            default_query,
            default_max_age: config.default_max_age,
            default_acr: Vec::new(),
            consent: (config.consent.parse(loopback_http)).map_err(|reason| refuse(&reason))?,
        })
    }
}

/// How an application authenticates, as written.
fn written(config: &ClientConfig, loopback_http: bool) -> Result<Authentication, ConfigError> {
    Authentication::parse(Written {
        secret: config.secret.as_deref(),
        secret_file: config.secret_file.as_deref(),
        jwks: config.jwks.as_deref(),
        jwks_file: config.jwks_file.as_deref(),
        jwks_uri: config.jwks_uri.as_deref(),
        loopback_http,
    })
    .map_err(|reason| ConfigError::client(&config.id, &reason))
}

/// OpenID Connect Core 1.0, section 8.1: without a configured sector it is the host, and several
/// hosts need a configured one.
fn sector(config: &ClientConfig) -> Result<Sector, ConfigError> {
    if config.sector.is_none() && config.redirect_uris.is_empty() {
        let reason = "a client without redirect_uris needs a sector";
        return Err(ConfigError::client(&config.id, reason));
    }
    match &config.sector {
        Some(sector) => Sector::configured(sector),
        None => Sector::from_redirect_uris(config.redirect_uris.iter().map(String::as_str)),
    }
    .map_err(|error| ConfigError::client(&config.id, &error.to_string()))
}

fn logout_uri(config: &ClientConfig, loopback_http: bool) -> Result<Option<Url>, ConfigError> {
    use vouchsafe_protocol::http::UrlRule;
    let Some(text) = &config.backchannel_logout_uri else {
        return Ok(None);
    };
    let rule = if loopback_http {
        UrlRule::LoopbackAllowed
    } else {
        UrlRule::AnyHttps
    };
    rule.parse(text).map(Some).map_err(|error| {
        ConfigError::client(&config.id, &format!("backchannel_logout_uri: {error}"))
    })
}
