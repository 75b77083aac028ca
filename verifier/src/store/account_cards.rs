//! `account_cards`: the cards that an account showed last, for each question. A passkey stands for them as
//! long as they hold. What they say is not in it.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Table, Tx, each, execute};

use super::subjects;
use crate::domain::ids::{QueryId, SubjectId};
use crate::domain::session::{CardRef, StatusPointer};
use crate::domain::transaction::BindingKey;

const TABLE: Table = Table("account_cards");

/// A card that was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownCard {
    /// The question that it answered.
    pub query: QueryId,
    /// The card.
    pub card: CardRef,
    /// When.
    pub shown_at: UnixTime,
}

#[derive(sqlx::FromRow)]
struct Row {
    query_id: String,
    issuer: String,
    credential_type: String,
    status_uri: Option<String>,
    status_idx: Option<i64>,
    expires_at: Option<i64>,
    shown_at: i64,
}

impl TryFrom<Row> for ShownCard {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        let Row {
            query_id,
            issuer,
            credential_type,
            status_uri,
            status_idx,
            expires_at,
            shown_at,
        } = row;
        let status = match (status_uri, status_idx) {
            (Some(uri), Some(idx)) => Some(StatusPointer {
                uri,
                idx: u64::try_from(idx).map_err(|error| TABLE.invalid("status_idx", error))?,
            }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(TABLE.invalid("status_idx", "half a pointer").into());
            }
        };
        Ok(Self {
            query: QueryId::from_text(query_id),
            card: CardRef {
                issuer: serde_json::from_str(&issuer)
                    .map_err(|_| TABLE.invalid("issuer", "not an identity"))?,
                credential_type,
                status,
                expires_at: expires_at.map(UnixTime),
            },
            shown_at: UnixTime(shown_at),
        })
    }
}

/// Notes what an account showed now. `false`: the card does not lead to the account any more. Holds the
/// account, and looks only then: whoever took the card away held it too.
pub async fn note(
    tx: &mut Tx,
    subject: &SubjectId,
    key: &BindingKey,
    (query, cards): (&QueryId, &[CardRef]),
    now: UnixTime,
) -> Result<bool, DbError> {
    let there = subjects::hold(tx, subject).await?;
    if !there || subjects::find(tx, key).await?.as_ref() != Some(subject) {
        return Ok(false);
    }
    put(tx, subject, query, cards, now).await?;
    Ok(true)
}

/// Puts what an account showed now in the place of what it showed before to the same question. The
/// caller holds the account.
async fn put(
    tx: &mut Tx,
    subject: &SubjectId,
    query: &QueryId,
    cards: &[CardRef],
    now: UnixTime,
) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM account_cards WHERE subject_id = $1 AND query_id = $2")
            .bind(subject.as_str())
            .bind(query.as_str())
    )?;
    for (position, card) in (0_i64..).zip(cards) {
        let CardRef {
            issuer,
            credential_type,
            status,
            expires_at,
        } = card;
        let issuer = serde_json::to_string(issuer)
            .map_err(|_| TABLE.invalid("issuer", "does not serialise"))?;
        let idx = status.as_ref().map(|status| i64::try_from(status.idx));
        let idx = idx
            .transpose()
            .map_err(|error| TABLE.invalid("status_idx", error))?;
        execute!(tx, sqlx::query(
            "INSERT INTO account_cards (subject_id, query_id, position, issuer, credential_type, status_uri, status_idx, expires_at, shown_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
            .bind(subject.as_str()).bind(query.as_str()).bind(position).bind(issuer.as_str()).bind(credential_type.as_str())
            .bind(status.as_ref().map(|status| status.uri.as_str())).bind(idx)
            .bind(expires_at.map(|end| end.0)).bind(now.0))?;
    }
    Ok(())
}

/// What an account showed last, newest first.
pub async fn of_account(db: &Db, subject: &SubjectId) -> Result<Vec<ShownCard>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, Row>(
        "SELECT query_id, issuer, credential_type, status_uri, status_idx, expires_at, shown_at \
         FROM account_cards WHERE subject_id = $1 ORDER BY shown_at DESC, query_id, position LIMIT 200")
        .bind(subject.as_str()).fetch_all(p).await)?;
    rows.into_iter().map(ShownCard::try_from).collect()
}

/// Whether what was shown then to a question is still the last. The caller holds the account.
pub async fn still(
    tx: &mut Tx,
    subject: &SubjectId,
    query: &QueryId,
    shown_at: UnixTime,
) -> Result<bool, DbError> {
    let found = each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM account_cards WHERE subject_id = $1 AND query_id = $2 AND shown_at = $3")
        .bind(subject.as_str()).bind(query.as_str()).bind(shown_at.0).fetch_one(c).await)?;
    Ok(found > 0)
}

/// Forgets what an account showed: its passkeys stand for nothing until it shows a card again.
pub async fn forget(tx: &mut Tx, subject: &SubjectId) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM account_cards WHERE subject_id = $1").bind(subject.as_str())
    )
    .map(drop)
}

