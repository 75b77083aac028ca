//! `account_notices`.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Table, Tx, each, execute};

use crate::domain::ids::{ClientId, SubjectId};
use crate::domain::account_notice::{Notice, NoticeKind};

const TABLE: Table = Table("account_notices");

#[derive(sqlx::FromRow)]
struct NoticeRow {
    id: String,
    subject_id: String,
    kind: String,
    client_id: String,
    reference: String,
    told_at: i64,
}

impl TryFrom<NoticeRow> for Notice {
    type Error = DbError;

    fn try_from(row: NoticeRow) -> Result<Self, DbError> {
        let NoticeRow {
            id,
            subject_id,
            kind,
            client_id,
            reference,
            told_at,
        } = row;
        let kind = NoticeKind::from_name(&kind);
        Ok(Self {
            id,
            subject: super::subjects::parse(&subject_id)?,
            kind: kind.ok_or_else(|| TABLE.invalid("kind", "unknown"))?,
            client: ClientId::from_text(client_id),
            reference,
            told_at: UnixTime(told_at),
        })
    }
}

/// Writes a notice.
pub async fn insert(tx: &mut Tx, new: &Notice) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO account_notices (id, subject_id, kind, client_id, reference, told_at) \
             VALUES ($1, $2, $3, $4, $5, $6)"
        )
        .bind(new.id.as_str())
        .bind(new.subject.as_str())
        .bind(new.kind.name())
        .bind(new.client.as_str())
        .bind(new.reference.as_str())
        .bind(new.told_at.0)
    )
    .map(drop)
}

/// What an account was told, the latest first.
pub async fn of_subject(db: &Db, subject: &SubjectId) -> Result<Vec<Notice>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, NoticeRow>(
        "SELECT id, subject_id, kind, client_id, reference, told_at FROM account_notices \
         WHERE subject_id = $1 ORDER BY told_at DESC, id DESC LIMIT 50")
        .bind(subject.as_str()).fetch_all(p).await)?;
    rows.into_iter().map(Notice::try_from).collect()
}

/// Deletes what was told before `before`.
pub async fn purge(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM account_notices WHERE told_at < $1").bind(before.0)
    )
}
