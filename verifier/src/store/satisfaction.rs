//! Logins that somebody has said of how they were. What was said is not here.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{DbError, STEP, Tx, execute};
use vouchsafe_service::delete_step;

/// Uses the one answer of a login up, kept until `until`; whether it was there to be used.
pub async fn answer(tx: &mut Tx, login: &str, until: UnixTime) -> Result<bool, DbError> {
    let written = execute!(
        tx,
        sqlx::query(
            "INSERT INTO satisfaction_answers (login, expires_at) VALUES ($1, $2) \
             ON CONFLICT (login) DO NOTHING"
        )
        .bind(login)
        .bind(until.0)
    )?;
    Ok(written == 1)
}

/// Forgets logins that nobody can answer for any more, [`STEP`] at most.
pub async fn purge(tx: &mut Tx, now: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(delete_step!(
            "satisfaction_answers",
            "login",
            "expires_at <= $1"
        ))
        .bind(now.0)
        .bind(i64::from(STEP))
    )
}
