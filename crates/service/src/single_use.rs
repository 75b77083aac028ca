//! Objects that work once: codes, request URIs, rotating tokens.
//!
//! One table for each kind, and one statement that consumes. Only the SHA-256 of a secret is
//! stored, so a copy of the database opens nothing; payloads are sealed by their owner
//! ([`crate::seal`]).

use sha2::{Digest, Sha256};
use vouchsafe_credentials::{encoding::b64url, time::UnixTime};

use crate::{
    db::{Db, DbError, Tx},
    each, execute,
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
}

impl Kind {
    /// All kinds, for the purge job.
    pub const ALL: [Self; 6] = [
        Self::AuthorizationCode,
        Self::PreAuthorizedCode,
        Self::PushedRequest,
        Self::ResponseCode,
        Self::RefreshToken,
        Self::BrowserReturn,
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
    let used = each!(tx, c => sqlx::query_scalar::<_, String>(sql(kind).used)
        .bind(hash.as_str()).fetch_optional(c).await)?;
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

/// Deletes what expired before `before`, of every kind. Keep a margin, so that replays are told
/// apart from unknown secrets for a while.
pub async fn purge(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    let mut deleted = 0;
    for kind in Kind::ALL {
        deleted += execute!(tx, sqlx::query(sql(kind).purge).bind(before.0))?;
    }
    Ok(deleted)
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
    used: &'static str,
    peek: &'static str,
    fail: &'static str,
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
            fail: concat!(
                "UPDATE ",
                $table,
                " SET failures = failures + 1,",
                " used_at = CASE WHEN failures + 1 >= $3 THEN $2 ELSE used_at END",
                " WHERE secret_hash = $1 AND used_at IS NULL AND expires_at > $2",
                " RETURNING failures"
            ),
            revoke: concat!(
                "UPDATE ",
                $table,
                " SET used_at = $2 WHERE family = $1 AND used_at IS NULL"
            ),
            purge: concat!("DELETE FROM ", $table, " WHERE expires_at < $1"),
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::for_each_database;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn object(family: &str) -> NewObject {
        NewObject {
            payload: vec![1, 2, 3],
            family: family.into(),
            expires_at: NOW.plus(60),
        }
    }

    async fn store(db: &Db, kind: Kind, secret: &'static str) {
        db.write(async move |tx| put(tx, kind, secret, &object("family")).await)
            .await
            .unwrap();
    }

    fn taken() -> Consumed {
        Consumed::Taken {
            payload: vec![1, 2, 3],
            family: "family".into(),
        }
    }

    fn replayed() -> Consumed {
        Consumed::Replayed {
            family: "family".into(),
        }
    }

    #[tokio::test]
    async fn of_a_hundred_at_once_one_succeeds() {
        for_each_database(&[], async |db| {
            for kind in Kind::ALL {
                store(&db, kind, "secret").await;
                let tries = (0..100).map(|_| {
                    let db = db.clone();
                    tokio::spawn(async move { consume_now(&db, kind, "secret", NOW).await })
                });
                let mut won = 0;
                for attempt in tries.collect::<Vec<_>>() {
                    match attempt.await.unwrap().unwrap() {
                        Consumed::Unknown => panic!("{kind:?}: a loser sees a replay"),
                        other if other == taken() => won += 1,
                        other => assert_eq!(other, replayed()),
                    }
                }
                assert_eq!(won, 1, "{kind:?}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn a_secret_of_one_kind_is_unknown_to_the_others() {
        for_each_database(&[], async |db| {
            store(&db, Kind::ResponseCode, "secret").await;
            for kind in Kind::ALL {
                if kind != Kind::ResponseCode {
                    let consumed = consume_now(&db, kind, "secret", NOW).await.unwrap();
                    assert_eq!(consumed, Consumed::Unknown, "{kind:?}");
                }
            }
            for wrong in ["", "Secret", "secret ", "secret\u{0}"] {
                let consumed = consume_now(&db, Kind::ResponseCode, wrong, NOW)
                    .await
                    .unwrap();
                assert_eq!(consumed, Consumed::Unknown);
            }
            let consumed = consume_now(&db, Kind::ResponseCode, "secret", NOW)
                .await
                .unwrap();
            assert_eq!(consumed, taken());
        })
        .await;
    }

    #[tokio::test]
    async fn expiry_is_exact_and_final() {
        for_each_database(&[], async |db| {
            let kind = Kind::AuthorizationCode;
            store(&db, kind, "a").await;
            store(&db, kind, "b").await;
            let at = |seconds| NOW.plus(seconds);
            assert_eq!(
                consume_now(&db, kind, "a", at(60)).await.unwrap(),
                Consumed::Unknown
            );
            assert_eq!(peek(&db, kind, "a", at(60)).await.unwrap(), None);
            assert_eq!(
                peek(&db, kind, "a", at(59)).await.unwrap(),
                Some(vec![1, 2, 3])
            );
            assert_eq!(consume_now(&db, kind, "b", at(59)).await.unwrap(), taken());
            // cat_421: a clock that goes back does not bring a used code back.
            assert_eq!(
                consume_now(&db, kind, "b", at(-3600)).await.unwrap(),
                replayed()
            );
            assert_eq!(peek(&db, kind, "b", NOW).await.unwrap(), None);
        })
        .await;
    }

    #[tokio::test]
    async fn a_consume_that_is_rolled_back_did_not_happen() {
        for_each_database(&[], async |db| {
            store(&db, Kind::RefreshToken, "secret").await;
            let failed = db
                .write(async |tx| {
                    assert_eq!(
                        consume(tx, Kind::RefreshToken, "secret", NOW).await?,
                        taken()
                    );
                    Err::<(), _>(DbError::Constraint)
                })
                .await;
            assert!(failed.is_err());
            let again = consume_now(&db, Kind::RefreshToken, "secret", NOW)
                .await
                .unwrap();
            assert_eq!(again, taken());
        })
        .await;
    }

    #[tokio::test]
    async fn tries_are_counted_and_run_out() {
        for_each_database(&[], async |db| {
            let kind = Kind::PreAuthorizedCode;
            store(&db, kind, "secret").await;
            let tries = (0..20).map(|_| {
                let db = db.clone();
                tokio::spawn(async move {
                    db.write(async move |tx| record_failure(tx, kind, "secret", 5, NOW).await)
                        .await
                })
            });
            let mut seen = Vec::new();
            for attempt in tries.collect::<Vec<_>>() {
                seen.extend(attempt.await.unwrap().unwrap());
            }
            seen.sort_unstable();
            assert_eq!(seen, [1, 2, 3, 4, 5]);
            let after = consume_now(&db, kind, "secret", NOW).await.unwrap();
            assert_eq!(after, replayed());
        })
        .await;
    }

    #[tokio::test]
    async fn cat_422_a_revoked_family_stays_revoked() {
        for_each_database(&[], async |db| {
            let kind = Kind::RefreshToken;
            for secret in ["a", "b"] {
                store(&db, kind, secret).await;
            }
            db.write(async move |tx| put(tx, kind, "c", &object("other")).await)
                .await
                .unwrap();
            let revoked = db
                .write(async move |tx| revoke_family(tx, kind, "family", NOW).await)
                .await
                .unwrap();
            assert_eq!(revoked, 2);
            for secret in ["a", "b"] {
                assert_eq!(
                    consume_now(&db, kind, secret, NOW).await.unwrap(),
                    replayed()
                );
            }
            assert!(
                consume_now(&db, kind, "c", NOW)
                    .await
                    .unwrap()
                    .taken()
                    .is_some()
            );
        })
        .await;
    }

    #[tokio::test]
    async fn purge_deletes_what_expired_and_nothing_else() {
        for_each_database(&[], async |db| {
            store(&db, Kind::PushedRequest, "a").await;
            let purge_at =
                async |at: UnixTime| db.write(async move |tx| purge(tx, at).await).await.unwrap();
            assert_eq!(purge_at(NOW.plus(60)).await, 0);
            assert_eq!(purge_at(NOW.plus(61)).await, 1);
        })
        .await;
    }

    #[tokio::test]
    async fn the_database_does_not_hold_the_secret() {
        let temporary = crate::db::testing::sqlite(&[]).await;
        store(
            &temporary.db,
            Kind::AuthorizationCode,
            "canary-secret-value",
        )
        .await;
        let folder = std::path::Path::new(temporary.url.trim_start_matches("sqlite:"));
        for file in std::fs::read_dir(folder.parent().unwrap()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            let found = bytes
                .windows(19)
                .any(|window| window == b"canary-secret-value");
            assert!(!found);
        }
    }
}
