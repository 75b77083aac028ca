mod matching;
mod narrowing;
mod parsing;
mod paths;
mod properties;

use super::*;
use serde_json::json;

fn query(json: Value) -> DcqlQuery {
    DcqlQuery::parse(&json).expect("a valid query")
}

/// A query for one credential of type `t` with these claims.
fn one(claims: Value) -> DcqlQuery {
    query(json!({"credentials": [{
        "id": "a", "format": "dc+sd-jwt", "meta": {"vct_values": ["t"]}, "claims": claims
    }]}))
}

/// A credential of which every top-level claim can be hidden.
struct Card {
    vct: &'static str,
    claims: Value,
    authorities: Vec<Vec<u8>>,
    bound: bool,
}

impl Card {
    fn new(vct: &'static str, claims: Value) -> Self {
        Card {
            vct,
            claims,
            authorities: Vec::new(),
            bound: true,
        }
    }
}

impl Candidate for Card {
    fn facts(&self) -> CredentialFacts<'_> {
        CredentialFacts {
            format: "dc+sd-jwt",
            credential_type: self.vct,
            also_known_as: &[],
            claims: &self.claims,
            authority_key_ids: &self.authorities,
            holder_bound: self.bound,
        }
    }

    fn disclosed_view(&self, claims: &[ClaimPointer]) -> Value {
        let chosen = |name: &str| {
            claims.iter().any(|pointer| {
                matches!(pointer.steps().first(), Some(PointerStep::Key(key)) if key == name)
            })
        };
        let all = self.claims.as_object().expect("claims are an object");
        all.iter()
            .filter(|(name, _)| chosen(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}

fn matches(query: &DcqlQuery, cards: &[Card]) -> Result<Matches, NoMatch> {
    let candidates: Vec<&dyn Candidate> = cards.iter().map(|card| card as &dyn Candidate).collect();
    find_matches(query, &candidates)
}
