//! Objects that work once: codes, request URIs, rotating tokens.
//!
//! One table for each kind, and one statement that consumes. Only the SHA-256 of a secret is
//! stored, so a copy of the database opens nothing; payloads are sealed by their owner
//! ([`crate::seal`]).

#[cfg(test)]
mod tests;

use sha2::{Digest, Sha256};
use vouchsafe_credentials::{encoding::b64url, time::UnixTime};

use crate::{
    db::{Db, DbError, STEP, Tx},
    delete_step, each, execute,
};

/// The kinds, each with a table of its own: a secret of one kind is unknown to every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// OAuth authorization code (RFC 6749, section 4.1.2).
    AuthorizationCode,
    /// Pre-authorized code (OpenID4VCI 1.0, section 4.1.1).
    PreAuthorizedCode,
    /// `request_uri` of a pushed authorization request (RFC 9126).
    PushedRequest,
    /// `response_code` of a presentation (OpenID4VP 1.0, section 13.3).
    ResponseCode,
    /// Refresh token that rotates.
    RefreshToken,
    /// Return of a browser to a page of ours.
    BrowserReturn,
    /// Link that invites an operator to a console.
    OperatorInvitation,
    /// Challenge that an operator's passkey signs (WebAuthn Level 3, section 13.4.3).
    OperatorChallenge,
}

impl Kind {
    /// All kinds, for the purge job.
    pub const ALL: [Self; 8] = [
        Self::AuthorizationCode,
        Self::PreAuthorizedCode,
        Self::PushedRequest,
        Self::ResponseCode,
        Self::RefreshToken,
        Self::BrowserReturn,
        Self::OperatorInvitation,
        Self::OperatorChallenge,
    ];
}

/// What is stored under a secret.
#[derive(Debug, Clone)]
pub struct NewObject {
    /// The owner's data, sealed. Nothing here is read by this module.
    pub payload: Vec<u8>,
    /// What must be revoked if the secret is used twice: a login, a grant, an offer.
    pub family: String,
    /// From this second on the secret is unknown.
    pub expires_at: UnixTime,
}

/// What became of an attempt to consume.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a replay must be acted upon"]
pub enum Consumed {
    /// This call, and no other, consumed the object.
    Taken {
        /// The sealed payload.
        payload: Vec<u8>,
        /// The family given at [`put`].
        family: String,
    },
    /// The secret was consumed before: revoke the family (RFC 6749, section 4.1.2).
    Replayed {
        /// The family given at [`put`].
        family: String,
    },
    /// Never issued, expired, or purged.
    Unknown,
}

impl Consumed {
    /// The payload, if this call consumed the object.
    pub fn taken(self) -> Option<Vec<u8>> {
        match self {
            Self::Taken { payload, family: _ } => Some(payload),
            Self::Replayed { family: _ } | Self::Unknown => None,
        }
    }
}

/// Stores an object under the hash of `secret`.
pub async fn put(tx: &mut Tx, kind: Kind, secret: &str, object: &NewObject) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(sql(kind).put)
            .bind(hash(secret))
            .bind(object.payload.as_slice())
            .bind(object.family.as_str())
            .bind(object.expires_at.0)
    )?;
    Ok(())
}

/// Consumes the object under `secret`. Of any number of calls at once, exactly one succeeds.
pub async fn consume(
    tx: &mut Tx,
    kind: Kind,
    secret: &str,
    now: UnixTime,
) -> Result<Consumed, DbError> {
    let hash = hash(secret);
    let taken = each!(tx, c => sqlx::query_as::<_, TakenRow>(sql(kind).consume)
        .bind(hash.as_str()).bind(now.0).fetch_optional(c).await)?;
    if let Some(TakenRow { payload, family }) = taken {
        return Ok(Consumed::Taken { payload, family });
    }
    used(tx, kind, &hash).await
}

