//! `risk_logins`, and what is counted from it: `risk_values`, `risk_pairs`, `risk_accounts`; and `risk_failures`.
//!
//! A login writes one row; a job folds rows into the counts ([`fold`]) and takes them out again
//! when they are old, so that no login waits for a row that everybody writes.

pub mod failures;
mod fold;

pub use fold::{fold, forget, forget_account};

use std::collections::HashMap;

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Table, Tx, each, execute};

use super::{StoreError, Vault};
use crate::domain::ids::SubjectId;
use crate::risk::Seen;
use crate::risk::experiment::Login;
use crate::risk::place::GeoPlace;
use crate::risk::rules::LastLogin;
use crate::risk::score::{Count, Counts};
use crate::risk::values::{FEATURES, Level, Values};

const LOGINS: Table = Table("risk_logins");

/// Latest logins of an account that are looked at.
const MOST: i64 = 400;

/// A login of an account, as it was counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// When.
    pub at: UnixTime,
    /// Its values.
    pub values: Values,
    /// Keyed hash of the browser's cookie.
    pub device: i64,
    sealed_place: Vec<u8>,
    id: String,
}

#[derive(sqlx::FromRow)]
struct PastRow {
    id: String,
    at: i64,
    features: Vec<u8>,
    device: i64,
    place: Vec<u8>,
}

impl TryFrom<PastRow> for Past {
    type Error = DbError;

    fn try_from(row: PastRow) -> Result<Self, DbError> {
        let values = Values::from_bytes(&row.features)
            .ok_or_else(|| LOGINS.invalid("features", "not 56 bytes"))?;
        Ok(Self {
            at: UnixTime(row.at),
            values,
            device: row.device,
            sealed_place: row.place,
            id: row.id,
        })
    }
}

impl Past {
    /// When and where it was.
    pub fn last_login(&self, vault: &Vault) -> Result<LastLogin, StoreError> {
        let place =
            vault.open::<GeoPlace>(LOGINS, "place", &place_of(&self.id), &self.sealed_place)?;
        Ok(LastLogin { at: self.at, place })
    }
}

fn place_of(id: &str) -> [&str; 3] {
    ["risk_logins", "place", id]
}

/// A successful login, ready to be written.
#[derive(Debug)]
pub struct NewLogin {
    id: String,
    features: Vec<u8>,
    device: i64,
    place: Vec<u8>,
}

/// Seals what was seen of a login.
pub fn seal(vault: &Vault, id: String, seen: &Seen) -> Result<NewLogin, StoreError> {
    Ok(NewLogin {
        features: seen.values.to_bytes(),
        device: seen.device,
        place: vault.seal(&place_of(&id), &seen.place)?,
        id,
    })
}

/// Writes a login of an account.
pub async fn insert(
    tx: &mut Tx,
    subject: &SubjectId,
    login: &NewLogin,
    now: UnixTime,
) -> Result<(), DbError> {
    execute!(tx, sqlx::query(
        "INSERT INTO risk_logins (id, subject_id, at, features, device, place, folded) VALUES ($1, $2, $3, $4, $5, $6, 0)")
        .bind(login.id.as_str()).bind(subject.as_str()).bind(now.0).bind(login.features.as_slice())
        .bind(login.device).bind(login.place.as_slice()))?;
    Ok(())
}

/// As [`insert`], unless a login of the account from the same browser and place was written in the
/// last day: a session that answers again and again says nothing new.
pub async fn insert_if_new(
    tx: &mut Tx,
    subject: &SubjectId,
    login: &NewLogin,
    now: UnixTime,
) -> Result<(), DbError> {
    let same = each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM risk_logins WHERE subject_id = $1 AND at > $2 AND device = $3 AND features = $4")
        .bind(subject.as_str()).bind(now.plus(-86_400).0).bind(login.device).bind(login.features.as_slice())
        .fetch_one(c).await)?;
    match same {
        0 => insert(tx, subject, login, now).await,
        _ => Ok(()),
    }
}

/// The logins of an account since `since`, the latest first.
pub async fn of_account(
    db: &Db,
    subject: &SubjectId,
    since: UnixTime,
) -> Result<Vec<Past>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, PastRow>(
        "SELECT id, at, features, device, place FROM risk_logins WHERE subject_id = $1 AND at >= $2 \
         ORDER BY at DESC, id DESC LIMIT $3")
        .bind(subject.as_str()).bind(since.0).bind(MOST).fetch_all(p).await)?;
    rows.into_iter().map(Past::try_from).collect()
}

