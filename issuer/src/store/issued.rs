//! Rows of credentials that are issued.

use sqlx::AssertSqlSafe;
use vouchsafe_service::db::{DbError, Tx, each};

use crate::domain::credential::Credential;

/// The columns that are written when a credential is issued.
const WRITTEN: usize = 15;
/// Most rows of one statement: SQLite looks for each placeholder among those before it. Fewer go
/// in powers of two, so that there are few statements.
const ROWS: usize = 16;

/// Adds credentials. False when a place of one of them in the status list is taken: the caller
/// undoes the transaction and draws again.
pub async fn insert(tx: &mut Tx, credentials: &[Credential]) -> Result<bool, DbError> {
    let mut left = credentials;
    while !left.is_empty() {
        let count = largest_power(left.len().min(ROWS));
        let (some, rest) = left.split_at(count);
        // Token Status List, section 13.3: two credentials never share an index. The unique index
        // over (list_id, idx) decides.
        if insert_some(tx, some).await? != some.len() as u64 {
            return Ok(false);
        }
        left = rest;
    }
    Ok(true)
}

/// The largest power of two that is not larger than `count`, which is not 0.
const fn largest_power(count: usize) -> usize {
    1 << count.ilog2()
}

fn insertion(rows: usize) -> String {
    let row = |row: usize| {
        let numbers = (1..=WRITTEN).map(|column| format!("${}", row * WRITTEN + column));
        format!("({})", numbers.collect::<Vec<_>>().join(", "))
    };
    let rows: Vec<_> = (0..rows).map(row).collect();
    format!(
        "INSERT INTO issuer_credentials (id, offer_id, record_id, credential_type, holder_key,
            list_id, idx, status, version, issued_at, expires_at, status_changed_at, format,
            notification_id, family)
         VALUES {} ON CONFLICT (list_id, idx) DO NOTHING",
        rows.join(", ")
    )
}

async fn insert_some(tx: &mut Tx, credentials: &[Credential]) -> Result<u64, DbError> {
    let sql = insertion(credentials.len());
    each!(tx, connection => {
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for c in credentials {
            query = query
                .bind(c.id.as_str()).bind(c.offer.as_str()).bind(c.record.as_str())
                .bind(&c.credential_type).bind(&c.holder_key).bind(c.place.list.as_str())
                .bind(c.place.idx).bind(c.status.as_str()).bind(c.version).bind(c.issued_at.0)
                .bind(c.expires_at.0).bind(c.status_changed_at.0).bind(c.format.name())
                .bind(c.notification_id.as_deref()).bind(c.family.as_deref());
        }
        query.execute(connection).await.map(|done| done.rows_affected())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_rows_go_in_few_different_statements() {
        let steps = |mut left: usize| {
            let mut steps = Vec::new();
            while left > 0 {
                steps.push(largest_power(left.min(ROWS)));
                left -= largest_power(left.min(ROWS));
            }
            steps
        };
        assert_eq!(steps(1), [1]);
        assert_eq!(steps(7), [4, 2, 1]);
        assert_eq!(steps(38), [16, 16, 4, 2]);
    }

    #[test]
    fn each_row_has_placeholders_of_its_own() {
        let sql = insertion(2);
        assert!(sql.contains("($1, $2, "), "{sql}");
        assert!(sql.contains("$15), ($16, "), "{sql}");
        assert!(sql.contains("$30) ON CONFLICT"), "{sql}");
        assert!(!sql.contains("$31"), "{sql}");
    }
}
