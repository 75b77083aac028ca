//! `bind` of a `[[query]]`: claims of which a keyed hash is kept with the account, so that whoever lost
//! everything else is known again (`user.binding.NAME` of journeys).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use vouchsafe_protocol::vp::dcql::DcqlQuery;

use super::Settings;
use super::claims::{ClaimMapping, mapping};
use super::error::ConfigError;
use super::query::SubjectStrategy;

/// Most claims that one question binds.
const MOST: usize = 16;

/// Checks `bind`: names that expressions can say, paths that the question asks for, and an account to
/// keep them with.
pub(super) fn bound(
    id: &str,
    bind: &BTreeMap<String, Vec<Value>>,
    (dcql, subject): (&DcqlQuery, &SubjectStrategy),
    labels: &BTreeMap<String, BTreeMap<String, String>>,
) -> Result<Vec<ClaimMapping>, ConfigError> {
    let refuse = |reason: &str| ConfigError::query(id, reason);
    if !bind.is_empty() && subject.claim().is_none() {
        return Err(refuse("bind needs a subject: nothing is kept of guests"));
    }
    if bind.len() > MOST {
        return Err(refuse("bind names more than 16 claims"));
    }
    if bind.keys().any(|name| !is_name(name)) {
        return Err(refuse("a name of bind is a-z, then a-z, 0-9 and _"));
    }
    let bound = bind
        .iter()
        .map(|(name, path)| mapping(id, name, path, dcql, &[], labels));
    bound.collect()
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.len() <= 64 && name.chars().all(fits)
}

impl Settings {
    /// The names that questions bind.
    #[must_use]
    pub fn binding_names(&self) -> BTreeSet<&str> {
        let bound = self.queries().iter().flat_map(|query| &query.bind);
        bound.map(|one| one.name.as_str()).collect()
    }
}
