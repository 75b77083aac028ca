//! Which journey serves a request.

use std::sync::Arc;

use serde_json::Value;
use vouchsafe_protocol::oidc::subject::{StableClaim, SubjectKey, binding_key};

use super::Set;
use super::loaded::Loaded;
use crate::journey::{Facts, Hasher, RequestFacts};

/// The journey that serves a request; `None` where none does and the login is one question.
pub type Served = Option<Arc<Loaded>>;

/// A `match` has no value for the request: nobody can say which journey serves it, so none does and
/// the request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the match of a journey has no value for the request")]
pub struct Unclear;

/// Hashes what `user.binding` is compared with.
#[derive(Debug)]
pub struct Bindings<'k>(pub &'k SubjectKey);

impl Hasher for Bindings<'_> {
    fn hash(&self, name: &str, value: &Value) -> String {
        let stable = StableClaim {
            framework: "binding",
            issuer: "",
            credential_type: "",
            claim: name,
            value: &value.to_string(),
        };
        binding_key(self.0, &stable)
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
                    match journey.matches(&facts, &Bindings(key)) {
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
