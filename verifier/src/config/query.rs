//! `[[query]]`: a question to wallets, and what the application learns from the answer.

mod types;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use vouchsafe_credentials::json;
use vouchsafe_protocol::vp::dcql::{ClaimsPath, DcqlQuery, Format, require_login_profile};
use vouchsafe_protocol::vp::values::LocalizedText;

use super::bindings::bound;
use super::claims::{ClaimMapping, localized, mapping};
use super::error::ConfigError;
use super::trust::Trust;
use crate::domain::ids::QueryId;
use crate::domain::request::{OFFLINE_ACCESS, OPENID};
pub(crate) use types::types_of;
use types::{subject_path, types};

/// A question, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryConfig {
    /// Its name.
    pub id: String,
    /// The scope value that stands for it; without one it only serves clients that name it as
    /// their `default_query`.
    pub scope: Option<String>,
    /// Scope values that stand for some of its claims each (OpenID Connect Core 1.0, section
    /// 5.4). They may be asked for together.
    #[serde(default)]
    pub scopes: BTreeMap<String, Vec<String>>,
    /// The DCQL query, verbatim JSON.
    pub dcql: String,
    /// Why it is asked, by language tag; `en` is required.
    pub purpose: BTreeMap<String, String>,
    /// Whose login it is; without it, what `[subject]` says. There is no other default on purpose.
    pub subject: Option<SubjectConfig>,
    /// Claims for the application: name and path into the credential.
    #[serde(default)]
    pub claims: BTreeMap<String, Vec<Value>>,
    /// Which of them also stand in the ID token.
    #[serde(default)]
    pub id_token_claims: Vec<String>,
    /// How a claim is called in front of the person, by language tag.
    #[serde(default)]
    pub labels: BTreeMap<String, BTreeMap<String, String>>,
    /// How the card is called that says whose login it is, by language tag.
    #[serde(default)]
    pub card_name: BTreeMap<String, String>,
    /// Claims of which a keyed hash is kept with the account: name and path into the credential.
    #[serde(default)]
    pub bind: BTreeMap<String, Vec<Value>>,
    /// Whether all cards of one answer must be bound to one key. Wallets that keep a key for each card
    /// cannot answer two cards then; without it a card that somebody lent goes with one's own.
    #[serde(default = "yes")]
    pub one_holder: bool,
}

fn yes() -> bool {
    true
}

/// How a presentation leads to a person.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "strategy", rename_all = "snake_case", deny_unknown_fields)]
pub enum SubjectConfig {
    /// A random subject for each login, no account.
    Guest,
    /// The validated issuer, the type and this claim.
    IssuerScopedClaim {
        /// Name of a claim at the top level of the credential, declared stable for each trusted
        /// issuer of the type.
        claim: String,
        /// Which credential of the query; may be left out when there is only one.
        credential: Option<String>,
    },
    /// The person says who they are, and a card that was linked to that account proves it.
    AssertedLookup {
        /// As above.
        claim: String,
        /// As above.
        credential: Option<String>,
    },
    /// A card that was linked to an account by somebody who was logged in there. A card that was
    /// not makes no account.
    SessionBinding {
        /// As above.
        claim: String,
        /// As above.
        credential: Option<String>,
    },
}

/// A checked question.
#[derive(Debug, Clone)]
pub struct Query {
    /// Its name.
    pub id: QueryId,
    /// The scope values that stand for it or for a part of it.
    pub scopes: Vec<ScopeClaims>,
    /// What the wallet is asked at most.
    pub dcql: DcqlQuery,
    /// The types that may answer it.
    pub types: Vec<String>,
    /// Why.
    pub purpose: LocalizedText,
    /// Whose login it is.
    pub subject: SubjectStrategy,
    /// What the application learns.
    pub claims: Vec<ClaimMapping>,
    /// Whether all cards of one answer must be bound to one key.
    pub one_holder: bool,
    /// How the card is called that says whose login it is.
    pub card_name: Option<LocalizedText>,
    /// What is kept with the account, as keyed hashes.
    pub bind: Vec<ClaimMapping>,
}

impl Query {
    /// The format of the credentials that it asks for, for metrics: `mixed` where there are two.
    #[must_use]
    pub fn format(&self) -> &'static str {
        format_of(&self.dcql)
    }
}

/// The format of the credentials that are asked for: `mixed` where there are two.
#[must_use]
pub fn format_of(dcql: &DcqlQuery) -> &'static str {
    let entries = dcql.credentials();
    let mdocs = entries
        .iter()
        .filter(|entry| *entry.format() == Format::MsoMdoc);
    match (mdocs.count(), entries.len()) {
        (0, _) => "dc+sd-jwt",
        (some, all) if some == all => "mso_mdoc",
        _ => "mixed",
    }
}

