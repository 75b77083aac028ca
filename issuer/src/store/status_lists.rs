//! Status lists and what is published of them.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, RowError, Table, Tx, each, execute};

use crate::domain::credential::CredentialStatus;
use crate::domain::ids::StatusListId;

const TABLE: Table = Table("issuer_status_lists");

/// A status list as it is stored.
#[derive(Debug, Clone)]
pub struct StatusListRow {
    /// Its id, the last part of its URI.
    pub id: StatusListId,
    /// Number of entries.
    pub size: i64,
    /// Counts status changes of its entries.
    pub version: i64,
    /// The version that `token` shows.
    pub published_version: i64,
    /// The signed status list token, or empty when none was published yet.
    pub token: String,
    /// The same as CWT, where mdocs are issued.
    pub cwt: Option<Vec<u8>>,
    /// `iat` of the token.
    pub issued_at: UnixTime,
    /// `exp` of the token.
    pub expires_at: UnixTime,
    /// Whether it came back from a copy: places without a credential count as revoked.
    pub restored: bool,
}

impl StatusListRow {
    /// Whether a status changed since the token was signed.
    pub fn is_dirty(&self) -> bool {
        self.published_version < self.version
    }
}

#[derive(sqlx::FromRow)]
struct ListRow {
    id: String,
    size: i64,
    version: i64,
    published_version: i64,
    token: String,
    cwt: Option<Vec<u8>>,
    issued_at: i64,
    expires_at: i64,
    restored_at: Option<i64>,
}

impl TryFrom<ListRow> for StatusListRow {
    type Error = RowError;

    fn try_from(row: ListRow) -> Result<Self, RowError> {
        let ListRow {
            id,
            size,
            version,
            published_version,
            token,
            cwt,
            issued_at,
            expires_at,
            restored_at,
        } = row;
        Ok(Self {
            id: StatusListId::parse(&id).map_err(|e| TABLE.invalid("id", e))?,
            size,
            version,
            published_version,
            token,
            cwt,
            issued_at: UnixTime(issued_at),
            expires_at: UnixTime(expires_at),
            restored: restored_at.is_some(),
        })
    }
}

/// The list that new credentials go to.
#[derive(Debug, Clone)]
pub struct CurrentList {
    /// Its id.
    pub id: StatusListId,
    /// Number of entries.
    pub size: i64,
    /// Its number.
    pub seq: i64,
}

/// The list that new credentials go to.
pub async fn current(db: &Db) -> Result<Option<CurrentList>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, (String, i64, i64)>(
        "SELECT id, size, seq FROM issuer_status_lists ORDER BY seq DESC LIMIT 1")
        .fetch_optional(p).await)?;
    row.map(|(id, size, seq)| {
        let id = StatusListId::parse(&id).map_err(|e| TABLE.invalid("id", e))?;
        Ok(CurrentList { id, size, seq })
    })
    .transpose()
}

/// Opens list number `seq` unless another process just did.
pub async fn open(tx: &mut Tx, id: &StatusListId, seq: i64, size: i64) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO issuer_status_lists (id, seq, size, version, published_version, token,
            issued_at, expires_at)
         VALUES ($1, $2, $3, 1, 0, '', 0, 0) ON CONFLICT (seq) DO NOTHING"
        )
        .bind(id.as_str())
        .bind(seq)
        .bind(size)
    )
    .map(drop)
}

/// The list with this id.
pub async fn find(db: &Db, id: &StatusListId) -> Result<Option<StatusListRow>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, ListRow>(
        "SELECT id, size, version, published_version, token, cwt, issued_at, expires_at,
            restored_at FROM issuer_status_lists WHERE id = $1")
        .bind(id.as_str()).fetch_optional(p).await)?;
    Ok(row.map(StatusListRow::try_from).transpose()?)
}

/// Lists that must be signed again: dirty ones, and those whose token ends before `soon`.
pub async fn due(db: &Db, soon: UnixTime) -> Result<Vec<StatusListId>, DbError> {
    let ids = each!(db, p => sqlx::query_scalar::<_, String>(
        "SELECT id FROM (
             SELECT id, seq FROM issuer_status_lists WHERE published_version < version
             UNION SELECT id, seq FROM issuer_status_lists WHERE expires_at <= $1) AS due
         ORDER BY seq LIMIT 100")
        .bind(soon.0).fetch_all(p).await)?;
    ids.iter()
        .map(|id| StatusListId::parse(id).map_err(|e| TABLE.invalid("id", e).into()))
        .collect()
}

