//! `operator_identity`.

use vouchsafe_credentials::time::UnixTime;

use super::{OperatorRow, operator};
use crate::db::{Db, DbError, Tx};
use crate::operators::domain::{Account, Operator, OperatorId};
use crate::{each, execute};

#[derive(sqlx::FromRow)]
struct IdentityRow {
    issuer: String,
    subject: String,
    operator_id: String,
    created_at: i64,
}

impl IdentityRow {
    fn account(self) -> (String, Account) {
        let Self {
            issuer,
            subject,
            operator_id,
            created_at,
        } = self;
        let account = Account {
            issuer,
            subject,
            created_at: UnixTime(created_at),
        };
        (operator_id, account)
    }
}

/// The identities of all operators, each with the id of its operator.
pub async fn all_identities(db: &Db) -> Result<Vec<(String, Account)>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, IdentityRow>(
        "SELECT issuer, subject, operator_id, created_at FROM operator_identity \
         ORDER BY operator_id, created_at, issuer, subject LIMIT 10000")
        .fetch_all(p).await)?;
    Ok(rows.into_iter().map(IdentityRow::account).collect())
}

/// The identities of an operator, oldest first.
pub async fn identities(db: &Db, owner: &OperatorId) -> Result<Vec<Account>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, IdentityRow>(
        "SELECT issuer, subject, operator_id, created_at FROM operator_identity \
         WHERE operator_id = $1 ORDER BY created_at, issuer, subject LIMIT 100")
        .bind(owner.as_str()).fetch_all(p).await)?;
    Ok(rows.into_iter().map(|row| row.account().1).collect())
}

/// Unties an identity; false if the operator has no such one.
pub async fn delete_identity(
    tx: &mut Tx,
    (issuer, subject): (&str, &str),
    owner: &OperatorId,
) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query(
            "DELETE FROM operator_identity WHERE issuer = $1 AND subject = $2 AND operator_id = $3"
        )
        .bind(issuer)
        .bind(subject)
        .bind(owner.as_str())
    )?;
    Ok(rows == 1)
}

/// Ties an identity, issuer and subject, to an operator. `DbError::Duplicate` where it is tied.
pub async fn insert_identity(
    tx: &mut Tx,
    (issuer, subject): (&str, &str),
    owner: &OperatorId,
    now: UnixTime,
) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO operator_identity (issuer, subject, operator_id, created_at) \
         VALUES ($1, $2, $3, $4)"
        )
        .bind(issuer)
        .bind(subject)
        .bind(owner.as_str())
        .bind(now.0)
    )?;
    Ok(())
}

/// Unties all identities of an operator; returns how many there were.
pub async fn delete_identities(tx: &mut Tx, owner: &OperatorId) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM operator_identity WHERE operator_id = $1").bind(owner.as_str())
    )
}

/// The operator whom an identity is tied to.
pub async fn by_identity(
    tx: &mut Tx,
    (issuer, subject): (&str, &str),
) -> Result<Option<Operator>, DbError> {
    let row = each!(tx, c => sqlx::query_as::<_, OperatorRow>(
        "SELECT o.id, o.name, o.role, o.created_at, o.disabled_at FROM operator_identity i \
         JOIN operator o ON o.id = i.operator_id WHERE i.issuer = $1 AND i.subject = $2")
        .bind(issuer).bind(subject).fetch_optional(c).await)?;
    operator(row)
}
