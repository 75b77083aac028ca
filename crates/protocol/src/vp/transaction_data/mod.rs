//! `transaction_data` (OpenID4VP 1.0, sections 5.1 and 8.4; annex B.3.3): what a person authorises with a
//! presentation, beside showing who they are.
//!
//! A type is a promise of how it is shown, so the types are a closed set: [`Details`]. A new one is a
//! variant there, its rules in a file beside, and its words on the pages that show it. Every type here
//! keeps to the profile of annex B.3.3.1: an SD-JWT VC whose key binding carries hashes of the strings
//! as they were received. No type says how an mdoc would answer, so an mdoc authorises nothing.

mod agree;
mod currency;
mod payment;
mod read;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::sd_jwt::HashAlg;

use super::dcql::{DcqlQuery, Format, QueryId};

pub use agree::{AgreementError, agreement, check_agreed};
pub use payment::Payment;
pub use read::{TransactionDataError, read, read_details};

/// Most objects that one request may have.
pub const MOST: usize = 4;
/// Longest string of the parameter, in bytes.
pub const MAX_BYTES: usize = 8 * 1024;

/// What is authorised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Details {
    /// A payment.
    Payment(Payment),
}

impl Details {
    /// The `type` by which wallets know it.
    #[must_use]
    pub fn wire_type(&self) -> &'static str {
        match self {
            Details::Payment(_) => Payment::TYPE,
        }
    }

    fn write(&self, object: &mut Map<String, Value>) {
        match self {
            Details::Payment(payment) => payment.write(object),
        }
    }
}

/// One object of the parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionData {
    /// The string as it travels; hashes are over it.
    encoded: String,
    /// Which Credential Queries may authorise it.
    credential_ids: Vec<QueryId>,
    /// `transaction_data_hashes_alg`; `None`: not named, so SHA-256.
    algs: Option<Vec<HashAlg>>,
    /// What is authorised.
    details: Details,
}

impl TransactionData {
    /// The object for a query: any of its cards authorises it. The same arguments give the same string.
    /// `id` is new for each transaction, so that nobody who sees a hash can try amounts.
    ///
    /// # Errors
    /// [`TransactionDataError`] where a card of the query could not: see [`can_authorise`].
    pub fn new(
        details: Details,
        id: &str,
        query: &DcqlQuery,
    ) -> Result<Self, TransactionDataError> {
        let entries = query.credentials();
        if !entries.iter().all(can_authorise) {
            return Err(TransactionDataError::Credential);
        }
        let credential_ids: Vec<QueryId> = entries.iter().map(|entry| entry.id().clone()).collect();
        let names = credential_ids.iter().map(|id| Value::from(id.as_str()));
        let mut object = Map::new();
        object.insert("type".to_owned(), details.wire_type().into());
        object.insert("credential_ids".to_owned(), names.collect());
        let algs = vec![Value::from(HashAlg::Sha256.name())];
        object.insert("transaction_data_hashes_alg".to_owned(), algs.into());
        object.insert("transaction_id".to_owned(), id.into());
        details.write(&mut object);
        Ok(Self {
            encoded: b64url(Value::Object(object).to_string().as_bytes()),
            credential_ids,
            algs: Some(vec![HashAlg::Sha256]),
            details,
        })
    }

    /// The string as it stands in the parameter.
    #[must_use]
    pub fn encoded(&self) -> &str {
        &self.encoded
    }

    /// What is authorised.
    #[must_use]
    pub fn details(&self) -> &Details {
        &self.details
    }

    /// Which Credential Queries may authorise it; never empty.
    #[must_use]
    pub fn credential_ids(&self) -> &[QueryId] {
        &self.credential_ids
    }

    /// Annex B.3.3.1: "calculated using a hash function over the string received" (no decoding).
    #[must_use]
    pub fn hash(&self, alg: HashAlg) -> String {
        alg.digest(&self.encoded)
    }

    /// Whether a hash by `alg` answers: one that is named, else SHA-256 alone.
    fn takes(&self, alg: HashAlg) -> bool {
        match &self.algs {
            None => alg == HashAlg::Sha256,
            Some(algs) => algs.contains(&alg),
        }
    }

    fn is_for(&self, query: &QueryId) -> bool {
        self.credential_ids.contains(query)
    }
}

/// The value of the parameter.
#[must_use]
pub fn write(all: &[TransactionData]) -> Option<Value> {
    let strings = all.iter().map(|one| Value::from(one.encoded()));
    (!all.is_empty()).then(|| strings.collect())
}

/// Annex B.3.3: "requires the use of an SD-JWT VC with Cryptographic Holder Binding". Of mdocs annex B.2.1
/// leaves it to each document type, and none here has a rule.
#[must_use]
pub fn can_authorise(entry: &super::dcql::CredentialQuery) -> bool {
    *entry.format() == Format::SdJwtVc && entry.requires_holder_binding()
}