/// What [`consume`] says, without using the object up: it stays as it is, and nobody consumes it
/// before the transaction is over.
pub async fn hold(
    tx: &mut Tx,
    kind: Kind,
    secret: &str,
    now: UnixTime,
) -> Result<Consumed, DbError> {
    let hash = hash(secret);
    let held = each!(tx, c => sqlx::query_as::<_, TakenRow>(sql(kind).hold)
        .bind(hash.as_str()).bind(now.0).fetch_optional(c).await)?;
    if let Some(TakenRow { payload, family }) = held {
        return Ok(Consumed::Taken { payload, family });
    }
    used(tx, kind, &hash).await
}

/// Why nothing could be consumed.
async fn used(tx: &mut Tx, kind: Kind, hash: &str) -> Result<Consumed, DbError> {
    let used = each!(tx, c => sqlx::query_scalar::<_, String>(sql(kind).used)
        .bind(hash).fetch_optional(c).await)?;
    Ok(used.map_or(Consumed::Unknown, |family| Consumed::Replayed { family }))
}

/// [`consume`] in a transaction of its own.
pub async fn consume_now(
    db: &Db,
    kind: Kind,
    secret: &str,
    now: UnixTime,
) -> Result<Consumed, DbError> {
    let secret = secret.to_owned();
    db.write(async move |tx| consume(tx, kind, &secret, now).await)
        .await
}

/// The family of an object that can still be consumed, without consuming it: for a page that asks
/// before it acts. Never a permission.
pub async fn peek_family(
    db: &Db,
    kind: Kind,
    secret: &str,
    now: UnixTime,
) -> Result<Option<String>, DbError> {
    each!(db, p => sqlx::query_scalar::<_, String>(sql(kind).peek_family)
        .bind(hash(secret)).bind(now.0).fetch_optional(p).await)
}

/// The payload of an object that can still be consumed, without consuming it.
///
/// For what must be shown before the decision (a code entry page). Never a permission.
pub async fn peek(
    db: &Db,
    kind: Kind,
    secret: &str,
    now: UnixTime,
) -> Result<Option<Vec<u8>>, DbError> {
    each!(db, p => sqlx::query_scalar::<_, Vec<u8>>(sql(kind).peek)
        .bind(hash(secret)).bind(now.0).fetch_optional(p).await)
}

/// Counts a failed try (a wrong `tx_code`) and returns how many there were with this one.
/// At `limit` the object is used up. `None`: there is no such object any more.
pub async fn record_failure(
    tx: &mut Tx,
    kind: Kind,
    secret: &str,
    limit: i64,
    now: UnixTime,
) -> Result<Option<i64>, DbError> {
    each!(tx, c => sqlx::query_scalar::<_, i64>(sql(kind).fail)
        .bind(hash(secret)).bind(now.0).bind(limit).fetch_optional(c).await)
}

/// Uses up every object of a family that is still open; returns how many there were.
pub async fn revoke_family(
    tx: &mut Tx,
    kind: Kind,
    family: &str,
    now: UnixTime,
) -> Result<u64, DbError> {
    execute!(tx, sqlx::query(sql(kind).revoke).bind(family).bind(now.0))
}

/// The family of a secret that was used up before, and of which [`first_replay`] knows nothing yet.
pub async fn unnoticed_replay(
    db: &Db,
    kind: Kind,
    secret: &str,
) -> Result<Option<String>, DbError> {
    each!(db, p => sqlx::query_scalar::<_, String>(sql(kind).unnoticed)
        .bind(hash(secret)).fetch_optional(p).await)
}

/// Notes that a secret which was used up comes again. The family, the first time alone: so whoever
/// repeats it cannot fill a log.
pub async fn first_replay(
    tx: &mut Tx,
    kind: Kind,
    secret: &str,
) -> Result<Option<String>, DbError> {
    each!(tx, c => sqlx::query_scalar::<_, String>(sql(kind).notice)
        .bind(hash(secret)).fetch_optional(c).await)
}

