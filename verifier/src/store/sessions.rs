//! `login_sessions`, `session_clients`, `session_credentials`.

use vouchsafe_credentials::sd_jwt_vc::IssuerIdentity;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Table, Tx, each, execute};

use crate::domain::ids::{ClientId, QueryId, SecretDigest, SessionId, Sid, SubjectId};
use crate::domain::session::{Authentication, CardRef, EndReason, Session, SessionClient};

#[derive(sqlx::FromRow)]
struct SessionRow {
    id: String,
    subject_id: Option<String>,
    auth_time: i64,
    acr: String,
    amr: String,
    query_id: String,
    expires_at: i64,
}

const TABLE: Table = Table("login_sessions");

impl TryFrom<SessionRow> for Session {
    type Error = DbError;

    fn try_from(row: SessionRow) -> Result<Self, DbError> {
        let SessionRow {
            id,
            subject_id,
            auth_time,
            acr,
            amr,
            query_id,
            expires_at,
        } = row;
        let amr = amr.split(' ').map(str::to_owned).collect();
        Ok(Self {
            id: SessionId::from_text(id),
            subject: subject_id
                .map(|id| SubjectId::parse(&id))
                .transpose()
                .map_err(|error| TABLE.invalid("subject_id", error))?,
            authentication: Authentication {
                auth_time: UnixTime(auth_time),
                acr,
                amr,
            },
            query: QueryId::from_text(query_id),
            expires_at: UnixTime(expires_at),
        })
    }
}

#[derive(sqlx::FromRow)]
struct ClientRow {
    sid: String,
    session_id: String,
    client_id: String,
    sub: String,
}

impl From<ClientRow> for SessionClient {
    fn from(row: ClientRow) -> Self {
        let ClientRow {
            sid,
            session_id,
            client_id,
            sub,
        } = row;
        Self {
            sid: Sid::from_text(sid),
            session: SessionId::from_text(session_id),
            client: ClientId::from_text(client_id),
            sub,
        }
    }
}

/// The live session of a browser.
pub async fn of_cookie(
    db: &Db,
    cookie: &SecretDigest,
    now: UnixTime,
) -> Result<Option<Session>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, SessionRow>(
        "SELECT id, subject_id, auth_time, acr, amr, query_id, expires_at FROM login_sessions \
         WHERE cookie_hash = $1 AND ended_at IS NULL AND expires_at > $2")
        .bind(cookie.as_str()).bind(now.0).fetch_optional(p).await)?;
    row.map(Session::try_from).transpose()
}

/// The live sessions of an account, newest first.
pub async fn of_subject(
    db: &Db,
    subject: &SubjectId,
    now: UnixTime,
) -> Result<Vec<Session>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, SessionRow>(
        "SELECT id, subject_id, auth_time, acr, amr, query_id, expires_at FROM login_sessions \
         WHERE subject_id = $1 AND ended_at IS NULL AND expires_at > $2 ORDER BY auth_time DESC, id LIMIT 100")
        .bind(subject.as_str()).bind(now.0).fetch_all(p).await)?;
    rows.into_iter().map(Session::try_from).collect()
}

/// All live sessions of an account.
pub async fn all_of_subject(
    db: &Db,
    subject: &SubjectId,
    now: UnixTime,
) -> Result<Vec<Session>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, SessionRow>(
        "SELECT id, subject_id, auth_time, acr, amr, query_id, expires_at FROM login_sessions \
         WHERE subject_id = $1 AND ended_at IS NULL AND expires_at > $2 ORDER BY auth_time DESC, id")
        .bind(subject.as_str()).bind(now.0).fetch_all(p).await)?;
    rows.into_iter().map(Session::try_from).collect()
}

/// The session that an application calls `sid`.
pub async fn of_sid(
    db: &Db,
    sid: &Sid,
    client: &ClientId,
) -> Result<Option<SessionClient>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, ClientRow>(
        "SELECT sid, session_id, client_id, sub FROM session_clients WHERE sid = $1 AND client_id = $2")
        .bind(sid.as_str()).bind(client.as_str()).fetch_optional(p).await)?;
    Ok(row.map(SessionClient::from))
}

