//! `account_authenticators` and `authenticator_guesses`: the authenticator apps of people, and wrong codes.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, STEP, Table, Tx, each, execute};
use vouchsafe_service::delete_step;

use super::{StoreError, Vault};
use crate::domain::authenticator::Authenticator;
use crate::domain::ids::{MeansId, SubjectId};
use crate::totp::Secret;

const TABLE: Table = Table("account_authenticators");

/// Seals the secret of an account.
pub fn seal(vault: &Vault, subject: &SubjectId, secret: &Secret) -> Result<Vec<u8>, StoreError> {
    let text = secret.to_text();
    vault.seal(&[TABLE.0, "secret", subject.as_str()], &text.as_str())
}

/// Writes the app of an account; `false` where it has one. The caller holds the account.
pub async fn insert(
    tx: &mut Tx,
    (id, subject, secret): (&MeansId, &SubjectId, &[u8]),
    last_step: i64,
    now: UnixTime,
) -> Result<bool, DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO account_authenticators (subject_id, id, secret, last_step, created_at) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"
        )
        .bind(subject.as_str())
        .bind(id.as_str())
        .bind(secret)
        .bind(last_step)
        .bind(now.0)
    )
    .map(|rows| rows == 1)
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    created_at: i64,
    used_at: Option<i64>,
}

impl From<Row> for Authenticator {
    fn from(row: Row) -> Self {
        let Row {
            id,
            created_at,
            used_at,
        } = row;
        Self {
            id: MeansId::from_text(id),
            created_at: UnixTime(created_at),
            used_at: used_at.map(UnixTime),
        }
    }
}

/// The app of an account.
pub async fn of_account(db: &Db, subject: &SubjectId) -> Result<Option<Authenticator>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, Row>(
        "SELECT id, created_at, used_at FROM account_authenticators WHERE subject_id = $1")
        .bind(subject.as_str()).fetch_optional(p).await)?;
    Ok(row.map(Authenticator::from))
}

/// What codes of an account are compared with.
#[derive(Debug)]
pub struct Stored {
    /// The app.
    pub id: MeansId,
    /// What it shares with us.
    pub secret: Secret,
    /// The time step of the last code that was accepted.
    pub last_step: i64,
}

#[derive(sqlx::FromRow)]
struct StoredRow {
    id: String,
    secret: Vec<u8>,
    last_step: i64,
}

/// What codes of an account are compared with, if it has an app. The caller holds the account.
pub async fn find(
    tx: &mut Tx,
    vault: &Vault,
    subject: &SubjectId,
) -> Result<Option<Stored>, StoreError> {
    let row = each!(tx, c => sqlx::query_as::<_, StoredRow>(
        "SELECT id, secret, last_step FROM account_authenticators WHERE subject_id = $1")
        .bind(subject.as_str()).fetch_optional(c).await)?;
    let Some(StoredRow {
        id,
        secret,
        last_step,
    }) = row
    else {
        return Ok(None);
    };
    let place = [TABLE.0, "secret", subject.as_str()];
    let text: zeroize::Zeroizing<String> = vault
        .open::<String>(TABLE, "secret", &place, &secret)?
        .into();
    let secret = Secret::parse(&text).ok_or_else(|| TABLE.invalid("secret", "not 160 bits"))?;
    Ok(Some(Stored {
        id: MeansId::from_text(id),
        secret,
        last_step,
    }))
}

/// Writes down that the code of a time step was accepted; `false` where it or a later one was before, or the
/// app is gone: of two with one code one wins.
pub async fn used(
    tx: &mut Tx,
    (subject, id): (&SubjectId, &MeansId),
    step: i64,
    now: UnixTime,
) -> Result<bool, DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE account_authenticators SET last_step = $1, used_at = $2 \
             WHERE subject_id = $3 AND id = $4 AND last_step < $1"
        )
        .bind(step)
        .bind(now.0)
        .bind(subject.as_str())
        .bind(id.as_str())
    )
    .map(|rows| rows == 1)
}

/// Whether an app is still that of its account. The caller holds the account.
pub async fn is_of(tx: &mut Tx, id: &MeansId, subject: &SubjectId) -> Result<bool, DbError> {
    let found = each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM account_authenticators WHERE subject_id = $1 AND id = $2")
        .bind(subject.as_str()).bind(id.as_str()).fetch_one(c).await)?;
    Ok(found > 0)
}

/// Removes the app of an account; which it was. The caller holds the account.
pub async fn remove(tx: &mut Tx, subject: &SubjectId) -> Result<Option<MeansId>, DbError> {
    let id = each!(tx, c => sqlx::query_scalar::<_, String>(
        "DELETE FROM account_authenticators WHERE subject_id = $1 RETURNING id")
        .bind(subject.as_str()).fetch_optional(c).await)?;
    Ok(id.map(MeansId::from_text))
}

/// Removes the app of an account if it was added before `before`.
pub(super) async fn remove_before(
    tx: &mut Tx,
    subject: &SubjectId,
    before: i64,
) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM account_authenticators WHERE subject_id = $1 AND created_at < $2")
            .bind(subject.as_str())
            .bind(before)
    )
    .map(drop)
}

/// How many codes of an account were wrong in a row, and until when no more are looked at. The caller holds
/// the account.
pub async fn guesses(tx: &mut Tx, subject: &SubjectId) -> Result<(i64, UnixTime), DbError> {
    let row = each!(tx, c => sqlx::query_as::<_, (i64, i64)>(
        "SELECT wrong, wait_until FROM authenticator_guesses WHERE subject_id = $1")
        .bind(subject.as_str()).fetch_optional(c).await)?;
    let (wrong, until) = row.unwrap_or_default();
    Ok((wrong, UnixTime(until)))
}

/// A code was wrong.
pub async fn guessed(
    tx: &mut Tx,
    subject: &SubjectId,
    (wrong, until): (i64, UnixTime),
    now: UnixTime,
) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO authenticator_guesses (subject_id, wrong, last_at, wait_until) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (subject_id) DO UPDATE \
             SET wrong = EXCLUDED.wrong, last_at = EXCLUDED.last_at, wait_until = EXCLUDED.wait_until"
        )
        .bind(subject.as_str())
        .bind(wrong)
        .bind(now.0)
        .bind(until.0)
    )
    .map(drop)
}

/// A code was right: wrong ones are counted anew.
pub async fn forget_guesses(tx: &mut Tx, subject: &SubjectId) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM authenticator_guesses WHERE subject_id = $1")
            .bind(subject.as_str())
    )
    .map(drop)
}

/// Forgets wrong codes of accounts where the last was before `before`.
pub async fn purge(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(delete_step!(
            "authenticator_guesses",
            "subject_id",
            "last_at < $1"
        ))
        .bind(before.0)
        .bind(i64::from(STEP))
    )
}
