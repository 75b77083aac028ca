//! Subject records of the organisation.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Table, Tx, each, execute};

use crate::domain::ids::RecordId;

const TABLE: Table = Table("issuer_records");

/// Adds the record unless it is known, and returns the id that it has.
pub async fn ensure(
    tx: &mut Tx,
    fresh: &RecordId,
    record_hash: &[u8],
    record_sealed: &[u8],
    now: UnixTime,
) -> Result<RecordId, DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO issuer_records (id, record_hash, record_sealed, created_at)
         VALUES ($1, $2, $3, $4) ON CONFLICT (record_hash) DO NOTHING"
        )
        .bind(fresh.as_str())
        .bind(record_hash)
        .bind(record_sealed)
        .bind(now.0)
    )
    .map(drop)?;
    let id = each!(tx, c => sqlx::query_scalar::<_, String>(
        "SELECT id FROM issuer_records WHERE record_hash = $1")
        .bind(record_hash).fetch_one(c).await)?;
    parse_id(&id)
}

/// The record with this keyed hash.
pub async fn find(db: &Db, record_hash: &[u8]) -> Result<Option<RecordId>, DbError> {
    let id = each!(db, p => sqlx::query_scalar::<_, String>(
        "SELECT id FROM issuer_records WHERE record_hash = $1")
        .bind(record_hash).fetch_optional(p).await)?;
    id.map(|id| parse_id(&id)).transpose()
}

/// The keyed hash of a record and the organisation's own identifier of it, sealed.
pub async fn sealed_name(db: &Db, id: &RecordId) -> Result<Option<(Vec<u8>, Vec<u8>)>, DbError> {
    each!(db, p => sqlx::query_as::<_, (Vec<u8>, Vec<u8>)>(
        "SELECT record_hash, record_sealed FROM issuer_records WHERE id = $1")
        .bind(id.as_str()).fetch_optional(p).await)
}

fn parse_id(text: &str) -> Result<RecordId, DbError> {
    RecordId::parse(text).map_err(|error| TABLE.invalid("id", error).into())
}
