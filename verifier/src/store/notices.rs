//! `account_notices`.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Tx, each, execute};

use crate::domain::account_notice::{Notice, NoticeKind};
use crate::domain::ids::{ClientId, SubjectId};

/// So many notices of one kind at one application are kept of a day: nobody fills the page of somebody.
const MOST_A_DAY: i64 = 10;
const DAY_S: i64 = 86_400;

#[derive(sqlx::FromRow)]
struct NoticeRow {
    id: String,
    subject_id: String,
    kind: String,
    client_id: String,
    reference: String,
    told_at: i64,
}

impl NoticeRow {
    /// The notice; `None` of a kind that is not known here, which a later version wrote.
    fn read(self) -> Result<Option<Notice>, DbError> {
        let NoticeRow {
            id,
            subject_id,
            kind,
            client_id,
            reference,
            told_at,
        } = self;
        let Some(kind) = NoticeKind::from_name(&kind) else {
            return Ok(None);
        };
        Ok(Some(Notice {
            id,
            subject: super::subjects::parse(&subject_id)?,
            kind,
            client: ClientId::from_text(client_id),
            reference,
            told_at: UnixTime(told_at),
        }))
    }
}

/// Writes a notice, unless the person was told the same often enough in the last day.
pub async fn insert(tx: &mut Tx, new: &Notice) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO account_notices (id, subject_id, kind, client_id, reference, told_at) \
             SELECT $1, $2, $3, $4, $5, $6 WHERE (SELECT COUNT(*) FROM account_notices \
              WHERE subject_id = $2 AND kind = $3 AND client_id = $4 AND told_at > $7) < $8"
        )
        .bind(new.id.as_str())
        .bind(new.subject.as_str())
        .bind(new.kind.name())
        .bind(new.client.as_str())
        .bind(new.reference.as_str())
        .bind(new.told_at.0)
        .bind(new.told_at.0 - DAY_S)
        .bind(MOST_A_DAY)
    )
    .map(drop)
}

/// Whether another login ended old means of an account since then. Where so much was told in the last day
/// that more is not written, nobody can say, so it did.
pub async fn ended_since(
    tx: &mut Tx,
    subject: &SubjectId,
    (since, but): (UnixTime, &str),
    now: UnixTime,
) -> Result<bool, DbError> {
    let kind = NoticeKind::Ended.name();
    let ended = each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM account_notices WHERE subject_id = $1 AND kind = $2 AND reference <> $3 \
         AND told_at >= $4")
        .bind(subject.as_str()).bind(kind).bind(but).bind(since.0).fetch_one(c).await)?;
    let told = each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM account_notices WHERE subject_id = $1 AND kind = $2 AND told_at > $3")
        .bind(subject.as_str()).bind(kind).bind(now.0 - DAY_S).fetch_one(c).await)?;
    Ok(ended > 0 || told >= MOST_A_DAY)
}

/// What an account was told, the latest first, so many at most.
pub async fn of_subject(db: &Db, subject: &SubjectId, most: i64) -> Result<Vec<Notice>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, NoticeRow>(
        "SELECT id, subject_id, kind, client_id, reference, told_at FROM account_notices \
         WHERE subject_id = $1 ORDER BY told_at DESC, id DESC LIMIT $2")
        .bind(subject.as_str()).bind(most).fetch_all(p).await)?;
    let notices = rows.into_iter().map(NoticeRow::read);
    notices.filter_map(Result::transpose).collect()
}

/// Deletes what was told before `before`.
pub async fn purge(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM account_notices WHERE told_at < $1").bind(before.0)
    )
}
