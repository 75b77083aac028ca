//! What an overview shows: counts with a bound, and a search for credentials.

use vouchsafe_service::db::{Db, DbError, each};

use super::offers::AFTER_ALL_IDS;
use crate::domain::ids::{CredentialId, RecordId};
use crate::domain::page::{Page, PageRequest};

/// Rows are counted up to this number: more is "more than".
pub const COUNTED: i64 = 10_000;

/// How many there are, each at most [`COUNTED`] + 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Credentials that were issued.
    pub issued: i64,
    /// Credentials that are suspended.
    pub suspended: i64,
    /// Credentials that are revoked.
    pub revoked: i64,
    /// Offers that wait for a wallet.
    pub open: i64,
}

const NOT_VALID: &str = "SELECT COUNT(*) FROM (SELECT id FROM issuer_credentials
     WHERE status <> 'valid' AND status = $2 LIMIT $1) AS counted";

/// Counts. Each is read from an index, and no further than the bound.
pub async fn counts(db: &Db, now: i64) -> Result<Counts, DbError> {
    let limit = COUNTED + 1;
    let issued = each!(db, p => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM (SELECT id FROM issuer_credentials LIMIT $1) AS counted")
        .bind(limit).fetch_one(p).await)?;
    let not_valid = async |status: &'static str| each!(db, p => sqlx::query_scalar::<_, i64>(NOT_VALID).bind(limit).bind(status).fetch_one(p).await);
    let open = each!(db, p => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM (SELECT id FROM issuer_offers
         WHERE claims_sealed IS NOT NULL AND expires_at > $2 LIMIT $1) AS counted")
        .bind(limit).bind(now).fetch_one(p).await)?;
    Ok(Counts {
        issued,
        suspended: not_valid("suspended").await?,
        revoked: not_valid("revoked").await?,
        open,
    })
}

/// What a search for credentials asks for; nothing asks for all.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Of this subject record.
    pub record: Option<RecordId>,
    /// Of this type.
    pub credential_type: Option<String>,
    /// In this status, by its name.
    pub status: Option<String>,
}

/// A search walks along one index, newest first: that of the record, of what is not valid, of the
/// type, or of all. Each is a question of its own, so that the planner finds the index.
macro_rules! walk {
    ($along:literal) => {
        concat!(
            "SELECT id FROM issuer_credentials WHERE id < $1 AND ",
            $along,
            " AND ($3 IS NULL OR record_id = $3) AND ($4 IS NULL OR credential_type = $4)
             AND ($5 IS NULL OR status = $5) ORDER BY id DESC LIMIT $2"
        )
    };
}
const OF_RECORD: &str = walk!("record_id = $3");
const OF_STATUS: &str = walk!("status <> 'valid' AND status = $5");
const OF_TYPE: &str = walk!("credential_type = $4");
const OF_ALL: &str = walk!("id <> ''");

impl Search {
    fn sql(&self) -> &'static str {
        let changed = self.status.as_deref().is_some_and(|name| name != "valid");
        match (&self.record, changed, &self.credential_type) {
            (Some(_), _, _) => OF_RECORD,
            (None, true, _) => OF_STATUS,
            (None, false, Some(_)) => OF_TYPE,
            (None, false, None) => OF_ALL,
        }
    }
}

/// Ids of the credentials that a search finds, newest first.
pub async fn search(
    db: &Db,
    search: &Search,
    request: &PageRequest<CredentialId>,
) -> Result<Page<CredentialId>, DbError> {
    let before = request
        .before
        .as_ref()
        .map_or(AFTER_ALL_IDS, CredentialId::as_str);
    let record = search.record.as_ref().map(RecordId::as_str);
    let ids = each!(db, p => sqlx::query_scalar::<_, String>(search.sql())
        .bind(before).bind(i64::from(request.limit) + 1).bind(record)
        .bind(search.credential_type.as_deref()).bind(search.status.as_deref())
        .fetch_all(p).await)?;
    let ids = ids.iter().map(|id| {
        let table = vouchsafe_service::db::Table("issuer_credentials");
        CredentialId::parse(id).map_err(|error| table.invalid("id", error))
    });
    let ids = ids.collect::<Result<Vec<_>, _>>()?;
    Ok(Page::from_overfetch(ids, request.limit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MIGRATIONS;

    /// Nobody waits for a look at every credential to see the few that were changed.
    #[tokio::test]
    async fn changed_credentials_are_found_by_index() {
        let database = vouchsafe_service::db::testing::sqlite(&[MIGRATIONS]).await;
        let of = |record: bool, kind: bool, status: Option<&str>| Search {
            record: record.then(|| RecordId::new(uuid::Uuid::nil())),
            credential_type: kind.then(|| "membership".to_owned()),
            status: status.map(str::to_owned),
        };
        let revoked = Some("revoked");
        for (sql, index) in [
            (NOT_VALID, "issuer_credentials_status (status=?"),
            (
                of(false, false, revoked).sql(),
                "issuer_credentials_status (status=? AND id<?",
            ),
            (
                of(false, true, revoked).sql(),
                "issuer_credentials_status (status=? AND id<?",
            ),
            (
                of(true, true, revoked).sql(),
                "issuer_credentials_record (record_id=? AND id<?",
            ),
            (
                of(false, true, None).sql(),
                "issuer_credentials_type (credential_type=? AND id<?",
            ),
            (
                of(false, true, Some("valid")).sql(),
                "issuer_credentials_type (credential_type=",
            ),
        ] {
            let explain = format!("EXPLAIN QUERY PLAN {sql}");
            let plan = each!(&database.db, p => sqlx::query_as::<_, (i64, i64, i64, String)>(
                sqlx::AssertSqlSafe(explain.clone())).fetch_all(p).await)
            .unwrap();
            assert!(
                plan.iter().any(|row| row.3.contains(index)),
                "{sql}: {plan:?}"
            );
            assert!(
                !plan.iter().any(|row| row.3.contains("ORDER BY")),
                "{plan:?}"
            );
        }
    }
}
