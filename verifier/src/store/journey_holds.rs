//! `journey_holds`: runs that wait until a time.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Tx, each, execute};

use crate::domain::ids::{ClientId, SubjectId, TransactionId};

/// A run that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The login.
    pub login: TransactionId,
    /// Whose account it is about.
    pub subject: SubjectId,
    /// The application.
    pub client: ClientId,
    /// It goes on then.
    pub ends_at: UnixTime,
}

#[derive(sqlx::FromRow)]
struct HoldRow {
    login_id: String,
    subject_id: String,
    client_id: String,
    ends_at: i64,
}

impl TryFrom<HoldRow> for Hold {
    type Error = DbError;

    fn try_from(row: HoldRow) -> Result<Self, DbError> {
        let HoldRow {
            login_id,
            subject_id,
            client_id,
            ends_at,
        } = row;
        Ok(Self {
            login: TransactionId::from_text(login_id),
            subject: super::subjects::parse(&subject_id)?,
            client: ClientId::from_text(client_id),
            ends_at: UnixTime(ends_at),
        })
    }
}

/// A run begins to wait; a later wait of the same run takes the place of the one before.
pub async fn put(tx: &mut Tx, new: &Hold) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO journey_holds (login_id, subject_id, client_id, ends_at) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (login_id) DO UPDATE SET \
             ends_at = excluded.ends_at, resumed_at = NULL, cancelled_at = NULL"
        )
        .bind(new.login.as_str())
        .bind(new.subject.as_str())
        .bind(new.client.as_str())
        .bind(new.ends_at.0)
    )
    .map(drop)
}

/// The run goes on: of resuming and cancelling one happens, and once. `false`: not this.
pub async fn resume(tx: &mut Tx, login: &TransactionId, now: UnixTime) -> Result<bool, DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE journey_holds SET resumed_at = $2 WHERE login_id = $1 AND ends_at <= $2 \
             AND resumed_at IS NULL AND cancelled_at IS NULL"
        )
        .bind(login.as_str())
        .bind(now.0)
    )
    .map(|rows| rows == 1)
}

/// Whoever has the account cancels the run.
pub async fn cancel(
    tx: &mut Tx,
    login: &TransactionId,
    subject: &SubjectId,
    now: UnixTime,
) -> Result<bool, DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE journey_holds SET cancelled_at = $3 WHERE login_id = $1 AND subject_id = $2 \
             AND resumed_at IS NULL AND cancelled_at IS NULL"
        )
        .bind(login.as_str())
        .bind(subject.as_str())
        .bind(now.0)
    )
    .map(|rows| rows == 1)
}

/// The old means of the account ended: what others began with them goes on no more.
pub async fn cancel_others(
    tx: &mut Tx,
    subject: &SubjectId,
    but: &TransactionId,
    now: UnixTime,
) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE journey_holds SET cancelled_at = $3 WHERE subject_id = $1 AND login_id <> $2 \
             AND resumed_at IS NULL AND cancelled_at IS NULL"
        )
        .bind(subject.as_str())
        .bind(but.as_str())
        .bind(now.0)
    )
}

/// A run waits no longer, and goes on another way.
pub async fn remove(tx: &mut Tx, login: &TransactionId) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM journey_holds WHERE login_id = $1").bind(login.as_str())
    )
    .map(drop)
}

/// Whether a run that waits was not cancelled.
pub async fn is_open(db: &Db, login: &TransactionId) -> Result<bool, DbError> {
    let open = each!(db, p => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM journey_holds WHERE login_id = $1 AND resumed_at IS NULL AND cancelled_at IS NULL")
        .bind(login.as_str()).fetch_one(p).await)?;
    Ok(open == 1)
}

/// The runs about an account that wait.
pub async fn of_subject(
    db: &Db,
    subject: &SubjectId,
    after: UnixTime,
) -> Result<Vec<Hold>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, HoldRow>(
        "SELECT login_id, subject_id, client_id, ends_at FROM journey_holds WHERE subject_id = $1 \
         AND resumed_at IS NULL AND cancelled_at IS NULL AND ends_at > $2 ORDER BY ends_at, login_id LIMIT 50")
        .bind(subject.as_str()).bind(after.0).fetch_all(p).await)?;
    rows.into_iter().map(Hold::try_from).collect()
}

/// Deletes what should have gone on before `before`.
pub async fn purge(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM journey_holds WHERE ends_at < $1").bind(before.0)
    )
}

/// Forgets those of an account that is deleted: what still waits for it finds nobody.
pub async fn remove_of(tx: &mut Tx, subject: &SubjectId) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM journey_holds WHERE subject_id = $1").bind(subject.as_str())
    )
}
