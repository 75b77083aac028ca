//! Credential types that came over REST, in every version. Rows are never changed or deleted.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Tx, each, execute};

/// A version of a type.
#[derive(Debug, Clone)]
pub struct StoredType {
    /// The id of the type.
    pub id: String,
    /// Counts from 1.
    pub version: i64,
    /// The description (TOML).
    pub text: String,
    /// When it came.
    pub created_at: UnixTime,
}

/// How many versions there are, of all types.
pub async fn count(db: &Db) -> Result<i64, DbError> {
    each!(db, p => sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM issuer_credential_types")
        .fetch_one(p).await)
}

/// All versions of all types, the oldest first.
pub async fn all(db: &Db) -> Result<Vec<StoredType>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, (String, i64, String, i64)>(
        "SELECT id, version, definition, created_at FROM issuer_credential_types
         ORDER BY id, version")
        .fetch_all(p).await)?;
    let stored = rows
        .into_iter()
        .map(|(id, version, text, created_at)| StoredType {
            id,
            version,
            text,
            created_at: UnixTime(created_at),
        });
    Ok(stored.collect())
}

/// The newest version of a type, inside the transaction that adds the next.
pub async fn newest(tx: &mut Tx, id: &str) -> Result<Option<i64>, DbError> {
    each!(tx, c => sqlx::query_scalar::<_, Option<i64>>(
        "SELECT MAX(version) FROM issuer_credential_types WHERE id = $1")
        .bind(id).fetch_one(c).await)
}

/// Adds a version. False when somebody else added it in the same moment.
pub async fn insert(tx: &mut Tx, new: &StoredType) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query(
            "INSERT INTO issuer_credential_types (id, version, definition, created_at)
         VALUES ($1, $2, $3, $4) ON CONFLICT (id, version) DO NOTHING"
        )
        .bind(&new.id)
        .bind(new.version)
        .bind(&new.text)
        .bind(new.created_at.0)
    )?;
    Ok(rows == 1)
}
