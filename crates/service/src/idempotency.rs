//! Idempotency keys: the same request sent twice has one effect and gets one answer.
//!
//! Inside one transaction: [`claim`], then the effect, then [`record`]. A second request waits
//! for the first one's commit and then sees its answer.

use sha2::{Digest, Sha256};
use vouchsafe_credentials::{encoding::b64url, time::UnixTime};

use crate::{
    db::{Db, DbError, STEP, Table, Tx},
    delete_step, each, execute,
};

/// A request that carries an `Idempotency-Key` header.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Who asks: id of the API key. Keys of two callers never meet.
    pub owner: &'a str,
    /// The header's value.
    pub key: &'a str,
    /// Method, path and body of the request, to notice a key that is used for another request.
    pub content: &'a [u8],
    /// How long the answer is kept.
    pub expires_at: UnixTime,
    /// Now.
    pub now: UnixTime,
}

/// What is known about the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// First time: do the work and [`record`] the answer.
    Fresh,
    /// Send this answer again.
    Repeat {
        /// HTTP status.
        status: u16,
        /// The body as it was recorded (sealed by the owner).
        response: Vec<u8>,
    },
    /// The key was used for another request: answer 422.
    OtherRequest,
}

/// Claims the key for this request.
pub async fn claim(tx: &mut Tx, request: &Request<'_>) -> Result<Claim, DbError> {
    let key = hash(request.key.as_bytes());
    execute!(
        tx,
        sqlx::query(
            "DELETE FROM idempotency WHERE owner = $1 AND key_hash = $2 AND expires_at <= $3"
        )
        .bind(request.owner)
        .bind(key.as_str())
        .bind(request.now.0)
    )?;
    let inserted = execute!(
        tx,
        sqlx::query(
            "INSERT INTO idempotency (owner, key_hash, request_hash, expires_at) \
         VALUES ($1, $2, $3, $4) ON CONFLICT (owner, key_hash) DO NOTHING"
        )
        .bind(request.owner)
        .bind(key.as_str())
        .bind(hash(request.content))
        .bind(request.expires_at.0)
    )?;
    if inserted == 1 {
        return Ok(Claim::Fresh);
    }
    let row = each!(tx, c => sqlx::query_as::<_, StoredRow>(FIND)
        .bind(request.owner).bind(key.as_str()).bind(i64::MIN).fetch_one(c).await)?;
    claimed(row, request)
}

/// Looks at the key without claiming it. [`Claim::Fresh`] is a first look alone: the work must still
/// [`claim`] the key. An answer that is kept needs no work at all, whatever has changed since.
pub async fn look(db: &Db, request: &Request<'_>) -> Result<Claim, DbError> {
    let key = hash(request.key.as_bytes());
    let row = each!(db, p => sqlx::query_as::<_, StoredRow>(FIND)
        .bind(request.owner).bind(key).bind(request.now.0).fetch_optional(p).await)?;
    row.map_or(Ok(Claim::Fresh), |row| claimed(row, request))
}

const FIND: &str = "SELECT request_hash, status, response FROM idempotency
     WHERE owner = $1 AND key_hash = $2 AND expires_at > $3";

fn claimed(row: StoredRow, request: &Request<'_>) -> Result<Claim, DbError> {
    let StoredRow {
        request_hash,
        status,
        response,
    } = row;
    if request_hash != hash(request.content) {
        return Ok(Claim::OtherRequest);
    }
    let table = Table("idempotency");
    let status = status.ok_or_else(|| table.invalid("status", "claimed without an answer"))?;
    let response = response.ok_or_else(|| table.invalid("response", "missing"))?;
    Ok(Claim::Repeat {
        status: u16::try_from(status).map_err(|error| table.invalid("status", error))?,
        response,
    })
}

/// Records the answer of a request that was [`Claim::Fresh`], in the same transaction.
pub async fn record(
    tx: &mut Tx,
    request: &Request<'_>,
    status: u16,
    response: &[u8],
) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE idempotency SET status = $3, response = $4 WHERE owner = $1 AND key_hash = $2"
        )
        .bind(request.owner)
        .bind(hash(request.key.as_bytes()))
        .bind(i64::from(status))
        .bind(response)
    )?;
    Ok(())
}

/// Deletes answers that expired before `before`, [`STEP`] of them at most.
pub async fn purge(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(delete_step!(
            "idempotency",
            "owner, key_hash",
            "expires_at < $1"
        ))
        .bind(before.0)
        .bind(i64::from(STEP))
    )
}

#[derive(sqlx::FromRow)]
struct StoredRow {
    request_hash: String,
    status: Option<i64>,
    response: Option<Vec<u8>>,
}

fn hash(bytes: &[u8]) -> String {
    b64url(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::for_each_database;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn request<'a>(owner: &'a str, content: &'a [u8], now: UnixTime) -> Request<'a> {
        Request {
            owner,
            key: "key",
            content,
            expires_at: now.plus(60),
            now,
        }
    }

    async fn run(db: &Db, owner: &'static str, content: &'static [u8], now: UnixTime) -> Claim {
        db.write(async move |tx| {
            let request = request(owner, content, now);
            let claimed = claim(tx, &request).await?;
            if claimed == Claim::Fresh {
                record(tx, &request, 201, b"answer").await?;
            }
            Ok::<_, DbError>(claimed)
        })
        .await
        .unwrap()
    }

    fn repeat() -> Claim {
        Claim::Repeat {
            status: 201,
            response: b"answer".to_vec(),
        }
    }

    #[tokio::test]
    async fn one_effect_and_one_answer() {
        for_each_database(&[], async |db| {
            let tries = (0..50).map(|_| {
                let db = db.clone();
                tokio::spawn(async move { run(&db, "owner", b"body", NOW).await })
            });
            let mut fresh = 0;
            for attempt in tries.collect::<Vec<_>>() {
                match attempt.await.unwrap() {
                    Claim::Fresh => fresh += 1,
                    other => assert_eq!(other, repeat()),
                }
            }
            assert_eq!(fresh, 1);
            let seen = [
                ("owner", &b"body"[..], NOW, repeat()),
                ("owner", b"other", NOW, Claim::OtherRequest),
                ("somebody else", b"body", NOW, Claim::Fresh),
                ("owner", b"other", NOW.plus(60), Claim::Fresh),
            ];
            for (owner, content, now, expected) in seen {
                let request = request(owner, content, now);
                assert_eq!(look(&db, &request).await.unwrap(), expected);
            }
            assert_eq!(run(&db, "owner", b"other", NOW).await, Claim::OtherRequest);
            assert_eq!(run(&db, "somebody else", b"body", NOW).await, Claim::Fresh);
            assert_eq!(
                run(&db, "owner", b"other", NOW.plus(60)).await,
                Claim::Fresh
            );
        })
        .await;
    }

    #[tokio::test]
    async fn work_that_fails_leaves_the_key_free() {
        for_each_database(&[], async |db| {
            let failed = db
                .write(async |tx| {
                    assert_eq!(claim(tx, &request("o", b"b", NOW)).await?, Claim::Fresh);
                    Err::<(), _>(DbError::Constraint)
                })
                .await;
            assert!(failed.is_err());
            assert_eq!(run(&db, "o", b"b", NOW).await, Claim::Fresh);
        })
        .await;
    }
}
