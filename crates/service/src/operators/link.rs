//! Invitations: a link that works once, for a day.

use vouchsafe_credentials::random::token;
use zeroize::Zeroizing;

use super::domain::{
    Invitation, Method, Operator, OperatorError, OperatorId, Role, SessionSecret, name,
};
use super::{INVITATION_S, Operators, Site, manage, sessions, store};
use crate::db::{DbError, Tx};
use crate::single_use::{self, Kind, NewObject};

impl Operators {
    /// Invites somebody new. `actor` is who does it, in the words of the audit log.
    pub async fn invite(
        &self,
        actor: &str,
        called: &str,
        role: Role,
    ) -> Result<Invitation, OperatorError> {
        let operator = Operator {
            id: OperatorId::parse(&self.ids.next_text()).ok_or(OperatorError::Unknown)?,
            name: name(called)?,
            role,
            created_at: self.clock.now(),
            disabled_at: None,
        };
        let (own, actor) = (self.clone(), actor.to_owned());
        self.db
            .write(async move |tx| {
                manage::begin(&own, tx, &actor, &operator.id).await?;
                if store::named_in(tx, &operator.name).await?.is_some() {
                    return Err(OperatorError::NameTaken);
                }
                store::insert(tx, &operator).await?;
                link(&own, tx, &actor, operator.clone()).await
            })
            .await
    }

    /// A new link for somebody who has lost theirs, or their devices. Older links stop working.
    pub async fn invite_again(
        &self,
        actor: &str,
        id: &OperatorId,
    ) -> Result<Invitation, OperatorError> {
        let (own, actor, id) = (self.clone(), actor.to_owned(), id.clone());
        self.db
            .write(async move |tx| {
                manage::begin(&own, tx, &actor, &id).await?;
                let found = store::find_in(tx, id.as_str()).await?;
                link(&own, tx, &actor, found.ok_or(OperatorError::Unknown)?).await
            })
            .await
    }

    /// For the command line, whose user may do everything: invites somebody, or makes a new link
    /// for who has this name. Without a role somebody new is an admin, and everybody else keeps
    /// theirs.
    pub async fn invite_or_again(
        &self,
        actor: &str,
        called: &str,
        role: Option<Role>,
    ) -> Result<Invitation, OperatorError> {
        let called = name(called)?;
        let known = store::all(&self.db).await?;
        let Some(known) = known.into_iter().find(|known| known.name == called) else {
            let role = role.unwrap_or(Role::Admin);
            return self.invite(actor, &called, role).await;
        };
        let (own, actor, id) = (self.clone(), actor.to_owned(), known.id);
        self.db
            .write(async move |tx| {
                manage::begin(&own, tx, &actor, &id).await?;
                let change = |operator: Operator| Operator {
                    role: role.unwrap_or(operator.role),
                    ..operator
                };
                let detail = role.map_or("", Role::as_str);
                let told = (actor.as_str(), "operator.role", detail);
                let operator = manage::apply(&own, tx, told, &id, &change).await?;
                link(&own, tx, &actor, operator).await
            })
            .await
    }

    /// Who is invited by a link that still works. Uses nothing up: mail programs look at links.
    pub async fn invited(&self, secret: &str) -> Result<Operator, OperatorError> {
        let now = self.clock.now();
        let kind = Kind::OperatorInvitation;
        let id = single_use::peek_family(&self.db, kind, secret, now).await?;
        let Some(id) = id else {
            self.notice(secret).await?;
            return Err(OperatorError::Link);
        };
        let found = store::find(&self.db, &id).await?;
        let found = found.ok_or(OperatorError::Link)?;
        match found.disabled_at {
            None => Ok(found),
            Some(_) => Err(OperatorError::Link),
        }
    }

    /// Signs in with a link, where there are no passkeys.
    pub async fn accept_with_link(&self, secret: &str) -> Result<SessionSecret, OperatorError> {
        match self.site {
            Site::Links => {}
            Site::Passkeys(_) => return Err(OperatorError::Way),
        }
        let invited = self.invited(secret).await?;
        let (own, link) = (self.clone(), Zeroizing::new(secret.to_owned()));
        let session = SessionSecret::generate(&*self.rng);
        let begun = session.clone();
        let done = self.db.write(async move |tx| {
            let operator = redeem(&own, tx, &link, &invited.id).await?;
            let how = (Method::Link, own.clock.now());
            sessions::start(&own, tx, &operator.id, how, &begun).await
        });
        self.redeemed(secret, done.await).await?;
        Ok(session)
    }