/// Deletes what was shown too long ago for any passkey; everything without a time.
pub async fn purge(tx: &mut Tx, before: Option<UnixTime>) -> Result<u64, DbError> {
    let before = before.map_or(i64::MAX, |before| before.0);
    execute!(
        tx,
        sqlx::query("DELETE FROM account_cards WHERE shown_at < $1").bind(before)
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::sync::Notify;
    use vouchsafe_credentials::sd_jwt_vc::{IssuerAuthority, IssuerIdentity};
    use vouchsafe_credentials::testing::SeededRng;
    use vouchsafe_service::db::testing::for_each_database;

    use super::*;
    use crate::domain::ids::MeansId;
    use crate::domain::upstream::FRAMEWORK;
    use crate::store::MIGRATIONS;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn key(claim_mac: &str) -> BindingKey {
        BindingKey {
            framework: "x509".to_owned(),
            issuer: "club".to_owned(),
            credential_type: "card".to_owned(),
            claim_mac: claim_mac.to_owned(),
        }
    }

    fn card() -> CardRef {
        CardRef {
            issuer: IssuerIdentity {
                trusted: "club".to_owned(),
                authority: IssuerAuthority::Did("club".to_owned()),
            },
            credential_type: "card".to_owned(),
            status: None,
            expires_at: None,
        }
    }

    async fn account(db: &Db) -> (SubjectId, MeansId) {
        let rng = SeededRng::new(7);
        let ids = [MeansId::random(&rng), MeansId::random(&rng)];
        let subject = SubjectId::generate(&rng);
        let mine = (subject.clone(), ids[0].clone());
        db.write(async move |tx| {
            subjects::insert(tx, &subject, NOW).await?;
            for (id, mac) in ids.iter().zip(["one", "two"]) {
                assert!(subjects::bind(tx, &key(mac), id, &subject, NOW).await?);
            }
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
        mine
    }

    /// Whoever had the old means may have linked an account elsewhere.
    #[tokio::test]
    async fn old_passkeys_take_old_accounts_elsewhere_along_where_a_card_is_left() {
        for_each_database(&[MIGRATIONS], async |db| {
            let (subject, _) = account(&db).await;
            let rng = SeededRng::new(8);
            let alone = SubjectId::generate(&rng);
            let linked = [
                (subject.clone(), "old", NOW),
                (subject.clone(), "new", NOW.plus(20)),
                (alone.clone(), "only", NOW),
            ];
            let left = db.write(async move |tx| {
                subjects::insert(tx, &alone, NOW).await?;
                for (subject, mac, at) in &linked {
                    let key = BindingKey {
                        framework: FRAMEWORK.to_owned(),
                        ..key(mac)
                    };
                    let means = MeansId::random(&rng);
                    subjects::link(tx, &key, &means, subject, *at).await?;
                }
                for subject in [&subject, &alone] {
                    subjects::remove_passkeys(tx, subject, (None, NOW.plus(10))).await?;
                }
                let left = (
                    subjects::count(tx, &subject).await?,
                    subjects::count(tx, &alone).await?,
                );
                Ok::<_, DbError>(left)
            });
            assert_eq!(left.await.unwrap(), (3, 1));
        })
        .await;
    }

    /// A login found the account of a card; before it is over, the card is taken away.
    #[tokio::test]
    async fn a_card_that_is_taken_away_meanwhile_is_not_noted() {
        for_each_database(&[MIGRATIONS], async |db| {
            let (subject, means) = account(&db).await;
            let (gone, held) = (subject.clone(), Arc::new(Notify::new()));
            let (tell, other) = (Arc::clone(&held), db.clone());
            let removal = tokio::spawn(async move {
                let remove = async move |tx: &mut Tx| {
                    let was = subjects::unlink(tx, &gone, &means).await?;
                    tell.notify_one();
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    Ok::<_, DbError>(was)
                };
                other.write(remove).await.unwrap()
            });
            held.notified().await;
            let mine = subject.clone();
            let noted = db.write(async move |tx| {
                subjects::find(tx, &key("one")).await?;
                let query = QueryId::from_text("member".to_owned());
                note(tx, &mine, &key("one"), (&query, &[card()]), NOW).await
            });
            assert!(!noted.await.unwrap());
            assert!(removal.await.unwrap().is_some());
            assert!(of_account(&db, &subject).await.unwrap().is_empty());
        })
        .await;
    }

    #[tokio::test]
    async fn two_cards_of_one_type_are_two_and_old_ones_go() {
        for_each_database(&[MIGRATIONS], async |db| {
            let (subject, _) = account(&db).await;
            let mine = subject.clone();
            let cards = [card(), card()];
            let noted = db.write(async move |tx| {
                let query = QueryId::from_text("member".to_owned());
                note(tx, &mine, &key("one"), (&query, &cards), NOW).await
            });
            assert!(noted.await.unwrap());
            assert_eq!(of_account(&db, &subject).await.unwrap().len(), 2);
            for (before, gone) in [(Some(NOW), 0), (Some(NOW.plus(1)), 2), (None, 0)] {
                let purged = db.write(async move |tx| purge(tx, before).await);
                assert_eq!(purged.await.unwrap(), gone);
            }
        })
        .await;
    }
}
