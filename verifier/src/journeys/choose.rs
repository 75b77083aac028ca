//! Which journey serves a request.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use vouchsafe_protocol::oidc::subject::{StableClaim, SubjectKey, binding_key};

use super::Set;
use super::loaded::Loaded;
use crate::domain::ids::SubjectId;
use crate::journey::{Facts, Hasher, RequestFacts};

/// The journey that serves a request; `None` where none does and the login is one question.
pub type Served = Option<Arc<Loaded>>;

/// A `match` has no value for the request: nobody can say which journey serves it, so none does and
/// the request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the match of a journey has no value for the request")]
pub struct Unclear;

/// Hashes what `user.binding` is compared with: of this account, as it is kept; of nobody, as cards bind it.
#[derive(Debug)]
pub struct Bindings<'k>(pub &'k SubjectKey, pub Option<&'k SubjectId>);

/// Hash of what one account is known by: the store does not tell that two are known by the same.
fn of_account(key: &SubjectKey, account: &SubjectId, bound: &str) -> String {
    let stable = StableClaim {
        framework: "account-binding",
        issuer: account.as_str(),
        credential_type: "",
        claim: "",
        value: bound,
    };
    binding_key(key, &stable)
}

/// What cards bind, as it is kept with an account.
#[must_use]
pub fn kept(
    key: &SubjectKey,
    account: &SubjectId,
    bound: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let bound = bound.iter();
    bound
        .map(|(name, bound)| (name.clone(), of_account(key, account, bound)))
        .collect()
}

impl Hasher for Bindings<'_> {
    fn hash(&self, name: &str, value: &Value) -> String {
        let stable = StableClaim {
            framework: "binding",
            issuer: "",
            credential_type: "",
            claim: name,
            value: &value.to_string(),
        };
        let bound = binding_key(self.0, &stable);
        match self.1 {
            Some(account) => of_account(self.0, account, &bound),
            None => bound,
        }
    }
}

impl Set {
    /// Chooses: files that name the application before those that name none, files with a `match`
    /// before the one without; among those whose `match` holds the first by id.
    pub fn choose(&self, request: &RequestFacts, key: &SubjectKey) -> Result<Served, Unclear> {
        let facts = Facts {
            request: request.clone(),
            ..Facts::default()
        };
        let names = |one: &Loaded| one.journey.clients.contains(&request.client);
        for named in [true, false] {
            for conditional in [true, false] {
                for loaded in self.all() {
                    let journey = &loaded.journey;
                    // It follows another one, and serves nobody by itself.
                    if !journey.after.is_empty() {
                        continue;
                    }
                    let ours = if named {
                        names(loaded)
                    } else {
                        journey.clients.is_empty()
                    };
                    if !ours || journey.matches.is_some() != conditional {
                        continue;
                    }
                    match journey.matches(&facts, &Bindings(key, None)) {
                        Some(true) => return Ok(Some(Arc::clone(loaded))),
                        Some(false) => {}
                        None => return Err(Unclear),
                    }
                }
            }
        }
        Ok(None)
    }
}