    /// Passes on what became of redeeming a link, and notices one that was used before.
    pub(super) async fn redeemed(
        &self,
        secret: &str,
        done: Result<(), OperatorError>,
    ) -> Result<(), OperatorError> {
        if let Err(OperatorError::Link) = done {
            self.notice(secret).await?;
        }
        done
    }

    /// Writes into the audit log, once, that a link which was used or replaced is opened again:
    /// somebody else may have had it.
    async fn notice(&self, secret: &str) -> Result<(), DbError> {
        let kind = Kind::OperatorInvitation;
        let found = single_use::unnoticed_replay(&self.db, kind, secret).await?;
        if found.is_none() {
            return Ok(());
        }
        let (own, link) = (self.clone(), Zeroizing::new(secret.to_owned()));
        self.db
            .write(async move |tx| {
                let family = single_use::first_replay(tx, kind, &link).await?;
                let id = family.as_deref().and_then(OperatorId::parse);
                if let Some(id) = id {
                    own.log(tx, "anybody", "operator.link_again", &id, "")
                        .await?;
                }
                Ok(())
            })
            .await
    }
}

/// Uses a link of this operator up: of any number of tries at once, one succeeds. What let the
/// operator in before ends: a link is also the way back from a stolen device.
pub(super) async fn redeem(
    own: &Operators,
    tx: &mut Tx,
    secret: &str,
    invited: &OperatorId,
) -> Result<Operator, OperatorError> {
    let (kind, now) = (Kind::OperatorInvitation, own.clock.now());
    own.lock(tx, invited).await?;
    let taken = single_use::consume(tx, kind, secret, now).await?;
    let single_use::Consumed::Taken { payload: _, family } = taken else {
        return Err(OperatorError::Link);
    };
    let found = store::find_in(tx, &family).await?;
    let found = found.filter(|found| found.id == *invited);
    let operator = found.ok_or(OperatorError::Link)?;
    single_use::revoke_family(tx, kind, &family, now).await?;
    evict(own, tx, &operator).await?;
    Ok(operator)
}

/// Ends what let an operator in before.
async fn evict(own: &Operators, tx: &mut Tx, operator: &Operator) -> Result<(), OperatorError> {
    let Operator { id, .. } = operator;
    if let Some(detail) = shut_out(own, tx, id).await? {
        own.log(tx, &operator.actor(), "operator.evict", id, &detail)
            .await?;
    }
    Ok(())
}

/// Ends every passkey, identity and session of an operator; says how many, if there were any.
pub(super) async fn shut_out(
    own: &Operators,
    tx: &mut Tx,
    id: &OperatorId,
) -> Result<Option<String>, DbError> {
    let passkeys = store::delete_passkeys(tx, id).await?;
    let identities = store::delete_identities(tx, id).await?;
    let sessions = store::end_all(tx, id, own.clock.now()).await?;
    let some = passkeys + identities + sessions > 0;
    Ok(some.then(|| format!("passkeys {passkeys}, identities {identities}, sessions {sessions}")))
}

/// Makes a link, after [`manage::begin`].
async fn link(
    own: &Operators,
    tx: &mut Tx,
    actor: &str,
    operator: Operator,
) -> Result<Invitation, OperatorError> {
    if operator.disabled_at.is_some() {
        return Err(OperatorError::Disabled);
    }
    let (now, id) = (own.clock.now(), &operator.id);
    let kind = Kind::OperatorInvitation;
    single_use::revoke_family(tx, kind, id.as_str(), now).await?;
    let secret = Zeroizing::new(token(&*own.rng));
    let object = NewObject {
        payload: Vec::new(),
        family: id.to_string(),
        expires_at: now.plus(INVITATION_S),
    };
    single_use::put(tx, kind, &secret, &object).await?;
    own.log(tx, actor, "operator.invite", id, operator.role.as_str())
        .await?;
    Ok(Invitation { operator, secret })
}
