//! From the JWE to the presentations in it: decryption and the shape of the `vp_token`.

use serde_json::{Map, Value};
use vouchsafe_credentials::crypto::{AgreementKey, CryptoProvider};
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::json;
use vouchsafe_credentials::jwe::Sealed;
use vouchsafe_credentials::sd_jwt::SdJwt;
use vouchsafe_credentials::x509::Chain;

use super::way::{Arrived, Way};
use super::{PresentationError, Transaction};
use crate::vp::dcql::CredentialQuery;
use crate::vp::metadata::{ENCRYPTIONS, key_id};
use crate::vp::response::{EncryptedResponse, error_of};

/// Most presentations in one response.
const MAX_PRESENTATIONS: usize = 32;

/// The response parameters, opened with the key of the transaction where they are closed.
pub(super) fn open(
    arrived: Arrived<'_>,
    crypto: &dyn CryptoProvider,
) -> Result<Map<String, Value>, PresentationError> {
    match arrived {
        Arrived::Encrypted(response, key) => decrypt(response, key, crypto),
        Arrived::Open(payload) => Ok(payload.clone()),
    }
}

fn decrypt(
    response: &EncryptedResponse,
    key: &AgreementKey,
    crypto: &dyn CryptoProvider,
) -> Result<Map<String, Value>, PresentationError> {
    let sealed = Sealed::parse(response.as_str()).map_err(PresentationError::Jwe)?;
    // Section 8.3: "the JWE MUST include the same value in the `kid` JWE Header Parameter".
    let kid = key_id(key.public_key());
    if sealed.kid() != Some(kid.as_str()) {
        return Err(PresentationError::EncryptionKey);
    }
    let plain = sealed
        .open(key, &ENCRYPTIONS, crypto)
        .map_err(PresentationError::Jwe)?;
    json::parse_object(&plain).map_err(|_| PresentationError::Json)
}

/// The presentations, each with the Credential Query it answers (section 8.1).
pub(super) fn read<'p, 'q>(
    payload: &'p Map<String, Value>,
    transaction: &Transaction<'q>,
) -> Result<Vec<(&'q CredentialQuery, &'p str)>, PresentationError> {
    // RFC 6749, section 4.1.2: the `state` of the request must come back.
    // Appendix A.2: over the API none is defined.
    if let Way::DirectPost { state, .. } = transaction.way
        && payload.get("state").and_then(Value::as_str) != Some(state.as_str())
    {
        return Err(PresentationError::State);
    }
    if let Some(error) = error_of(payload) {
        return Err(PresentationError::Wallet(error));
    }
    let token = payload
        .get("vp_token")
        .ok_or(PresentationError::TokenMissing)?;
    let token = token.as_object().ok_or(PresentationError::TokenShape)?;
    let mut found: Vec<(&CredentialQuery, &str)> = Vec::new();
    for (id, answers) in token {
        let query = transaction
            .query
            .credential(id)
            .ok_or(PresentationError::TokenUnknownId)?;
        let answers = answers.as_array().ok_or(PresentationError::TokenShape)?;
        // "When `multiple` is omitted, or set to `false`, the array MUST contain only
        // one Presentation"; it has "one or more" otherwise.
        if answers.is_empty()
            || (answers.len() > 1 && !query.multiple())
            || found.len() + answers.len() > MAX_PRESENTATIONS
        {
            return Err(PresentationError::TokenCount);
        }
        for answer in answers {
            let compact = answer.as_str().ok_or(PresentationError::TokenShape)?;
            let repeated = |(other, text): &(&CredentialQuery, &str)| {
                other.id() == query.id() && *text == compact
            };
            if found.iter().any(repeated) {
                return Err(PresentationError::TokenDuplicate);
            }
            found.push((query, compact));
        }
    }
    if found.is_empty() {
        return Err(PresentationError::TokenCount);
    }
    Ok(found)
}

/// The AuthorityKeyIdentifiers of the certificates in an SD-JWT VC whose chain
/// was verified before; none where the issuer has no certificate.
pub(in crate::vp) fn authority_key_ids(compact: &str) -> Vec<Vec<u8>> {
    chain_of(compact)
        .map(|chain| chain.authority_key_ids())
        .unwrap_or_default()
}

fn chain_of(compact: &str) -> Option<Chain> {
    let jwt = SdJwt::parse(compact).ok()?.issuer_signed();
    let header = b64url_decode(jwt.split('.').next()?).ok()?;
    let header = json::parse_object(&header).ok()?;
    let x5c = header.get("x5c")?.as_array()?;
    let x5c: Option<Vec<String>> = x5c
        .iter()
        .map(|der| der.as_str().map(str::to_owned))
        .collect();
    Chain::from_x5c(&x5c?).ok()
}
