//! What the browser says of a ceremony (section 5.8.1).

use serde_json::Value;
use vouchsafe_credentials::{
    crypto::{constant_time_eq, sha256},
    encoding::b64url_decode,
    json::parse_strict,
};

use super::{RelyingParty, WebauthnError};

const MAX_BYTES: usize = 4096;

/// The challenge that an answer says it is for: to find what it was given for. Everything else is
/// checked by [`check`].
pub fn challenge(client_data: &str) -> Result<String, WebauthnError> {
    let (_, value) = read(client_data)?;
    let challenge = value.get("challenge").and_then(Value::as_str);
    challenge.map(str::to_owned).ok_or(WebauthnError::Malformed)
}

/// Checks the client data, base64url, and gives its hash (section 7.1, steps 5 to 12; section 7.2, steps 9
/// to 15).
pub fn check(
    site: &RelyingParty,
    ceremony: &str,
    challenge: &str,
    client_data: &str,
) -> Result<[u8; 32], WebauthnError> {
    let (bytes, value) = read(client_data)?;
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let challenged = text("challenge").unwrap_or_default();
    let own = text("type") == Some(ceremony)
        && constant_time_eq(challenged.as_bytes(), challenge.as_bytes())
        && text("origin") == Some(site.origin.as_str());
    // No page of ours stands in a frame.
    let framed = !matches!(value.get("crossOrigin"), None | Some(Value::Bool(false)))
        || value.get("topOrigin").is_some();
    match own && !framed {
        true => Ok(sha256(&bytes)),
        false => Err(WebauthnError::ClientData),
    }
}

fn read(client_data: &str) -> Result<(Vec<u8>, Value), WebauthnError> {
    if client_data.len() > MAX_BYTES {
        return Err(WebauthnError::Malformed);
    }
    let bytes = b64url_decode(client_data).map_err(|_| WebauthnError::Malformed)?;
    let value = parse_strict(&bytes).map_err(|_| WebauthnError::Malformed)?;
    Ok((bytes, value))
}
