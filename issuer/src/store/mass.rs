//! Credentials by the thousand: what a job counts, walks along and changes.
//!
//! A job walks along one index, a window of rows at a time, whether they fit or not: a step holds
//! the writer for so many rows and never longer. Windows without a credential that fits are passed
//! by on a reader.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, RowError, Table, Tx, each, execute};

use crate::domain::credential::{Change, CredentialStatus};
use crate::domain::ids::{CredentialId, RecordId, StatusJobId, StatusListId};
use crate::domain::status_job::{Cursor, Plan};

const TABLE: Table = Table("issuer_credentials");
/// Before every identifier.
const BEFORE_ALL_IDS: &str = "";

/// Rows between two ids, of one record where it is given: after the first, up to the last.
#[derive(Debug, Clone)]
pub struct Window {
    /// Of this record alone.
    pub record: Option<RecordId>,
    /// The last row of the window earlier.
    pub after: Option<CredentialId>,
    /// The last row.
    pub last: CredentialId,
    /// Records of the plan before this one.
    pub records: usize,
}

/// What a step changed, as far as something follows from it.
#[derive(Debug, Clone)]
pub struct Changed {
    /// The credential.
    pub id: CredentialId,
    /// Its list.
    pub list: StatusListId,
    /// The offer it came from.
    pub offer: String,
    /// Its type.
    pub credential_type: String,
}

/// The conditions that every walk has; what they are bound to stands in `bound!`. Each walk, along
/// all rows, one type or one record, is a question of its own, so that the planner finds the index.
///
/// A credential that was issued after the job was made fits where it took the place of one that
/// the job is about: it came from the same redemption, or from an offer that was made in the place
/// of such a credential earlier. A wallet that asks again in time does not escape a job.
macro_rules! fits {
    () => {
        "status IN ($3, $4) AND ((issued_at >= $1 AND issued_at < $2) OR (issued_at >= $5 AND (
            EXISTS (SELECT 1 FROM issuer_credentials AS earlier
                WHERE earlier.offer_id = issuer_credentials.offer_id
                    AND (earlier.family = issuer_credentials.family OR earlier.family IS NULL
                        OR issuer_credentials.family IS NULL)
                    AND earlier.issued_at >= $1 AND earlier.issued_at < $2
                    AND (earlier.status IN ($3, $4) OR earlier.status_changed_at >= $5))
            OR EXISTS (SELECT 1 FROM issuer_offers AS renewal
                JOIN issuer_credentials AS earlier ON earlier.id = renewal.renews
                WHERE renewal.id = issuer_credentials.offer_id AND renewal.created_at <= $5
                    AND earlier.issued_at >= $1 AND earlier.issued_at < $2
                    AND (earlier.status IN ($3, $4) OR earlier.status_changed_at >= $5)))))"
    };
}

macro_rules! bound {
    ($query:expr, $plan:expr, $change:expr) => {{
        let sources = $change.sources();
        let first = sources.first().map_or("", |status| status.as_str());
        let last = sources.last().map_or("", |status| status.as_str());
        $query
            .bind($plan.issued_from)
            .bind($plan.issued_before)
            .bind(first)
            .bind(last)
            .bind($plan.made_at)
    }};
}

const COUNT_ALL: &str = concat!("SELECT COUNT(*) FROM issuer_credentials WHERE ", fits!());
const COUNT_TYPE: &str = concat!(
    "SELECT COUNT(*) FROM issuer_credentials WHERE ",
    fits!(),
    " AND credential_type = $6"
);
const COUNT_RECORD: &str = concat!(
    "SELECT COUNT(*) FROM issuer_credentials WHERE ",
    fits!(),
    " AND record_id = $6 AND (credential_type = $7 OR $7 = '')"
);

/// How many credentials fit a plan now.
pub async fn count(db: &Db, plan: &Plan, change: Change) -> Result<i64, DbError> {
    let kind = plan.credential_type.as_deref();
    let Some(records) = &plan.records else {
        return match kind {
            None => each!(db, p => bound!(sqlx::query_scalar::<_, i64>(COUNT_ALL), plan, change)
                .fetch_one(p).await),
            Some(kind) => {
                each!(db, p => bound!(sqlx::query_scalar::<_, i64>(COUNT_TYPE), plan, change)
                    .bind(kind).fetch_one(p).await)
            }
        };
    };
    let mut total = 0;
    for record in records {
        total += each!(db, p => bound!(sqlx::query_scalar::<_, i64>(COUNT_RECORD), plan, change)
            .bind(record).bind(kind.unwrap_or("")).fetch_one(p).await)?;
    }
    Ok(total)
}

