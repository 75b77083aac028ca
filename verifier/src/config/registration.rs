//! `[registration]` and `[client_documents]`: applications that are not in the configuration, and
//! what they may do. Both are off unless they are written.

use std::num::NonZeroU32;

use serde::Deserialize;
use vouchsafe_protocol::oauth::registration::Offered;

use super::error::ConfigError;
use super::query::Query;
use crate::domain::ids::QueryId;
use crate::domain::request::OFFLINE_ACCESS;

const DAY_S: i64 = 86_400;
/// Ten years.
const LONGEST_UNUSED_DAYS: i64 = 3650;

/// `[registration]`: applications register by themselves (RFC 7591).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistrationConfig {
    /// Whether anybody may register, without an initial access token.
    #[serde(default)]
    pub open: bool,
    /// So many registrations without a token each network has in a minute.
    #[serde(default = "default_per_minute")]
    pub open_per_minute: NonZeroU32,
    /// So many applications that came without a token are kept.
    #[serde(default = "default_most")]
    pub most_open_clients: i64,
    /// Days after which an application that came without a token, and that nobody used, is removed.
    #[serde(default = "default_unused_days")]
    pub unused_open_days: i64,
    /// Scope values that they may ask for; `offline_access` among them lets them go on while the
    /// person is away.
    #[serde(default)]
    pub allowed_scopes: Vec<String>,
    /// The query that logs people in when no scope of a query is asked for.
    pub default_query: Option<String>,
    /// Whether they may be devices that show a code.
    #[serde(default)]
    pub devices: bool,
    /// Whether people may answer those that came with a token from another device.
    #[serde(default)]
    pub cross_device: bool,
}

fn default_per_minute() -> NonZeroU32 {
    NonZeroU32::new(5).expect("five is not zero")
}

fn default_most() -> i64 {
    1000
}

fn default_unused_days() -> i64 {
    30
}

/// `[client_documents]`: applications that are known by a document at their `client_id`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentsConfig {
    /// Hosts, exactly, whose documents count.
    #[serde(default)]
    pub allowed_hosts: Vec<String>,
    /// Documents of every host count.
    #[serde(default)]
    pub any: bool,
    /// Scope values that they may ask for, as in `[registration]`.
    #[serde(default)]
    pub allowed_scopes: Vec<String>,
    /// The query that logs people in when no scope of a query is asked for.
    pub default_query: Option<String>,
    /// Whether people may answer them from another device.
    #[serde(default)]
    pub cross_device: bool,
}

/// What either section says about what may be done.
struct Written<'a> {
    allowed_scopes: &'a [String],
    default_query: Option<&'a str>,
    devices: bool,
    cross_device: bool,
    secrets: bool,
    loopback_http: bool,
}

/// Checked rules for applications that are not in the configuration.
#[derive(Debug, Clone)]
pub struct Allowed {
    /// What they may register.
    pub offered: Offered,
    /// The query without a scope.
    pub default_query: Option<QueryId>,
    /// Whether people may answer from another device.
    pub cross_device: bool,
}

/// Checked `[registration]`.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Whether anybody may register.
    pub open: bool,
    /// Registrations of a network in a minute, without a token.
    pub open_per_minute: NonZeroU32,
    /// Applications that came without a token.
    pub most_open: i64,
    /// Seconds after which one of them that nobody used is removed.
    pub unused_open_s: i64,
    /// What they may do.
    pub allowed: Allowed,
}

/// Checked `[client_documents]`.
#[derive(Debug, Clone)]
pub struct Documents {
    hosts: Option<Vec<String>>,
    /// What they may do.
    pub allowed: Allowed,
}

impl Documents {
    /// Whether the documents of a host count.
    #[must_use]
    pub fn allow(&self, host: &str) -> bool {
        let listed = |hosts: &Vec<String>| hosts.iter().any(|one| one == host);
        self.hosts.as_ref().is_none_or(listed)
    }

    pub(super) fn parse(
        config: &DocumentsConfig,
        queries: &[Query],
        loopback_http: bool,
    ) -> Result<Self, ConfigError> {
        let DocumentsConfig {
            allowed_hosts,
            any,
            allowed_scopes,
            default_query,
            cross_device,
        } = config;
        let refuse = |reason: &str| ConfigError::Shared(format!("client_documents: {reason}"));
        let hosts = match (any, allowed_hosts.is_empty()) {
            (true, true) => None,
            (false, false) => Some(allowed_hosts.iter().map(|h| h.to_lowercase()).collect()),
            (true, false) => return Err(refuse("choose allowed_hosts or any = true")),
            (false, true) => {
                return Err(refuse(
                    "allowed_hosts is empty: name hosts, or all of them with any = true",
                ));
            }
        };
        let written = Written {
            allowed_scopes,
            default_query: default_query.as_deref(),
            devices: false,
            cross_device: *cross_device,
            // Nobody shares one (draft-ietf-oauth-client-id-metadata-document-02, section 4.1).
            secrets: false,
            loopback_http,
        };
        let allowed = Allowed::parse(&written, queries).map_err(refuse)?;
        Ok(Self { hosts, allowed })
    }
}

impl Registration {
    pub(super) fn parse(
        config: &RegistrationConfig,
        queries: &[Query],
        loopback_http: bool,
    ) -> Result<Self, ConfigError> {
        let RegistrationConfig {
            open,
            open_per_minute,
            most_open_clients,
            unused_open_days,
            allowed_scopes,
            default_query,
            devices,
            cross_device,
        } = config;
        let refuse = |reason: &str| ConfigError::Shared(format!("registration: {reason}"));
        if *most_open_clients < 1 {
            return Err(refuse("most_open_clients must be at least 1"));
        }
        if !(1..=LONGEST_UNUSED_DAYS).contains(unused_open_days) {
            return Err(refuse("unused_open_days must be between 1 and 3650"));
        }
        let written = Written {
            allowed_scopes,
            default_query: default_query.as_deref(),
            devices: *devices,
            cross_device: *cross_device,
            secrets: true,
            loopback_http,
        };
        Ok(Self {
            open: *open,
            open_per_minute: *open_per_minute,
            most_open: *most_open_clients,
            unused_open_s: *unused_open_days * DAY_S,
            allowed: Allowed::parse(&written, queries).map_err(refuse)?,
        })
    }
}

impl Allowed {
    fn parse(written: &Written<'_>, queries: &[Query]) -> Result<Self, &'static str> {
        let &Written {
            allowed_scopes,
            default_query,
            devices,
            cross_device,
            secrets,
            loopback_http,
        } = written;
        let (offline, cards): (Vec<_>, Vec<_>) =
            (allowed_scopes.iter().cloned()).partition(|scope| scope == OFFLINE_ACCESS);
        let offered = |scope: &String| {
            let mut names = queries.iter().flat_map(Query::scope_names);
            names.any(|name| name == scope)
        };
        if !cards.iter().all(offered) {
            return Err("allowed_scopes names a scope that no query has");
        }
        let default_query = default_query.map(QueryId::from_text);
        let exists = |id: &QueryId| queries.iter().any(|query| query.id == *id);
        if !default_query.as_ref().is_none_or(exists) {
            return Err("default_query names no query");
        }
        if cards.is_empty() && default_query.is_none() {
            return Err(
                "allowed_scopes and default_query are both empty: there is nothing to ask people for",
            );
        }
        Ok(Self {
            offered: Offered {
                scopes: cards,
                without_scope: default_query.is_some(),
                refresh: !offline.is_empty(),
                devices,
                secrets,
                loopback_http,
            },
            default_query,
            cross_device,
        })
    }
}
