//! From the JWE to the presentations in it: decryption and the shape of the `vp_token`.

use serde_json::{Map, Value};
use vouchsafe_credentials::crypto::{AgreementKey, CryptoProvider};
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::json;
use vouchsafe_credentials::jwe::Sealed;
use vouchsafe_credentials::sd_jwt::SdJwt;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::Chain;

use super::way::{Arrived, Way};
use super::{PresentationError, Transaction};
use crate::vp::dcql::CredentialQuery;
use crate::vp::metadata::{ENCRYPTIONS, key_id};
use crate::vp::request::CLOCK_SKEW_S;
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

/// RFC 6749, section 4.1.2: the `state` of the request must come back.
/// Appendix A.2: over the API none is defined.
pub(super) fn check_state(
    payload: &Map<String, Value>,
    transaction: &Transaction<'_>,
) -> Result<(), PresentationError> {
    match transaction.way {
        Way::DirectPost { state, .. }
            if payload.get("state").and_then(Value::as_str) != Some(state.as_str()) =>
        {
            Err(PresentationError::State)
        }
        Way::DirectPost { .. } | Way::Api { .. } => Ok(()),
    }
}

/// Catalogue 89: what an encrypted response says of its time and its recipient holds, as in a signed
/// one. OpenID4VP 1.0 asks for neither, so both may be missing; `iss` is anybody's word.
pub(super) fn check_registered(
    payload: &Map<String, Value>,
    way: &Way<'_>,
    now: UnixTime,
) -> Result<(), PresentationError> {
    let time = |name: &'static str| {
        let time = payload.get(name).map(UnixTime::from_numeric_date);
        time.map(|time| time.ok_or(PresentationError::ResponseClaim(name)))
            .transpose()
    };
    // RFC 7519, section 4.1.4: "MUST NOT be accepted" on or after `exp`.
    if time("exp")?.is_some_and(|end| now.since(end) >= CLOCK_SKEW_S) {
        return Err(PresentationError::ResponseExpired);
    }
    // Section 4.1.5.
    if time("nbf")?.is_some_and(|begin| begin.since(now) > CLOCK_SKEW_S) {
        return Err(PresentationError::ResponseNotYetValid);
    }
    // Section 4.1.3: one name or an array of them; who is not among them must refuse.
    let own = |name: &Value| name.as_str().is_some_and(|name| way.is_recipient(name));
    let meant = match payload.get("aud") {
        None => true,
        Some(Value::Array(names)) if names.iter().all(Value::is_string) => names.iter().any(own),
        Some(name @ Value::String(_)) => own(name),
        Some(_) => return Err(PresentationError::ResponseClaim("aud")),
    };
    meant
        .then_some(())
        .ok_or(PresentationError::ResponseAudience)
}

/// The presentations, each with the Credential Query it answers (section 8.1).
pub(super) fn read<'p, 'q>(
    payload: &'p Map<String, Value>,
    transaction: &Transaction<'q>,
) -> Result<Vec<(&'q CredentialQuery, &'p str)>, PresentationError> {
    // Section 8.5: an error response stands instead of a response, never beside it.
    match (payload.contains_key("vp_token"), error_of(payload)) {
        (true, Some(_)) => return Err(PresentationError::ErrorBesideToken),
        (false, Some(error)) => return Err(PresentationError::Wallet(error)),
        (_, None) => {}
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