/// A session without a browser has the application that goes on with it, under the `sid` of the
/// login.
const CLIENTS: &str = "SELECT sid, session_id, client_id, sub, created_at FROM session_clients WHERE session_id = $1 \
     UNION ALL SELECT sid, session_id, client_id, sub, created_at FROM refresh_grants WHERE session_id = $1 \
     ORDER BY created_at, sid";

/// The applications of a session.
pub async fn clients(db: &Db, session: &SessionId) -> Result<Vec<SessionClient>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, ClientRow>(
        CLIENTS).bind(session.as_str()).fetch_all(p).await)?;
    Ok(rows.into_iter().map(SessionClient::from).collect())
}

/// A page of the applications that may still believe in a session, in the order of `sid`.
pub async fn members_after(tx: &mut Tx, sid: &str) -> Result<Vec<SessionClient>, DbError> {
    let rows = each!(tx, c => sqlx::query_as::<_, ClientRow>(
        "SELECT sid, MIN(session_id) AS session_id, client_id, sub FROM \
             (SELECT sid, session_id, client_id, sub FROM session_clients \
              UNION ALL SELECT sid, session_id, client_id, sub FROM refresh_grants) AS members \
         WHERE sid > $1 AND NOT EXISTS (SELECT 1 FROM login_sessions s \
             WHERE s.id = members.session_id AND s.ended_at IS NOT NULL) \
         GROUP BY sid, client_id, sub ORDER BY sid LIMIT 500").bind(sid).fetch_all(c).await)?;
    Ok(rows.into_iter().map(SessionClient::from).collect())
}