/// A type that is asked for although no trusted issuer may issue it in its format, and the format.
#[must_use]
pub fn untrusted_type<'a>(dcql: &'a DcqlQuery, trust: &Trust) -> Option<(&'a str, &'a str)> {
    dcql.credentials().iter().find_map(|entry| {
        let nobody = |kind: &&String| !trust.anybody_issues(entry.format(), kind);
        let kind = types_of(entry).iter().find(nobody)?;
        Some((kind.as_str(), entry.format().as_str()))
    })
}

/// A scope value and the claims that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeClaims {
    /// The scope value.
    pub scope: String,
    /// Names of claims of the query.
    pub claims: Vec<String>,
}

/// A checked subject strategy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectStrategy {
    /// A random subject for each login, no account.
    Guest,
    /// The validated issuer, the type and this claim; the first login makes the account.
    IssuerScopedClaim(SubjectClaim),
    /// The person says who they are, and a card that is linked to that account proves it.
    AssertedLookup(SubjectClaim),
    /// A card that is linked to an account.
    SessionBinding(SubjectClaim),
}

/// The claim by which a card is known again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectClaim {
    /// Name of the claim; of an mdoc `namespace/element`.
    pub claim: String,
    /// Where it stands.
    pub path: ClaimsPath,
    /// `id` of the credential query.
    pub credential: String,
}

impl SubjectStrategy {
    /// The claim by which a card is known again. `None`: it is not.
    #[must_use]
    pub fn claim(&self) -> Option<&SubjectClaim> {
        match self {
            Self::Guest => None,
            Self::IssuerScopedClaim(claim)
            | Self::AssertedLookup(claim)
            | Self::SessionBinding(claim) => Some(claim),
        }
    }

    /// Whether the account is named before it is proven: then no refusal may say whether it is there.
    #[must_use]
    pub fn is_asserted(&self) -> bool {
        matches!(self, Self::AssertedLookup(_))
    }
}

impl Query {
    /// Checks a question against the trusted issuers. `usual` is the strategy of questions that say
    /// none.
    pub fn parse(
        config: &QueryConfig,
        usual: Option<&SubjectConfig>,
        trust: &Trust,
    ) -> Result<Self, ConfigError> {
        let QueryConfig {
            id,
            scope,
            scopes,
            dcql,
            purpose,
            subject,
            claims,
            id_token_claims,
            labels,
            card_name,
            one_holder,
            bind,
        } = config;
        let refuse = |reason: &str| ConfigError::query(id, reason);
        let unusable = |scope: &String| {
            scope.is_empty()
                || scope.contains(' ')
                || [OPENID, OFFLINE_ACCESS].contains(&scope.as_str())
        };
        if id.is_empty() || scope.iter().chain(scopes.keys()).any(unusable) {
            return Err(refuse("id or scope is empty or reserved"));
        }
        let json = json::parse_strict(dcql.as_bytes())
            .map_err(|error| refuse(&format!("dcql is not JSON: {error}")))?;
        let dcql = DcqlQuery::parse(&json).map_err(|error| refuse(&format!("dcql: {error}")))?;
        // Catalogue 310: a login without holder binding does not start.
        require_login_profile(&dcql).map_err(|error| refuse(&error.to_string()))?;
        let subject = strategy(id, subject.as_ref().or(usual), &dcql, trust)?;
        let mut mappings = Vec::with_capacity(claims.len());
        for (name, path) in claims {
            mappings.push(mapping(id, name, path, &dcql, id_token_claims, labels)?);
        }
        if let Some(name) = id_token_claims
            .iter()
            .find(|name| !claims.contains_key(*name))
        {
            return Err(refuse(&format!(
                "id_token_claims names {name}, which is no claim of the query"
            )));
        }
        for (scope, names) in scopes {
            if names.is_empty() || names.iter().any(|name| !claims.contains_key(name)) {
                return Err(refuse(&format!(
                    "the scope {scope} needs names of claims of the query"
                )));
            }
        }
        let whole = scope.iter().map(|scope| ScopeClaims {
            scope: scope.clone(),
            claims: claims.keys().cloned().collect(),
        });
        let parts = scopes.iter().map(|(scope, claims)| ScopeClaims {
            scope: scope.clone(),
            claims: claims.clone(),
        });
        if let Some((kind, format)) = untrusted_type(&dcql, trust) {
            return Err(refuse(&format!(
                "no trusted issuer may issue {kind} as {format}"
            )));
        }
        let named = localized(card_name);
        if !card_name.is_empty() && (named.is_none() || subject.claim().is_none()) {
            return Err(refuse(
                "card_name is of a card that leads to a person, with a text for en",
            ));
        }
        let types = types(&dcql);
        Ok(Self {
            id: QueryId::from_text(id.clone()),
            scopes: whole.chain(parts).collect(),
            types,
            card_name: named,
            bind: bound(id, bind, (&dcql, &subject), labels)?,
            dcql,
            purpose: localized(purpose).ok_or_else(|| refuse("purpose needs a text for en"))?,
            subject,
            claims: mappings,
            one_holder: *one_holder,
        })
    }

