//! `consents` and `consent_events`: what people agreed to, and what became of it.
//!
//! Whoever writes here holds the account first ([`super::subjects::hold`]), then the consent, then the
//! session.

mod covered;
mod revoked;

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, STEP, Table, Tx, each, execute};

use super::{StoreError, Vault, account_bindings};
use crate::domain::consent::{Consent, Event, NewConsent, State};
use crate::domain::ids::{ClientId, ConsentId, SecretDigest, SessionId, SubjectId};
use crate::domain::notice::{How, Record};

pub use covered::{covered, covered_in, holding};
pub use revoked::revoke_all;

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
    over_at: Option<i64>,
    about: Option<String>,
}

/// The columns of a [`ConsentRow`] behind the beginning of a statement, and its end.
macro_rules! columns {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " id, client_id, subject_id, session_id, claims, purpose, offline, given_at, over_at, about ",
            $after
        )
    };
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
            over_at,
            about,
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
            over_at: over_at.map(UnixTime),
            about,
        })
    }
}

/// A consent whose record is sealed and which can be written.
#[derive(Debug)]
pub struct Sealed {
    new: NewConsent,
    record: Vec<u8>,
}

/// Seals the record of a consent: the database alone cannot change it.
pub fn seal(vault: &Vault, new: NewConsent) -> Result<Sealed, StoreError> {
    let record = vault.seal(&[TABLE.0, "record", new.id.as_str()], &new.record)?;
    Ok(Sealed { new, record })
}

/// Writes a consent when it is given.
pub async fn insert(tx: &mut Tx, sealed: &Sealed) -> Result<(), DbError> {
    let Sealed { new, record } = sealed;
    let NewConsent {
        id,
        token,
        transaction,
        record: given,
    } = new;
    let notice = &given.notice;
    let claims = serde_json::Value::from(given.claims.clone()).to_string();
    execute!(tx, sqlx::query(
        "INSERT INTO consents (id, token_hash, transaction_id, client_id, claims, purpose, offline, given_at, \
             record, about, notice_hash, expires_at, by_page, epoch) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, \
             (SELECT epoch FROM verifier_instance WHERE id = 1))")
        .bind(id.as_str()).bind(token.as_str()).bind(transaction.as_str())
        .bind(notice.client.as_str()).bind(claims.as_str()).bind(notice.purpose.as_str())
        .bind(notice.away_days.is_some()).bind(given.given_at.0).bind(record.as_slice())
        .bind(notice.about.as_str()).bind(notice.hash()).bind(given.expires_at.map(|at| at.0))
        .bind(given.how == How::Page))?;
    note(tx, id, State::Given, given.given_at).await
}

/// Appends to the life of a consent.
async fn note(tx: &mut Tx, id: &ConsentId, state: State, now: UnixTime) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("INSERT INTO consent_events (consent_id, state, at) VALUES ($1, $2, $3)")
            .bind(id.as_str())
            .bind(state.name())
            .bind(now.0)
    )
    .map(drop)
}

