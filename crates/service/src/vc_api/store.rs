//! Status lists of the VC API in the database.

use vouchsafe_credentials::time::UnixTime;

use crate::db::{Db, DbError, Tx};
use crate::{each, execute};

/// A list.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct ListRow {
    /// Last part of its URL.
    pub id: String,
    /// Its issuer.
    pub issuer: String,
    /// `statusPurpose`.
    pub purpose: String,
    /// Number among the lists of its issuer and purpose.
    pub seq: i64,
    /// Entries.
    pub size: i64,
    /// Counts changes.
    pub version: i64,
}

/// The list that new entries go to.
pub(super) async fn current(
    db: &Db,
    issuer: &str,
    purpose: &str,
) -> Result<Option<ListRow>, DbError> {
    each!(db, p => sqlx::query_as::<_, ListRow>(
        "SELECT id, issuer, purpose, seq, size, version FROM vc_status_list \
         WHERE issuer = $1 AND purpose = $2 ORDER BY seq DESC LIMIT 1")
        .bind(issuer).bind(purpose).fetch_optional(p).await)
}

/// Opens a list unless another process just did.
pub(super) async fn open(tx: &mut Tx, list: &ListRow) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO vc_status_list (id, issuer, purpose, seq, size) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (issuer, purpose, seq) DO NOTHING"
        )
        .bind(list.id.as_str())
        .bind(list.issuer.as_str())
        .bind(list.purpose.as_str())
        .bind(list.seq)
        .bind(list.size)
    )
    .map(drop)
}

/// The list with this id.
pub(super) async fn find(db: &Db, id: &str) -> Result<Option<ListRow>, DbError> {
    each!(db, p => sqlx::query_as::<_, ListRow>(
        "SELECT id, issuer, purpose, seq, size, version FROM vc_status_list WHERE id = $1")
        .bind(id).fetch_optional(p).await)
}

/// Takes an entry that is no credential's yet. False: it is taken.
pub(super) async fn take(tx: &mut Tx, list: &str, idx: i64) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query(
            "INSERT INTO vc_status_entry (list_id, idx) VALUES ($1, $2) \
             ON CONFLICT (list_id, idx) DO NOTHING"
        )
        .bind(list)
        .bind(idx)
    )?;
    Ok(rows == 1)
}

/// Gives a taken entry to a credential. [`DbError::Duplicate`]: the credential has one.
pub(super) async fn assign(
    tx: &mut Tx,
    list: &str,
    idx: i64,
    credential_hash: &str,
) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE vc_status_entry SET credential_hash = $3 \
             WHERE list_id = $1 AND idx = $2 AND credential_hash IS NULL"
        )
        .bind(list)
        .bind(idx)
        .bind(credential_hash)
    )
    .map(drop)
}

/// Forgets an entry that is no credential's.
pub(super) async fn release(tx: &mut Tx, list: &str, idx: i64) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "DELETE FROM vc_status_entry \
             WHERE list_id = $1 AND idx = $2 AND credential_hash IS NULL"
        )
        .bind(list)
        .bind(idx)
    )
    .map(drop)
}

/// The entries of a list that are set.
pub(super) async fn set(db: &Db, list: &str) -> Result<Vec<i64>, DbError> {
    each!(db, p => sqlx::query_scalar::<_, i64>(
        "SELECT idx FROM vc_status_entry WHERE list_id = $1 AND set_at IS NOT NULL")
        .bind(list).fetch_all(p).await)
}

/// Sets the entry of a credential in a list of this purpose; returns list and place. `None`: there
/// is none.
pub(super) async fn set_now(
    tx: &mut Tx,
    credential_hash: &str,
    purpose: &str,
    at: UnixTime,
) -> Result<Option<(String, i64)>, DbError> {
    let rows = execute!(
        tx,
        sqlx::query(
            "UPDATE vc_status_list SET version = version + 1 WHERE purpose = $2 AND id IN \
             (SELECT list_id FROM vc_status_entry WHERE credential_hash = $1)"
        )
        .bind(credential_hash)
        .bind(purpose)
    )?;
    if rows == 0 {
        return Ok(None);
    }
    each!(tx, c => sqlx::query_as::<_, (String, i64)>(
        "UPDATE vc_status_entry SET set_at = $2 WHERE credential_hash = $1 \
         RETURNING list_id, idx")
        .bind(credential_hash).bind(at.0).fetch_optional(c).await)
}
