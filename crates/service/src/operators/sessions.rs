//! Sessions: begun by a sign-in, found by a cookie, ended by the person, by time, or with the
//! operator.

use vouchsafe_credentials::time::UnixTime;

use super::domain::{Method, Operator, OperatorError, OperatorId, Session, SessionSecret};
use super::store::{self, NewSession};
use super::{Operators, SESSION_S};
use crate::db::{DbError, Tx};

/// How often a session notes that it is used, in seconds.
const TOUCH_S: i64 = 60;

/// Begins a session in the transaction that used up what the person proved, and writes the
/// sign-in into the audit log. The secret is fresh: whatever cookie the browser had before stays
/// worth nothing. The operator is read under their lock, so that nobody comes in while they are
/// being disabled. `proven_at` is when the person proved who they are.
pub(super) async fn start(
    own: &Operators,
    tx: &mut Tx,
    operator: &OperatorId,
    (method, proven_at): (Method, UnixTime),
    secret: &SessionSecret,
) -> Result<(), OperatorError> {
    own.lock(tx, operator).await?;
    let found = store::find_in(tx, operator.as_str()).await?;
    let operator = found.ok_or(OperatorError::Unknown)?;
    if operator.disabled_at.is_some() {
        return Err(OperatorError::Disabled);
    }
    let now = own.clock.now();
    let new = NewSession {
        id: &own.ids.next_text(),
        operator: &operator.id,
        secret_hash: &secret.hash(),
        method,
        // A clock that is ahead of ours makes no sign-in more recent than now.
        proven_at: proven_at.min(now),
        now,
        expires_at: now.plus(SESSION_S),
    };
    store::insert_session(tx, &new).await?;
    let (actor, id) = (operator.actor(), &operator.id);
    own.log(tx, &actor, "operator.sign_in", id, method.as_str())
        .await?;
    Ok(())
}

impl Operators {
    /// The session of a cookie, if it lives.
    pub async fn session(&self, secret: &SessionSecret) -> Result<Option<Session>, DbError> {
        let now = self.clock.now();
        let found = store::session(&self.db, &secret.hash(), now).await?;
        let Some(session) = found.filter(|session| !session.is_idle(now)) else {
            return Ok(None);
        };
        if now >= session.seen_at.plus(TOUCH_S) {
            self.touch(&session, now).await?;
        }
        Ok(Some(session))
    }

    /// The operator of a session that lives still, as they are now: for a request whose body took its
    /// time. Not a use of the session.
    pub async fn recheck(&self, session: &Session) -> Result<Option<Operator>, DbError> {
        store::operator_of(&self.db, &session.id, self.clock.now()).await
    }

    /// Ends the session of a cookie that a browser had before it signed in again.
    pub async fn replace(&self, secret: &SessionSecret) -> Result<(), DbError> {
        let now = self.clock.now();
        match store::session(&self.db, &secret.hash(), now).await? {
            Some(session) => self.sign_out(&session).await,
            None => Ok(()),
        }
    }

    async fn touch(&self, session: &Session, now: UnixTime) -> Result<(), DbError> {
        let id = session.id.clone();
        self.db
            .write(async move |tx| store::touch(tx, &id, now).await)
            .await
    }

    /// Ends a session.
    pub async fn sign_out(&self, session: &Session) -> Result<(), DbError> {
        let (own, session) = (self.clone(), session.clone());
        self.db
            .write(async move |tx| {
                if store::end_session(tx, &session.id, own.clock.now()).await? {
                    let Operator { id, .. } = &session.operator;
                    let actor = session.operator.actor();
                    own.log(tx, &actor, "operator.sign_out", id, "").await?;
                }
                Ok(())
            })
            .await
    }
}
