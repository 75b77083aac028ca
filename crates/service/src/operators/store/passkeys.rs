//! `operator_passkey`.

use vouchsafe_credentials::time::UnixTime;

use crate::db::{Db, DbError, RowError, Table, Tx};
use crate::operators::domain::{OperatorId, Passkey};
use crate::webauthn::NewPasskey;
use crate::{each, execute};

const TABLE: Table = Table("operator_passkey");

#[derive(sqlx::FromRow)]
struct PasskeyRow {
    id: String,
    created_at: i64,
    used_at: Option<i64>,
    backup_eligible: bool,
}

/// The passkeys of an operator, oldest first.
pub async fn passkeys(db: &Db, owner: &OperatorId) -> Result<Vec<Passkey>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, PasskeyRow>(
        "SELECT id, created_at, used_at, backup_eligible FROM operator_passkey \
         WHERE operator_id = $1 ORDER BY id LIMIT 100")
        .bind(owner.as_str()).fetch_all(p).await)?;
    let passkey = |row: PasskeyRow| Passkey {
        id: row.id,
        created_at: UnixTime(row.created_at),
        used_at: row.used_at.map(UnixTime),
        backup_eligible: row.backup_eligible,
    };
    Ok(rows.into_iter().map(passkey).collect())
}

/// The credential ids of an operator's passkeys.
pub async fn credential_ids(db: &Db, owner: &OperatorId) -> Result<Vec<Vec<u8>>, DbError> {
    each!(db, p => sqlx::query_scalar::<_, Vec<u8>>(
        "SELECT credential_id FROM operator_passkey WHERE operator_id = $1 ORDER BY id LIMIT 100")
        .bind(owner.as_str()).fetch_all(p).await)
}

/// Adds a passkey. `DbError::Duplicate` where the credential id is known (WebAuthn Level 3,
/// section 7.1, step 25).
pub async fn insert_passkey(
    tx: &mut Tx,
    id: &str,
    owner: &OperatorId,
    new: &NewPasskey,
    now: UnixTime,
) -> Result<(), DbError> {
    let NewPasskey {
        credential_id,
        public_key,
        sign_count,
        backup_eligible,
        backed_up: _,
    } = new;
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO operator_passkey \
         (id, operator_id, credential_id, public_key, sign_count, backup_eligible, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)"
        )
        .bind(id)
        .bind(owner.as_str())
        .bind(credential_id.as_slice())
        .bind(public_key.as_slice())
        .bind(i64::from(*sign_count))
        .bind(*backup_eligible)
        .bind(now.0)
    )?;
    Ok(())
}

/// A passkey as it is kept.
#[derive(Debug, Clone)]
pub struct StoredPasskey {
    /// Its id here.
    pub id: String,
    /// Whose it is.
    pub operator: String,
    /// `COSE_Key`
    pub public_key: Vec<u8>,
    /// How often it had signed.
    pub sign_count: u32,
    /// Whether copies may exist elsewhere.
    pub backup_eligible: bool,
}

#[derive(sqlx::FromRow)]
struct StoredRow {
    id: String,
    operator_id: String,
    public_key: Vec<u8>,
    sign_count: i64,
    backup_eligible: bool,
}

/// The passkey with this credential id.
pub async fn by_credential(
    db: &Db,
    credential_id: &[u8],
) -> Result<Option<StoredPasskey>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, StoredRow>(
        "SELECT id, operator_id, public_key, sign_count, backup_eligible FROM operator_passkey \
         WHERE credential_id = $1").bind(credential_id).fetch_optional(p).await)?;
    let stored = |row: StoredRow| {
        Ok::<_, RowError>(StoredPasskey {
            id: row.id,
            operator: row.operator_id,
            public_key: row.public_key,
            sign_count: u32::try_from(row.sign_count)
                .map_err(|error| TABLE.invalid("sign_count", error))?,
            backup_eligible: row.backup_eligible,
        })
    };
    Ok(row.map(stored).transpose()?)
}

/// Writes down that a passkey signed. False where it is gone, or signed so often meanwhile: of two
/// answers with one count one wins.
pub async fn passkey_used(
    tx: &mut Tx,
    before: &StoredPasskey,
    sign_count: u32,
    now: UnixTime,
) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query(
            "UPDATE operator_passkey SET sign_count = $3, used_at = $4 \
         WHERE id = $1 AND sign_count = $2"
        )
        .bind(&before.id)
        .bind(i64::from(before.sign_count))
        .bind(i64::from(sign_count))
        .bind(now.0)
    )?;
    Ok(rows == 1)
}

/// How many passkeys an operator has.
pub async fn count(tx: &mut Tx, owner: &OperatorId) -> Result<i64, DbError> {
    each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM operator_passkey WHERE operator_id = $1")
        .bind(owner.as_str()).fetch_one(c).await)
}

/// Removes all passkeys of an operator; returns how many there were.
pub async fn delete_passkeys(tx: &mut Tx, owner: &OperatorId) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM operator_passkey WHERE operator_id = $1").bind(owner.as_str())
    )
}

/// Whether this is a passkey of the operator.
pub async fn owns(tx: &mut Tx, owner: &OperatorId, id: &str) -> Result<bool, DbError> {
    let count = each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM operator_passkey WHERE id = $1 AND operator_id = $2")
        .bind(id).bind(owner.as_str()).fetch_one(c).await)?;
    Ok(count > 0)
}

/// How many passkeys each operator has who has any.
pub async fn counts(db: &Db) -> Result<Vec<(String, i64)>, DbError> {
    each!(db, p => sqlx::query_as::<_, (String, i64)>(
        "SELECT operator_id, COUNT(*) FROM operator_passkey GROUP BY operator_id")
        .fetch_all(p).await)
}

/// Removes a passkey, the last one too; false if the operator has no such one.
pub async fn delete_any_passkey(
    tx: &mut Tx,
    owner: &OperatorId,
    id: &str,
) -> Result<bool, DbError> {
    let text = "DELETE FROM operator_passkey WHERE id = $1 AND operator_id = $2";
    let rows = execute!(tx, sqlx::query(text).bind(id).bind(owner.as_str()))?;
    Ok(rows == 1)
}

/// Removes a passkey unless it is the last one. The caller holds the operator's lock.
pub async fn delete_passkey(tx: &mut Tx, owner: &OperatorId, id: &str) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query(
            "DELETE FROM operator_passkey WHERE id = $1 AND operator_id = $2 \
         AND (SELECT COUNT(*) FROM operator_passkey WHERE operator_id = $2) > 1"
        )
        .bind(id)
        .bind(owner.as_str())
    )?;
    Ok(rows == 1)
}
