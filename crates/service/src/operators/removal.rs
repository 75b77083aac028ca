//! What an admin takes away from a colleague: a passkey, an account at an OpenID Provider, or
//! everything. Whoever is left without any needs a new link.

use std::collections::BTreeMap;

use super::domain::{Account, Operator, OperatorError, OperatorId, Role, WaysIn};
use super::passkeys::passkey_id;
use super::{Operators, link, manage, store};
use crate::db::{DbError, Tx};
use crate::single_use::{self, Kind};

impl Operators {
    /// What signs each operator in, by the operator's id; whoever has not joined is not in it.
    pub async fn ways_in(&self) -> Result<BTreeMap<String, WaysIn>, DbError> {
        let mut all: BTreeMap<String, WaysIn> = BTreeMap::new();
        for (id, passkeys) in store::counts(&self.db).await? {
            all.entry(id).or_default().passkeys = passkeys;
        }
        for (id, account) in store::all_identities(&self.db).await? {
            all.entry(id).or_default().accounts.push(account);
        }
        Ok(all)
    }

    /// The accounts of an operator at OpenID Providers.
    pub async fn accounts(&self, operator: &OperatorId) -> Result<Vec<Account>, DbError> {
        store::identities(&self.db, operator).await
    }

    /// Removes a passkey of an operator, and ends their sessions: one of them may have begun with it.
    pub async fn remove_passkey_of(
        &self,
        actor: &str,
        id: &OperatorId,
        passkey: &str,
    ) -> Result<(), OperatorError> {
        let passkey = passkey_id(passkey).ok_or(OperatorError::Unknown)?;
        let (own, actor, id) = (self.clone(), actor.to_owned(), id.clone());
        self.db
            .write(async move |tx| {
                manage::begin(&own, tx, &actor, &id).await?;
                if !store::delete_any_passkey(tx, &id, &passkey).await? {
                    return Err(OperatorError::Unknown);
                }
                let told = ("operator.passkey_remove", passkey.as_str());
                removed(&own, tx, &actor, &id, told).await
            })
            .await
    }

    /// Unties an account from an operator, and ends their sessions.
    pub async fn remove_account(
        &self,
        actor: &str,
        id: &OperatorId,
        (issuer, subject): (&str, &str),
    ) -> Result<(), OperatorError> {
        // PostgreSQL has no text with a NUL.
        if issuer.contains('\0') || subject.contains('\0') {
            return Err(OperatorError::Unknown);
        }
        let (own, actor, id) = (self.clone(), actor.to_owned(), id.clone());
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        self.db
            .write(async move |tx| {
                manage::begin(&own, tx, &actor, &id).await?;
                if !store::delete_identity(tx, (&issuer, &subject), &id).await? {
                    return Err(OperatorError::Unknown);
                }
                let told = ("operator.identity_remove", issuer.as_str());
                removed(&own, tx, &actor, &id, told).await
            })
            .await
    }

    /// Takes everything from an operator: passkeys, accounts, sessions, links. The row stays, since
    /// the audit log names it; it is disabled.
    pub async fn remove(&self, actor: &str, id: &OperatorId) -> Result<(), OperatorError> {
        let (own, actor, id) = (self.clone(), actor.to_owned(), id.clone());
        self.db
            .write(async move |tx| {
                manage::begin(&own, tx, &actor, &id).await?;
                let now = own.clock.now();
                let found = store::find_in(tx, id.as_str()).await?;
                let mut operator = found.ok_or(OperatorError::Unknown)?;
                let was_in = operator.disabled_at.is_none();
                operator.disabled_at = operator.disabled_at.or(Some(now));
                store::update(tx, &operator).await?;
                single_use::revoke_family(tx, Kind::OperatorInvitation, id.as_str(), now).await?;
                let detail = link::shut_out(&own, tx, &id).await?;
                if !was_in && detail.is_none() {
                    return Ok(());
                }
                require_an_admin(&own, tx, &operator).await?;
                let detail = detail.unwrap_or_default();
                own.log(tx, &actor, "operator.remove", &id, &detail).await?;
                Ok(())
            })
            .await
    }
}

/// After something was taken from an operator.
async fn removed(
    own: &Operators,
    tx: &mut Tx,
    actor: &str,
    id: &OperatorId,
    (action, detail): (&'static str, &str),
) -> Result<(), OperatorError> {
    let found = store::find_in(tx, id.as_str()).await?;
    require_an_admin(own, tx, &found.ok_or(OperatorError::Unknown)?).await?;
    store::end_all(tx, id, own.clock.now()).await?;
    own.log(tx, actor, action, id, detail).await?;
    Ok(())
}

/// Somebody can manage operators still, after something was taken from this one; otherwise the
/// transaction is taken back.
async fn require_an_admin(
    own: &Operators,
    tx: &mut Tx,
    of: &Operator,
) -> Result<(), OperatorError> {
    if of.role != Role::Admin || store::is_an_admin(tx, None, !own.has_passkeys()).await? {
        return Ok(());
    }
    Err(OperatorError::LastAdmin)
}
