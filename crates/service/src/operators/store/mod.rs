//! `operator`; the other tables below.

mod identities;
mod passkeys;
mod sessions;

pub use identities::{
    all_identities, by_identity, delete_identities, delete_identity, identities, insert_identity,
};
pub use passkeys::{
    StoredPasskey, by_credential, count, counts, credential_ids, delete_any_passkey,
    delete_passkey, delete_passkeys, insert_passkey, owns, passkey_used, passkeys,
};
pub use sessions::{
    NewSession, end_all, end_others, end_session, insert_session, operator_of, operator_of_in,
    purge, session, touch,
};

use vouchsafe_credentials::time::UnixTime;

use super::domain::{Operator, OperatorId, Role};
use crate::db::{Db, DbError, RowError, Table, Tx};
use crate::{each, execute};

const OPERATORS: Table = Table("operator");

#[derive(sqlx::FromRow)]
struct OperatorRow {
    id: String,
    name: String,
    role: String,
    created_at: i64,
    disabled_at: Option<i64>,
}

impl TryFrom<OperatorRow> for Operator {
    type Error = RowError;

    fn try_from(row: OperatorRow) -> Result<Self, RowError> {
        let OperatorRow {
            id,
            name,
            role,
            created_at,
            disabled_at,
        } = row;
        Ok(Self {
            id: OperatorId::parse(&id).ok_or_else(|| OPERATORS.invalid("id", "not an id"))?,
            name,
            role: Role::parse(&role).ok_or_else(|| OPERATORS.invalid("role", "unknown"))?,
            created_at: UnixTime(created_at),
            disabled_at: disabled_at.map(UnixTime),
        })
    }
}

fn operator(row: Option<OperatorRow>) -> Result<Option<Operator>, DbError> {
    Ok(row.map(Operator::try_from).transpose()?)
}

/// Adds an operator. `DbError::Duplicate` where the name is taken.
pub async fn insert(tx: &mut Tx, new: &Operator) -> Result<(), DbError> {
    let Operator {
        id,
        name,
        role,
        created_at,
        disabled_at,
    } = new;
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO operator (id, name, role, created_at, disabled_at) \
         VALUES ($1, $2, $3, $4, $5)"
        )
        .bind(id.as_str())
        .bind(name)
        .bind(role.as_str())
        .bind(created_at.0)
        .bind(disabled_at.map(|at| at.0))
    )?;
    Ok(())
}

/// All operators, by name.
pub async fn all(db: &Db) -> Result<Vec<Operator>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, OperatorRow>(
        "SELECT id, name, role, created_at, disabled_at FROM operator ORDER BY name, id LIMIT 1000")
        .fetch_all(p).await)?;
    let operators = rows.into_iter().map(Operator::try_from);
    Ok(operators.collect::<Result<_, _>>()?)
}

const BY_ID: &str = "SELECT id, name, role, created_at, disabled_at FROM operator WHERE id = $1";

/// The operator with this id.
pub async fn find(db: &Db, id: &str) -> Result<Option<Operator>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, OperatorRow>(BY_ID)
        .bind(id).fetch_optional(p).await)?;
    operator(row)
}

/// The operator with this id, inside a transaction.
pub async fn find_in(tx: &mut Tx, id: &str) -> Result<Option<Operator>, DbError> {
    let row = each!(tx, c => sqlx::query_as::<_, OperatorRow>(BY_ID)
        .bind(id).fetch_optional(c).await)?;
    operator(row)
}

/// The operator of this name, inside a transaction.
pub async fn named_in(tx: &mut Tx, name: &str) -> Result<Option<Operator>, DbError> {
    let row = each!(tx, c => sqlx::query_as::<_, OperatorRow>(
        "SELECT id, name, role, created_at, disabled_at FROM operator WHERE name = $1")
        .bind(name).fetch_optional(c).await)?;
    operator(row)
}

/// Whether anybody, or anybody but one operator, could manage operators: an admin who is not
/// disabled and, unless links sign in, has joined.
pub async fn is_an_admin(
    tx: &mut Tx,
    but: Option<&OperatorId>,
    links_sign_in: bool,
) -> Result<bool, DbError> {
    let count = each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM operator o \
         WHERE o.role = 'admin' AND o.disabled_at IS NULL AND o.id <> $1 AND ($2 \
           OR EXISTS (SELECT 1 FROM operator_passkey p WHERE p.operator_id = o.id) \
           OR EXISTS (SELECT 1 FROM operator_identity i WHERE i.operator_id = o.id))")
        // No id is empty.
        .bind(but.map_or("", OperatorId::as_str)).bind(links_sign_in).fetch_one(c).await)?;
    Ok(count > 0)
}

/// Writes role and state of an operator.
pub async fn update(tx: &mut Tx, changed: &Operator) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("UPDATE operator SET role = $2, disabled_at = $3 WHERE id = $1")
            .bind(changed.id.as_str())
            .bind(changed.role.as_str())
            .bind(changed.disabled_at.map(|at| at.0))
    )?;
    Ok(())
}
