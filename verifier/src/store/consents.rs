//! `consents`: what people agreed to.

use std::collections::{BTreeMap, BTreeSet};

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Table, Tx, each, execute};

use crate::domain::consent::{Consent, NewConsent};
use crate::domain::ids::{ClientId, ConsentId, SecretDigest, SessionId, SubjectId};

const TABLE: Table = Table("consents");

#[derive(sqlx::FromRow)]
struct ConsentRow {
    id: String,
    client_id: String,
    subject_id: Option<String>,
    session_id: Option<String>,
    claims: String,
    purpose: String,
    offline: bool,
    given_at: i64,
    withdrawn_at: Option<i64>,
}

impl TryFrom<ConsentRow> for Consent {
    type Error = DbError;

    fn try_from(row: ConsentRow) -> Result<Self, DbError> {
        let ConsentRow {
            id,
            client_id,
            subject_id,
            session_id,
            claims,
            purpose,
            offline,
            given_at,
            withdrawn_at,
        } = row;
        Ok(Self {
            id: ConsentId::from_text(id),
            client: ClientId::from_text(client_id),
            subject: subject_id
                .map(|id| SubjectId::parse(&id))
                .transpose()
                .map_err(|error| TABLE.invalid("subject_id", error))?,
            session: session_id.map(SessionId::from_text),
            claims: serde_json::from_str(&claims)
                .map_err(|_| TABLE.invalid("claims", "not a list of names"))?,
            purpose,
            offline,
            given_at: UnixTime(given_at),
            withdrawn_at: withdrawn_at.map(UnixTime),
        })
    }
}

/// Writes a consent when the wallet's answer is accepted.
pub async fn insert(tx: &mut Tx, new: &NewConsent) -> Result<(), DbError> {
    let claims = serde_json::Value::from(new.claims.clone()).to_string();
    execute!(tx, sqlx::query(
        "INSERT INTO consents (id, token_hash, transaction_id, client_id, claims, purpose, offline, given_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
        .bind(new.id.as_str()).bind(new.token.as_str()).bind(new.transaction.as_str())
        .bind(new.client.as_str()).bind(claims.as_str()).bind(new.purpose.as_str()).bind(new.offline)
        .bind(new.given_at.0))?;
    Ok(())
}

/// Ties a consent to the finished login; `false` if it was withdrawn in between.
pub async fn attach(
    tx: &mut Tx,
    id: &ConsentId,
    subject: Option<&SubjectId>,
    session: &SessionId,
) -> Result<bool, DbError> {
    execute!(tx, sqlx::query(
        "UPDATE consents SET subject_id = $1, session_id = $2 WHERE id = $3 AND withdrawn_at IS NULL")
        .bind(subject.map(SubjectId::as_str)).bind(session.as_str()).bind(id.as_str())).map(|rows| rows == 1)
}

/// Takes a consent back by the token that its wallet holds; `None` if there is no such consent
/// or it was taken back before.
pub async fn withdraw_by_token(
    tx: &mut Tx,
    token: &SecretDigest,
    now: UnixTime,
) -> Result<Option<Consent>, DbError> {
    let row = each!(tx, c => sqlx::query_as::<_, ConsentRow>(
        "UPDATE consents SET withdrawn_at = $1 WHERE token_hash = $2 AND withdrawn_at IS NULL \
         RETURNING id, client_id, subject_id, session_id, claims, purpose, offline, given_at, withdrawn_at")
        .bind(now.0).bind(token.as_str()).fetch_optional(c).await)?;
    row.map(Consent::try_from).transpose()
}

/// Takes a consent back on the account page of its owner.
pub async fn withdraw_own(
    tx: &mut Tx,
    id: &ConsentId,
    subject: Option<&SubjectId>,
    session: &SessionId,
    now: UnixTime,
) -> Result<Option<Consent>, DbError> {
    let row = each!(tx, c => sqlx::query_as::<_, ConsentRow>(
        "UPDATE consents SET withdrawn_at = $1 WHERE id = $2 AND withdrawn_at IS NULL \
         AND (subject_id = $3 OR session_id = $4) \
         RETURNING id, client_id, subject_id, session_id, claims, purpose, offline, given_at, withdrawn_at")
        .bind(now.0).bind(id.as_str()).bind(subject.map(SubjectId::as_str)).bind(session.as_str())
        .fetch_optional(c).await)?;
    row.map(Consent::try_from).transpose()
}

/// Whether a token names a consent at all, withdrawn or not.
pub async fn token_exists(db: &Db, token: &SecretDigest) -> Result<bool, DbError> {
    let found = each!(db, p => sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM consents WHERE token_hash = $1")
        .bind(token.as_str()).fetch_one(p).await)?;
    Ok(found > 0)
}

/// Names of what an application may learn of a person: they agreed to it, and took back nothing of
/// that name since.
pub async fn covered(
    db: &Db,
    subject: &SubjectId,
    client: &ClientId,
) -> Result<BTreeSet<String>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, CoveredRow>(COVERED)
        .bind(subject.as_str()).bind(client.as_str()).fetch_all(p).await)?;
    names(rows)
}

/// The same within a transaction.
pub async fn covered_in(
    tx: &mut Tx,
    subject: &SubjectId,
    client: &ClientId,
) -> Result<BTreeSet<String>, DbError> {
    let rows = each!(tx, c => sqlx::query_as::<_, CoveredRow>(COVERED)
        .bind(subject.as_str()).bind(client.as_str()).fetch_all(c).await)?;
    names(rows)
}

const COVERED: &str = "SELECT claims, MAX(CASE WHEN withdrawn_at IS NULL THEN given_at END) AS given_at, \
     MAX(withdrawn_at) AS withdrawn_at FROM consents WHERE subject_id = $1 AND client_id = $2 GROUP BY claims";

/// Consents to the same names: when the last one was given that stands, and when one was last taken
/// back.
#[derive(sqlx::FromRow)]
struct CoveredRow {
    claims: String,
    given_at: Option<i64>,
    withdrawn_at: Option<i64>,
}

/// Each login writes a consent of its own. Who takes one back means what it names, not the row.
fn names(rows: Vec<CoveredRow>) -> Result<BTreeSet<String>, DbError> {
    let mut last: BTreeMap<String, (Option<i64>, Option<i64>)> = BTreeMap::new();
    for row in rows {
        let list: Vec<String> = serde_json::from_str(&row.claims)
            .map_err(|_| TABLE.invalid("claims", "not a list of names"))?;
        for name in list {
            let (given, withdrawn) = last.entry(name).or_default();
            *given = (*given).max(row.given_at);
            *withdrawn = (*withdrawn).max(row.withdrawn_at);
        }
    }
    let stands = last
        .into_iter()
        .filter(|(_, (given, withdrawn))| given > withdrawn);
    Ok(stands.map(|(name, _)| name).collect())
}

/// Consents that the page of a person shows.
pub const SHOWN: i64 = 100;

/// The newest consents of a person, at most so many.
pub async fn of_person(
    db: &Db,
    subject: Option<&SubjectId>,
    session: &SessionId,
    most: i64,
) -> Result<Vec<Consent>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, ConsentRow>(
        "SELECT id, client_id, subject_id, session_id, claims, purpose, offline, given_at, withdrawn_at FROM consents \
         WHERE subject_id = $1 OR session_id = $2 ORDER BY given_at DESC, id DESC LIMIT $3")
        .bind(subject.map(SubjectId::as_str)).bind(session.as_str()).bind(most).fetch_all(p).await)?;
    rows.into_iter().map(Consent::try_from).collect()
}
