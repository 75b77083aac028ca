//! `account_attributes`, `account_refusals` and `account_logins`: what the service knows about a
//! person, what they did not want to say, how often they logged in.
//!
//! Whoever writes one of these holds the account first ([`super::subjects::hold`]).

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vouchsafe_credentials::random::{Rng, token};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, STEP, Table, Tx, each, execute};
use vouchsafe_service::delete_step;

use super::{StoreError, Vault};
use crate::domain::attribute::{Known, NotFor, Source};
use crate::domain::ids::{ConsentId, SubjectId};

const TABLE: Table = Table("account_attributes");

/// What nobody reads from the database alone.
#[derive(Serialize, Deserialize)]
struct Body {
    value: Value,
    assurance: Option<String>,
    purpose: String,
    #[serde(default)]
    consent: Option<ConsentId>,
    #[serde(default)]
    not_for: Vec<NotFor>,
}

#[derive(sqlx::FromRow)]
struct AttributeRow {
    id: String,
    name: String,
    source: String,
    body: Vec<u8>,
    verified_at: i64,
    agreed_at: i64,
    expires_at: i64,
}

const COLUMNS: &str = "SELECT id, name, source, body, verified_at, agreed_at, expires_at FROM account_attributes \
     WHERE subject_id = $1 AND expires_at > $2 ORDER BY name";

/// A value, sealed and ready to be written.
#[derive(Debug, Clone)]
pub struct NewAttribute {
    id: String,
    name: String,
    source: Source,
    body: Vec<u8>,
    verified_at: UnixTime,
    agreed_at: UnixTime,
    expires_at: UnixTime,
}

fn place(id: &str) -> [&str; 3] {
    [TABLE.0, "body", id]
}

/// Seals a value before it is written.
pub fn seal(vault: &Vault, rng: &dyn Rng, known: &Known) -> Result<NewAttribute, StoreError> {
    let Known {
        name,
        value,
        source,
        assurance,
        verified_at,
        purpose,
        agreed_at,
        expires_at,
        consent,
        not_for,
    } = known;
    let id = token(rng);
    let body = Body {
        value: value.clone(),
        assurance: assurance.clone(),
        purpose: purpose.clone(),
        consent: consent.clone(),
        not_for: not_for.clone(),
    };
    Ok(NewAttribute {
        body: vault.seal(&place(&id), &body)?,
        id,
        name: name.clone(),
        source: *source,
        verified_at: *verified_at,
        agreed_at: *agreed_at,
        expires_at: *expires_at,
    })
}

fn open(vault: &Vault, row: AttributeRow) -> Result<Known, StoreError> {
    let AttributeRow {
        id,
        name,
        source,
        body,
        verified_at,
        agreed_at,
        expires_at,
    } = row;
    let Body {
        value,
        assurance,
        purpose,
        consent,
        not_for,
    } = vault.open(TABLE, "body", &place(&id), &body)?;
    let source = Source::from_name(&source).ok_or_else(|| TABLE.invalid("source", "not known"))?;
    Ok(Known {
        name,
        value,
        source,
        assurance,
        verified_at: UnixTime(verified_at),
        purpose,
        agreed_at: UnixTime(agreed_at),
        expires_at: UnixTime(expires_at),
        consent,
        not_for,
    })
}

/// Writes a value; `false` where a better source has said another one. What has expired outranks
/// nothing. Whoever says it does not refuse to any more.
pub async fn put(
    tx: &mut Tx,
    subject: &SubjectId,
    new: &NewAttribute,
    now: UnixTime,
) -> Result<bool, DbError> {
    let told = execute!(tx, sqlx::query(
        "INSERT INTO account_attributes (id, subject_id, name, source, rank, body, verified_at, agreed_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (subject_id, name) DO UPDATE SET id = excluded.id, source = excluded.source, \
         rank = excluded.rank, body = excluded.body, verified_at = excluded.verified_at, \
         agreed_at = excluded.agreed_at, expires_at = excluded.expires_at \
         WHERE excluded.rank >= account_attributes.rank OR account_attributes.expires_at <= $10")
        .bind(new.id.as_str()).bind(subject.as_str()).bind(new.name.as_str()).bind(new.source.name())
        .bind(new.source.rank()).bind(new.body.as_slice()).bind(new.verified_at.0).bind(new.agreed_at.0)
        .bind(new.expires_at.0).bind(now.0))?;
    execute!(
        tx,
        sqlx::query("DELETE FROM account_refusals WHERE subject_id = $1 AND name = $2")
            .bind(subject.as_str())
            .bind(new.name.as_str())
    )?;
    Ok(told == 1)
}

/// What is known of an account.
pub async fn of_account(
    db: &Db,
    vault: &Vault,
    subject: &SubjectId,
    now: UnixTime,
) -> Result<Vec<Known>, StoreError> {
    let rows = each!(db, p => sqlx::query_as::<_, AttributeRow>(COLUMNS)
        .bind(subject.as_str()).bind(now.0).fetch_all(p).await)?;
    Ok(opened(vault, rows))
}

