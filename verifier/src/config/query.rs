//! `[[query]]`: a question to wallets, and what the application learns from the answer.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use vouchsafe_credentials::json;
use vouchsafe_protocol::vp::dcql::{
    ClaimsPath, CredentialQuery, DcqlQuery, Meta, require_login_profile,
};
use vouchsafe_protocol::vp::values::LocalizedText;

use super::claims::{ClaimMapping, localized, mapping};
use super::error::ConfigError;
use super::trust::Trust;
use crate::domain::ids::QueryId;

/// A question, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryConfig {
    /// Its name.
    pub id: String,
    /// The scope value that stands for it; without one it only serves clients that name it as
    /// their `default_query`.
    pub scope: Option<String>,
    /// The DCQL query, verbatim JSON.
    pub dcql: String,
    /// Why it is asked, by language tag; `en` is required.
    pub purpose: BTreeMap<String, String>,
    /// Whose login it is. There is no default on purpose.
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
}

/// A checked question.
#[derive(Debug, Clone)]
pub struct Query {
    /// Its name.
    pub id: QueryId,
    /// The scope value that stands for it.
    pub scope: Option<String>,
    /// What the wallet is asked.
    pub dcql: DcqlQuery,
    /// The types that may answer it.
    pub types: Vec<String>,
    /// Why.
    pub purpose: LocalizedText,
    /// Whose login it is.
    pub subject: SubjectStrategy,
    /// What the application learns.
    pub claims: Vec<ClaimMapping>,
}

/// A checked subject strategy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectStrategy {
    /// A random subject for each login, no account.
    Guest,
    /// The validated issuer, the type and this claim.
    IssuerScopedClaim {
        /// Name of the claim.
        claim: String,
        /// `id` of the credential query.
        credential: String,
    },
}

impl Query {
    /// Checks a question against the trusted issuers.
    pub fn parse(config: &QueryConfig, trust: &Trust) -> Result<Self, ConfigError> {
        let QueryConfig {
            id,
            scope,
            dcql,
            purpose,
            subject,
            claims,
            id_token_claims,
            labels,
        } = config;
        let refuse = |reason: &str| ConfigError::query(id, reason);
        if id.is_empty()
            || scope
                .as_deref()
                .is_some_and(|scope| scope.is_empty() || scope.contains(' ') || scope == "openid")
        {
            return Err(refuse("id or scope is empty or reserved"));
        }
        let json = json::parse_strict(dcql.as_bytes())
            .map_err(|error| refuse(&format!("dcql is not JSON: {error}")))?;
        let dcql = DcqlQuery::parse(&json).map_err(|error| refuse(&format!("dcql: {error}")))?;
        // Catalogue 310: a login without holder binding does not start.
        require_login_profile(&dcql).map_err(|error| refuse(&error.to_string()))?;
        let subject = strategy(id, subject.as_ref(), &dcql, trust)?;
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
        let types = types(&dcql);
        if let Some(vct) = types.iter().find(|vct| !trust.anybody_issues(vct)) {
            return Err(refuse(&format!("no trusted issuer may issue {vct}")));
        }
        Ok(Self {
            id: QueryId::from_text(id.clone()),
            scope: scope.clone(),
            types,
            dcql,
            purpose: localized(purpose).ok_or_else(|| refuse("purpose needs a text for en"))?,
            subject,
            claims: mappings,
        })
    }

    /// The names of the claims that the application learns.
    #[must_use]
    pub fn claim_names(&self) -> Vec<String> {
        self.claims.iter().map(|claim| claim.name.clone()).collect()
    }
}

fn strategy(
    id: &str,
    config: Option<&SubjectConfig>,
    dcql: &DcqlQuery,
    trust: &Trust,
) -> Result<SubjectStrategy, ConfigError> {
    let refuse = |reason: &str| ConfigError::query(id, reason);
    match config {
        None => Err(ConfigError::NoSubjectStrategy {
            query: id.to_owned(),
        }),
        Some(SubjectConfig::Guest) => Ok(SubjectStrategy::Guest),
        Some(SubjectConfig::IssuerScopedClaim { claim, credential }) => {
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
            let path =
                ClaimsPath::of_keys(&[claim]).ok_or_else(|| refuse("subject.claim is empty"))?;
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
            if let Some(vct) = vct_values(entry)
                .iter()
                .find(|vct| !trust.claim_is_stable_everywhere(vct, claim))
            {
                return Err(ConfigError::ClaimNotStable {
                    query: id.to_owned(),
                    claim: claim.clone(),
                    vct: vct.clone(),
                });
            }
            Ok(SubjectStrategy::IssuerScopedClaim {
                claim: claim.clone(),
                credential: entry.id().as_str().to_owned(),
            })
        }
    }
}

fn types(dcql: &DcqlQuery) -> Vec<String> {
    let mut types: Vec<String> = dcql
        .credentials()
        .iter()
        .flat_map(vct_values)
        .cloned()
        .collect();
    types.sort();
    types.dedup();
    types
}

fn vct_values(entry: &CredentialQuery) -> &[String] {
    match entry.meta() {
        Meta::SdJwtVc { vct_values } => vct_values,
        Meta::MsoMdoc { .. } | Meta::Other => &[],
    }
}
