//! Forgetting what has ended: claims of offers, tokens, codes, nonces, kept answers.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::DbError;
use vouchsafe_service::{idempotency, jti, single_use, webhooks};

use crate::core::Core;
use crate::store::{offers, refresh_tokens, tokens, transactions};
use crate::{events, pushed};

/// Ended objects are kept so long, so that a replay is told apart from an unknown code.
const MARGIN_S: i64 = 3600;

/// Forgets everything that has ended. Each kind is a transaction of its own, and one that fails
/// stops no other; the first failure is returned.
pub async fn purge(core: &Core) -> Result<(), DbError> {
    let (db, now) = (&core.db, core.clock.now());
    let before = now.plus(-MARGIN_S);
    let done = [
        dead_offers(core, now).await,
        db.write(async move |tx| webhooks::purge(tx, now).await.map(drop))
            .await,
        db.write(async move |tx| tokens::purge(tx, now).await.map(drop))
            .await,
        db.write(async move |tx| transactions::purge(tx, now).await.map(drop))
            .await,
        db.write(async move |tx| refresh_tokens::purge(tx, now).await.map(drop))
            .await,
        db.write(async move |tx| pushed::purge(tx, now).await.map(drop))
            .await,
        db.write(async move |tx| single_use::purge(tx, before).await.map(drop))
            .await,
        db.write(async move |tx| jti::purge(tx, before).await.map(drop))
            .await,
        db.write(async move |tx| idempotency::purge(tx, now).await.map(drop))
            .await,
    ];
    done.into_iter().collect()
}

/// A slice in each transaction, so that none is too long however many offers ended.
async fn dead_offers(core: &Core, now: UnixTime) -> Result<(), DbError> {
    loop {
        let told = core.clone();
        let slice = core.db.write(async move |tx| {
            let ended = offers::forget_dead(tx, now).await?;
            for (offer, end) in &ended {
                events::of_end(&told, tx, *end, offer, now).await?;
            }
            Ok::<_, DbError>(ended.len())
        });
        if slice.await? < usize::from(offers::SLICE) {
            return Ok(());
        }
    }
}
