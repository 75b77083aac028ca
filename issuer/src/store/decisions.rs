//! What an organisation decided about offers that wait.

use vouchsafe_service::db::{Db, DbError, Tx, each, execute};

use super::offers::read_decision;
use super::transactions;
use crate::domain::ids::OfferId;
use crate::domain::offer::Decision;

/// Whether and how it was decided to issue what an offer brings. Only what waits is decided, and
/// once: every other answer stays as it is.
pub async fn decision(db: &Db, id: &OfferId) -> Result<Option<Decision>, DbError> {
    let text = each!(db, p => sqlx::query_scalar::<_, Option<String>>(
        "SELECT decision FROM issuer_offers WHERE id = $1")
        .bind(id.as_str()).fetch_optional(p).await)?;
    let text = text.flatten();
    Ok(text.as_deref().map(read_decision).transpose()?)
}

/// The same as [`decision`], inside a transaction.
pub async fn decision_in(tx: &mut Tx, id: &OfferId) -> Result<Option<Decision>, DbError> {
    let text = each!(tx, c => sqlx::query_scalar::<_, Option<String>>(
        "SELECT decision FROM issuer_offers WHERE id = $1")
        .bind(id.as_str()).fetch_optional(c).await)?;
    let text = text.flatten();
    Ok(text.as_deref().map(read_decision).transpose()?)
}

/// Decides about an offer that waits. True for exactly one caller. A denied offer forgets its
/// claims, also those of its transactions.
pub async fn decide(tx: &mut Tx, id: &OfferId, decision: Decision) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query(
            "UPDATE issuer_offers SET decision = $2 WHERE id = $1 AND decision = 'waiting'"
        )
        .bind(id.as_str())
        .bind(decision.as_str())
    )?;
    if rows == 1 && decision == Decision::Denied {
        execute!(
            tx,
            sqlx::query("UPDATE issuer_offers SET claims_sealed = NULL WHERE id = $1")
                .bind(id.as_str())
        )?;
        transactions::forget_of_offer(tx, id).await?;
    }
    Ok(rows == 1)
}
