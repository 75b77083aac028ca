//! `[presented_credentials]`: cards in the form of draft-svensson-credential-oidc-bridge. Off unless it
//! is written, and with the draft that it was written for: a draft changes, an application must not.

use std::collections::BTreeMap;

use serde::Deserialize;
use vouchsafe_protocol::oidc::discovery::{PresentationType, Presentations};
use vouchsafe_protocol::vp::dcql::{CredentialQuery, Format, PathStep};

use super::client::Client;
use super::error::ConfigError;
use super::query::{Query, ScopeClaims, types_of};
use crate::domain::ids::QueryId;

/// As written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresentedConfig {
    /// The draft whose form applications read.
    pub draft: Draft,
    /// Scope values that stand for a card: each the `id` of a Credential Query of its question.
    pub scopes: Vec<String>,
    /// Whether a request may bring a DCQL query of its own, within what its scopes stand for. Under
    /// frameworks that want registered queries it stays off.
    #[serde(default)]
    pub dcql_query: bool,
}

/// The drafts that are spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Draft {
    /// Of 24 August 2026.
    #[serde(rename = "draft-svensson-credential-oidc-bridge-02")]
    Two,
}

/// Checked.
#[derive(Debug, Clone)]
pub struct PresentedSettings {
    /// What scope values stand for.
    pub offered: Vec<OfferedCard>,
    /// Whether a request may bring a query of its own.
    pub dcql_query: bool,
}

/// A card that a scope value stands for.
#[derive(Debug, Clone)]
pub struct OfferedCard {
    /// The scope value, and the `id` of its Credential Query.
    pub scope: String,
    /// The question that has both.
    pub query: QueryId,
    /// The format.
    pub format: Format,
    /// `vct` or `docType`.
    pub kind: String,
}

/// Draft, section 5.1.1: the reserved member of a Credential Set.
pub(crate) const RESERVED_ID: &str = "id";

impl PresentedSettings {
    /// Checks the section against the questions and the applications.
    pub fn parse(
        config: Option<&PresentedConfig>,
        queries: &[Query],
        clients: &[Client],
    ) -> Result<Option<Self>, ConfigError> {
        let mut allowed = clients.iter().filter(|client| client.presented_credentials);
        let Some(config) = config else {
            return match allowed.next() {
                None => Ok(None),
                Some(client) => Err(ConfigError::client(
                    client.id.as_str(),
                    "presented_credentials needs the section [presented_credentials]",
                )),
            };
        };
        let PresentedConfig {
            draft: Draft::Two,
            scopes,
            dcql_query,
        } = config;
        if scopes.is_empty() {
            return Err(refuse("scopes is empty"));
        }
        let offered = scopes.iter().map(|scope| offered(scope, queries));
        let offered = offered.collect::<Result<Vec<_>, _>>()?;
        super::settings::unique(
            "presented_credentials scope",
            offered.iter().map(|one| one.scope.as_str()),
        )?;
        let may = |client: &Client| offered.iter().any(|one| client.scopes.contains(&one.scope));
        if let Some(client) = allowed.find(|client| !may(client)) {
            return Err(ConfigError::client(
                client.id.as_str(),
                "presented_credentials needs one of the scopes of [presented_credentials]",
            ));
        }
        Ok(Some(Self {
            offered,
            dcql_query: *dcql_query,
        }))
    }

    /// The card that a scope value stands for.
    #[must_use]
    pub fn of_scope(&self, scope: &str) -> Option<&OfferedCard> {
        self.offered.iter().find(|one| one.scope == scope)
    }

    /// What discovery says.
    #[must_use]
    pub fn metadata(&self) -> Presentations {
        let supported = self.offered.iter().map(|one| {
            let kind = PresentationType {
                format: one.format.as_str().to_owned(),
                kind: one.kind.clone(),
            };
            (one.scope.clone(), kind)
        });
        Presentations {
            supported: supported.collect::<BTreeMap<_, _>>(),
            dcql_query: self.dcql_query,
        }
    }
}

fn refuse(reason: &str) -> ConfigError {
    ConfigError::Shared(format!("presented_credentials: {reason}"))
}

fn offered(scope: &str, queries: &[Query]) -> Result<OfferedCard, ConfigError> {
    let refuse = |reason: &str| refuse(&format!("{scope}: {reason}"));
    if scope == RESERVED_ID {
        return Err(refuse("the name is reserved"));
    }
    let found = queries.iter().find_map(|query| {
        let claims = query.scopes.iter().find(|one| one.scope == scope)?;
        Some((query, claims))
    });
    let (query, claims) = found.ok_or_else(|| refuse("no query has this scope"))?;
    // Section 5.4: the scope value is the identifier of the Credential Query.
    let entry = (query.dcql.credential(scope))
        .ok_or_else(|| refuse("the query has no credential with this id"))?;
    if query.dcql.credential_sets().is_some() {
        return Err(refuse(
            "the query has credential_sets: scopes choose the cards",
        ));
    }
    if entry.multiple() || entry.claim_options().len() != 1 {
        return Err(refuse("the credential has multiple or claim_sets"));
    }
    let [kind] = types_of(entry) else {
        return Err(refuse("the credential has more than one type"));
    };
    places(query, entry, claims).map_err(refuse)?;
    Ok(OfferedCard {
        scope: scope.to_owned(),
        query: query.id.clone(),
        format: entry.format().clone(),
        kind: kind.clone(),
    })
}

/// Section 5.1.2: claims have names, and those of an mdoc one namespace.
fn places(
    query: &Query,
    entry: &CredentialQuery,
    claims: &ScopeClaims,
) -> Result<(), &'static str> {
    let mut namespace = None;
    for mapping in (query.claims.iter()).filter(|one| claims.claims.contains(&one.name)) {
        if !mapping
            .credentials
            .iter()
            .any(|id| id == entry.id().as_str())
        {
            return Err("one of its claims is of another credential");
        }
        let keys = mapping.path.steps().iter();
        let keys: Option<Vec<&String>> = keys
            .map(|step| match step {
                PathStep::Key(key) => Some(key),
                PathStep::Index(_) | PathStep::All => None,
            })
            .collect();
        let keys = keys.ok_or("a path has other steps than names")?;
        let first = keys.first().copied();
        if *entry.format() == Format::MsoMdoc && *namespace.get_or_insert(first) != first {
            return Err("its claims are of several namespaces");
        }
    }
    Ok(())
}
