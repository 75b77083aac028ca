//! The hashes in key bindings: as a wallet makes them and as a verifier compares them (OpenID4VP 1.0,
//! annex B.3.3.1).

use vouchsafe_credentials::sd_jwt::HashAlg;
use vouchsafe_credentials::sd_jwt_vc::kb::Agreed;

use super::TransactionData;
use crate::vp::dcql::QueryId;

/// Why what a person agreed to is not what they were asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgreementError {
    /// Nobody agreed to a transaction.
    #[error("a transaction was not agreed to")]
    Missing,
    /// Hashes of something else, in another order, or by a card that was not to authorise it.
    #[error("something else was agreed to")]
    Differs,
    /// Two cards agree to one transaction.
    #[error("a transaction was agreed to twice")]
    Twice,
    /// Another hash algorithm than was asked for, or none where it must be named.
    #[error("the hash algorithm is not the one that was asked for")]
    Algorithm,
}

impl AgreementError {
    /// A stable code for logs and interfaces.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "transaction_data_missing",
            Self::Differs => "transaction_data_differs",
            Self::Twice => "transaction_data_twice",
            Self::Algorithm => "transaction_data_alg",
        }
    }
}

/// What each presentation of an answer agrees to, in their order. Section 5.1: of several cards that are
/// named "the Wallet MUST use only one".
///
/// # Errors
/// [`AgreementError::Missing`] where no card of the answer may authorise a transaction,
/// [`AgreementError::Algorithm`] where one card would need two algorithms.
pub fn agreement(
    asked: &[TransactionData],
    presented: &[&QueryId],
) -> Result<Vec<Option<Agreed>>, AgreementError> {
    let mut theirs: Vec<Vec<&TransactionData>> = presented.iter().map(|_| Vec::new()).collect();
    for one in asked {
        let place = presented.iter().position(|query| one.is_for(query));
        let list = place.and_then(|place| theirs.get_mut(place));
        list.ok_or(AgreementError::Missing)?.push(one);
    }
    theirs.iter().map(|list| agreed(list)).collect()
}

fn agreed(list: &[&TransactionData]) -> Result<Option<Agreed>, AgreementError> {
    if list.is_empty() {
        return Ok(None);
    }
    let all = [HashAlg::Sha256, HashAlg::Sha384, HashAlg::Sha512];
    let mut usable = all
        .into_iter()
        .filter(|alg| list.iter().all(|one| one.takes(*alg)));
    let alg = usable.next().ok_or(AgreementError::Algorithm)?;
    // "REQUIRED when this parameter was present".
    let named = list.iter().any(|one| one.algs.is_some());
    Ok(Some(Agreed {
        hashes: list.iter().map(|one| one.hash(alg)).collect(),
        alg: named.then(|| alg.name().to_owned()),
    }))
}

/// Compares what presentations agree to with what was asked: each transaction is agreed to by exactly one
/// card that may, with an algorithm that was asked for, in the order of the request, and nothing else is.
///
/// # Errors
/// [`AgreementError`].
pub fn check_agreed(
    asked: &[TransactionData],
    presented: &[(&QueryId, Option<Agreed>)],
) -> Result<(), AgreementError> {
    let mut done = vec![false; asked.len()];
    for (query, agreed) in presented {
        let Some(agreed) = agreed else {
            continue;
        };
        let alg = alg_of(agreed)?;
        let mut rest = asked
            .iter()
            .zip(&mut done)
            .filter(|(one, _)| one.is_for(query));
        for hash in &agreed.hashes {
            let found = rest.find(|(one, _)| one.hash(alg) == *hash);
            let (one, done) = found.ok_or(AgreementError::Differs)?;
            if !one.takes(alg) || (one.algs.is_some() && agreed.alg.is_none()) {
                return Err(AgreementError::Algorithm);
            }
            if std::mem::replace(done, true) {
                return Err(AgreementError::Twice);
            }
        }
    }
    match done.iter().all(|done| *done) {
        true => Ok(()),
        false => Err(AgreementError::Missing),
    }
}

fn alg_of(agreed: &Agreed) -> Result<HashAlg, AgreementError> {
    let Some(name) = &agreed.alg else {
        return Ok(HashAlg::Sha256);
    };
    HashAlg::from_name(name).map_err(|_| AgreementError::Algorithm)
}