/// Writes a new session; `cookie` is `None` for a guest.
pub async fn insert(
    tx: &mut Tx,
    session: &Session,
    cookie: Option<&SecretDigest>,
    now: UnixTime,
) -> Result<(), DbError> {
    let Session {
        id,
        subject,
        authentication,
        query,
        expires_at,
    } = session;
    execute!(tx, sqlx::query(
        "INSERT INTO login_sessions (id, cookie_hash, subject_id, auth_time, acr, amr, query_id, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(id.as_str()).bind(cookie.map(SecretDigest::as_str)).bind(subject.as_ref().map(SubjectId::as_str))
        .bind(authentication.auth_time.0).bind(authentication.acr.as_str()).bind(authentication.amr.join(" "))
        .bind(query.as_str()).bind(now.0).bind(expires_at.0))?;
    Ok(())
}

/// The same person showed a card again: a new cookie, a new time, the same `sid`s. `false` if the
/// session has ended meanwhile.
pub async fn renew(tx: &mut Tx, session: &Session, cookie: &SecretDigest) -> Result<bool, DbError> {
    let Session {
        id,
        subject: _,
        authentication,
        query,
        expires_at,
    } = session;
    execute!(tx, sqlx::query(
        "UPDATE login_sessions SET cookie_hash = $1, auth_time = $2, acr = $3, amr = $4, query_id = $5, expires_at = $6 \
         WHERE id = $7 AND ended_at IS NULL")
        .bind(cookie.as_str()).bind(authentication.auth_time.0).bind(authentication.acr.as_str())
        .bind(authentication.amr.join(" ")).bind(query.as_str()).bind(expires_at.0).bind(id.as_str())).map(|rows| rows == 1)
}

/// Lets a live session last until another time; `false` if it is over.
pub async fn extend(
    tx: &mut Tx,
    session: &SessionId,
    until: UnixTime,
    now: UnixTime,
) -> Result<bool, DbError> {
    let sql = "UPDATE login_sessions SET expires_at = $1 \
         WHERE id = $2 AND ended_at IS NULL AND expires_at > $3";
    let rows = execute!(
        tx,
        sqlx::query(sql)
            .bind(until.0)
            .bind(session.as_str())
            .bind(now.0)
    )?;
    Ok(rows == 1)
}

/// Notes that an application takes part in a session and returns its `sid`, which stays the same
/// for as long as the session lives.
pub async fn attach_client(
    tx: &mut Tx,
    new: &SessionClient,
    now: UnixTime,
) -> Result<Sid, DbError> {
    let sid = each!(tx, c => sqlx::query_scalar::<_, String>(
        "INSERT INTO session_clients (sid, session_id, client_id, sub, created_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (session_id, client_id) DO UPDATE SET sub = EXCLUDED.sub RETURNING sid")
        .bind(new.sid.as_str()).bind(new.session.as_str()).bind(new.client.as_str()).bind(new.sub.as_str())
        .bind(now.0).fetch_one(c).await)?;
    Ok(Sid::from_text(sid))
}

/// Puts the cards of a fresh login behind a session; an older card of the same issuer and type
/// no longer matters.
pub async fn put_cards(
    tx: &mut Tx,
    session: &SessionId,
    cards: &[CardRef],
    now: UnixTime,
) -> Result<(), DbError> {
    for CardRef {
        issuer,
        credential_type,
        status,
        expires_at: _,
    } in cards
    {
        let issuer = issuer_text(issuer)?;
        execute!(tx, sqlx::query(
            "DELETE FROM session_credentials WHERE session_id = $1 AND issuer = $2 AND credential_type = $3")
            .bind(session.as_str()).bind(issuer.as_str()).bind(credential_type.as_str()))?;
        let Some(status) = status else { continue };
        let idx = i64::try_from(status.idx)
            .map_err(|_| Table("session_credentials").invalid("status_idx", "out of range"))?;
        execute!(tx, sqlx::query(
            "INSERT INTO session_credentials (session_id, issuer, credential_type, status_uri, status_idx, checked_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING")
            .bind(session.as_str()).bind(issuer.as_str()).bind(credential_type.as_str())
            .bind(status.uri.as_str()).bind(idx).bind(now.0))?;
    }
    Ok(())
}

/// An issuer's identity as the column holds it.
fn issuer_text(issuer: &IssuerIdentity) -> Result<String, DbError> {
    let text = serde_json::to_string(issuer);
    text.map_err(|_| {
        Table("session_credentials")
            .invalid("issuer", "does not serialise")
            .into()
    })
}

/// Ends a session and returns its applications; `None` if it had ended before.
pub async fn end(
    tx: &mut Tx,
    session: &SessionId,
    reason: EndReason,
    now: UnixTime,
) -> Result<Option<Vec<SessionClient>>, DbError> {
    let ended = execute!(tx, sqlx::query(
        "UPDATE login_sessions SET ended_at = $1, ended_reason = $2, cookie_hash = NULL WHERE id = $3 AND ended_at IS NULL")
        .bind(now.0).bind(reason.code()).bind(session.as_str())).map(|rows| rows == 1)?;
    if !ended {
        return Ok(None);
    }
    execute!(
        tx,
        sqlx::query("DELETE FROM session_credentials WHERE session_id = $1").bind(session.as_str())
    )?;
    let rows = each!(tx, c => sqlx::query_as::<_, ClientRow>(
        CLIENTS).bind(session.as_str()).fetch_all(c).await)?;
    Ok(Some(rows.into_iter().map(SessionClient::from).collect()))
}

/// Whether a session is live.
pub async fn is_live(tx: &mut Tx, session: &SessionId, now: UnixTime) -> Result<bool, DbError> {
    let live = each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM login_sessions WHERE id = $1 AND ended_at IS NULL AND expires_at > $2")
        .bind(session.as_str()).bind(now.0).fetch_one(c).await)?;
    Ok(live > 0)
}

/// Keeps a live session as it is until the transaction is over, and says when it ends; `None` if
/// it is over. What is written for a session holds it first, so that its end misses nothing.
pub async fn hold(
    tx: &mut Tx,
    session: &SessionId,
    now: UnixTime,
) -> Result<Option<UnixTime>, DbError> {
    // An update that changes nothing locks the row on PostgreSQL; SQLite has one writer.
    let ends_at = each!(tx, c => sqlx::query_scalar::<_, i64>(
        "UPDATE login_sessions SET expires_at = expires_at \
         WHERE id = $1 AND ended_at IS NULL AND expires_at > $2 RETURNING expires_at")
        .bind(session.as_str()).bind(now.0).fetch_optional(c).await)?;
    Ok(ends_at.map(UnixTime))
}

