//! A smaller question: the same cards and conditions, fewer claims.

use super::{ClaimQuery, CredentialQuery, DcqlQuery};
use serde_json::{Map, Value};

impl DcqlQuery {
    /// The query without the claims that `keep` has no use for. A claim that must have one of
    /// some `values` is a condition, not a question, and stays; an entry that has such claims in
    /// alternatives stays whole. One claim is always asked for where there were some: wallets of
    /// earlier drafts show everything where none is.
    #[must_use]
    pub fn narrowed(&self, keep: impl Fn(&CredentialQuery, &ClaimQuery) -> bool) -> Self {
        let mut json = self.json.clone();
        let entries = json.get_mut("credentials").and_then(Value::as_array_mut);
        let entries = entries.into_iter().flatten();
        let entries = entries.filter_map(Value::as_object_mut);
        let credentials = self
            .credentials
            .iter()
            .zip(entries)
            .map(|(query, entry)| narrow(query, entry, &keep))
            .collect();
        Self {
            credentials,
            credential_sets: self.credential_sets.clone(),
            json,
        }
    }
}

fn narrow(
    query: &CredentialQuery,
    entry: &mut Map<String, Value>,
    keep: &impl Fn(&CredentialQuery, &ClaimQuery) -> bool,
) -> CredentialQuery {
    let claims = query.claims.as_deref().unwrap_or_default();
    let wanted: Vec<bool> = claims
        .iter()
        .map(|claim| claim.values.is_some() || keep(query, claim))
        .collect();
    let is_wanted = |index: &usize| wanted.get(*index).copied().unwrap_or_default();
    let conditions = claims.iter().any(|claim| claim.values.is_some());
    if wanted.iter().all(|wanted| *wanted) || (conditions && query.claim_sets.is_some()) {
        return query.clone();
    }
    let sets = query
        .claim_sets
        .as_ref()
        .map(|sets| smaller_sets(sets, is_wanted));
    let nothing = !wanted.contains(&true);
    let stays = |index: &usize| match &sets {
        Some(sets) => sets.iter().any(|set| set.contains(index)),
        None => is_wanted(index) || (nothing && *index == 0),
    };
    let kept: Vec<usize> = (0..claims.len()).filter(stays).collect();
    let place = |index: &usize| kept.iter().position(|kept| kept == index);
    let sets: Option<Vec<Vec<usize>>> = sets.filter(|sets| !sets.is_empty()).map(|sets| {
        let moved = |set: &Vec<usize>| set.iter().filter_map(place).collect();
        sets.iter().map(moved).collect()
    });
    let chosen: Vec<ClaimQuery> = pick(claims, &kept);
    let written = entry.get("claims").and_then(Value::as_array);
    let written = written.map(|written| pick(written, &kept));
    replace(entry, "claims", written.filter(|kept| !kept.is_empty()));
    let ids = |set: &Vec<usize>| -> Value {
        let members = set.iter().filter_map(|index| chosen.get(*index)?.id());
        members.collect::<Vec<_>>().into()
    };
    let written = sets.as_ref().map(|sets| sets.iter().map(ids).collect());
    replace(entry, "claim_sets", written);
    CredentialQuery {
        claims: Some(chosen).filter(|chosen| !chosen.is_empty()),
        claim_sets: sets,
        ..query.clone()
    }
}

/// The alternatives without what is not wanted. One of which nothing would stay is kept as it is,
/// because an empty one cannot be written (section 6.1); where that is so of all, the first is left.
fn smaller_sets(sets: &[Vec<usize>], is_wanted: impl Fn(&usize) -> bool) -> Vec<Vec<usize>> {
    let mut smaller: Vec<Vec<usize>> = Vec::new();
    let mut asks = false;
    for whole in sets {
        let set: Vec<usize> = whole.iter().copied().filter(&is_wanted).collect();
        asks |= !set.is_empty();
        let set = if set.is_empty() { whole.clone() } else { set };
        if !smaller.contains(&set) {
            smaller.push(set);
        }
    }
    if !asks {
        smaller.truncate(1);
    }
    smaller
}

fn pick<T: Clone>(all: &[T], places: &[usize]) -> Vec<T> {
    let chosen = places.iter().filter_map(|place| all.get(*place));
    chosen.cloned().collect()
}

fn replace(entry: &mut Map<String, Value>, name: &str, value: Option<Vec<Value>>) {
    match value {
        Some(value) => entry.insert(name.to_owned(), Value::Array(value)),
        None => entry.remove(name),
    };
}