/// Ties a consent to the account of the login that is being finished, and ends those that it covers;
/// `false` if it is over, or somebody else's. The session follows with [`rest`].
pub async fn attach(
    tx: &mut Tx,
    vault: &Vault,
    id: &ConsentId,
    subject: Option<&SubjectId>,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let same = each!(tx, c => sqlx::query_as::<_, (String, Option<String>, Option<Vec<u8>>)>(
        "UPDATE consents SET subject_id = $1 WHERE id = $2 AND over_at IS NULL \
         AND (subject_id IS NULL OR subject_id = $1) \
         AND (expires_at IS NULL OR expires_at > $3) RETURNING client_id, about, record")
        .bind(subject.map(SubjectId::as_str)).bind(id.as_str()).bind(now.0).fetch_optional(c).await)?;
    let Some((client, about, record)) = same else {
        return Ok(false);
    };
    let (Some(subject), Some(record)) = (subject, record) else {
        return Ok(true);
    };
    let others = each!(tx, c => sqlx::query_as::<_, (String, Vec<u8>)>(
        "SELECT id, record FROM consents WHERE subject_id = $1 AND client_id = $2 AND about = $3 \
         AND id <> $4 AND over_at IS NULL AND record IS NOT NULL")
        .bind(subject.as_str()).bind(client.as_str()).bind(about.as_deref()).bind(id.as_str())
        .fetch_all(c).await)?;
    if others.is_empty() {
        return Ok(true);
    }
    let record = opened(vault, id, &record)?;
    for (old, sealed) in others {
        let old = ConsentId::from_text(old);
        // What goes on with more than was agreed to now rests on the old one, which can be withdrawn.
        if !record.covers(&opened(vault, &old, &sealed)?) {
            continue;
        }
        let ended = execute!(
            tx,
            sqlx::query("UPDATE consents SET over_at = $1 WHERE id = $2 AND over_at IS NULL")
                .bind(now.0)
                .bind(old.as_str())
        )?;
        if ended > 0 {
            note(tx, &old, State::Replaced, now).await?;
        }
    }
    Ok(true)
}

fn opened(vault: &Vault, id: &ConsentId, sealed: &[u8]) -> Result<Record, StoreError> {
    vault.open(TABLE, "record", &[TABLE.0, "record", id.as_str()], sealed)
}

/// Notes the session that rests on a consent.
pub async fn rest(tx: &mut Tx, id: &ConsentId, session: &SessionId) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("UPDATE consents SET session_id = $1 WHERE id = $2 AND over_at IS NULL")
            .bind(session.as_str())
            .bind(id.as_str())
    )
    .map(drop)
}

/// A consent.
pub async fn find(tx: &mut Tx, id: &ConsentId) -> Result<Option<Consent>, DbError> {
    let row = each!(tx, c => sqlx::query_as::<_, ConsentRow>(
        columns!("SELECT", "FROM consents WHERE id = $1"))
        .bind(id.as_str()).fetch_optional(c).await)?;
    row.map(Consent::try_from).transpose()
}

/// Ends a consent. A withdrawal ends with it those of the account for the same, and, of a consent by
/// card, what was agreed to on a page: in the same login, and by the same account with the same
/// application. Empty where nothing is left of it.
pub async fn end(
    tx: &mut Tx,
    consent: &Consent,
    state: State,
    now: UnixTime,
) -> Result<Vec<Consent>, DbError> {
    let withdrawn = state == State::Withdrawn;
    let (id, client) = (consent.id.as_str(), consent.client.as_str());
    let mut rows = each!(tx, c => sqlx::query_as::<_, ConsentRow>(columns!(
        "UPDATE consents SET over_at = $1, withdrawn_at = $2 WHERE id = $3 AND over_at IS NULL RETURNING", ""))
        .bind(now.0).bind(withdrawn.then_some(now.0)).bind(id).fetch_all(c).await)?;
    if withdrawn {
        let subject = consent.subject.as_ref().map(SubjectId::as_str);
        rows.extend(each!(tx, c => sqlx::query_as::<_, ConsentRow>(columns!(
            "UPDATE consents SET over_at = $1, withdrawn_at = $1 \
             WHERE subject_id = $2 AND client_id = $3 AND about = $4 AND over_at IS NULL RETURNING", ""))
            .bind(now.0).bind(subject).bind(client).bind(consent.about.as_deref()).fetch_all(c).await)?);
        let card = each!(tx, c => sqlx::query_scalar::<_, String>(
            "SELECT transaction_id FROM consents WHERE id = $1 AND by_page = FALSE")
            .bind(id).fetch_optional(c).await)?;
        if let Some(login) = card {
            rows.extend(each!(tx, c => sqlx::query_as::<_, ConsentRow>(columns!(
                "UPDATE consents SET over_at = $1, withdrawn_at = $1 \
                 WHERE by_page = TRUE AND over_at IS NULL \
                 AND (transaction_id = $2 OR (subject_id = $3 AND client_id = $4)) RETURNING", ""))
                .bind(now.0).bind(login.as_str()).bind(subject).bind(client).fetch_all(c).await)?);
        }
    }
    let mut ended = Vec::with_capacity(rows.len());
    for row in rows {
        let one = Consent::try_from(row)?;
        note(tx, &one.id, state, now).await?;
        if let Some(subject) = &one.subject {
            account_bindings::forget_unagreed(tx, subject).await?;
        }
        ended.push(one);
    }
    Ok(ended)
}

