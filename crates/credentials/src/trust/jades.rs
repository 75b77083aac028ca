//! Compact JAdES baseline signatures (ETSI TS 119 182-1) over lists.

use serde_json::{Map, Value};

use super::instant;
use super::{ListPolicy, TrustListError};
use crate::crypto::{Algorithm, CryptoProvider, sha256};
use crate::encoding::{b64url, b64url_decode};
use crate::json;
use crate::x509::{Chain, Role, verify_chain};

const MAX_HEADER: usize = 64 * 1024;
/// Parameters that change how the token is read, or bring a key of the sender's choice.
const REFUSED: [&str; 9] = [
    "b64", "sigD", "jku", "jwk", "x5u", "zip", "enc", "etsiU", "sigPId",
];
/// Signed header parameters that may be critical and are understood (TS 119 182-1, section 5.2).
const UNDERSTOOD: [&str; 1] = ["sigT"];
/// The key of an operator signs lists alone, so its tokens need no type of their own; a type of
/// another purpose is refused all the same.
const TYPES: [&str; 4] = ["JOSE", "jose", "JWT", "trustlist+jwt"];

/// Checks the signature and gives the payload, with its SHA-256.
pub(super) fn verify(
    compact: &str,
    policy: &ListPolicy<'_>,
    provider: &dyn CryptoProvider,
) -> Result<(Map<String, Value>, [u8; 32]), TrustListError> {
    let (signing_input, signature) = compact.rsplit_once('.').ok_or(NOT_COMPACT)?;
    let (header, payload) = signing_input.split_once('.').ok_or(NOT_COMPACT)?;
    if payload.contains('.') {
        return Err(NOT_COMPACT);
    }
    if header.len() > MAX_HEADER {
        return Err(TrustListError::TooLarge);
    }
    let header = b64url_decode(header).map_err(|_| NOT_COMPACT)?;
    let header = json::parse_object(&header).map_err(TrustListError::Json)?;
    check_header(&header, policy)?;
    let algorithm = header.get("alg").and_then(Value::as_str);
    let algorithm = algorithm
        .and_then(Algorithm::from_name)
        .ok_or(TrustListError::SignatureForm("alg"))?;
    let chain = chain(&header)?;
    let signer = verify_chain(
        &chain,
        policy.operators,
        Role::ListOperator,
        policy.now,
        provider,
    )
    .map_err(TrustListError::Signer)?;
    // RFC 8725, section 3.1: the key decides the algorithm, the header may only agree.
    if signer.public_key().algorithm() != algorithm {
        return Err(TrustListError::Signature);
    }
    let signature = b64url_decode(signature).map_err(|_| TrustListError::Signature)?;
    provider
        .verify(signer.public_key(), signing_input.as_bytes(), &signature)
        .map_err(|_| TrustListError::Signature)?;
    let payload = b64url_decode(payload).map_err(|_| NOT_COMPACT)?;
    let members = json::parse_object(&payload).map_err(TrustListError::Json)?;
    Ok((members, sha256(&payload)))
}

const NOT_COMPACT: TrustListError = TrustListError::Malformed("not a compact JWS");

fn check_header(
    header: &Map<String, Value>,
    policy: &ListPolicy<'_>,
) -> Result<(), TrustListError> {
    if REFUSED.iter().any(|name| header.contains_key(*name)) {
        return Err(TrustListError::SignatureForm("header parameter"));
    }
    match header.get("typ") {
        None => {}
        Some(Value::String(typ)) if TYPES.contains(&typ.as_str()) => {}
        Some(_) => return Err(TrustListError::SignatureForm("typ")),
    }
    check_critical(header)?;
    check_signing_time(header, policy)
}

/// RFC 7515, section 4.1.11: not empty, no name twice, every name there and understood.
fn check_critical(header: &Map<String, Value>) -> Result<(), TrustListError> {
    let refused = TrustListError::SignatureForm("crit");
    let Some(critical) = header.get("crit") else {
        return Ok(());
    };
    let names = critical.as_array().ok_or_else(|| refused.clone())?;
    let known = |name: &Value| {
        let text = name.as_str();
        text.is_some_and(|text| UNDERSTOOD.contains(&text) && header.contains_key(text))
    };
    // One name is understood, so more than one means one twice.
    if names.len() == 1 && names.iter().all(known) {
        Ok(())
    } else {
        Err(refused)
    }
}

/// TS 119 182-1, sections 5.1.11 and 5.2.1: `iat`, or `sigT` in older signatures.
fn check_signing_time(
    header: &Map<String, Value>,
    policy: &ListPolicy<'_>,
) -> Result<(), TrustListError> {
    let at = match (header.get("iat"), header.get("sigT")) {
        (None, None) => return Ok(()),
        (Some(iat), None) => iat.as_i64().map(crate::time::UnixTime),
        (None, Some(text)) => match text.as_str() {
            Some(text) => Some(instant::parse(text)?),
            None => None,
        },
        (Some(_), Some(_)) => None,
    };
    let at = at.ok_or(TrustListError::SignatureForm("signing time"))?;
    if at > policy.now.plus(300) {
        return Err(TrustListError::NotYetIssued);
    }
    Ok(())
}

fn chain(header: &Map<String, Value>) -> Result<Chain, TrustListError> {
    let refused = || TrustListError::SignatureForm("x5c");
    let items = header.get("x5c").and_then(Value::as_array);
    let items = items.ok_or_else(refused)?;
    let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
    let chain = Chain::from_x5c(&texts.ok_or_else(refused)?).map_err(TrustListError::Signer)?;
    // TS 119 182-1, section 5.1.7: the reference is to the signing certificate.
    let fits = match header.get("x5t#S256") {
        None => true,
        Some(digest) => digest.as_str() == Some(&b64url(&sha256(chain.leaf_der()))),
    };
    if fits {
        Ok(chain)
    } else {
        Err(TrustListError::SignatureForm("x5t#S256"))
    }
}