/// The newest logins of an account that are kept, at most so many, for its owner.
pub async fn all_of_account(db: &Db, subject: &SubjectId, most: i64) -> Result<Vec<Past>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, PastRow>(
        "SELECT id, at, features, device, place FROM risk_logins WHERE subject_id = $1 \
         ORDER BY at DESC, id DESC LIMIT $2")
        .bind(subject.as_str()).bind(most).fetch_all(p).await)?;
    rows.into_iter().map(Past::try_from).collect()
}

/// Every login that is kept, the first one first, under numbers instead of accounts.
pub async fn all(db: &Db) -> Result<Vec<Login>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, (String, Vec<u8>)>(
        "SELECT subject_id, features FROM risk_logins ORDER BY at, id").fetch_all(p).await)?;
    let mut numbers = HashMap::new();
    rows.into_iter()
        .map(|(subject, features)| {
            let next = numbers.len();
            let values = Values::from_bytes(&features)
                .ok_or_else(|| LOGINS.invalid("features", "not 56 bytes"))?;
            Ok(Login {
                account: *numbers.entry(subject).or_insert(next),
                values,
            })
        })
        .collect()
}

/// The level of totals, and the totals after those of [`Level::ALL`].
const TOTALS: i64 = -1;
const ALL_LOGINS: i64 = 7;
const ACCOUNTS: i64 = 8;

/// How many logins of everybody were counted.
pub async fn counted(db: &Db) -> Result<i64, DbError> {
    let all = each!(db, p => sqlx::query_scalar::<_, i64>(
        "SELECT logins FROM risk_values WHERE level = $1 AND value = $2")
        .bind(TOTALS).bind(ALL_LOGINS).fetch_optional(p).await)?;
    Ok(all.unwrap_or_default())
}

#[derive(sqlx::FromRow)]
struct ValueRow {
    level: i64,
    value: i64,
    logins: i64,
    seen_with: i64,
}

/// What the score of a login depends on; `mine` are the account's logins.
pub async fn counts(db: &Db, values: &Values, mine: &[Past]) -> Result<Counts, DbError> {
    let [a, b, c, d, e, f, g] = values.0.map(u64::cast_signed);
    let rows = each!(db, p => sqlx::query_as::<_, ValueRow>(
        "SELECT level, value, logins, seen_with FROM risk_values WHERE level = -1 \
         UNION ALL SELECT level, value, logins, seen_with FROM risk_values WHERE level = 0 AND value = $1 \
         UNION ALL SELECT level, value, logins, seen_with FROM risk_values WHERE level = 1 AND value = $2 \
         UNION ALL SELECT level, value, logins, seen_with FROM risk_values WHERE level = 2 AND value = $3 \
         UNION ALL SELECT level, value, logins, seen_with FROM risk_values WHERE level = 3 AND value = $4 \
         UNION ALL SELECT level, value, logins, seen_with FROM risk_values WHERE level = 4 AND value = $5 \
         UNION ALL SELECT level, value, logins, seen_with FROM risk_values WHERE level = 5 AND value = $6 \
         UNION ALL SELECT level, value, logins, seen_with FROM risk_values WHERE level = 6 AND value = $7")
        .bind(a).bind(b).bind(c).bind(d).bind(e).bind(f).bind(g).fetch_all(p).await)?;
    let find = |level: i64, value: i64| {
        let found = rows
            .iter()
            .find(|row| row.level == level && row.value == value);
        found.map_or((0, 0), |row| {
            (
                row.logins.max(0).cast_unsigned(),
                row.seen_with.max(0).cast_unsigned(),
            )
        })
    };
    let mine_with = |level: Level| {
        let with = mine
            .iter()
            .filter(|past| past.values.at(level) == values.at(level));
        with.count() as u64
    };
    let of_level = |level: Level| find(number(level), values.at(level).cast_signed());
    Ok(Counts {
        values: Level::ALL.map(|level| Count {
            mine: mine_with(level),
            all: of_level(level).0,
        }),
        distinct: Level::ALL.map(|level| find(TOTALS, number(level)).0),
        seen_with: FEATURES.map(|feature| of_level(feature.finest()).1),
        my_logins: mine.len() as u64,
        all_logins: find(TOTALS, ALL_LOGINS).0,
        accounts: find(TOTALS, ACCOUNTS).0,
    })
}

/// Number of a level in the database.
fn number(level: Level) -> i64 {
    level as i64
}
