//! What a person approves beside logging in: the transaction that an application pushed as
//! `authorization_details` (RFC 9396), shown here and in the wallet, and signed there.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vouchsafe_credentials::sd_jwt::HashAlg;
use vouchsafe_protocol::vp::dcql::DcqlQuery;
use vouchsafe_protocol::vp::transaction_data::{
    Details, Payment, TransactionData, TransactionDataError, read_details,
};

/// A kind of transaction that applications may ask about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalType {
    /// A payment.
    Payment,
}

impl ApprovalType {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::Payment];

    /// The `type` of the details (RFC 9396, section 2).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
        }
    }

    fn of(details: &Details) -> Self {
        match details {
            Details::Payment(_) => Self::Payment,
        }
    }
}

/// A transaction that waits for the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Random: without it whoever sees a hash could try amounts.
    id: String,
    details: Details,
}

impl Approval {
    /// The transaction of one object of `authorization_details`. RFC 9396, section 5: nothing unknown is
    /// passed over.
    ///
    /// # Errors
    /// [`TransactionDataError`].
    pub fn read(mut object: Map<String, Value>, id: String) -> Result<Self, TransactionDataError> {
        let name = object.remove("type");
        let name = name.as_ref().and_then(Value::as_str);
        let known = ApprovalType::ALL
            .into_iter()
            .find(|known| Some(known.name()) == name);
        let details = match known.ok_or(TransactionDataError::Type)? {
            ApprovalType::Payment => {
                read_details(object, |object| Payment::take(object).map(Details::Payment))?
            }
        };
        Ok(Self { id, details })
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ApprovalType {
        ApprovalType::of(&self.details)
    }

    /// What is approved.
    #[must_use]
    pub fn details(&self) -> &Details {
        &self.details
    }

    /// As a wallet is asked, with this question.
    ///
    /// # Errors
    /// [`TransactionDataError`] where a card of the question could not authorise it.
    pub fn data(&self, question: &DcqlQuery) -> Result<TransactionData, TransactionDataError> {
        TransactionData::new(self.details.clone(), &self.id, question)
    }

    /// What the application is told once a card authorised it.
    #[must_use]
    pub fn approved(&self, data: &TransactionData) -> Approved {
        let mut details = match &self.details {
            Details::Payment(payment) => payment.to_json(),
        };
        details.insert("type".to_owned(), self.kind().name().into());
        // RFC 9396, section 7.1: the string over which the hash is, so that the application can compare.
        details.insert("transaction_data".to_owned(), data.encoded().into());
        Approved {
            details,
            hash: data.hash(HashAlg::Sha256),
        }
    }
}

/// A transaction that a person approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    /// The object of `authorization_details` that was granted.
    pub details: Map<String, Value>,
    /// SHA-256 of what the wallet signed, base64url.
    pub hash: String,
}

impl Approved {
    /// Name of the hash algorithm.
    pub const ALG: &'static str = "sha-256";
}
