//! What an application may learn of a person, by the consents of that person.

use std::collections::BTreeMap;

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Tx, each};

use super::{TABLE, opened};
use crate::domain::ids::{ClientId, ConsentId, SubjectId};
use crate::store::{StoreError, Vault};

/// How many consents hold, by application.
pub async fn holding(db: &Db, now: UnixTime) -> Result<Vec<(String, i64)>, DbError> {
    each!(db, p => sqlx::query_as::<_, (String, i64)>(
        "SELECT client_id, COUNT(*) FROM consents \
         WHERE over_at IS NULL AND (expires_at IS NULL OR expires_at > $1) GROUP BY client_id")
        .bind(now.0).fetch_all(p).await)
}

/// Names of what an application may learn of a person, with the time of the last consent: they agreed
/// to it, and took back nothing of that name since.
pub async fn covered(
    db: &Db,
    vault: &Vault,
    (subject, client): (&SubjectId, &ClientId),
    now: UnixTime,
) -> Result<BTreeMap<String, UnixTime>, StoreError> {
    let held = each!(db, p => sqlx::query_as::<_, Held>(HELD)
        .bind(subject.as_str()).bind(client.as_str()).bind(now.0).fetch_all(p).await)?;
    let taken = each!(db, p => sqlx::query_as::<_, TakenBack>(TAKEN_BACK)
        .bind(subject.as_str()).bind(client.as_str()).fetch_all(p).await)?;
    names(vault, client, (held, taken))
}

/// The same within a transaction.
pub async fn covered_in(
    tx: &mut Tx,
    vault: &Vault,
    (subject, client): (&SubjectId, &ClientId),
    now: UnixTime,
) -> Result<BTreeMap<String, UnixTime>, StoreError> {
    let held = each!(tx, c => sqlx::query_as::<_, Held>(HELD)
        .bind(subject.as_str()).bind(client.as_str()).bind(now.0).fetch_all(c).await)?;
    let taken = each!(tx, c => sqlx::query_as::<_, TakenBack>(TAKEN_BACK)
        .bind(subject.as_str()).bind(client.as_str()).fetch_all(c).await)?;
    names(vault, client, (held, taken))
}

/// Consents that hold. One from before a restore does not: that it was withdrawn since may have been
/// lost.
const HELD: &str = "SELECT id, claims, record FROM consents WHERE subject_id = $1 AND client_id = $2 \
     AND over_at IS NULL AND (expires_at IS NULL OR expires_at > $3) AND record IS NOT NULL \
     AND epoch = (SELECT epoch FROM verifier_instance WHERE id = 1)";

/// What was taken back, and when last.
const TAKEN_BACK: &str = "SELECT claims, MAX(withdrawn_at) FROM consents WHERE subject_id = $1 AND client_id = $2 \
     AND withdrawn_at IS NOT NULL GROUP BY claims";

/// A consent that holds: id, names as JSON, sealed record.
type Held = (String, String, Vec<u8>);
/// What was taken back: names as JSON, and when.
type TakenBack = (String, i64);

/// Each question writes a consent of its own. Who takes one back means what it names, not the row.
fn names(
    vault: &Vault,
    client: &ClientId,
    (held, taken): (Vec<Held>, Vec<TakenBack>),
) -> Result<BTreeMap<String, UnixTime>, StoreError> {
    let mut given: BTreeMap<String, UnixTime> = BTreeMap::new();
    for (id, claims, sealed) in held {
        // What somebody changed in the database is no consent.
        let record = opened(vault, &ConsentId::from_text(id), &sealed)?;
        let same = record.notice.client == *client && record.claims == listed(&claims)?;
        let at = record.given_at;
        for name in record.claims.into_iter().filter(|_| same) {
            let last = given.entry(name).or_insert(at);
            *last = at.max(*last);
        }
    }
    for (claims, at) in taken {
        let list = listed(&claims)?;
        given.retain(|name, last| last.0 > at || !list.contains(name));
    }
    Ok(given)
}

fn listed(claims: &str) -> Result<Vec<String>, DbError> {
    serde_json::from_str(claims).map_err(|_| TABLE.invalid("claims", "not a list of names").into())
}
