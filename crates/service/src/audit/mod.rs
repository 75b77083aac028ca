//! The audit log: what was done to the organisation's data, by whom, in a chain that tells when
//! somebody edited the database.
//!
//! An event is appended in the transaction of the change that it reports ("audit or refuse"): if
//! it cannot be written, the change does not happen. Each row carries an HMAC over its content and
//! the HMAC of the row before, under a key that is not in the database. Cutting off the end of the
//! log cannot be seen from the log alone: keep the [`Head`] somewhere else and pass it to
//! [`verify`].
//!
//! Events name opaque ids. Claims, codes and tokens have no place here.

#[cfg(test)]
mod tests;

use vouchsafe_credentials::{
    crypto::{constant_time_eq, hmac_sha256},
    encoding::{b64url, b64url_decode},
    time::UnixTime,
};

use crate::{
    db::{Db, DbError, Tx},
    each, execute,
    keys::SymmetricKey,
};

/// What the first row is chained to.
const START: [u8; 32] = [0; 32];
/// Rows that [`verify`] reads at once.
const BATCH: i64 = 1000;

/// What is reported. All texts are ids and words of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: UnixTime,
    /// Who: `key:<id>` for an API key, `client:<id>` for an OAuth client, `system` for a job, `command` for the command line,
    /// `subject:<id>` for a person on their account page,
    /// `anonymous` where nobody is asked for a key.
    pub actor: String,
    /// What, `<thing>.<verb>`: `credential.revoke`.
    pub action: &'static str,
    /// To which object.
    pub target: String,
    /// In what way, in few words without personal data; may be empty.
    pub detail: String,
}

/// An event as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Number, from 1 without gaps.
    pub seq: i64,
    /// When.
    pub at: UnixTime,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To which object.
    pub target: String,
    /// In what way.
    pub detail: String,
}

/// The newest row: number and MAC. Kept elsewhere, it shows that the end was cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Number of the newest row; 0 for an empty log.
    pub seq: i64,
    /// Its MAC.
    pub hash: Vec<u8>,
}

impl Head {
    /// Parses what [`Display`](std::fmt::Display) writes: `NUMBER:HASH`, the MAC in base64url.
    pub fn parse(text: &str) -> Option<Self> {
        let (seq, hash) = text.split_once(':')?;
        let hash = b64url_decode(hash).ok().filter(|hash| hash.len() == 32)?;
        let seq = seq.parse().ok().filter(|seq| *seq >= 0)?;
        Some(Self { seq, hash })
    }
}

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.seq, b64url(&self.hash))
    }
}

/// Where the chain breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// The row with this number was changed, or the one before it.
    Changed(i64),
    /// The row with this number is missing.
    Missing(i64),
}

impl Broken {
    /// The number of the row.
    pub fn seq(self) -> i64 {
        match self {
            Self::Changed(seq) | Self::Missing(seq) => seq,
        }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    at: i64,
    actor: String,
    action: String,
    target: String,
    detail: String,
    hash: Vec<u8>,
}

impl Row {
    fn entry(self) -> Entry {
        let Self {
            seq,
            at,
            actor,
            action,
            target,
            detail,
            hash: _,
        } = self;
        Entry {
            seq,
            at: UnixTime(at),
            actor,
            action,
            target,
            detail,
        }
    }

    fn mac(&self, key: &SymmetricKey, previous: &[u8]) -> [u8; 32] {
        let texts = [&*self.actor, &self.action, &self.target, &self.detail];
        mac(key, previous, self.seq, self.at, texts)
    }
}

/// Length-prefixed, so that no two rows have the same bytes.
fn mac(key: &SymmetricKey, previous: &[u8], seq: i64, at: i64, texts: [&str; 4]) -> [u8; 32] {
    let mut bytes = previous.to_vec();
    bytes.extend_from_slice(&seq.to_be_bytes());
    bytes.extend_from_slice(&at.to_be_bytes());
    for text in texts {
        bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    hmac_sha256(key.expose(), &bytes)
}

/// Appends an event to the log, in the transaction of what it reports.
///
/// Transactions that append wait for each other until they end, so this is the last thing that a
/// transaction does.
pub async fn append(tx: &mut Tx, key: &SymmetricKey, event: &Event) -> Result<(), DbError> {
    append_all(tx, key, std::slice::from_ref(event)).await
}

/// Appends events in this order; see [`append`].
pub async fn append_all(tx: &mut Tx, key: &SymmetricKey, events: &[Event]) -> Result<(), DbError> {
    tx.lock("audit_event").await?;
    let newest = each!(tx, c => sqlx::query_as::<_, (i64, Vec<u8>)>(
        "SELECT seq, hash FROM audit_event ORDER BY seq DESC LIMIT 1").fetch_optional(c).await)?;
    let (mut seq, mut previous) = newest.unwrap_or_else(|| (0, START.to_vec()));
    for event in events {
        seq += 1;
        previous = insert(tx, key, &previous, seq, event).await?;
    }
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    key: &SymmetricKey,
    previous: &[u8],
    seq: i64,
    event: &Event,
) -> Result<Vec<u8>, DbError> {
    let Event {
        at,
        actor,
        action,
        target,
        detail,
    } = event;
    let hash = mac(key, previous, seq, at.0, [actor, action, target, detail]);
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO audit_event (seq, at, actor, action, target, detail, hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)"
        )
        .bind(seq)
        .bind(at.0)
        .bind(actor)
        .bind(*action)
        .bind(target)
        .bind(detail)
        .bind(hash.as_slice())
    )?;
    Ok(hash.to_vec())
}

