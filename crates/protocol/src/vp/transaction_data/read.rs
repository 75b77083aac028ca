//! The parameter as a wallet reads it.

use serde_json::{Map, Value};
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::json;
use vouchsafe_credentials::sd_jwt::HashAlg;

use super::{Details, MAX_BYTES, MOST, Payment, TransactionData, can_authorise};
use crate::vp::dcql::{DcqlQuery, QueryId};

/// What is wrong with transaction data: OpenID4VP 1.0, section 8.5, `invalid_transaction_data` for all of
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactionDataError {
    /// The wallet does not show transactions.
    #[error("transactions are not shown here")]
    Unsupported,
    /// Not a non-empty array of strings, or one that is too long.
    #[error("it is not a list of strings")]
    Shape,
    /// A string that is no base64url of a JSON object.
    #[error("a string is no object")]
    Encoding,
    /// A type that is not known.
    #[error("the type is not known")]
    Type,
    /// A member is missing, of the wrong type or without a valid value.
    #[error("the member {0} is missing or malformed")]
    Member(&'static str),
    /// A member that the type does not have.
    #[error("it has a member that its type does not have")]
    UnknownMember,
    /// `credential_ids` does not match the query.
    #[error("credential_ids does not match the query")]
    CredentialIds,
    /// A card is named that cannot authorise a transaction.
    #[error("a card is named that cannot authorise a transaction")]
    Credential,
    /// The person has none of the cards that are named.
    #[error("no card that is named is there")]
    Unavailable,
    /// No hash algorithm that is named is supported.
    #[error("no hash algorithm is supported")]
    Algorithm,
}

impl TransactionDataError {
    /// A stable code for logs and interfaces.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unsupported => "transaction_data_unsupported",
            Self::Shape | Self::Encoding => "transaction_data_malformed",
            Self::Type => "transaction_data_type",
            Self::Member(_) | Self::UnknownMember => "transaction_data_member",
            Self::CredentialIds => "transaction_data_credential_ids",
            Self::Credential => "transaction_data_credential",
            Self::Unavailable => "transaction_data_unavailable",
            Self::Algorithm => "transaction_data_alg",
        }
    }
}

/// Reads the parameter. Section 5.1: "The Wallet MUST return an error if a request contains even one
/// unrecognized transaction data type or transaction data not conforming to the respective type
/// definition."
///
/// # Errors
/// [`TransactionDataError`] with the first rule broken.
pub fn read(
    parameter: &Value,
    query: &DcqlQuery,
) -> Result<Vec<TransactionData>, TransactionDataError> {
    let strings = parameter.as_array().ok_or(TransactionDataError::Shape)?;
    if strings.is_empty() || strings.len() > MOST {
        return Err(TransactionDataError::Shape);
    }
    let mut all: Vec<TransactionData> = Vec::with_capacity(strings.len());
    for string in strings {
        let one = one(string.as_str().ok_or(TransactionDataError::Shape)?, query)?;
        // Twice the same would be one hash for two transactions.
        if all.iter().any(|other| other.encoded == one.encoded) {
            return Err(TransactionDataError::Shape);
        }
        all.push(one);
    }
    Ok(all)
}

fn one(encoded: &str, query: &DcqlQuery) -> Result<TransactionData, TransactionDataError> {
    if encoded.len() > MAX_BYTES {
        return Err(TransactionDataError::Shape);
    }
    let bytes = b64url_decode(encoded).map_err(|_| TransactionDataError::Encoding)?;
    let object = json::parse_object(&bytes);
    let mut object = object.map_err(|_| TransactionDataError::Encoding)?;
    let kind = object.remove("type");
    let kind = kind.as_ref().and_then(Value::as_str);
    if kind != Some(Payment::TYPE) {
        return Err(TransactionDataError::Type);
    }
    let credential_ids = credential_ids(&mut object, query)?;
    let algs = algs(&mut object)?;
    let id = object.remove("transaction_id");
    let id = id.as_ref().and_then(Value::as_str).unwrap_or_default();
    let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !(16..=128).contains(&id.len()) || !id.bytes().all(named) {
        return Err(TransactionDataError::Member("transaction_id"));
    }
    let details = read_details(object, |object| Payment::take(object).map(Details::Payment))?;
    Ok(TransactionData {
        encoded: encoded.to_owned(),
        credential_ids,
        algs,
        details,
    })
}

/// Reads an object with nothing in it but the members that `take` takes out. Section 8.5: "is an object of
/// a known type but containing unknown fields".
///
/// # Errors
/// That of `take`, or [`TransactionDataError::UnknownMember`].
pub fn read_details(
    mut object: Map<String, Value>,
    take: impl FnOnce(&mut Map<String, Value>) -> Result<Details, TransactionDataError>,
) -> Result<Details, TransactionDataError> {
    let details = take(&mut object)?;
    match object.is_empty() {
        true => Ok(details),
        false => Err(TransactionDataError::UnknownMember),
    }
}

/// Section 5.1: "Non-empty array of strings each referencing a Credential requested by the Verifier".
fn credential_ids(
    object: &mut Map<String, Value>,
    query: &DcqlQuery,
) -> Result<Vec<QueryId>, TransactionDataError> {
    let named = object.remove("credential_ids");
    let named = named.as_ref().and_then(Value::as_array);
    let named = named.filter(|named| !named.is_empty());
    let named = named.ok_or(TransactionDataError::Member("credential_ids"))?;
    let mut ids = Vec::with_capacity(named.len());
    for name in named {
        let entry = name.as_str().and_then(|name| query.credential(name));
        let entry = entry.ok_or(TransactionDataError::CredentialIds)?;
        if ids.contains(entry.id()) {
            return Err(TransactionDataError::CredentialIds);
        }
        // Annex B.3.3: "Wallets MUST reject requests with transaction data types that have the
        // `require_cryptographic_holder_binding` parameter set to `false`."
        if !can_authorise(entry) {
            return Err(TransactionDataError::Credential);
        }
        ids.push(entry.id().clone());
    }
    Ok(ids)
}

/// Annex B.3.3.1: "Non-empty array of strings each representing a hash algorithm identifier, one of which
/// MUST be used". Those that are not known are left out.
fn algs(object: &mut Map<String, Value>) -> Result<Option<Vec<HashAlg>>, TransactionDataError> {
    let Some(named) = object.remove("transaction_data_hashes_alg") else {
        return Ok(None);
    };
    let malformed = TransactionDataError::Member("transaction_data_hashes_alg");
    let named = named.as_array().filter(|named| !named.is_empty());
    let mut algs = Vec::new();
    for name in named.ok_or(malformed)? {
        let name = name.as_str().ok_or(malformed)?;
        algs.extend(HashAlg::from_name(name));
    }
    match algs.is_empty() {
        true => Err(TransactionDataError::Algorithm),
        false => Ok(Some(algs)),
    }
}