/// The consent that a wallet's token names, over or not.
pub async fn of_token(db: &Db, token: &SecretDigest) -> Result<Option<Consent>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, ConsentRow>(
        columns!("SELECT", "FROM consents WHERE token_hash = $1"))
        .bind(token.as_str()).fetch_optional(p).await)?;
    row.map(Consent::try_from).transpose()
}

/// A consent of a person, over or not.
pub async fn own(
    db: &Db,
    id: &ConsentId,
    subject: Option<&SubjectId>,
    session: &SessionId,
) -> Result<Option<Consent>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, ConsentRow>(
        columns!("SELECT", "FROM consents WHERE id = $1 AND (subject_id = $2 OR session_id = $3)"))
        .bind(id.as_str()).bind(subject.map(SubjectId::as_str)).bind(session.as_str())
        .fetch_optional(p).await)?;
    row.map(Consent::try_from).transpose()
}

/// The consents of a person, those that hold first; `most` of them.
pub async fn of_person(
    db: &Db,
    subject: Option<&SubjectId>,
    session: &SessionId,
    most: i64,
) -> Result<Vec<Consent>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, ConsentRow>(columns!("SELECT",
        "FROM consents WHERE subject_id = $1 OR session_id = $2 \
         ORDER BY CASE WHEN over_at IS NULL THEN 0 ELSE 1 END, given_at DESC, id DESC LIMIT $3"))
        .bind(subject.map(SubjectId::as_str)).bind(session.as_str()).bind(most).fetch_all(p).await)?;
    rows.into_iter().map(Consent::try_from).collect()
}

/// The life of a consent, in order.
pub async fn events_of(db: &Db, consent: &ConsentId) -> Result<Vec<Event>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, EventRow>(
        "SELECT consent_id, state, at FROM consent_events WHERE consent_id = $1 \
         ORDER BY at, CASE WHEN state = 'given' THEN 0 ELSE 1 END")
        .bind(consent.as_str()).fetch_all(p).await)?;
    rows.into_iter().map(event).collect()
}

/// The lives of the consents of a person that [`of_person`] tells, each in order.
pub async fn events_of_person(
    db: &Db,
    subject: Option<&SubjectId>,
    session: &SessionId,
    most: i64,
) -> Result<Vec<Event>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, EventRow>(
        "SELECT consent_id, state, at FROM consent_events WHERE consent_id IN (\
             SELECT id FROM consents WHERE subject_id = $1 OR session_id = $2 \
             ORDER BY CASE WHEN over_at IS NULL THEN 0 ELSE 1 END, given_at DESC, id DESC LIMIT $3) \
         ORDER BY consent_id, at, CASE WHEN state = 'given' THEN 0 ELSE 1 END")
        .bind(subject.map(SubjectId::as_str)).bind(session.as_str()).bind(most).fetch_all(p).await)?;
    rows.into_iter().map(event).collect()
}

type EventRow = (String, String, i64);

fn event((consent, state, at): EventRow) -> Result<Event, DbError> {
    let state = State::from_name(&state)
        .ok_or_else(|| Table("consent_events").invalid("state", "not known"))?;
    Ok(Event {
        consent: ConsentId::from_text(consent),
        state,
        at: UnixTime(at),
    })
}

