//! `[[client]]`: the applications that people log in to.

use std::path::PathBuf;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use url::Url;
use vouchsafe_protocol::oauth::authorize::ClientRules;
use vouchsafe_protocol::oauth::client_auth::{AuthMethod, ClientCredentials};
use vouchsafe_protocol::oauth::pkce::PkceRule;
use vouchsafe_protocol::oauth::redirect::{RedirectUri, RedirectUris};
use vouchsafe_protocol::oidc::subject::Sector;
use vouchsafe_service::keys::secret_text;

use super::error::ConfigError;
use super::query::Query;
use crate::domain::ids::{ClientId, QueryId};

/// An application, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientConfig {
    /// `client_id`.
    pub id: String,
    /// How people know it.
    pub name: String,
    /// Its secret; a client without one is public and needs PKCE.
    pub secret: Option<String>,
    /// The same from a file.
    pub secret_file: Option<PathBuf>,
    /// Where it receives people back; compared exactly.
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
    /// Scope values it may ask for, beside `openid`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The query that logs people in when no scope of a query is asked for.
    pub default_query: Option<String>,
    /// Oldest acceptable login in seconds, where the request names none.
    pub default_max_age: Option<u64>,
}

/// Whether PKCE may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pkce {
    /// S256 is required.
    #[default]
    Required,
    /// A client with a secret may leave it out altogether.
    Optional,
}

/// Algorithm of ID tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
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
    /// How people know it.
    pub name: String,
    /// Host of its first redirect URI, to show to people.
    pub host: Option<String>,
    /// SHA-256 of its secret.
    secret: Option<[u8; 32]>,
    /// Where it receives people back.
    pub redirect_uris: RedirectUris,
    /// Where people may go after they logged out.
    pub post_logout_redirect_uris: Vec<String>,
    /// Rules of its requests.
    pub rules: ClientRules,
    /// Algorithm of its tokens.
    pub alg: IdTokenAlg,
    /// Where it takes logout tokens.
    pub backchannel_logout_uri: Option<Url>,
    /// Sector of its pairwise subjects.
    pub sector: Sector,
    /// Whether people may answer from another device.
    pub cross_device: bool,
    /// Scope values it may ask for.
    pub scopes: Vec<String>,
    /// The query without a scope.
    pub default_query: Option<QueryId>,
    /// Oldest acceptable login in seconds.
    pub default_max_age: Option<u64>,
}

/// Shortest client secret, in bytes.
const MIN_SECRET: usize = 16;

impl Client {
    /// Checks an application against the questions. `loopback_http` allows `http` addresses of
    /// this machine for logout tokens.
    pub fn parse(
        config: &ClientConfig,
        queries: &[Query],
        loopback_http: bool,
    ) -> Result<Self, ConfigError> {
        let refuse = |reason: &str| ConfigError::client(&config.id, reason);
        if config.id.is_empty() || config.name.is_empty() {
            return Err(refuse("id or name is empty"));
        }
        let secret = secret(config)?;
        let rules = match (config.pkce, secret) {
            (Pkce::Required, Some(_)) => ClientRules::confidential(PkceRule::Required),
            (Pkce::Optional, Some(_)) => {
                ClientRules::confidential(PkceRule::OptionalForConfidential)
            }
            (Pkce::Required, None) => ClientRules::public(),
            (Pkce::Optional, None) => {
                return Err(refuse(
                    "pkce may be optional only for a client with a secret",
                ));
            }
        };
        let redirect_uris = RedirectUris::register(&config.redirect_uris)
            .map_err(|error| refuse(&error.to_string()))?;
        for uri in &config.post_logout_redirect_uris {
            RedirectUri::register(uri)
                .map_err(|error| refuse(&format!("post_logout_redirect_uris: {error}")))?;
        }
        if let Some(scope) = config.scopes.iter().find(|scope| {
            !queries
                .iter()
                .any(|query| query.scope.as_ref() == Some(*scope))
        }) {
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
            name: config.name.clone(),
            host,
            secret,
            sector: sector(config)?,
            redirect_uris,
            post_logout_redirect_uris: config.post_logout_redirect_uris.clone(),
            rules,
            alg: config.id_token_signed_response_alg,
            backchannel_logout_uri: logout_uri(config, loopback_http)?,
            cross_device: config.cross_device,
            scopes: config.scopes.clone(),
            default_query,
            default_max_age: config.default_max_age,
        })
    }

    /// Whether these credentials are the client's (RFC 6749, section 2.3.1). A client with a
    /// secret always shows it; a client without one never does.
    #[must_use]
    pub fn accepts(&self, credentials: &ClientCredentials) -> bool {
        match (credentials.method(), credentials.secret(), &self.secret) {
            (
                AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost,
                Some(shown),
                Some(known),
            ) => {
                // Digests of equal length: the time of the comparison tells nothing.
                Sha256::digest(shown.expose().as_bytes())
                    .as_slice()
                    .ct_eq(known.as_slice())
                    .into()
            }
            (AuthMethod::None, None, None) => true,
            _ => false,
        }
    }
}

fn secret(config: &ClientConfig) -> Result<Option<[u8; 32]>, ConfigError> {
    if config.secret.is_none() && config.secret_file.is_none() {
        return Ok(None);
    }
    let text = secret_text(
        "client.secret",
        config.secret.as_deref(),
        config.secret_file.as_deref(),
    )
    .map_err(|error| ConfigError::client(&config.id, &error.to_string()))?;
    if text.len() < MIN_SECRET {
        return Err(ConfigError::client(
            &config.id,
            "the secret is shorter than 16 characters",
        ));
    }
    Ok(Some(Sha256::digest(text.as_bytes()).into()))
}

/// OpenID Connect Core 1.0, section 8.1: without a configured sector it is the host, and several
/// hosts need a configured one.
fn sector(config: &ClientConfig) -> Result<Sector, ConfigError> {
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
