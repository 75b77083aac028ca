//! Offers for all rows of a table: all of them, or none.

use serde_json::{Map, Value};
use vouchsafe_credentials::credential_type::CredentialType;
use vouchsafe_service::audit;
use vouchsafe_service::db::{DbError, Tx};

use crate::author::Author;
use crate::core::Core;
use crate::domain::offer::GrantKind;
use crate::prepare::{self, PrepareError, PreparedOffer, Wanted};
use crate::table::Row;

/// Rows of one table at most.
pub const MAX_ROWS: usize = 1000;
/// Problems that one answer names at most.
const MAX_PROBLEMS: usize = 100;

/// What holds for all rows.
#[derive(Debug, Clone)]
pub struct ForAll {
    /// Id of the credential type.
    pub credential_type: String,
    /// How the offers are redeemed.
    pub grant: GrantKind,
    /// Whether a pre-authorized code needs a transaction code.
    pub tx_code: bool,
    /// How long the offers are open, in seconds.
    pub expires_in_s: Option<i64>,
}

/// A person of a table or a list.
#[derive(Debug, Clone)]
pub struct Person {
    /// Where the person stands: the row in the file, of which the names are the first, or the place in
    /// the list.
    pub number: u64,
    /// The organisation's own identifier.
    pub record_id: String,
    /// What the credential will say; nothing where the claims source says it.
    pub claims: Option<Map<String, Value>>,
}

/// The persons of a table. A row without a claim leaves them to the claims source, where there is
/// one.
pub fn of_table(core: &Core, kind: &CredentialType, rows: Vec<Row>) -> Vec<Person> {
    let sourced = core.settings.claims_source(&kind.id).is_some();
    let person = |row: Row| {
        let Row {
            line,
            record_id,
            claims,
        } = row;
        Person {
            number: line,
            record_id,
            claims: Some(claims).filter(|claims| !(sourced && claims.is_empty())),
        }
    };
    rows.into_iter().map(person).collect()
}

/// A person who does not fit.
#[derive(Debug)]
pub struct RowProblem {
    /// Where the person stands.
    pub number: u64,
    /// What is wrong with it.
    pub error: PrepareError,
}

/// Why no offer was made.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// Rows do not fit the type.
    #[error("rows of the table do not fit the credential type; nothing was made")]
    Rows(Vec<RowProblem>),
    /// What holds for all rows does not hold together.
    #[error("the offers cannot be prepared")]
    Prepare(#[from] PrepareError),
}

/// Every offer with its record, in the order of the table, or what is wrong with the rows.
pub fn prepare_all(
    core: &Core,
    all: &ForAll,
    persons: Vec<Person>,
) -> Result<Vec<(String, PreparedOffer)>, BatchError> {
    let (mut prepared, mut problems) = (Vec::new(), Vec::new());
    for person in persons {
        let Person {
            number,
            record_id,
            claims,
        } = person;
        let wanted = Wanted {
            record_id: record_id.clone(),
            credential_type: all.credential_type.clone(),
            claims,
            grant: all.grant,
            tx_code: all.tx_code,
            wallet_initiated: false,
            redemptions: 1,
            expires_in_s: all.expires_in_s,
            hold: false,
        };
        match prepare::prepare(core, wanted) {
            Ok(offer) => prepared.push((record_id, offer)),
            Err(
                error @ (PrepareError::Claims(_)
                | PrepareError::ClaimsMissing
                | PrepareError::RecordId),
            ) => problems.push(RowProblem { number, error }),
            Err(error) => return Err(error.into()),
        }
        if problems.len() >= MAX_PROBLEMS {
            break;
        }
    }
    match problems.is_empty() {
        true => Ok(prepared),
        false => Err(BatchError::Rows(problems)),
    }
}

/// Records are locked in one order, and the log last: two tables wait for each other, not both.
pub fn in_lock_order(prepared: &[(String, PreparedOffer)]) -> Vec<PreparedOffer> {
    let mut sorted: Vec<PreparedOffer> = prepared.iter().map(|(_, offer)| offer.clone()).collect();
    sorted.sort_by(|a, b| a.record_hash().cmp(b.record_hash()));
    sorted
}

/// Stores offers that are [`in_lock_order`]. Their [`report`] is still owed.
pub async fn store_offers(tx: &mut Tx, prepared: &[PreparedOffer]) -> Result<(), DbError> {
    for offer in prepared {
        prepare::store(tx, offer).await?;
    }
    Ok(())
}

/// Reports each offer: the last thing that the transaction does.
pub async fn report(
    core: &Core,
    tx: &mut Tx,
    author: &Author,
    prepared: &[PreparedOffer],
) -> Result<(), DbError> {
    let event = |prepared: &PreparedOffer| {
        let offer = &prepared.new.offer;
        let (id, kind) = (offer.id.as_str(), &offer.credential_type);
        author.event(core, "offer.create", id, kind)
    };
    let events: Vec<_> = prepared.iter().map(event).collect();
    audit::append_all(tx, &core.keys.audit, &events).await
}

/// Stores offers that are [`in_lock_order`], and reports each.
pub async fn store_all(
    core: &Core,
    tx: &mut Tx,
    author: &Author,
    prepared: &[PreparedOffer],
) -> Result<(), DbError> {
    store_offers(tx, prepared).await?;
    report(core, tx, author, prepared).await
}
