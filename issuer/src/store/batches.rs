//! Tables of persons that were uploaded, and how far their offers are.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Tx, each, execute};

use crate::domain::ids::OfferId;

/// A table that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its id.
    pub id: String,
    /// Id of the credential type.
    pub credential_type: String,
    /// How many offers it brought.
    pub size: i64,
    /// Who uploaded it, as in the audit log.
    pub author: String,
    /// When.
    pub created_at: UnixTime,
}

/// How far the offers of a table are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Offers that were redeemed.
    pub redeemed: i64,
    /// Offers whose time is over.
    pub expired: i64,
}

#[derive(sqlx::FromRow)]
struct BatchRow {
    id: String,
    credential_type: String,
    size: i64,
    author: String,
    created_at: i64,
}

impl From<BatchRow> for Batch {
    fn from(row: BatchRow) -> Self {
        let BatchRow {
            id,
            credential_type,
            size,
            author,
            created_at,
        } = row;
        Self {
            id,
            credential_type,
            size,
            author,
            created_at: UnixTime(created_at),
        }
    }
}

/// Adds a table with its offers, in the transaction that made them.
pub async fn insert(tx: &mut Tx, batch: &Batch, offers: &[OfferId]) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO issuer_batches (id, credential_type, size, author, created_at)
             VALUES ($1, $2, $3, $4, $5)"
        )
        .bind(&batch.id)
        .bind(&batch.credential_type)
        .bind(batch.size)
        .bind(&batch.author)
        .bind(batch.created_at.0)
    )?;
    for offer in offers {
        execute!(
            tx,
            sqlx::query("INSERT INTO issuer_batch_offers (batch_id, offer_id) VALUES ($1, $2)")
                .bind(&batch.id)
                .bind(offer.as_str())
        )?;
    }
    Ok(())
}

/// The newest tables.
pub async fn newest(db: &Db, limit: u32) -> Result<Vec<Batch>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, BatchRow>(
        "SELECT id, credential_type, size, author, created_at FROM issuer_batches
         ORDER BY id DESC LIMIT $1").bind(i64::from(limit)).fetch_all(p).await)?;
    Ok(rows.into_iter().map(Batch::from).collect())
}

/// The table with this id.
pub async fn find(db: &Db, id: &str) -> Result<Option<Batch>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, BatchRow>(
        "SELECT id, credential_type, size, author, created_at FROM issuer_batches WHERE id = $1")
        .bind(id).fetch_optional(p).await)?;
    Ok(row.map(Batch::from))
}

/// How far the offers of a table are.
pub async fn progress(db: &Db, id: &str, now: UnixTime) -> Result<Progress, DbError> {
    let (redeemed, expired) = each!(db, p => sqlx::query_as::<_, (i64, i64)>(
        "SELECT COUNT(CASE WHEN o.redeemed >= o.redemptions THEN 1 END),
                COUNT(CASE WHEN o.redeemed < o.redemptions AND o.expires_at <= $2 THEN 1 END)
         FROM issuer_batch_offers b JOIN issuer_offers o ON o.id = b.offer_id
         WHERE b.batch_id = $1")
        .bind(id).bind(now.0).fetch_one(p).await)?;
    Ok(Progress { redeemed, expired })
}
