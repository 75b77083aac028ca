//! `login_failures`.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, STEP, Table, Tx, each, execute};
use vouchsafe_service::delete_step;

use crate::domain::reason::Explanation;

const TABLE: Table = Table("login_failures");

/// Why a login failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginFailure {
    /// Its code.
    pub code: String,
    /// Which page explained it.
    pub explanation: Explanation,
}

/// Writes why a login failed; the first reason stands.
pub(super) async fn insert(
    tx: &mut Tx,
    (login, reference): (&str, &str),
    new: &LoginFailure,
    now: UnixTime,
) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO login_failures (login_id, reference, code, explanation, failed_at) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"
        )
        .bind(login)
        .bind(reference)
        .bind(new.code.as_str())
        .bind(new.explanation.key())
        .bind(now.0)
    )
    .map(drop)
}

/// Why the last login under a reference failed.
pub async fn find(db: &Db, reference: &str) -> Result<Option<LoginFailure>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, (String, String)>(
        "SELECT code, explanation FROM login_failures WHERE reference = $1 ORDER BY failed_at DESC, login_id LIMIT 1")
        .bind(reference).fetch_optional(p).await)?;
    row.map(|(code, key)| {
        let explanation = Explanation::of_key(&key);
        let explanation =
            explanation.ok_or_else(|| TABLE.invalid("explanation", "not one of ours"))?;
        Ok(LoginFailure { code, explanation })
    })
    .transpose()
}

/// Deletes the oldest failures beyond so many, of all codes together: each of them is cheap to bring about.
pub async fn cap(tx: &mut Tx, most: i64) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(
            "DELETE FROM login_failures WHERE login_id IN (\
                 SELECT login_id FROM login_failures \
                 ORDER BY failed_at DESC, login_id DESC LIMIT $1 OFFSET $2)"
        )
        .bind(i64::from(STEP))
        .bind(most)
    )
}

/// Deletes what failed before `before`.
pub async fn purge(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(delete_step!("login_failures", "login_id", "failed_at < $1"))
            .bind(before.0)
            .bind(i64::from(STEP))
    )
}
