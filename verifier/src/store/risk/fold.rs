//! Logins into the counts, and out of them.

use std::collections::BTreeMap;

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{DbError, STEP, Tx, each, execute};

use super::{ACCOUNTS, ALL_LOGINS, LOGINS, TOTALS, number};
use crate::domain::ids::SubjectId;
use crate::risk::values::{FEATURES, Level, Values};

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    subject_id: String,
    features: Vec<u8>,
}

/// Changes of counts. Their order is the same in every process, so that no two wait for each
/// other.
#[derive(Default)]
struct Changes {
    values: BTreeMap<(i64, i64), i64>,
    pairs: BTreeMap<(i64, i64, i64), i64>,
    accounts: BTreeMap<String, i64>,
    logins: i64,
}

impl Changes {
    fn add(&mut self, row: Row, sign: i64) -> Result<(), DbError> {
        let values = Values::from_bytes(&row.features)
            .ok_or_else(|| LOGINS.invalid("features", "not 56 bytes"))?;
        let at = |level: Level| (number(level), values.at(level).cast_signed());
        for level in Level::ALL {
            *self.values.entry(at(level)).or_default() += sign;
        }
        for feature in FEATURES {
            let (_, finest) = at(feature.finest());
            for level in feature.coarser() {
                let (level, coarse) = at(level);
                *self.pairs.entry((level, finest, coarse)).or_default() += sign;
            }
        }
        *self.accounts.entry(row.subject_id).or_default() += sign;
        self.logins += sign;
        Ok(())
    }

    async fn write(self, tx: &mut Tx) -> Result<(), DbError> {
        let mut totals: BTreeMap<i64, i64> = BTreeMap::from([(ALL_LOGINS, self.logins)]);
        // What is counted under a finest value.
        let mut seen_with: BTreeMap<(i64, i64), i64> = BTreeMap::new();
        for ((level, finest, coarse), change) in self.pairs {
            let now = each!(tx, c => sqlx::query_scalar::<_, i64>(
                "INSERT INTO risk_pairs (level, finest, coarse, logins) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (level, finest, coarse) DO UPDATE SET logins = risk_pairs.logins + excluded.logins \
                 RETURNING logins")
                .bind(level).bind(finest).bind(coarse).bind(change).fetch_one(c).await)?;
            if now <= 0 {
                execute!(
                    tx,
                    sqlx::query(
                        "DELETE FROM risk_pairs WHERE level = $1 AND finest = $2 AND coarse = $3"
                    )
                    .bind(level)
                    .bind(finest)
                    .bind(coarse)
                )?;
            }
            let kind = appeared(now, change);
            if kind != 0 {
                *seen_with.entry((finest_of(level), finest)).or_default() += kind;
            }
        }
        for ((level, value), change) in self.values {
            let with = seen_with.get(&(level, value)).copied().unwrap_or_default();
            let now = each!(tx, c => sqlx::query_scalar::<_, i64>(
                "INSERT INTO risk_values (level, value, logins, seen_with) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (level, value) DO UPDATE SET logins = risk_values.logins + excluded.logins, \
                 seen_with = risk_values.seen_with + excluded.seen_with RETURNING logins")
                .bind(level).bind(value).bind(change).bind(with).fetch_one(c).await)?;
            if now <= 0 {
                execute!(
                    tx,
                    sqlx::query("DELETE FROM risk_values WHERE level = $1 AND value = $2")
                        .bind(level)
                        .bind(value)
                )?;
            }
            *totals.entry(level).or_default() += appeared(now, change);
        }
        for (account, change) in self.accounts {
            let now = each!(tx, c => sqlx::query_scalar::<_, i64>(
                "INSERT INTO risk_accounts (subject_id, logins) VALUES ($1, $2) \
                 ON CONFLICT (subject_id) DO UPDATE SET logins = risk_accounts.logins + excluded.logins \
                 RETURNING logins")
                .bind(account.as_str()).bind(change).fetch_one(c).await)?;
            if now <= 0 {
                execute!(
                    tx,
                    sqlx::query("DELETE FROM risk_accounts WHERE subject_id = $1")
                        .bind(account.as_str())
                )?;
            }
            *totals.entry(ACCOUNTS).or_default() += appeared(now, change);
        }
        for (total, change) in totals {
            execute!(tx, sqlx::query(
                "INSERT INTO risk_values (level, value, logins, seen_with) VALUES ($1, $2, $3, 0) \
                 ON CONFLICT (level, value) DO UPDATE SET logins = risk_values.logins + excluded.logins")
                .bind(TOTALS).bind(total).bind(change))?;
        }
        Ok(())
    }
}

/// 1 where a count has just risen from nothing, -1 where it has fallen to nothing.
fn appeared(now: i64, change: i64) -> i64 {
    let before = now - change;
    i64::from(now > 0) - i64::from(before > 0)
}

/// The finest level of the feature that a coarser level belongs to.
fn finest_of(level: i64) -> i64 {
    let feature = FEATURES
        .iter()
        .find(|feature| feature.coarser().any(|coarser| number(coarser) == level));
    feature.map_or(level, |feature| number(feature.finest()))
}

/// Puts logins that were not counted yet into the counts; how many at most at once is fixed.
/// Two processes count each login once.
pub async fn fold(tx: &mut Tx) -> Result<u64, DbError> {
    let rows = each!(tx, c => sqlx::query_as::<_, Row>(
        "SELECT id, subject_id, features FROM risk_logins WHERE folded = 0 ORDER BY id LIMIT $1")
        .bind(i64::from(STEP)).fetch_all(c).await)?;
    let mut changes = Changes::default();
    let mut counted = 0;
    for row in rows {
        let ours = execute!(
            tx,
            sqlx::query("UPDATE risk_logins SET folded = 1 WHERE id = $1 AND folded = 0")
                .bind(row.id.as_str())
        )?;
        if ours == 1 {
            changes.add(row, 1)?;
            counted += 1;
        }
    }
    if counted > 0 {
        changes.write(tx).await?;
    }
    Ok(counted)
}

/// Takes logins from before `before` out of the counts and deletes them.
pub async fn forget(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    let rows = each!(tx, c => sqlx::query_as::<_, Row>(
        "SELECT id, subject_id, features FROM risk_logins WHERE at < $1 ORDER BY at, id LIMIT $2")
        .bind(before.0).bind(i64::from(STEP)).fetch_all(c).await)?;
    remove(tx, rows).await
}

/// Takes the logins of an account out of the counts and deletes them, and those that were refused.
pub async fn forget_account(tx: &mut Tx, subject: &SubjectId) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM risk_failures WHERE subject_id = $1").bind(subject.as_str())
    )?;
    let rows = each!(tx, c => sqlx::query_as::<_, Row>(
        "SELECT id, subject_id, features FROM risk_logins WHERE subject_id = $1 ORDER BY id")
        .bind(subject.as_str()).fetch_all(c).await)?;
    remove(tx, rows).await
}

async fn remove(tx: &mut Tx, rows: Vec<Row>) -> Result<u64, DbError> {
    let mut changes = Changes::default();
    let mut removed = 0;
    for row in rows {
        let folded = each!(tx, c => sqlx::query_scalar::<_, i64>(
            "DELETE FROM risk_logins WHERE id = $1 RETURNING folded")
            .bind(row.id.as_str()).fetch_optional(c).await)?;
        match folded {
            Some(1) => changes.add(row, -1)?,
            Some(_) => {}
            None => continue,
        }
        removed += 1;
    }
    if changes.logins != 0 {
        changes.write(tx).await?;
    }
    Ok(removed)
}