/// What was recorded of a consent. An error where somebody changed it: in the sealed record, or in
/// the columns that say the same. Whose it is and whether it is over are columns alone. Consents of
/// an earlier version have none.
pub async fn record(
    db: &Db,
    vault: &Vault,
    consent: &Consent,
) -> Result<Option<Record>, StoreError> {
    let row = each!(db, p => sqlx::query_as::<_, (Option<Vec<u8>>, Option<String>, Option<i64>, bool)>(
        "SELECT record, notice_hash, expires_at, by_page FROM consents WHERE id = $1")
        .bind(consent.id.as_str()).fetch_optional(p).await)?;
    let Some((Some(sealed), hash, expires_at, by_page)) = row else {
        return Ok(None);
    };
    let record = opened(vault, &consent.id, &sealed)?;
    let notice = &record.notice;
    let same = notice.client == consent.client
        && Some(&notice.about) == consent.about.as_ref()
        && notice.purpose == consent.purpose
        && notice.away_days.is_some() == consent.offline
        && record.claims == consent.claims
        && record.given_at == consent.given_at
        && record.expires_at.map(|at| at.0) == expires_at
        && (record.how == How::Page) == by_page
        && Some(notice.hash()) == hash;
    match same {
        true => Ok(Some(record)),
        false => Err(TABLE
            .invalid("record", "says other things than the row")
            .into()),
    }
}

/// The consent of a person to exactly this, if it holds. One from before a restore does not: that it
/// was withdrawn since may have been lost.
pub async fn holds(
    db: &Db,
    subject: &SubjectId,
    (client, about, hash): (&ClientId, &str, &str),
    now: UnixTime,
) -> Result<Option<Consent>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, ConsentRow>(columns!("SELECT",
        "FROM consents WHERE subject_id = $1 AND client_id = $2 AND about = $3 AND notice_hash = $4 \
         AND over_at IS NULL AND (expires_at IS NULL OR expires_at > $5) \
         AND epoch = (SELECT epoch FROM verifier_instance WHERE id = 1) ORDER BY given_at DESC LIMIT 1"))
        .bind(subject.as_str()).bind(client.as_str()).bind(about).bind(hash).bind(now.0)
        .fetch_optional(p).await)?;
    row.map(Consent::try_from).transpose()
}

/// Consents whose time is over and which nobody has ended, [`STEP`] of them at most.
pub async fn lapsed(db: &Db, now: UnixTime) -> Result<Vec<Consent>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, ConsentRow>(columns!("SELECT",
        "FROM consents WHERE over_at IS NULL AND expires_at <= $1 ORDER BY expires_at, id LIMIT $2"))
        .bind(now.0).bind(i64::from(STEP)).fetch_all(p).await)?;
    rows.into_iter().map(Consent::try_from).collect()
}

/// Deletes what was over before `before`, and what guests agreed to then, [`STEP`] of them at most. What was
/// taken back stays as long as a consent of before holds: what it names must not be told again by that.
pub async fn purge(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    let old = each!(tx, c => sqlx::query_scalar::<_, String>(
        "SELECT id FROM consents c WHERE (over_at < $1 AND (withdrawn_at IS NULL OR NOT EXISTS (\
             SELECT 1 FROM consents o WHERE o.subject_id = c.subject_id AND o.client_id = c.client_id \
             AND o.over_at IS NULL AND o.given_at <= c.withdrawn_at))) \
         OR (subject_id IS NULL AND given_at < $1) LIMIT $2")
        .bind(before.0).bind(i64::from(STEP)).fetch_all(c).await)?;
    for id in &old {
        execute!(
            tx,
            sqlx::query("DELETE FROM consent_events WHERE consent_id = $1").bind(id.as_str())
        )?;
        execute!(
            tx,
            sqlx::query("DELETE FROM consents WHERE id = $1").bind(id.as_str())
        )?;
    }
    Ok(old.len() as u64)
}