/// The window that begins where a job stands. `None`: there are no more rows there.
pub async fn window(
    db: &Db,
    plan: &Plan,
    cursor: &Cursor,
    rows: u16,
) -> Result<Option<Window>, DbError> {
    let place = plan.place(cursor).map_err(|e| TABLE.invalid("plan", e))?;
    let (record, after) = (place.flatten(), cursor.after.as_ref());
    let from = after.map_or(BEFORE_ALL_IDS, CredentialId::as_str);
    let rows = i64::from(rows);
    let last = match (&record, plan.credential_type.as_deref()) {
        (Some(record), _) => each!(db, p => sqlx::query_scalar::<_, Option<String>>(
            "SELECT MAX(id) FROM (SELECT id FROM issuer_credentials
             WHERE record_id = $1 AND id > $2 ORDER BY id LIMIT $3) AS w")
            .bind(record.as_str()).bind(from).bind(rows).fetch_one(p).await)?,
        (None, Some(kind)) => each!(db, p => sqlx::query_scalar::<_, Option<String>>(
            "SELECT MAX(id) FROM (SELECT id FROM issuer_credentials
             WHERE credential_type = $1 AND id > $2 ORDER BY id LIMIT $3) AS w")
            .bind(kind).bind(from).bind(rows).fetch_one(p).await)?,
        (None, None) => each!(db, p => sqlx::query_scalar::<_, Option<String>>(
            "SELECT MAX(id) FROM (SELECT id FROM issuer_credentials
             WHERE id > $1 ORDER BY id LIMIT $2) AS w")
            .bind(from).bind(rows).fetch_one(p).await)?,
    };
    let Some(last) = last else {
        return Ok(None);
    };
    Ok(Some(Window {
        record,
        after: after.cloned(),
        records: cursor.records,
        last: CredentialId::parse(&last).map_err(|e| TABLE.invalid("id", e))?,
    }))
}

const OFFERS_ALL: &str = concat!(
    "SELECT DISTINCT offer_id FROM issuer_credentials WHERE ",
    fits!(),
    " AND id > $6 AND id <= $7"
);
const OFFERS_TYPE: &str = concat!(
    "SELECT DISTINCT offer_id FROM issuer_credentials WHERE ",
    fits!(),
    " AND id > $6 AND id <= $7 AND credential_type = $8"
);
const OFFERS_RECORD: &str = concat!(
    "SELECT DISTINCT offer_id FROM issuer_credentials WHERE ",
    fits!(),
    " AND id > $6 AND id <= $7 AND record_id = $8 AND (credential_type = $9 OR $9 = '')"
);

/// The offers of what fits in a window.
pub async fn offers(
    db: &Db,
    plan: &Plan,
    change: Change,
    window: &Window,
) -> Result<Vec<String>, DbError> {
    let (after, last) = window_bounds(window);
    let kind = plan.credential_type.as_deref();
    match (&window.record, kind) {
        (Some(record), kind) => {
            each!(db, p => bound!(sqlx::query_scalar::<_, String>(OFFERS_RECORD), plan, change)
                .bind(after).bind(last).bind(record.as_str()).bind(kind.unwrap_or(""))
                .fetch_all(p).await)
        }
        (None, Some(kind)) => {
            each!(db, p => bound!(sqlx::query_scalar::<_, String>(OFFERS_TYPE), plan, change)
                .bind(after).bind(last).bind(kind).fetch_all(p).await)
        }
        (None, None) => {
            each!(db, p => bound!(sqlx::query_scalar::<_, String>(OFFERS_ALL), plan, change)
                .bind(after).bind(last).fetch_all(p).await)
        }
    }
}

fn window_bounds(window: &Window) -> (&str, &str) {
    let after = window.after.as_ref();
    (
        after.map_or(BEFORE_ALL_IDS, CredentialId::as_str),
        window.last.as_str(),
    )
}

#[derive(sqlx::FromRow)]
struct ChangedRow {
    id: String,
    list_id: String,
    offer_id: String,
    credential_type: String,
}

impl TryFrom<ChangedRow> for Changed {
    type Error = RowError;

    fn try_from(row: ChangedRow) -> Result<Self, RowError> {
        let ChangedRow {
            id,
            list_id,
            offer_id,
            credential_type,
        } = row;
        Ok(Self {
            id: CredentialId::parse(&id).map_err(|e| TABLE.invalid("id", e))?,
            list: StatusListId::parse(&list_id).map_err(|e| TABLE.invalid("list_id", e))?,
            offer: offer_id,
            credential_type,
        })
    }
}

macro_rules! update {
    () => {
        concat!(
            "UPDATE issuer_credentials SET status = $6, version = version + 1,
                status_changed_at = $7, job_id = $8,
                ends_at = CASE WHEN $9 THEN NULL ELSE ends_at END
             WHERE ",
            fits!(),
            " AND id > $10 AND id <= $11"
        )
    };
}
macro_rules! returning {
    () => {
        " RETURNING id, list_id, offer_id, credential_type"
    };
}
const UPDATE_ALL: &str = concat!(update!(), returning!());
const UPDATE_TYPE: &str = concat!(update!(), " AND credential_type = $12", returning!());
const UPDATE_RECORD: &str = concat!(
    update!(),
    " AND record_id = $12 AND (credential_type = $13 OR $13 = '')",
    returning!()
);