/// One page of the log, newest first: rows before `before` (all without it), of one target where
/// it is given.
pub async fn page(
    db: &Db,
    before: Option<i64>,
    target: Option<&str>,
    limit: u32,
) -> Result<Vec<Entry>, DbError> {
    let (before, limit) = (before.unwrap_or(i64::MAX), i64::from(limit));
    let rows = match target {
        None => each!(db, p => sqlx::query_as::<_, Row>(
            "SELECT seq, at, actor, action, target, detail, hash FROM audit_event \
             WHERE seq < $1 ORDER BY seq DESC LIMIT $2")
            .bind(before).bind(limit).fetch_all(p).await)?,
        Some(target) => each!(db, p => sqlx::query_as::<_, Row>(
            "SELECT seq, at, actor, action, target, detail, hash FROM audit_event \
             WHERE target = $3 AND seq < $1 ORDER BY seq DESC LIMIT $2")
            .bind(before).bind(limit).bind(target).fetch_all(p).await)?,
    };
    Ok(rows.into_iter().map(Row::entry).collect())
}

/// Reads the whole log and recomputes its chain. `known` is a [`Head`] that was kept elsewhere.
///
/// The outer error is the database's; the inner result is the newest row, or where the chain breaks.
pub async fn verify(
    db: &Db,
    key: &SymmetricKey,
    known: Option<&Head>,
) -> Result<Result<Head, Broken>, DbError> {
    let mut walk = Walk::begin(key, known);
    loop {
        let rows = each!(db, p => sqlx::query_as::<_, Row>(NEXT)
            .bind(walk.head.seq).bind(BATCH).fetch_all(p).await)?;
        if rows.is_empty() {
            return Ok(walk.end());
        }
        if let Err(broken) = walk.take(rows) {
            return Ok(Err(broken));
        }
    }
}

/// The same inside a transaction, of what it has written too.
pub async fn verify_in(
    tx: &mut Tx,
    key: &SymmetricKey,
    known: Option<&Head>,
) -> Result<Result<Head, Broken>, DbError> {
    let mut walk = Walk::begin(key, known);
    loop {
        let rows = each!(tx, c => sqlx::query_as::<_, Row>(NEXT)
            .bind(walk.head.seq).bind(BATCH).fetch_all(c).await)?;
        if rows.is_empty() {
            return Ok(walk.end());
        }
        if let Err(broken) = walk.take(rows) {
            return Ok(Err(broken));
        }
    }
}

const NEXT: &str = "SELECT seq, at, actor, action, target, detail, hash FROM audit_event \
     WHERE seq > $1 ORDER BY seq LIMIT $2";

/// A walk along the chain.
struct Walk<'k> {
    key: &'k SymmetricKey,
    known: Option<&'k Head>,
    head: Head,
}

impl<'k> Walk<'k> {
    fn begin(key: &'k SymmetricKey, known: Option<&'k Head>) -> Self {
        let head = Head {
            seq: 0,
            hash: START.to_vec(),
        };
        Self { key, known, head }
    }

    fn take(&mut self, rows: Vec<Row>) -> Result<(), Broken> {
        for row in rows {
            if row.seq != self.head.seq + 1 {
                return Err(Broken::Missing(self.head.seq + 1));
            }
            if !constant_time_eq(&row.mac(self.key, &self.head.hash), &row.hash) {
                return Err(Broken::Changed(row.seq));
            }
            self.head = Head {
                seq: row.seq,
                hash: row.hash,
            };
            let head = &self.head;
            let differs = |known: &Head| known.seq == head.seq && known.hash != head.hash;
            if self.known.is_some_and(differs) {
                return Err(Broken::Changed(head.seq));
            }
        }
        Ok(())
    }

    fn end(self) -> Result<Head, Broken> {
        match self.known {
            Some(known) if known.seq > self.head.seq => Err(Broken::Missing(self.head.seq + 1)),
            Some(_) | None => Ok(self.head),
        }
    }
}
