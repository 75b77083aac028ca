//! `subjects` and `subject_bindings`: accounts, and which cards point to them.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{DbError, Table, Tx, each, execute};

use crate::domain::ids::SubjectId;
use crate::domain::transaction::BindingKey;

/// The account that `key` points to. At the first login of a card it is `fresh`, which is then
/// written. Two first logins at once get the same account.
pub async fn resolve(
    tx: &mut Tx,
    key: &BindingKey,
    fresh: &SubjectId,
    now: UnixTime,
) -> Result<SubjectId, DbError> {
    let inserted = execute!(tx, sqlx::query(
        "INSERT INTO subject_bindings (framework, issuer, credential_type, claim_mac, subject_id, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING")
        .bind(key.framework.as_str()).bind(key.issuer.as_str()).bind(key.credential_type.as_str())
        .bind(key.claim_mac.as_str()).bind(fresh.as_str()).bind(now.0)).map(|rows| rows == 1)?;
    if inserted {
        execute!(
            tx,
            sqlx::query("INSERT INTO subjects (id, created_at) VALUES ($1, $2)")
                .bind(fresh.as_str())
                .bind(now.0)
        )?;
        return Ok(fresh.clone());
    }
    let id = each!(tx, c => sqlx::query_scalar::<_, String>(
        "SELECT subject_id FROM subject_bindings \
         WHERE framework = $1 AND issuer = $2 AND credential_type = $3 AND claim_mac = $4")
        .bind(key.framework.as_str()).bind(key.issuer.as_str()).bind(key.credential_type.as_str())
        .bind(key.claim_mac.as_str()).fetch_one(c).await)?;
    SubjectId::parse(&id).map_err(|error| {
        Table("subject_bindings")
            .invalid("subject_id", error)
            .into()
    })
}
