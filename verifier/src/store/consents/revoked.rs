//! What people agreed to with an application that is gone: it must not hold for the next one of its id.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{DbError, Tx, each};

use super::{TABLE, note};
use crate::domain::consent::State;
use crate::domain::ids::{ClientId, ConsentId, SubjectId};
use crate::store::{account_bindings, subjects};

/// Ends every consent to an application, and forgets what rested on them. Its sessions are ended by whoever
/// calls.
pub async fn revoke_all(tx: &mut Tx, client: &ClientId, now: UnixTime) -> Result<(), DbError> {
    // The accounts first, always in the same order.
    let accounts = each!(tx, c => sqlx::query_scalar::<_, String>(
        "SELECT DISTINCT subject_id FROM consents \
         WHERE client_id = $1 AND over_at IS NULL AND subject_id IS NOT NULL ORDER BY subject_id")
        .bind(client.as_str()).fetch_all(c).await)?;
    let mut held = Vec::with_capacity(accounts.len());
    for account in &accounts {
        let subject =
            SubjectId::parse(account).map_err(|error| TABLE.invalid("subject_id", error))?;
        subjects::hold(tx, &subject).await?;
        held.push(subject);
    }
    let ended = each!(tx, c => sqlx::query_scalar::<_, String>(
        "UPDATE consents SET over_at = $1 WHERE client_id = $2 AND over_at IS NULL RETURNING id")
        .bind(now.0).bind(client.as_str()).fetch_all(c).await)?;
    for id in ended {
        note(tx, &ConsentId::from_text(id), State::Revoked, now).await?;
    }
    for subject in &held {
        account_bindings::forget_unagreed(tx, subject).await?;
    }
    Ok(())
}