/// Changes what fits in a window.
pub async fn update(
    tx: &mut Tx,
    plan: &Plan,
    change: Change,
    job: &StatusJobId,
    window: &Window,
    now: UnixTime,
) -> Result<Vec<Changed>, DbError> {
    let (after, last) = window_bounds(window);
    let target: CredentialStatus = change.target();
    macro_rules! set {
        ($sql:expr) => {
            bound!(sqlx::query_as::<_, ChangedRow>($sql), plan, change)
                .bind(target.as_str())
                .bind(now.0)
                .bind(job.as_str())
                .bind(target.is_final())
                .bind(after)
                .bind(last)
        };
    }
    let kind = plan.credential_type.as_deref();
    let rows = match (&window.record, kind) {
        (Some(record), kind) => each!(tx, c => set!(UPDATE_RECORD)
            .bind(record.as_str()).bind(kind.unwrap_or("")).fetch_all(c).await)?,
        (None, Some(kind)) => each!(tx, c => set!(UPDATE_TYPE).bind(kind).fetch_all(c).await)?,
        (None, None) => each!(tx, c => set!(UPDATE_ALL).fetch_all(c).await)?,
    };
    let changed = rows.into_iter().map(Changed::try_from);
    Ok(changed.collect::<Result<_, _>>()?)
}

/// What was revoked in a window is not issued again: the offers are closed and the tokens revoked,
/// as for one.
pub async fn stop_issuing(
    tx: &mut Tx,
    job: &StatusJobId,
    window: &Window,
    now: UnixTime,
) -> Result<(), DbError> {
    let (after, last) = window_bounds(window);
    for sql in STOP {
        execute!(
            tx,
            sqlx::query(sql)
                .bind(now.0)
                .bind(after)
                .bind(last)
                .bind(job.as_str())
        )?;
    }
    Ok(())
}

const STOP: [&str; 6] = [
    "UPDATE issuer_offers SET closed_at = $1, claims_sealed = NULL,
        expires_at = CASE WHEN expires_at > $1 THEN $1 ELSE expires_at END
     WHERE closed_at IS NULL AND id IN (SELECT offer_id FROM issuer_credentials
        WHERE id > $2 AND id <= $3 AND job_id = $4)",
    "UPDATE issuer_offers SET closed_at = $1, claims_sealed = NULL,
        expires_at = CASE WHEN expires_at > $1 THEN $1 ELSE expires_at END
     WHERE closed_at IS NULL AND renews IN (SELECT id FROM issuer_credentials
        WHERE id > $2 AND id <= $3 AND job_id = $4)",
    "UPDATE issuer_access_tokens SET revoked_at = $1
     WHERE revoked_at IS NULL AND family IN (SELECT family FROM issuer_credentials
        WHERE id > $2 AND id <= $3 AND job_id = $4 AND family IS NOT NULL)",
    "UPDATE issuer_refresh_tokens SET revoked_at = $1
     WHERE revoked_at IS NULL AND family IN (SELECT family FROM issuer_credentials
        WHERE id > $2 AND id <= $3 AND job_id = $4 AND family IS NOT NULL)",
    "UPDATE issuer_access_tokens SET revoked_at = $1
     WHERE revoked_at IS NULL AND offer_id IN (SELECT offer_id FROM issuer_credentials
        WHERE id > $2 AND id <= $3 AND job_id = $4 AND family IS NULL
        UNION SELECT o.id FROM issuer_offers AS o JOIN issuer_credentials AS k ON k.id = o.renews
        WHERE k.id > $2 AND k.id <= $3 AND k.job_id = $4)",
    "UPDATE issuer_refresh_tokens SET revoked_at = $1
     WHERE revoked_at IS NULL AND offer_id IN (SELECT offer_id FROM issuer_credentials
        WHERE id > $2 AND id <= $3 AND job_id = $4 AND family IS NULL
        UNION SELECT o.id FROM issuer_offers AS o JOIN issuer_credentials AS k ON k.id = o.renews
        WHERE k.id > $2 AND k.id <= $3 AND k.job_id = $4)",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MIGRATIONS;

    /// A step looks at what it changed, not at every row between the ends of its window.
    #[tokio::test]
    async fn status_jobs_stop_issuing_by_index() {
        let database = vouchsafe_service::db::testing::sqlite(&[MIGRATIONS]).await;
        for sql in STOP {
            let explain = format!("EXPLAIN QUERY PLAN {sql}");
            let plan = each!(&database.db, p => sqlx::query_as::<_, (i64, i64, i64, String)>(
                sqlx::AssertSqlSafe(explain.clone())).fetch_all(p).await)
            .unwrap();
            let reads = plan.iter().map(|row| row.3.as_str());
            let reads: Vec<_> = reads.collect();
            assert!(
                reads
                    .iter()
                    .any(|read| read.contains("issuer_credentials_job"))
            );
            for read in reads {
                let table = read.split(' ').nth(1).unwrap_or("");
                let walks = matches!(table, "issuer_credentials" | "k");
                assert!(
                    !walks || read.contains("issuer_credentials_job"),
                    "{plan:?}"
                );
                assert!(!read.starts_with("SCAN"), "{plan:?}");
            }
        }
    }
}
