//! `operator_session`.

use vouchsafe_credentials::time::UnixTime;

use super::{OperatorRow, operator};
use crate::db::{Db, DbError, RowError, STEP, Tx};
use crate::operators::domain::{Method, Operator, OperatorId, Session};
use crate::{delete_step, each, execute};

/// A session to be stored.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// Id of the row.
    pub id: &'a str,
    /// Who.
    pub operator: &'a OperatorId,
    /// Hash of the cookie.
    pub secret_hash: &'a str,
    /// How they signed in.
    pub method: Method,
    /// When they proved who they are: here, or at an OpenID Provider before.
    pub proven_at: UnixTime,
    /// When it begins.
    pub now: UnixTime,
    /// When it ends at the latest.
    pub expires_at: UnixTime,
}

/// Adds a session.
pub async fn insert_session(tx: &mut Tx, new: &NewSession<'_>) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO operator_session \
         (id, operator_id, secret_hash, method, signed_in_at, seen_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)"
        )
        .bind(new.id)
        .bind(new.operator.as_str())
        .bind(new.secret_hash)
        .bind(new.method.as_str())
        .bind(new.proven_at.0)
        .bind(new.now.0)
        .bind(new.expires_at.0)
    )?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct SessionRow {
    session_id: String,
    signed_in_at: i64,
    seen_at: i64,
    #[sqlx(flatten)]
    operator: OperatorRow,
}

/// The session of a cookie that has not ended, of an operator who is not disabled.
pub async fn session(
    db: &Db,
    secret_hash: &str,
    now: UnixTime,
) -> Result<Option<Session>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, SessionRow>(
        "SELECT s.id AS session_id, s.signed_in_at, s.seen_at, o.id, o.name, o.role, \
                o.created_at, o.disabled_at \
         FROM operator_session s JOIN operator o ON o.id = s.operator_id \
         WHERE s.secret_hash = $1 AND s.ended_at IS NULL AND s.expires_at > $2 \
           AND o.disabled_at IS NULL")
        .bind(secret_hash).bind(now.0).fetch_optional(p).await)?;
    let session = |row: SessionRow| {
        Ok::<_, RowError>(Session {
            id: row.session_id,
            operator: row.operator.try_into()?,
            signed_in_at: UnixTime(row.signed_in_at),
            seen_at: UnixTime(row.seen_at),
        })
    };
    Ok(row.map(session).transpose()?)
}

const OPERATOR_OF: &str = "SELECT o.id, o.name, o.role, o.created_at, o.disabled_at \
     FROM operator_session s JOIN operator o ON o.id = s.operator_id \
     WHERE s.id = $1 AND s.ended_at IS NULL AND s.expires_at > $2 AND o.disabled_at IS NULL";

/// The operator of a session that has not ended, if they are not disabled.
pub async fn operator_of(
    db: &Db,
    session: &str,
    now: UnixTime,
) -> Result<Option<Operator>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, OperatorRow>(OPERATOR_OF)
        .bind(session).bind(now.0).fetch_optional(p).await)?;
    operator(row)
}

/// The same inside a transaction.
pub async fn operator_of_in(
    tx: &mut Tx,
    session: &str,
    now: UnixTime,
) -> Result<Option<Operator>, DbError> {
    let row = each!(tx, c => sqlx::query_as::<_, OperatorRow>(OPERATOR_OF)
        .bind(session).bind(now.0).fetch_optional(c).await)?;
    operator(row)
}

/// Notes that a session is used.
pub async fn touch(tx: &mut Tx, id: &str, now: UnixTime) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("UPDATE operator_session SET seen_at = $2 WHERE id = $1 AND seen_at < $2")
            .bind(id)
            .bind(now.0)
    )?;
    Ok(())
}

/// Ends a session; false if it has ended before.
pub async fn end_session(tx: &mut Tx, id: &str, now: UnixTime) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query("UPDATE operator_session SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL")
            .bind(id)
            .bind(now.0)
    )?;
    Ok(rows == 1)
}

/// Ends all sessions of an operator.
pub async fn end_all(tx: &mut Tx, owner: &OperatorId, now: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE operator_session SET ended_at = $2 WHERE operator_id = $1 AND ended_at IS NULL"
        )
        .bind(owner.as_str())
        .bind(now.0)
    )
}

/// Ends all sessions of an operator but one.
pub async fn end_others(
    tx: &mut Tx,
    owner: &OperatorId,
    but: &str,
    now: UnixTime,
) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE operator_session SET ended_at = $3 \
         WHERE operator_id = $1 AND id <> $2 AND ended_at IS NULL"
        )
        .bind(owner.as_str())
        .bind(but)
        .bind(now.0)
    )
}

/// Forgets sessions that ended before `before`, [`STEP`] of them at most.
pub async fn purge(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(delete_step!("operator_session", "id", "expires_at < $1"))
            .bind(before.0)
            .bind(i64::from(STEP))
    )
}
