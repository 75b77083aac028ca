//! What an admin does to operators.

use super::domain::{ACTOR, Operator, OperatorError, OperatorId, Role};
use super::{Operators, store};
use crate::db::{DbError, Tx};
use crate::single_use::{self, Kind};

/// Changes of operators wait for each other, so that one admin is left.
pub(super) const LOCK: &str = "operator";

impl Operators {
    /// All operators, by name.
    pub async fn all(&self) -> Result<Vec<Operator>, DbError> {
        store::all(&self.db).await
    }

    /// Gives somebody another role. It counts from their next request on.
    pub async fn set_role(
        &self,
        actor: &str,
        id: &OperatorId,
        role: Role,
    ) -> Result<(), OperatorError> {
        let change = move |operator: Operator| Operator { role, ..operator };
        self.change(actor, id, "operator.role", role.as_str(), change)
            .await
    }

    /// Lets somebody sign in no more, and ends their sessions.
    pub async fn disable(&self, actor: &str, id: &OperatorId) -> Result<(), OperatorError> {
        let now = self.clock.now();
        let change = move |operator: Operator| Operator {
            disabled_at: operator.disabled_at.or(Some(now)),
            ..operator
        };
        self.change(actor, id, "operator.disable", "", change).await
    }

    /// Lets somebody sign in again.
    pub async fn enable(&self, actor: &str, id: &OperatorId) -> Result<(), OperatorError> {
        let change = |operator: Operator| Operator {
            disabled_at: None,
            ..operator
        };
        self.change(actor, id, "operator.enable", "", change).await
    }

    async fn change(
        &self,
        actor: &str,
        id: &OperatorId,
        action: &'static str,
        detail: &'static str,
        change: impl Fn(Operator) -> Operator + Send + 'static,
    ) -> Result<(), OperatorError> {
        let (own, actor, id) = (self.clone(), actor.to_owned(), id.clone());
        self.db
            .write(async move |tx| {
                begin(&own, tx, &actor, &id).await?;
                apply(&own, tx, (&actor, action, detail), &id, &change).await?;
                Ok(())
            })
            .await
    }
}

/// Locks what a change of an operator may meet, and refuses whoever may not manage operators any
/// more: their request may have begun when they still might.
pub(super) async fn begin(
    own: &Operators,
    tx: &mut Tx,
    actor: &str,
    id: &OperatorId,
) -> Result<(), OperatorError> {
    tx.lock(LOCK).await?;
    own.lock(tx, id).await?;
    require_admin(tx, actor).await
}

/// An operator who acts is an admin at this moment; the command line always is.
pub(super) async fn require_admin(tx: &mut Tx, actor: &str) -> Result<(), OperatorError> {
    let Some(id) = actor.strip_prefix(ACTOR) else {
        return Ok(());
    };
    let found = store::find_in(tx, id).await?;
    match found.is_some_and(|operator| is_admin(&operator)) {
        true => Ok(()),
        false => Err(OperatorError::Forbidden),
    }
}

/// Changes an operator, after [`begin`]. Whoever is disabled or enabled has no session and no link
/// that works.
pub(super) async fn apply(
    own: &Operators,
    tx: &mut Tx,
    (actor, action, detail): (&str, &'static str, &'static str),
    id: &OperatorId,
    change: &impl Fn(Operator) -> Operator,
) -> Result<Operator, OperatorError> {
    let found = store::find_in(tx, id.as_str()).await?;
    let before = found.ok_or(OperatorError::Unknown)?;
    let after = change(before.clone());
    if after == before {
        return Ok(after);
    }
    if is_admin(&before) && !is_admin(&after) {
        refuse_last(own, tx, id).await?;
    }
    store::update(tx, &after).await?;
    if after.disabled_at != before.disabled_at {
        let (kind, now) = (Kind::OperatorInvitation, own.clock.now());
        store::end_all(tx, id, now).await?;
        single_use::revoke_family(tx, kind, id.as_str(), now).await?;
    }
    own.log(tx, actor, action, id, detail).await?;
    Ok(after)
}

fn is_admin(operator: &Operator) -> bool {
    operator.role == Role::Admin && operator.disabled_at.is_none()
}

async fn refuse_last(own: &Operators, tx: &mut Tx, id: &OperatorId) -> Result<(), OperatorError> {
    match store::is_an_admin(tx, Some(id), !own.has_passkeys()).await? {
        true => Ok(()),
        false => Err(OperatorError::LastAdmin),
    }
}
