//! The wallet's side: which credentials answer, and with how few claims
//! (OpenID4VP 1.0, section 6.4).

use super::check::{check_metadata, select_claims};
use super::{
    ClaimPointer, CredentialFacts, CredentialMismatch, CredentialQuery, DcqlQuery, QueryId,
    check_credential, check_sets,
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
    fn best(&self) -> Option<&CandidateMatch> {
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
    queries: Vec<QueryMatches>,
    sets: Vec<SetMatches>,
}

/// The wallet cannot answer: it "MUST NOT return any Credential(s)" (section 6.4.2).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no credentials answer the query")]
pub struct NoMatch {
    /// The Credential Queries without a candidate, each with what the nearest
    /// candidate lacks.
    pub unanswered: Vec<(QueryId, CredentialMismatch)>,
}

/// One credential to present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// The Credential Query it answers.
    pub query: QueryId,
    /// Its place in the list given to [`find_matches`].
    pub candidate: usize,
    /// The claims to disclose.
    pub claims: Vec<ClaimPointer>,
}

/// A set of credentials that answers the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    picks: Vec<Pick>,
}

impl Selection {
    /// What to present, in the order of the query.
    pub fn picks(&self) -> &[Pick] {
        &self.picks
    }
}

/// Why a choice does not answer the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// The candidate does not answer that Credential Query.
    #[error("the chosen credential does not answer the query")]
    NoSuchMatch,
    /// Two credentials where one is asked for, or the same one twice.
    #[error("more credentials chosen than asked for")]
    TooMany,
    /// Something required is missing.
    #[error("the choice is incomplete")]
    Incomplete,
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
    if sets
        .iter()
        .any(|set| set.required && set.options.is_empty())
    {
        return Err(NoMatch { unanswered });
    }
    Ok(Matches { queries, sets })
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
    let hidden = count_values(&candidate.disclosed_view(&[]));
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
            let revealed = count_values(&view).saturating_sub(hidden);
            Some(CandidateMatch {
                candidate: index,
                claims,
                revealed,
            })
        })
        .min_by_key(|matched| matched.revealed)
        .ok_or(CredentialMismatch::Claims)
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

impl Matches {
    /// The candidates of every Credential Query.
    pub fn queries(&self) -> &[QueryMatches] {
        &self.queries
    }

    /// The use cases and the options that can be fulfilled.
    pub fn sets(&self) -> &[SetMatches] {
        &self.sets
    }

    /// The answer that reveals the fewest values: for each required use case the
    /// cheapest option, of each Credential Query the cheapest candidate, and
    /// nothing that the verifier does not insist on.
    pub fn smallest(&self) -> Selection {
        let mut chosen: Vec<&QueryId> = Vec::new();
        for set in self.sets.iter().filter(|set| set.required) {
            let cost = |option: &&Vec<QueryId>| {
                let new = option.iter().filter(|id| !chosen.contains(id));
                new.map(|id| self.cost(id)).sum::<usize>()
            };
            if let Some(option) = set.options.iter().min_by_key(cost) {
                chosen.extend(option);
            }
        }
        let picks = self
            .queries
            .iter()
            .filter(|entry| chosen.contains(&&entry.query))
            .filter_map(|entry| entry.best().map(|best| pick(entry, best)))
            .collect();
        Selection { picks }
    }

    /// The answer that the person has put together: pairs of Credential Query
    /// and candidate.
    pub fn select(
        &self,
        query: &DcqlQuery,
        choice: &[(QueryId, usize)],
    ) -> Result<Selection, SelectionError> {
        let mut picks: Vec<Pick> = Vec::with_capacity(choice.len());
        for (id, candidate) in choice {
            let entry = self.entry(id).ok_or(SelectionError::NoSuchMatch)?;
            let matched = entry
                .candidates
                .iter()
                .find(|matched| matched.candidate == *candidate)
                .ok_or(SelectionError::NoSuchMatch)?;
            let mut same_query = picks.iter().filter(|pick| pick.query == *id);
            // Section 8.1: without `multiple` "the array MUST contain only one Presentation".
            if same_query.any(|pick| !entry.multiple || pick.candidate == *candidate) {
                return Err(SelectionError::TooMany);
            }
            picks.push(pick(entry, matched));
        }
        let answered: Vec<&QueryId> = picks.iter().map(|pick| &pick.query).collect();
        check_sets(query, &answered).map_err(|_| SelectionError::Incomplete)?;
        Ok(Selection { picks })
    }

    fn entry(&self, id: &QueryId) -> Option<&QueryMatches> {
        self.queries.iter().find(|entry| entry.query == *id)
    }

    fn cost(&self, id: &QueryId) -> usize {
        self.entry(id)
            .and_then(QueryMatches::best)
            .map_or(0, |best| best.revealed)
    }
}

fn pick(entry: &QueryMatches, matched: &CandidateMatch) -> Pick {
    Pick {
        query: entry.query.clone(),
        candidate: matched.candidate,
        claims: matched.claims.clone(),
    }
}
