//! `account_cards`: the cards that an account showed last, for each question. A passkey stands for them as
//! long as they hold. What they say is not in it.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Table, Tx, each, execute};

use crate::domain::ids::{QueryId, SubjectId};
use crate::domain::session::{CardRef, StatusPointer};

const TABLE: Table = Table("account_cards");

/// A card that was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownCard {
    /// The question that it answered.
    pub query: QueryId,
    /// The card.
    pub card: CardRef,
    /// When.
    pub shown_at: UnixTime,
}

#[derive(sqlx::FromRow)]
struct Row {
    query_id: String,
    issuer: String,
    credential_type: String,
    status_uri: Option<String>,
    status_idx: Option<i64>,
    expires_at: Option<i64>,
    shown_at: i64,
}

impl TryFrom<Row> for ShownCard {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        let Row {
            query_id,
            issuer,
            credential_type,
            status_uri,
            status_idx,
            expires_at,
            shown_at,
        } = row;
        let status = match (status_uri, status_idx) {
            (Some(uri), Some(idx)) => Some(StatusPointer {
                uri,
                idx: u64::try_from(idx).map_err(|error| TABLE.invalid("status_idx", error))?,
            }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(TABLE.invalid("status_idx", "half a pointer").into());
            }
        };
        Ok(Self {
            query: QueryId::from_text(query_id),
            card: CardRef {
                issuer: serde_json::from_str(&issuer)
                    .map_err(|_| TABLE.invalid("issuer", "not an identity"))?,
                credential_type,
                status,
                expires_at: expires_at.map(UnixTime),
            },
            shown_at: UnixTime(shown_at),
        })
    }
}

/// Puts what an account showed now in the place of what it showed before to the same question. The
/// caller holds the account.
pub async fn put(
    tx: &mut Tx,
    subject: &SubjectId,
    query: &QueryId,
    cards: &[CardRef],
    now: UnixTime,
) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM account_cards WHERE subject_id = $1 AND query_id = $2")
            .bind(subject.as_str())
            .bind(query.as_str())
    )?;
    for card in cards {
        let CardRef {
            issuer,
            credential_type,
            status,
            expires_at,
        } = card;
        let issuer = serde_json::to_string(issuer)
            .map_err(|_| TABLE.invalid("issuer", "does not serialise"))?;
        let idx = status.as_ref().map(|status| i64::try_from(status.idx));
        let idx = idx
            .transpose()
            .map_err(|error| TABLE.invalid("status_idx", error))?;
        execute!(tx, sqlx::query(
            "INSERT INTO account_cards (subject_id, query_id, issuer, credential_type, status_uri, status_idx, expires_at, shown_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING")
            .bind(subject.as_str()).bind(query.as_str()).bind(issuer.as_str()).bind(credential_type.as_str())
            .bind(status.as_ref().map(|status| status.uri.as_str())).bind(idx)
            .bind(expires_at.map(|end| end.0)).bind(now.0))?;
    }
    Ok(())
}

/// What an account showed last, newest first.
pub async fn of_account(db: &Db, subject: &SubjectId) -> Result<Vec<ShownCard>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, Row>(
        "SELECT query_id, issuer, credential_type, status_uri, status_idx, expires_at, shown_at \
         FROM account_cards WHERE subject_id = $1 ORDER BY shown_at DESC, query_id, credential_type LIMIT 200")
        .bind(subject.as_str()).fetch_all(p).await)?;
    rows.into_iter().map(ShownCard::try_from).collect()
}

/// Whether what was shown then to a question is still the last. The caller holds the account.
pub async fn still(
    tx: &mut Tx,
    subject: &SubjectId,
    query: &QueryId,
    shown_at: UnixTime,
) -> Result<bool, DbError> {
    let found = each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM account_cards WHERE subject_id = $1 AND query_id = $2 AND shown_at = $3")
        .bind(subject.as_str()).bind(query.as_str()).bind(shown_at.0).fetch_one(c).await)?;
    Ok(found > 0)
}

/// Forgets what an account showed: its passkeys stand for nothing until it shows a card again.
pub async fn forget(tx: &mut Tx, subject: &SubjectId) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM account_cards WHERE subject_id = $1").bind(subject.as_str())
    )
    .map(drop)
}
