//! Forgetting what has ended: claims of offers, tokens, codes, nonces, kept answers.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::DbError;
use vouchsafe_service::{api_clients, idempotency, jti, operators, single_use, webhooks};

use crate::core::Core;
use crate::store::{offers, refresh_tokens, tokens, transactions, tries};
use crate::{events, pushed};

/// Ended objects are kept so long, so that a replay is told apart from an unknown code.
const MARGIN_S: i64 = 3600;

/// Forgets everything that has ended. Each kind has transactions of its own, and one that fails
/// stops no other; the first failure is returned.
pub async fn purge(core: &Core) -> Result<(), DbError> {
    let (db, now) = (&core.db, core.clock.now());
    let before = now.plus(-MARGIN_S);
    // A part in each transaction, so that none is too long however much has ended.
    macro_rules! step {
        ($purge:path, $before:expr) => {{
            let before = $before;
            db.write_in_steps(async move |tx| $purge(tx, before).await)
                .await
                .map(drop)
        }};
    }
    let done = [
        dead_offers(core, now).await,
        step!(webhooks::purge, now),
        step!(tokens::purge, now),
        step!(transactions::purge, now),
        step!(refresh_tokens::purge, now),
        step!(tries::purge, now),
        step!(pushed::purge, now),
        step!(single_use::purge, before),
        step!(jti::purge, before),
        step!(api_clients::purge, now),
        step!(operators::purge, before),
        step!(idempotency::purge, now),
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
