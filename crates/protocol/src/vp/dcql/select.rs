//! The wallet's side: which credentials answer, and with how few claims
//! (OpenID4VP 1.0, section 6.4).

use super::check::{check_metadata, select_claims};
use super::{
    ClaimPointer, CredentialFacts, CredentialMismatch, CredentialQuery, DcqlQuery, QueryId,
    check_credential,
};
use serde_json::Value;

/// A credential in a wallet.
pub trait Candidate {
    /// The credential with everything disclosed.
    fn facts(&self) -> CredentialFacts<'_>;

    /// The claims that a verifier sees when exactly these are disclosed, with
    /// all that is always visible and all that disclosing them brings along.
    fn disclosed_view(&self, claims: &[ClaimPointer]) -> Value;
}

/// A candidate that answers a Credential Query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandidateMatch {
    /// Its place in the list given to [`find_matches`].
    pub candidate: usize,
    /// The claims to disclose: the alternative that reveals the fewest values.
    pub claims: Vec<ClaimPointer>,
    /// How many values are revealed that would otherwise stay hidden.
    pub revealed: usize,
}

/// The candidates for one Credential Query, in the order of the wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryMatches {
    /// The Credential Query.
    pub query: QueryId,
    /// Whether more than one may be returned.
    pub multiple: bool,
    /// May be empty, where other options exist.
    pub candidates: Vec<CandidateMatch>,
}

impl QueryMatches {
    pub(super) fn best(&self) -> Option<&CandidateMatch> {
        self.candidates
            .iter()
            .min_by_key(|candidate| candidate.revealed)
    }
}

/// One use case and the options that the wallet can fulfil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetMatches {
    /// Whether the verifier insists.
    pub required: bool,
    /// The options that can be fulfilled, the verifier's order. Not empty where `required`.
    pub options: Vec<Vec<QueryId>>,
}

/// How a wallet can answer a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matches {
    pub(super) queries: Vec<QueryMatches>,
    pub(super) sets: Vec<SetMatches>,
    /// Credential Queries that no preferred candidate answers.
    pub(super) avoided: Vec<QueryId>,
}

/// The wallet cannot answer: it "MUST NOT return any Credential(s)" (section 6.4.2).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no credentials answer the query")]
pub struct NoMatch {
    /// The Credential Queries without a candidate, each with what the nearest
    /// candidate lacks.
    pub unanswered: Vec<(QueryId, CredentialMismatch)>,
}

/// Matches a query against the credentials of a wallet.
pub fn find_matches(query: &DcqlQuery, candidates: &[&dyn Candidate]) -> Result<Matches, NoMatch> {
    let mut queries = Vec::with_capacity(query.credentials().len());
    let mut unanswered = Vec::new();
    for entry in query.credentials() {
        let mut nearest = CredentialMismatch::Format;
        let mut found = Vec::new();
        for (index, candidate) in candidates.iter().enumerate() {
            match match_one(entry, index, *candidate) {
                Ok(matched) => found.push(matched),
                Err(mismatch) => nearest = nearer(nearest, mismatch),
            }
        }
        if found.is_empty() {
            unanswered.push((entry.id().clone(), nearest));
        }
        queries.push(QueryMatches {
            query: entry.id().clone(),
            multiple: entry.multiple(),
            candidates: found,
        });
    }
    let answered = |ids: &[QueryId]| {
        ids.iter()
            .all(|id| unanswered.iter().all(|(no, _)| no != id))
    };
    let sets: Vec<SetMatches> = wanted_sets(query)
        .into_iter()
        .map(|set| SetMatches {
            required: set.required,
            options: set
                .options
                .into_iter()
                .filter(|option| answered(option))
                .collect(),
        })
        .collect();
    let unmet = |set: &SetMatches| set.options.is_empty();
    // Where nothing is required, there must still be something to return.
    if sets.iter().any(|set| set.required && unmet(set)) || sets.iter().all(unmet) {
        return Err(NoMatch { unanswered });
    }
    Ok(Matches {
        queries,
        sets,
        avoided: Vec::new(),
    })
}

/// The Credential Set Queries. Without `credential_sets` there is one, required, that names all.
fn wanted_sets(query: &DcqlQuery) -> Vec<SetMatches> {
    match query.credential_sets() {
        None => vec![SetMatches {
            required: true,
            options: vec![
                query
                    .credentials()
                    .iter()
                    .map(|entry| entry.id().clone())
                    .collect(),
            ],
        }],
        Some(sets) => sets
            .iter()
            .map(|set| SetMatches {
                required: set.required(),
                options: set.options().to_vec(),
            })
            .collect(),
    }
}

fn match_one(
    query: &CredentialQuery,
    index: usize,
    candidate: &dyn Candidate,
) -> Result<CandidateMatch, CredentialMismatch> {
    let facts = candidate.facts();
    check_metadata(query, &facts)?;
    let hidden = count_claims(&candidate.disclosed_view(&[]));
    // Section 6.4.1 recommends the first option that can be satisfied and names
    // as a reason to deviate that the verifier "did not order the options to
    // minimize information disclosure": the fewest values win, the order breaks ties.
    query
        .claim_options()
        .iter()
        .filter_map(|option| {
            let claims = select_claims(option, facts.claims)?;
            let view = candidate.disclosed_view(&claims);
            // A place in an array can shift when its neighbours stay hidden:
            // what the verifier would not accept is not offered.
            let seen = CredentialFacts {
                claims: &view,
                ..facts
            };
            check_credential(query, &seen).ok()?;
            let revealed = count_claims(&view).saturating_sub(hidden);
            Some(CandidateMatch {
                candidate: index,
                claims,
                revealed,
            })
        })
        .min_by_key(|matched| matched.revealed)
        .ok_or(CredentialMismatch::Claims)
}

/// The number of scalars among the claims; an mdoc of which nothing is shown has none.
fn count_claims(claims: &Value) -> usize {
    match claims {
        Value::Object(members) if members.is_empty() => 0,
        claims => count_values(claims),
    }
}

/// The number of scalars (an empty array or object counts as one).
fn count_values(value: &Value) -> usize {
    match value {
        Value::Array(list) if !list.is_empty() => list.iter().map(count_values).sum(),
        Value::Object(members) if !members.is_empty() => members.values().map(count_values).sum(),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => 1,
    }
}

fn nearer(a: CredentialMismatch, b: CredentialMismatch) -> CredentialMismatch {
    let distance = |mismatch: CredentialMismatch| match mismatch {
        CredentialMismatch::Claims => 0,
        CredentialMismatch::HolderBinding => 1,
        CredentialMismatch::Authority => 2,
        CredentialMismatch::Type => 3,
        CredentialMismatch::Format => 4,
    };
    if distance(b) < distance(a) { b } else { a }
}