    /// The names of the claims that an application may learn.
    pub fn claim_names(&self) -> impl Iterator<Item = &str> {
        self.claims.iter().map(|claim| claim.name.as_str())
    }

    /// The scope values that stand for it or for a part of it.
    pub fn scope_names(&self) -> impl Iterator<Item = &str> {
        self.scopes.iter().map(|scope| scope.scope.as_str())
    }

    /// What the wallet is asked where the application learns `wanted` alone: the claims behind
    /// other names stay with the person, but for the one that says whose login it is.
    #[must_use]
    pub fn asked(&self, wanted: &BTreeSet<&str>) -> DcqlQuery {
        self.dcql.narrowed(|entry, claim| {
            let mut mapped = self.claims.iter().filter(|m| m.path == *claim.path());
            let is_subject = self.subject.claim().is_some_and(|subject| {
                entry.id().as_str() == subject.credential && subject.path == *claim.path()
            });
            let for_nobody = mapped.clone().next().is_none()
                || self.bind.iter().any(|bound| bound.path == *claim.path());
            is_subject || for_nobody || mapped.any(|m| wanted.contains(m.name.as_str()))
        })
    }
}

fn strategy(
    id: &str,
    config: Option<&SubjectConfig>,
    dcql: &DcqlQuery,
    trust: &Trust,
) -> Result<SubjectStrategy, ConfigError> {
    let found =
        |claim: &str, credential: Option<&str>| subject_claim(id, claim, credential, dcql, trust);
    match config {
        None => Err(ConfigError::NoSubjectStrategy {
            query: id.to_owned(),
        }),
        Some(SubjectConfig::Guest) => Ok(SubjectStrategy::Guest),
        Some(SubjectConfig::IssuerScopedClaim { claim, credential }) => {
            found(claim, credential.as_deref()).map(SubjectStrategy::IssuerScopedClaim)
        }
        Some(SubjectConfig::AssertedLookup { claim, credential }) => {
            found(claim, credential.as_deref()).map(SubjectStrategy::AssertedLookup)
        }
        Some(SubjectConfig::SessionBinding { claim, credential }) => {
            found(claim, credential.as_deref()).map(SubjectStrategy::SessionBinding)
        }
    }
}

fn subject_claim(
    id: &str,
    claim: &str,
    credential: Option<&str>,
    dcql: &DcqlQuery,
    trust: &Trust,
) -> Result<SubjectClaim, ConfigError> {
    let refuse = |reason: &str| ConfigError::query(id, reason);
    let entry = match (credential, dcql.credentials()) {
        (Some(name), _) => dcql
            .credential(name)
            .ok_or_else(|| refuse("subject.credential is not in the query"))?,
        (None, [only]) => only,
        (None, _) => {
            return Err(refuse(
                "subject.credential is needed where the query has several",
            ));
        }
    };
    let path = subject_path(entry, claim).ok_or_else(|| {
        refuse("subject.claim is no name of a claim (of an mdoc: namespace/element)")
    })?;
    // Every alternative must bring the claim: a login without it has no subject.
    let asked = entry
        .claim_options()
        .iter()
        .all(|option| option.iter().any(|claim| *claim.path() == path));
    if !asked {
        return Err(refuse("the query does not always ask for subject.claim"));
    }
    // Catalogue 344: only a claim that the operator declared stable and unique for that
    // issuer and type leads to an account.
    if let Some(vct) = types_of(entry)
        .iter()
        .find(|vct| !trust.claim_is_stable_everywhere(vct, claim))
    {
        return Err(ConfigError::ClaimNotStable {
            query: id.to_owned(),
            claim: claim.to_owned(),
            vct: vct.clone(),
        });
    }
    Ok(SubjectClaim {
        claim: claim.to_owned(),
        path,
        credential: entry.id().as_str().to_owned(),
    })
}