/// The sessions of an account that have not ended, without one.
pub async fn others_of(
    tx: &mut Tx,
    subject: &SubjectId,
    session: &SessionId,
) -> Result<Vec<SessionId>, DbError> {
    let ids = each!(tx, c => sqlx::query_scalar::<_, String>(
        "SELECT id FROM login_sessions WHERE subject_id = $1 AND id <> $2 AND ended_at IS NULL ORDER BY id")
        .bind(subject.as_str()).bind(session.as_str()).fetch_all(c).await)?;
    Ok(ids.into_iter().map(SessionId::from_text).collect())
}

/// The sessions of an account in which an application takes part, with a browser or without, that have
/// not ended.
pub async fn with_client(
    tx: &mut Tx,
    subject: &SubjectId,
    client: &ClientId,
) -> Result<Vec<SessionId>, DbError> {
    let ids = each!(tx, c => sqlx::query_scalar::<_, String>(
        "SELECT id FROM login_sessions s WHERE subject_id = $1 AND ended_at IS NULL AND (\
             EXISTS (SELECT 1 FROM session_clients m WHERE m.session_id = s.id AND m.client_id = $2) \
             OR EXISTS (SELECT 1 FROM refresh_grants g WHERE g.session_id = s.id AND g.client_id = $2)) \
         ORDER BY id")
        .bind(subject.as_str()).bind(client.as_str()).fetch_all(c).await)?;
    Ok(ids.into_iter().map(SessionId::from_text).collect())
}

/// The sessions of an account that have not ended.
pub async fn open_of(tx: &mut Tx, subject: &SubjectId) -> Result<Vec<SessionId>, DbError> {
    let ids = each!(tx, c => sqlx::query_scalar::<_, String>(
        "SELECT id FROM login_sessions WHERE subject_id = $1 AND ended_at IS NULL ORDER BY id")
        .bind(subject.as_str()).fetch_all(c).await)?;
    Ok(ids.into_iter().map(SessionId::from_text).collect())
}

/// Whether a session is of an account and has not ended.
pub async fn is_of(db: &Db, session: &SessionId, subject: &SubjectId) -> Result<bool, DbError> {
    let found = each!(db, p => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM login_sessions WHERE id = $1 AND subject_id = $2 AND ended_at IS NULL")
        .bind(session.as_str()).bind(subject.as_str()).fetch_one(p).await)?;
    Ok(found > 0)
}

/// When a session ends that is live, as far as a reader knows. Never a permission to write.
pub async fn ends_at(
    db: &Db,
    session: &SessionId,
    now: UnixTime,
) -> Result<Option<UnixTime>, DbError> {
    let ends_at = each!(db, p => sqlx::query_scalar::<_, i64>(
        "SELECT expires_at FROM login_sessions WHERE id = $1 AND ended_at IS NULL AND expires_at > $2")
        .bind(session.as_str()).bind(now.0).fetch_optional(p).await)?;
    Ok(ends_at.map(UnixTime))
}

/// How many sessions are live.
pub async fn count_live(db: &Db, now: UnixTime) -> Result<i64, DbError> {
    each!(db, p => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM login_sessions WHERE ended_at IS NULL AND expires_at > $1")
        .bind(now.0).fetch_one(p).await)
}

/// Deletes sessions that ended or expired before `before`, with all that hangs on them.
pub async fn purge(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    execute!(tx, sqlx::query(
        "DELETE FROM session_credentials WHERE session_id IN (SELECT id FROM login_sessions WHERE expires_at < $1)")
        .bind(before.0))?;
    execute!(tx, sqlx::query(
        "DELETE FROM session_clients WHERE session_id IN (SELECT id FROM login_sessions WHERE expires_at < $1)")
        .bind(before.0))?;
    execute!(tx, sqlx::query(
        "DELETE FROM refresh_grants WHERE session_id IN (SELECT id FROM login_sessions WHERE expires_at < $1)")
        .bind(before.0))?;
    execute!(
        tx,
        sqlx::query("DELETE FROM login_sessions WHERE expires_at < $1").bind(before.0)
    )
}
