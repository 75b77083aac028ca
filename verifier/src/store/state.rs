//! What of the database is state, to be taken along, and what belongs to a moment.
//!
//! Whoever adds a table says it here; whoever seals a column of a table that is taken along names it
//! in [`SEALED`]: it is opened for an export, and sealed again by whoever imports that.

use vouchsafe_service::db::tables::{Cell, Shape};
use vouchsafe_service::db::{DbError, Table, Tx, tables};

use super::{StoreError, Vault};

/// Codes, tokens, sessions and what else is good for a while: no copy brings them back to life. The
/// endpoints of webhooks follow from the configuration.
const FORGOTTEN: [&str; 37] = [
    "access_tokens",
    "account_cards",
    "account_invitations",
    "api_token",
    "authenticator_guesses",
    "authorization_code",
    "browser_return",
    "device_code_tries",
    "device_grants",
    "idempotency",
    "journey_calls",
    "journey_holds",
    "journey_starts",
    "journey_texts",
    "journey_traces",
    "login_events",
    "login_failures",
    "login_sessions",
    "login_transactions",
    "operator_challenge",
    "operator_invitation",
    "operator_session",
    "passkey_challenges",
    "pre_authorized_code",
    "presentation_requests",
    "pushed_request",
    "receiver_tokens",
    "refresh_token",
    "registration_tokens",
    "response_code",
    "risk_failures",
    "satisfaction_answers",
    "session_credentials",
    "verifications",
    "webhook_delivery",
    "webhook_endpoint",
    "webhook_message",
];

/// Who took part in sessions: taken along so that applications are told that these are over, and then
/// emptied. They give nobody a right.
const TOLD: [&str; 2] = ["refresh_grants", "session_clients"];

/// What every database has of its own.
const OWN: [&str; 3] = ["schema_migration", "verifier_instance", "verifier_keys"];

/// Sealed columns of state: table, column, and the column that names the row. The place under which
/// such a value is sealed consists of these three.
const SEALED: [(&str, &str, &str); 7] = [
    ("account_attributes", "body", "id"),
    ("account_authenticators", "secret", "subject_id"),
    ("account_identifiers", "external_id", "subject_id"),
    ("consents", "record", "id"),
    ("event_streams", "delivery", "id"),
    ("passkeys", "name", "means_id"),
    ("risk_logins", "place", "id"),
];

/// The tables of the database.
#[derive(Debug, Clone)]
pub struct State {
    /// Those that are taken along.
    pub kept: Vec<Shape>,
    /// Those that are emptied when a copy is put to use.
    pub ended: Vec<Shape>,
}

/// The tables as they are. One that is not named above counts as state: nothing is lost.
pub async fn of(tx: &mut Tx) -> Result<State, DbError> {
    let shapes = tables::shapes(tx).await?;
    let is = |names: &[&str], shape: &Shape| names.contains(&shape.table.as_str());
    let shapes = shapes.into_iter().filter(|shape| !is(&OWN, shape));
    let (mut ended, kept): (Vec<_>, Vec<_>) = shapes.partition(|shape| is(&FORGOTTEN, shape));
    ended.extend(kept.iter().filter(|shape| is(&TOLD, shape)).cloned());
    Ok(State { kept, ended })
}

/// Opens or seals the sealed columns of a row.
fn each_sealed(
    shape: &Shape,
    row: &mut [Cell],
    change: impl Fn(&[&str], &[u8]) -> Result<Vec<u8>, StoreError>,
) -> Result<(), StoreError> {
    let position = |name: &str| shape.columns.iter().position(|column| column.name == name);
    for (table, column, id) in SEALED.iter().filter(|(table, _, _)| shape.table == *table) {
        let unfit = || Table("export").invalid("row", "a sealed column is missing");
        let (Some(at), Some(named)) = (position(column), position(id)) else {
            return Err(unfit().into());
        };
        let Some(Cell::Text(named)) = row.get(named).cloned() else {
            return Err(unfit().into());
        };
        match row.get_mut(at) {
            Some(Cell::Bytes(bytes)) => *bytes = change(&[table, column, &named], bytes)?,
            Some(Cell::Null) => {}
            _ => return Err(unfit().into()),
        }
    }
    Ok(())
}

/// Opens what is sealed in a row, for an export.
pub fn opened(vault: &Vault, shape: &Shape, row: &mut [Cell]) -> Result<(), StoreError> {
    each_sealed(shape, row, |place, bytes| {
        let value: serde_json::Value = vault.open(Table("export"), "sealed", place, bytes)?;
        serde_json::to_vec(&value).map_err(StoreError::Serialise)
    })
}

/// Seals it again, under the key of this instance.
pub fn sealed(vault: &Vault, shape: &Shape, row: &mut [Cell]) -> Result<(), StoreError> {
    each_sealed(shape, row, |place, bytes| {
        let value: serde_json::Value =
            serde_json::from_slice(bytes).map_err(StoreError::Serialise)?;
        vault.seal(place, &value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MIGRATIONS;
    use vouchsafe_service::db::tables::Kind;
    use vouchsafe_service::db::testing::for_each_database;

    /// State.
    const KEPT: [&str; 35] = [
        "account_attributes",
        "account_authenticators",
        "account_bindings",
        "account_identifiers",
        "account_logins",
        "account_notices",
        "account_refusals",
        "api_client",
        "api_key",
        "audit_event",
        "consent_events",
        "consents",
        "disabled_clients",
        "event_streams",
        "login_numbers",
        "logout_deliveries",
        "managed_clients",
        "operator",
        "operator_identity",
        "operator_passkey",
        "passkey_handles",
        "passkeys",
        "refresh_grants",
        "registered_clients",
        "risk_accounts",
        "risk_logins",
        "risk_pairs",
        "risk_values",
        "seen_identifier",
        "session_clients",
        "stream_events",
        "subject_means",
        "subjects",
        "vc_status_entry",
        "vc_status_list",
    ];

    /// Columns of state that hold bytes and are not sealed.
    const OPEN: [(&str, &str); 6] = [
        ("audit_event", "hash"),
        ("operator_passkey", "credential_id"),
        ("operator_passkey", "public_key"),
        ("passkeys", "credential_id"),
        ("passkeys", "public_key"),
        ("risk_logins", "features"),
    ];

    /// Whoever adds a table says here whether it is state, and which columns of it are sealed.
    #[tokio::test]
    async fn every_table_and_every_sealed_column_is_named() {
        for_each_database(&[MIGRATIONS], async |db| {
            let shapes = db.at_one_moment(tables::shapes).await.unwrap();
            let mut found: Vec<&str> = shapes.iter().map(|shape| shape.table.as_str()).collect();
            found.sort_unstable();
            let mut named = [KEPT.as_slice(), &FORGOTTEN, &OWN].concat();
            named.sort_unstable();
            assert_eq!(found, named);
            for shape in shapes
                .iter()
                .filter(|shape| KEPT.contains(&shape.table.as_str()))
            {
                for column in shape.columns.iter().filter(|c| c.kind == Kind::Bytes) {
                    let (table, name) = (shape.table.as_str(), column.name.as_str());
                    let sealed = SEALED.iter().any(|(t, c, _)| (*t, *c) == (table, name));
                    assert!(sealed || OPEN.contains(&(table, name)), "{table}.{name}");
                }
            }
        })
        .await;
    }
}