/// Deletes what expired before `before`, [`STEP`] of every kind at most: fewer than that in all, and
/// there is no more. Keep a margin, so that replays are told
/// apart from unknown secrets for a while.
pub async fn purge(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    let mut deleted = 0;
    for kind in Kind::ALL {
        deleted += purge_kind(tx, kind, before).await?;
    }
    Ok(deleted)
}

/// Deletes what expired before `before`, of one kind and [`STEP`] at most.
pub async fn purge_kind(tx: &mut Tx, kind: Kind, before: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(sql(kind).purge)
            .bind(before.0)
            .bind(i64::from(STEP))
    )
}

#[derive(sqlx::FromRow)]
struct TakenRow {
    payload: Vec<u8>,
    family: String,
}

fn hash(secret: &str) -> String {
    b64url(&Sha256::digest(secret.as_bytes()))
}

struct Sql {
    put: &'static str,
    consume: &'static str,
    hold: &'static str,
    used: &'static str,
    peek: &'static str,
    peek_family: &'static str,
    fail: &'static str,
    unnoticed: &'static str,
    notice: &'static str,
    revoke: &'static str,
    purge: &'static str,
}

macro_rules! sql_of {
    ($table:literal) => {
        &Sql {
            put: concat!(
                "INSERT INTO ",
                $table,
                " (secret_hash, payload, family, expires_at) VALUES ($1, $2, $3, $4)"
            ),
            consume: concat!(
                "UPDATE ",
                $table,
                " SET used_at = $2 WHERE secret_hash = $1 AND used_at IS NULL AND expires_at > $2",
                " RETURNING payload, family"
            ),
            // An update that changes nothing locks the row on PostgreSQL; SQLite has one writer.
            hold: concat!(
                "UPDATE ",
                $table,
                " SET used_at = used_at WHERE secret_hash = $1 AND used_at IS NULL AND expires_at > $2",
                " RETURNING payload, family"
            ),
            used: concat!(
                "SELECT family FROM ",
                $table,
                " WHERE secret_hash = $1 AND used_at IS NOT NULL"
            ),
            peek: concat!(
                "SELECT payload FROM ",
                $table,
                " WHERE secret_hash = $1 AND used_at IS NULL AND expires_at > $2"
            ),
            peek_family: concat!(
                "SELECT family FROM ",
                $table,
                " WHERE secret_hash = $1 AND used_at IS NULL AND expires_at > $2"
            ),
            fail: concat!(
                "UPDATE ",
                $table,
                " SET failures = failures + 1,",
                " used_at = CASE WHEN failures + 1 >= $3 THEN $2 ELSE used_at END",
                " WHERE secret_hash = $1 AND used_at IS NULL AND expires_at > $2",
                " RETURNING failures"
            ),
            unnoticed: concat!(
                "SELECT family FROM ",
                $table,
                " WHERE secret_hash = $1 AND used_at IS NOT NULL AND failures = 0"
            ),
            notice: concat!(
                "UPDATE ",
                $table,
                " SET failures = failures + 1",
                " WHERE secret_hash = $1 AND used_at IS NOT NULL AND failures = 0",
                " RETURNING family"
            ),
            revoke: concat!(
                "UPDATE ",
                $table,
                " SET used_at = $2 WHERE family = $1 AND used_at IS NULL"
            ),
            purge: delete_step!($table, "secret_hash", "expires_at < $1"),
        }
    };
}

fn sql(kind: Kind) -> &'static Sql {
    match kind {
        Kind::AuthorizationCode => sql_of!("authorization_code"),
        Kind::PreAuthorizedCode => sql_of!("pre_authorized_code"),
        Kind::PushedRequest => sql_of!("pushed_request"),
        Kind::ResponseCode => sql_of!("response_code"),
        Kind::RefreshToken => sql_of!("refresh_token"),
        Kind::BrowserReturn => sql_of!("browser_return"),
        Kind::OperatorInvitation => sql_of!("operator_invitation"),
        Kind::OperatorChallenge => sql_of!("operator_challenge"),
    }
}
