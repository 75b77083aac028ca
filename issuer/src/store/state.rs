//! What of the database is state, to be taken along, and what belongs to a moment.

use vouchsafe_service::db::tables::Shape;
use vouchsafe_service::db::{DbError, Tx, tables};

/// State, in an order in which no row comes before one that it refers to.
const KEPT: [&str; 20] = [
    "api_key",
    "api_client",
    "audit_event",
    "seen_identifier",
    "vc_status_list",
    "vc_status_entry",
    "webhook_endpoint",
    "webhook_message",
    "webhook_delivery",
    "issuer_records",
    "issuer_credential_types",
    "issuer_offers",
    "issuer_status_lists",
    "issuer_credentials",
    "issuer_batches",
    "issuer_batch_offers",
    "issuer_status_jobs",
    "operator",
    "operator_passkey",
    "operator_identity",
];

/// Codes, tokens and what else is good for a while: no copy brings them back to life.
const FORGOTTEN: [&str; 15] = [
    "api_token",
    "authorization_code",
    "browser_return",
    "idempotency",
    "issuer_access_tokens",
    "issuer_refresh_tokens",
    "issuer_transactions",
    "issuer_tries",
    "operator_challenge",
    "operator_invitation",
    "operator_session",
    "pre_authorized_code",
    "pushed_request",
    "refresh_token",
    "response_code",
];

/// What every database has of its own.
const OWN: [&str; 2] = ["issuer_instance", "schema_migration"];

/// The tables of the database.
#[derive(Debug)]
pub struct State {
    /// Those that are taken along, in the order in which they can be written.
    pub kept: Vec<Shape>,
    /// Those that are emptied when a copy is put to use.
    pub forgotten: Vec<Shape>,
}

/// The tables as they are. One that is not named above counts as state: nothing is lost.
pub async fn of(tx: &mut Tx) -> Result<State, DbError> {
    let shapes = tables::shapes(tx).await?;
    let is = |names: &[&str], shape: &Shape| names.contains(&shape.table.as_str());
    let shapes = shapes.into_iter().filter(|shape| !is(&OWN, shape));
    let (forgotten, mut kept): (Vec<_>, Vec<_>) = shapes.partition(|shape| is(&FORGOTTEN, shape));
    let order = |shape: &Shape| KEPT.iter().position(|name| *name == shape.table);
    kept.sort_by_key(|shape| order(shape).unwrap_or(KEPT.len()));
    Ok(State { kept, forgotten })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MIGRATIONS;
    use vouchsafe_service::db::testing::for_each_database;

    /// Whoever adds a table says here whether it is state.
    #[tokio::test]
    async fn every_table_is_named() {
        for_each_database(&[MIGRATIONS], async |db| {
            let found = db.at_one_moment(tables::shapes).await.unwrap();
            let mut found: Vec<&str> = found.iter().map(|shape| shape.table.as_str()).collect();
            found.sort_unstable();
            let mut named = [KEPT.as_slice(), &FORGOTTEN, &OWN].concat();
            named.sort_unstable();
            assert_eq!(found, named);
        })
        .await;
    }
}
