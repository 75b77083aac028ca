//! `account_bindings`: keyed hashes of what cards said at enrolment, by which a person is known again.

use std::collections::BTreeMap;

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Tx, each, execute};

use crate::domain::ids::{ClientId, SubjectId};

/// Keeps them with an account, as agreed to with `client` about the question `about`. What is there
/// already stays: whoever shows another card later does not become who is known again.
pub async fn put(
    tx: &mut Tx,
    subject: &SubjectId,
    (client, about): (&ClientId, &str),
    bound: &BTreeMap<String, String>,
    now: UnixTime,
) -> Result<(), DbError> {
    for (name, mac) in bound {
        execute!(
            tx,
            sqlx::query(
                "INSERT INTO account_bindings (subject_id, name, value_mac, client_id, about, bound_at) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (subject_id, name) DO NOTHING"
            )
            .bind(subject.as_str())
            .bind(name.as_str())
            .bind(mac.as_str())
            .bind(client.as_str())
            .bind(about)
            .bind(now.0)
        )?;
    }
    Ok(())
}

/// Those of an account, by name.
pub async fn of(db: &Db, subject: &SubjectId) -> Result<BTreeMap<String, String>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, (String, String)>(
        "SELECT name, value_mac FROM account_bindings WHERE subject_id = $1 ORDER BY name")
        .bind(subject.as_str()).fetch_all(p).await)?;
    Ok(rows.into_iter().collect())
}

/// The same in a transaction; of nobody the same is looked up, and nothing found.
pub async fn of_named(
    tx: &mut Tx,
    subject: Option<&SubjectId>,
) -> Result<BTreeMap<String, String>, DbError> {
    let subject = subject.map_or("", SubjectId::as_str);
    let rows = each!(tx, c => sqlx::query_as::<_, (String, String)>(
        "SELECT name, value_mac FROM account_bindings WHERE subject_id = $1 ORDER BY name")
        .bind(subject).fetch_all(c).await)?;
    Ok(rows.into_iter().collect())
}

/// Forgets those of an account that nothing is agreed to for any more.
pub async fn forget_unagreed(tx: &mut Tx, subject: &SubjectId) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(
            "DELETE FROM account_bindings WHERE subject_id = $1 AND NOT EXISTS (\
             SELECT 1 FROM consents c WHERE c.subject_id = account_bindings.subject_id \
             AND c.client_id = account_bindings.client_id AND c.about = account_bindings.about \
             AND c.over_at IS NULL)"
        )
        .bind(subject.as_str())
    )
}

/// Forgets all of an account that is deleted.
pub async fn remove_of(tx: &mut Tx, subject: &SubjectId) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM account_bindings WHERE subject_id = $1").bind(subject.as_str())
    )
}
