//! What callers did, in the audit log: without a record there is no credential and no change.
//!
//! A credential is named by its place in a status list, or, where it has none, by an id that is made
//! for the log. Ids that callers give may name persons, and claims are nobody's business.

use super::Parts;
use super::access::Caller;
use super::problem::Refusal;
use crate::audit::{self, Event};
use crate::db::{DbError, Tx};
use crate::keys::SymmetricKey;

/// A credential was issued.
pub(super) const ISSUED: &str = "vc.issue";
/// A credential was revoked.
pub(super) const REVOKED: &str = "vc.revoke";

/// An entry of the log that waits for its object.
#[derive(Clone)]
pub(super) struct Record {
    key: SymmetricKey,
    event: Event,
}

impl Record {
    /// What this caller does in the name of an identity of ours.
    pub(super) fn new(parts: &Parts, caller: &Caller, action: &'static str, issuer: &str) -> Self {
        Self {
            key: parts.audit.clone(),
            event: Event {
                at: parts.clock.now(),
                actor: caller.actor(),
                action,
                target: String::new(),
                detail: issuer.to_owned(),
            },
        }
    }

    /// Writes it down, in the transaction of what it reports.
    pub(super) async fn append(&self, tx: &mut Tx, target: String) -> Result<(), DbError> {
        let event = Event {
            target,
            ..self.event.clone()
        };
        audit::append(tx, &self.key, &event).await
    }

    /// Writes down what changes nothing in the database.
    pub(super) async fn write(self, parts: &Parts) -> Result<(), Refusal> {
        let target = parts.ids.next_text();
        let write = async move |tx: &mut Tx| self.append(tx, target.clone()).await;
        Ok(parts.db.write(write).await?)
    }
}

/// How the log names a place in a status list.
pub(super) fn place(list: &str, idx: i64) -> String {
    format!("{list}/{idx}")
}
