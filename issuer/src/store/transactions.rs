//! Requests that wait for a decision (OpenID4VCI 1.0, section 9).

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, RowError, STEP, Table, Tx, delete_step, each, execute};

use crate::domain::ids::OfferId;
use crate::domain::secret::SecretHash;

const TABLE: Table = Table("issuer_transactions");

/// A request that waits.
#[derive(Debug, Clone)]
pub struct Transaction {
    /// The offer that it is about.
    pub offer: OfferId,
    /// The id of the credential type.
    pub credential_type: String,
    /// Keys and claims, sealed; gone once they are issued or denied.
    pub order_sealed: Option<Vec<u8>>,
    /// When it ends.
    pub expires_at: UnixTime,
    /// Whether its credentials were issued.
    pub done: bool,
}

#[derive(sqlx::FromRow)]
struct TransactionRow {
    offer_id: String,
    credential_type: String,
    order_sealed: Option<Vec<u8>>,
    expires_at: i64,
    done_at: Option<i64>,
}

impl TryFrom<TransactionRow> for Transaction {
    type Error = RowError;

    fn try_from(row: TransactionRow) -> Result<Self, RowError> {
        let TransactionRow {
            offer_id,
            credential_type,
            order_sealed,
            expires_at,
            done_at,
        } = row;
        Ok(Self {
            offer: OfferId::parse(&offer_id).map_err(|e| TABLE.invalid("offer_id", e))?,
            credential_type,
            order_sealed,
            expires_at: UnixTime(expires_at),
            done: done_at.is_some(),
        })
    }
}

/// Adds a transaction unless the offer has `most` that are open; gives how many there were before.
pub async fn insert(
    tx: &mut Tx,
    id: &SecretHash,
    transaction: &Transaction,
    most: i64,
) -> Result<Option<i64>, DbError> {
    let open = each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM issuer_transactions WHERE offer_id = $1 AND done_at IS NULL")
        .bind(transaction.offer.as_str()).fetch_one(c).await)?;
    if open >= most {
        return Ok(None);
    }
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO issuer_transactions (transaction_hash, offer_id, credential_type,
            order_sealed, next_poll_at, expires_at)
         VALUES ($1, $2, $3, $4, 0, $5)"
        )
        .bind(id.as_bytes())
        .bind(transaction.offer.as_str())
        .bind(&transaction.credential_type)
        .bind(transaction.order_sealed.as_deref())
        .bind(transaction.expires_at.0)
    )
    .map(|_| Some(open))
}

/// The transaction, if it has not expired.
pub async fn find(db: &Db, id: &SecretHash, now: UnixTime) -> Result<Option<Transaction>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, TransactionRow>(
        "SELECT offer_id, credential_type, order_sealed, expires_at, done_at
         FROM issuer_transactions WHERE transaction_hash = $1 AND expires_at > $2")
        .bind(id.as_bytes()).bind(now.0).fetch_optional(p).await)?;
    Ok(row.map(Transaction::try_from).transpose()?)
}

/// Counts one look at a transaction that still waits. False when the next look was not due yet;
/// then nothing changes.
pub async fn poll(
    tx: &mut Tx,
    id: &SecretHash,
    now: UnixTime,
    next: UnixTime,
) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_transactions SET next_poll_at = $3
         WHERE transaction_hash = $1 AND next_poll_at <= $2"
        )
        .bind(id.as_bytes())
        .bind(now.0)
        .bind(next.0)
    )?;
    Ok(rows == 1)
}

/// Ends a transaction whose credentials are issued, and forgets keys and claims. True for exactly
/// one caller.
pub async fn finish(tx: &mut Tx, id: &SecretHash, now: UnixTime) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_transactions SET done_at = $2, order_sealed = NULL
         WHERE transaction_hash = $1 AND done_at IS NULL AND expires_at > $2"
        )
        .bind(id.as_bytes())
        .bind(now.0)
    )?;
    Ok(rows == 1)
}

/// Forgets keys and claims of the transactions of an offer.
pub async fn forget_of_offer(tx: &mut Tx, offer: &OfferId) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("UPDATE issuer_transactions SET order_sealed = NULL WHERE offer_id = $1")
            .bind(offer.as_str())
    )
}

/// Deletes transactions that are over, [`STEP`] of them at most; returns how many.
pub async fn purge(tx: &mut Tx, now: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(delete_step!(
            "issuer_transactions",
            "transaction_hash",
            "expires_at <= $1"
        ))
        .bind(now.0)
        .bind(i64::from(STEP))
    )
}