/// The entries of a list that are not valid.
pub async fn not_valid(
    db: &Db,
    id: &StatusListId,
) -> Result<Vec<(i64, CredentialStatus)>, DbError> {
    // All indices of a status in one value: a row for each would cost more than everything that
    // is done with them. `<> 'valid'` is what the index says.
    let suspended = each!(db, p => sqlx::query_scalar::<_, Option<String>>(
        "SELECT string_agg(CAST(idx AS TEXT), ' ') FROM issuer_credentials
         WHERE list_id = $1 AND status = 'suspended' AND status <> 'valid'")
        .bind(id.as_str()).fetch_one(p).await)?;
    let revoked = each!(db, p => sqlx::query_scalar::<_, Option<String>>(
        "SELECT string_agg(CAST(idx AS TEXT), ' ') FROM issuer_credentials
         WHERE list_id = $1 AND status = 'revoked' AND status <> 'valid'")
        .bind(id.as_str()).fetch_one(p).await)?;
    let expired = each!(db, p => sqlx::query_scalar::<_, Option<String>>(
        "SELECT string_agg(CAST(idx AS TEXT), ' ') FROM issuer_credentials
         WHERE list_id = $1 AND status = 'expired' AND status <> 'valid'")
        .bind(id.as_str()).fetch_one(p).await)?;
    let superseded = each!(db, p => sqlx::query_scalar::<_, Option<String>>(
        "SELECT string_agg(CAST(idx AS TEXT), ' ') FROM issuer_credentials
         WHERE list_id = $1 AND status = 'superseded' AND status <> 'valid'")
        .bind(id.as_str()).fetch_one(p).await)?;
    let mut entries = Vec::new();
    for (indices, status) in [
        (suspended, CredentialStatus::Suspended),
        // Behind: a credential that ended between the questions has ended.
        (revoked, CredentialStatus::Revoked),
        (expired, CredentialStatus::Expired),
        (superseded, CredentialStatus::Superseded),
    ] {
        for index in indices.iter().flat_map(|indices| indices.split(' ')) {
            let index = index.parse().map_err(|e| TABLE.invalid("idx", e))?;
            entries.push((index, status));
        }
    }
    Ok(entries)
}

/// The number of the newest list.
pub async fn last_seq(tx: &mut Tx) -> Result<Option<i64>, DbError> {
    each!(tx, c => sqlx::query_scalar::<_, Option<i64>>(
        "SELECT MAX(seq) FROM issuer_status_lists").fetch_one(c).await)
}

/// The places of a list that have a credential.
pub async fn known(db: &Db, id: &StatusListId) -> Result<Vec<i64>, DbError> {
    let places = each!(db, p => sqlx::query_scalar::<_, Option<String>>(
        "SELECT string_agg(CAST(idx AS TEXT), ' ') FROM issuer_credentials WHERE list_id = $1")
        .bind(id.as_str()).fetch_one(p).await)?;
    let places = places.iter().flat_map(|places| places.split(' '));
    let place = |text: &str| text.parse().map_err(|e| TABLE.invalid("idx", e).into());
    places.map(place).collect()
}

/// Marks a list dirty, in the transaction that changes a status.
pub async fn touch(tx: &mut Tx, id: &StatusListId) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("UPDATE issuer_status_lists SET version = version + 1 WHERE id = $1")
            .bind(id.as_str())
    )
    .map(drop)
}

/// Publishes a token in the place of the one that `before` shows, and of no other: of two
/// processes that read the list at the same time one wins, so a token made of older entries never
/// follows one made of newer entries. False when another process was faster.
pub async fn publish(
    tx: &mut Tx,
    before: &StatusListRow,
    list: &StatusListRow,
) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_status_lists
         SET published_version = $2, token = $3, issued_at = $4, expires_at = $5, cwt = $7
         WHERE id = $1 AND token = $6 AND published_version <= $2 AND issued_at <= $4"
        )
        .bind(list.id.as_str())
        .bind(list.published_version)
        .bind(&list.token)
        .bind(list.issued_at.0)
        .bind(list.expires_at.0)
        .bind(&before.token)
        .bind(list.cwt.as_deref())
    )?;
    Ok(rows == 1)
}
