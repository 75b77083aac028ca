//! Who does something, in the words of the audit log.

use vouchsafe_service::audit::{self, Event};
use vouchsafe_service::db::{DbError, Tx};

use crate::core::Core;

/// Somebody whose changes are reported: an API key, an operator.
#[derive(Debug, Clone)]
pub struct Author(String);

impl Author {
    /// The actor of [`Event`]: `key:<id>`, `operator:<id>`.
    pub fn new(actor: String) -> Self {
        Self(actor)
    }

    /// An event by this author, for [`audit::append_all`].
    pub fn event(&self, core: &Core, action: &'static str, target: &str, detail: &str) -> Event {
        Event {
            at: core.clock.now(),
            actor: self.0.clone(),
            action,
            target: target.to_owned(),
            detail: detail.to_owned(),
        }
    }

    /// Records what the author does, in the transaction that does it: without a record there is no
    /// change (security default 12).
    pub async fn audit(
        &self,
        core: &Core,
        tx: &mut Tx,
        action: &'static str,
        target: &str,
        detail: &str,
    ) -> Result<(), DbError> {
        let event = self.event(core, action, target, detail);
        audit::append(tx, &core.keys.audit, &event).await
    }
}
