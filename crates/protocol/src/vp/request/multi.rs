//! Requests that several parties sign, each under a client identifier of its own (OpenID4VP 1.0,
//! appendix A.3.2.2; RFC 7515, section 7.2.1).

use serde_json::{Map, Value};
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::json;

use super::parse::WalletPolicy;
use super::party::{Parties, Requester, authenticate};
use super::{MAX_BYTES, RequestError};
use crate::vp::client_id::ClientId;

/// Most signatures that are looked at.
const MAX_SIGNATURES: usize = 8;
/// What stands in the protected header of each signature, and nowhere else.
const OF_SIGNER: [&str; 2] = ["client_id", "verifier_info"];

/// The first party whose signature is good and whom the wallet can identify, and the parameters as that
/// party signed them. Signatures of others say nothing: another wallet knows them.
pub(super) fn read(
    request: &Map<String, Value>,
    policy: &WalletPolicy<'_>,
    parties: &Parties<'_>,
) -> Result<(ClientId, Requester, Map<String, Value>), RequestError> {
    let payload = request.get("payload").and_then(Value::as_str);
    let payload = payload.ok_or(RequestError::Parameter("payload"))?;
    if payload.len() > MAX_BYTES {
        return Err(RequestError::TooLarge);
    }
    let signatures = request.get("signatures").and_then(Value::as_array);
    let signatures = signatures
        .filter(|list| (1..=MAX_SIGNATURES).contains(&list.len()))
        .ok_or(RequestError::Parameter("signatures"))?;
    let mut refused = RequestError::NoSignature;
    for signature in signatures {
        match signed_by(payload, signature, policy, parties) {
            Ok(read) => return Ok(read),
            // One signature alone is refused for its own reason.
            Err(error) if signatures.len() == 1 => refused = error,
            Err(_) => {}
        }
    }
    Err(refused)
}

fn signed_by(
    payload: &str,
    signature: &Value,
    policy: &WalletPolicy<'_>,
    parties: &Parties<'_>,
) -> Result<(ClientId, Requester, Map<String, Value>), RequestError> {
    let part = |name: &'static str| {
        let text = signature.get(name).and_then(Value::as_str);
        text.ok_or(RequestError::Parameter(name))
    };
    let (protected, made) = (part("protected")?, part("signature")?);
    let header = b64url_decode(protected).ok();
    let header = header.and_then(|header| json::parse_object(&header).ok());
    let header = header.ok_or(RequestError::Parameter("protected"))?;
    let client_id = header.get("client_id").and_then(Value::as_str);
    let client_id = parties.client(client_id.ok_or(RequestError::Parameter("client_id"))?)?;
    let compact = format!("{protected}.{payload}.{made}");
    let (requester, mut claims) = authenticate(&compact, &client_id, policy, parties)?;
    for name in OF_SIGNER {
        // "MUST be present only in the protected header".
        if claims.contains_key(name) {
            return Err(RequestError::Parameter(name));
        }
        if let Some(value) = header.get(name) {
            claims.insert(name.to_owned(), value.clone());
        }
    }
    Ok((client_id, requester, claims))
}
