//! `refresh_grants`: what an application goes on with while the person is away. The tokens
//! themselves are single-use objects of the service crate, under the same family.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Tx, each, execute};

use crate::domain::ids::{ClientId, SessionId, SubjectId};
use crate::domain::session::{Authentication, SessionClient};

/// A grant to be written.
#[derive(Debug, Clone)]
pub struct NewRefreshGrant {
    /// The login whose tokens live and die together.
    pub family: String,
    /// The application, and the new session, which has no browser.
    pub member: SessionClient,
    /// The session of the login.
    pub login_session: SessionId,
    /// How the person was authenticated then.
    pub authentication: Authentication,
    /// When it ends unless it is used.
    pub expires_at: UnixTime,
}

/// Opens the session of a grant, on the cards of the login's session. `false` where that one has
/// ended or is a guest's.
pub async fn insert(tx: &mut Tx, new: &NewRefreshGrant, now: UnixTime) -> Result<bool, DbError> {
    let NewRefreshGrant {
        family,
        member,
        login_session,
        authentication,
        expires_at,
    } = new;
    let opened = execute!(tx, sqlx::query(
        "INSERT INTO login_sessions (id, cookie_hash, subject_id, auth_time, acr, amr, query_id, created_at, expires_at) \
         SELECT $1, NULL, subject_id, $2, $3, $4, query_id, $5, $6 FROM login_sessions \
         WHERE id = $7 AND subject_id IS NOT NULL AND ended_at IS NULL AND expires_at > $5")
        .bind(member.session.as_str()).bind(authentication.auth_time.0).bind(authentication.acr.as_str())
        .bind(authentication.amr.join(" ")).bind(now.0).bind(expires_at.0).bind(login_session.as_str()))?;
    if opened != 1 {
        return Ok(false);
    }
    execute!(tx, sqlx::query(
        "INSERT INTO session_credentials (session_id, issuer, credential_type, status_uri, status_idx, checked_at) \
         SELECT $1, issuer, credential_type, status_uri, status_idx, checked_at FROM session_credentials \
         WHERE session_id = $2")
        .bind(member.session.as_str()).bind(login_session.as_str()))?;
    execute!(tx, sqlx::query(
        "INSERT INTO refresh_grants (family, session_id, login_session, client_id, sid, sub, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)")
        .bind(family.as_str()).bind(member.session.as_str()).bind(login_session.as_str())
        .bind(member.client.as_str()).bind(member.sid.as_str()).bind(member.sub.as_str()).bind(now.0))?;
    Ok(true)
}

/// Whose a grant is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The application.
    pub client: ClientId,
    /// The session without a browser.
    pub session: SessionId,
}

/// Whose the grant of a family is, over or not.
pub async fn holder(tx: &mut Tx, family: &str) -> Result<Option<Holder>, DbError> {
    let row = each!(tx, c => sqlx::query_as::<_, (String, String)>(
        "SELECT client_id, session_id FROM refresh_grants WHERE family = $1")
        .bind(family).fetch_optional(c).await)?;
    Ok(row.map(|(client, session)| Holder {
        client: ClientId::from_text(client),
        session: SessionId::from_text(session),
    }))
}

/// The sessions of the grants that come from logins in a session.
pub async fn of_login(tx: &mut Tx, login: &SessionId) -> Result<Vec<SessionId>, DbError> {
    let ids = each!(tx, c => sqlx::query_scalar::<_, String>(
        "SELECT session_id FROM refresh_grants WHERE login_session = $1 ORDER BY session_id")
        .bind(login.as_str()).fetch_all(c).await)?;
    Ok(ids.into_iter().map(SessionId::from_text).collect())
}

/// Sessions of an account that stand behind refresh tokens and have not ended.
pub async fn of_subject(tx: &mut Tx, subject: &SubjectId) -> Result<Vec<SessionId>, DbError> {
    let ids = each!(tx, c => sqlx::query_scalar::<_, String>(
        "SELECT g.session_id FROM refresh_grants g JOIN login_sessions s ON s.id = g.session_id \
         WHERE s.subject_id = $1 AND s.ended_at IS NULL")
        .bind(subject.as_str()).fetch_all(c).await)?;
    Ok(ids.into_iter().map(SessionId::from_text).collect())
}

/// Whether a session is one without a browser.
pub async fn is_away(db: &Db, session: &SessionId) -> Result<bool, DbError> {
    let count = each!(db, p => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM refresh_grants WHERE session_id = $1")
        .bind(session.as_str()).fetch_one(p).await)?;
    Ok(count > 0)
}
