//! Operators: the people of the organisation who sign in to a console.
//!
//! An operator is invited with a one-time link, registers a passkey behind it and signs in with
//! that from then on ([`crate::webauthn`]). Where browsers know no passkeys (the public address is plain
//! http at a loopback IP address), each link starts a session itself; at other IP addresses nobody
//! signs in ([`Site`]). A session is a row; the cookie holds a
//! secret of which the row has the hash. Every sign-in and every change of an operator is in the
//! audit log, in the same transaction.
//!
//! An operator may also be tied to an identity at an OpenID Provider, by redeeming the link there.
//!
//! To add another way to sign in: verify the person, find the operator, and call
//! `sessions::start` in the transaction that used up what was proven.

mod domain;
#[cfg(test)]
mod eviction_tests;
mod identities;
mod link;
mod manage;
mod passkeys;
mod removal;
#[cfg(test)]
mod removal_tests;
mod sessions;
mod site;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use vouchsafe_credentials::{crypto::CryptoProvider, random::Rng, time::Clock};

pub use domain::{
    Account, Invitation, Method, Operator, OperatorError, OperatorId, Passkey, Role, Session,
    SessionSecret, WaysIn,
};
pub use site::Site;
pub use store::purge;

use crate::audit::Event;
use crate::db::{Db, DbError, Tx};
use crate::id::Ids;
use crate::keys::SymmetricKey;

/// How long a link of an invitation works, in seconds.
pub const INVITATION_S: i64 = 86_400;
/// Passkeys of one operator at most.
pub const MAX_PASSKEYS: i64 = 50;
/// How long a challenge of a passkey works, in seconds.
const CHALLENGE_S: i64 = 300;
/// A session ends when it was not used for so long, in seconds.
pub const IDLE_S: i64 = 1800;
/// A session ends so long after the sign-in, in seconds.
pub const SESSION_S: i64 = 43_200;
/// For so long a sign-in is recent, in seconds.
pub const RECENT_S: i64 = 300;

/// The operators of one service. Cheap to clone.
#[derive(Clone)]
pub struct Operators {
    /// The database.
    pub db: Db,
    /// The key of the audit log.
    pub audit: SymmetricKey,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Verifies what passkeys signed.
    pub crypto: Arc<dyn CryptoProvider>,
    /// Ids.
    pub ids: Ids,
    /// How people sign in at this address.
    pub site: Site,
}

impl std::fmt::Debug for Operators {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operators")
            .field("site", &self.site)
            .finish_non_exhaustive()
    }
}

impl Operators {
    /// Whether operators sign in with passkeys here. If not, links start sessions.
    pub fn has_passkeys(&self) -> bool {
        matches!(self.site, Site::Passkeys(_))
    }

    /// What is done to one operator waits for what is done to them already. Take it before a row
    /// of theirs is written; [`manage::LOCK`] comes before it.
    async fn lock(&self, tx: &mut Tx, id: &OperatorId) -> Result<(), DbError> {
        tx.lock(&format!("operator {id}")).await
    }

    async fn log(
        &self,
        tx: &mut Tx,
        actor: &str,
        action: &'static str,
        target: &OperatorId,
        detail: &str,
    ) -> Result<(), DbError> {
        let event = Event {
            at: self.clock.now(),
            actor: actor.to_owned(),
            action,
            target: target.to_string(),
            detail: detail.to_owned(),
        };
        crate::audit::append(tx, &self.audit, &event).await
    }
}
