//! `presentation_requests`: the questions put to wallets.

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Table, Tx, each, execute};

use super::{StoreError, Vault};
use crate::domain::ids::{RequestId, TransactionId};
use crate::domain::transaction::Channel;

const TABLE: Table = Table("presentation_requests");

/// What only this service may know of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestSecrets {
    /// `nonce` of the request: fresh for each.
    pub nonce: String,
    /// `state` of the request: fresh for each.
    pub state: String,
    /// Private key that opens the answer, base64url: fresh for each.
    pub agreement_key: String,
    /// Who asks: the answer is bound to it, even where our certificate has changed since. Requests
    /// of an earlier version do not say it.
    #[serde(default)]
    pub client_id: Option<String>,
    /// Hash of what the person was told with it. Requests of an earlier version do not say it.
    #[serde(default)]
    pub notice: Option<String>,
}

/// A question put to a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentationRequest {
    /// Its id, which stands in `request_uri` and `response_uri`.
    pub id: RequestId,
    /// The login.
    pub transaction: TransactionId,
    /// How it reaches the wallet.
    pub channel: Channel,
    /// Nonce and key.
    pub secrets: RequestSecrets,
    /// When it was made.
    pub created_at: UnixTime,
    /// Until when its first fetch must have happened (the life of a QR code).
    pub fetch_until: UnixTime,
    /// When a wallet first fetched it.
    pub fetched_at: Option<UnixTime>,
    /// Until when it may be answered.
    pub expires_at: UnixTime,
}

#[derive(sqlx::FromRow)]
struct RequestRow {
    id: String,
    transaction_id: String,
    channel: String,
    secrets: Vec<u8>,
    created_at: i64,
    fetch_until: i64,
    fetched_at: Option<i64>,
    expires_at: i64,
}

/// A request whose secrets are sealed.
#[derive(Debug)]
pub struct SealedRequest {
    request: PresentationRequest,
    secrets: Vec<u8>,
}

/// Seals a new request.
pub fn seal(vault: &Vault, request: PresentationRequest) -> Result<SealedRequest, StoreError> {
    let secrets = vault.seal(&[TABLE.0, request.id.as_str(), "secrets"], &request.secrets)?;
    Ok(SealedRequest { request, secrets })
}

/// Writes a new request.
pub async fn insert(tx: &mut Tx, new: &SealedRequest) -> Result<(), DbError> {
    let SealedRequest { request, secrets } = new;
    execute!(tx, sqlx::query(
        "INSERT INTO presentation_requests (id, transaction_id, channel, secrets, created_at, fetch_until, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)")
        .bind(request.id.as_str()).bind(request.transaction.as_str()).bind(request.channel.name())
        .bind(secrets.as_slice()).bind(request.created_at.0).bind(request.fetch_until.0).bind(request.expires_at.0))?;
    Ok(())
}

/// The request of this id.
pub async fn find(
    db: &Db,
    vault: &Vault,
    id: &RequestId,
) -> Result<Option<PresentationRequest>, StoreError> {
    let row = each!(db, p => sqlx::query_as::<_, RequestRow>(
        "SELECT id, transaction_id, channel, secrets, created_at, fetch_until, fetched_at, expires_at \
         FROM presentation_requests WHERE id = $1")
        .bind(id.as_str()).fetch_optional(p).await)?;
    row.map(|row| open(vault, row)).transpose()
}

/// The newest request of a login on a channel.
pub async fn newest(
    db: &Db,
    vault: &Vault,
    transaction: &TransactionId,
    channel: Channel,
) -> Result<Option<PresentationRequest>, StoreError> {
    let row = each!(db, p => sqlx::query_as::<_, RequestRow>(
        "SELECT id, transaction_id, channel, secrets, created_at, fetch_until, fetched_at, expires_at \
         FROM presentation_requests WHERE transaction_id = $1 AND channel = $2 \
         ORDER BY created_at DESC, id DESC LIMIT 1")
        .bind(transaction.as_str()).bind(channel.name()).fetch_optional(p).await)?;
    row.map(|row| open(vault, row)).transpose()
}

/// The newest questions of a login over a channel: all of one second.
pub async fn all_newest(
    db: &Db,
    vault: &Vault,
    transaction: &TransactionId,
    channel: Channel,
) -> Result<Vec<PresentationRequest>, StoreError> {
    let rows = each!(db, p => sqlx::query_as::<_, RequestRow>(
        "SELECT id, transaction_id, channel, secrets, created_at, fetch_until, fetched_at, expires_at \
         FROM presentation_requests WHERE transaction_id = $1 AND channel = $2 AND created_at = (\
             SELECT MAX(created_at) FROM presentation_requests WHERE transaction_id = $1 AND channel = $2) \
         ORDER BY id DESC")
        .bind(transaction.as_str()).bind(channel.name()).fetch_all(p).await)?;
    rows.into_iter().map(|row| open(vault, row)).collect()
}

/// Whether a wallet has fetched a question of this login.
pub async fn any_fetched(db: &Db, transaction: &TransactionId) -> Result<bool, DbError> {
    let fetched = each!(db, p => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM presentation_requests WHERE transaction_id = $1 AND fetched_at IS NOT NULL")
        .bind(transaction.as_str()).fetch_one(p).await)?;
    Ok(fetched > 0)
}

/// Notes the first fetch; later ones change nothing.
pub async fn mark_fetched(tx: &mut Tx, id: &RequestId, now: UnixTime) -> Result<bool, DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE presentation_requests SET fetched_at = $1 WHERE id = $2 AND fetched_at IS NULL"
        )
        .bind(now.0)
        .bind(id.as_str())
    )
    .map(|rows| rows == 1)
}

/// Ends the questions of a login, before its run asks another one: none of them is answered twice.
pub async fn end(tx: &mut Tx, transaction: &TransactionId) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM presentation_requests WHERE transaction_id = $1")
            .bind(transaction.as_str())
    )
}

/// Deletes what expired before `before`.
pub async fn purge(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM presentation_requests WHERE expires_at < $1").bind(before.0)
    )
}

fn open(vault: &Vault, row: RequestRow) -> Result<PresentationRequest, StoreError> {
    let RequestRow {
        id,
        transaction_id,
        channel,
        secrets,
        created_at,
        fetch_until,
        fetched_at,
        expires_at,
    } = row;
    let secrets = vault.open(TABLE, "secrets", &[TABLE.0, &id, "secrets"], &secrets)?;
    Ok(PresentationRequest {
        id: RequestId::from_text(id),
        transaction: TransactionId::from_text(transaction_id),
        channel: Channel::from_name(&channel)
            .ok_or_else(|| TABLE.invalid("channel", "not a channel"))?,
        secrets,
        created_at: UnixTime(created_at),
        fetch_until: UnixTime(fetch_until),
        fetched_at: fetched_at.map(UnixTime),
        expires_at: UnixTime(expires_at),
    })
}