/// The same within a transaction.
pub async fn of_account_in(
    tx: &mut Tx,
    vault: &Vault,
    subject: &SubjectId,
    now: UnixTime,
) -> Result<Vec<Known>, StoreError> {
    let rows = each!(tx, c => sqlx::query_as::<_, AttributeRow>(COLUMNS)
        .bind(subject.as_str()).bind(now.0).fetch_all(c).await)?;
    Ok(opened(vault, rows))
}

/// Values that open. One that does not is not known: nobody is told of it, and no login fails by it.
fn opened(vault: &Vault, rows: impl IntoIterator<Item = AttributeRow>) -> Vec<Known> {
    let open = |row: AttributeRow| {
        let id = row.id.clone();
        let known = open(vault, row);
        known
            .inspect_err(|error| tracing::error!(%error, row = %id, "an attribute does not open"))
            .ok()
    };
    rows.into_iter().filter_map(open).collect()
}

/// Names of all that is kept of an account, whether it opens or not.
pub async fn names(db: &Db, subject: &SubjectId, now: UnixTime) -> Result<Vec<String>, DbError> {
    each!(db, p => sqlx::query_scalar::<_, String>(
        "SELECT name FROM account_attributes WHERE subject_id = $1 AND expires_at > $2 ORDER BY name")
        .bind(subject.as_str()).bind(now.0).fetch_all(p).await)
}

/// Who does not learn a value that is about to be replaced: another value is no yes.
pub async fn not_for(
    tx: &mut Tx,
    vault: &Vault,
    subject: &SubjectId,
    name: &str,
) -> Result<Vec<NotFor>, StoreError> {
    let row = each!(tx, c => sqlx::query_as::<_, AttributeRow>(
        "SELECT id, name, source, body, verified_at, agreed_at, expires_at FROM account_attributes \
         WHERE subject_id = $1 AND name = $2")
        .bind(subject.as_str()).bind(name).fetch_optional(c).await)?;
    let known = opened(vault, row);
    Ok(known.into_iter().flat_map(|known| known.not_for).collect())
}

/// Deletes a value; `false` where there is none.
pub async fn remove(tx: &mut Tx, subject: &SubjectId, name: &str) -> Result<bool, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM account_attributes WHERE subject_id = $1 AND name = $2")
            .bind(subject.as_str())
            .bind(name)
    )
    .map(|rows| rows == 1)
}

/// The person does not want to say this.
pub async fn refuse(
    tx: &mut Tx,
    subject: &SubjectId,
    name: &str,
    now: UnixTime,
) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO account_refusals (subject_id, name, refused_at) VALUES ($1, $2, $3) \
             ON CONFLICT (subject_id, name) DO UPDATE SET refused_at = excluded.refused_at"
        )
        .bind(subject.as_str())
        .bind(name)
        .bind(now.0)
    )
    .map(drop)
}

/// What a person did not want to say, and when.
pub async fn refusals(db: &Db, subject: &SubjectId) -> Result<Vec<(String, UnixTime)>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, (String, i64)>(
        "SELECT name, refused_at FROM account_refusals WHERE subject_id = $1 ORDER BY name")
        .bind(subject.as_str()).fetch_all(p).await)?;
    Ok(rows
        .into_iter()
        .map(|(name, at)| (name, UnixTime(at)))
        .collect())
}

/// Counts a login.
pub async fn count_login(tx: &mut Tx, subject: &SubjectId) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO account_logins (subject_id, logins) VALUES ($1, 1) \
             ON CONFLICT (subject_id) DO UPDATE SET logins = account_logins.logins + 1"
        )
        .bind(subject.as_str())
    )
    .map(drop)
}

/// How often a person logged in.
pub async fn logins(db: &Db, subject: &SubjectId) -> Result<i64, DbError> {
    let logins = each!(db, p => sqlx::query_scalar::<_, i64>(
        "SELECT logins FROM account_logins WHERE subject_id = $1")
        .bind(subject.as_str()).fetch_optional(p).await)?;
    Ok(logins.unwrap_or_default())
}

/// Whether a card said a value: whoever takes it away must be able to show one.
pub async fn is_shown(db: &Db, subject: &SubjectId, name: &str) -> Result<bool, DbError> {
    let source = each!(db, p => sqlx::query_scalar::<_, String>(
        "SELECT source FROM account_attributes WHERE subject_id = $1 AND name = $2")
        .bind(subject.as_str()).bind(name).fetch_optional(p).await)?;
    Ok(source.is_some_and(|source| source == Source::Wallet.name()))
}

/// Deletes some of what has been kept for as long as it may be.
pub async fn purge(tx: &mut Tx, now: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(delete_step!("account_attributes", "id", "expires_at <= $1"))
            .bind(now.0)
            .bind(i64::from(STEP))
    )
}

/// Deletes some of the refusals from before `before`: nobody is left alone for longer.
pub async fn purge_refusals(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(delete_step!(
            "account_refusals",
            "subject_id, name",
            "refused_at < $1"
        ))
        .bind(before.0)
        .bind(i64::from(STEP))
    )
}
