//! Endpoints of webhooks. They are kept by `vouchsafe_service::webhooks`; how many there may be is
//! for the issuer to say.

use vouchsafe_service::db::{DbError, Tx, each};

/// How many endpoints there are. Transactions that count wait for each other until they end, so
/// what was counted holds for what they add.
pub async fn count(tx: &mut Tx) -> Result<i64, DbError> {
    tx.lock("webhook_endpoint").await?;
    each!(tx, c => sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM webhook_endpoint")
        .fetch_one(c).await)
}
