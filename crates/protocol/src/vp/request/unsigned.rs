//! Requests that nobody signs (OpenID4VP 1.0, section 5.9.3, `redirect_uri`): all that is known of who
//! asks is the address that the answer goes to. Nobody is told of a refusal, because anybody could name
//! any address.

use serde_json::{Map, Value};
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::json;
use vouchsafe_credentials::jws::JwsError;

use super::parse::{PresentationRequest, WalletPolicy, check_wallet_nonce, optional_state, read};
use super::party::{Parties, Requester};
use super::question::{check_audience, check_times};
use super::{MEDIA_TYPE, ReplyTo, RequestError};
use crate::vp::client_id::{ClientId, ClientIdError};

/// Checks the parameters of a request that came in a link, by value.
///
/// # Errors
/// [`RequestError`] with the first rule broken.
pub fn verify_unsigned(
    parties: &Parties<'_>,
    parameters: &Map<String, Value>,
    policy: &WalletPolicy<'_>,
) -> Result<PresentationRequest, RequestError> {
    let client_id = parameters.get("client_id").and_then(Value::as_str);
    let client_id = client_id.ok_or(RequestError::Parameter("client_id"))?;
    let client_id = match ClientId::unsigned(client_id) {
        // Catalogue 323: under every other prefix a request is signed.
        Err(ClientIdError::UnsupportedPrefix) => {
            parties.client(client_id)?;
            return Err(RequestError::Unsigned);
        }
        read => read.map_err(RequestError::ClientId)?,
    };
    if !parties.unvouched {
        return Err(RequestError::Unvouched);
    }
    // "The Verifier MAY omit […] `response_uri`"; the response goes to the one that the identifier names.
    let address = parameters.get("response_uri");
    if address.is_some_and(|address| address.as_str() != Some(client_id.name())) {
        return Err(RequestError::ClientId(ClientIdError::Malformed));
    }
    let response_uri = policy.urls.endpoint(client_id.name());
    let reply_to = ReplyTo {
        response_uri: response_uri.map_err(|_| RequestError::ResponseUri)?,
        state: optional_state(parameters)?,
    };
    let expires_at = check_times(parameters, policy.now)?;
    let who = (client_id, Requester::Address);
    read(who, parameters, &reply_to, expires_at, (policy, parties))
}

/// Checks a request object with the algorithm `none` that was fetched for `client_id`.
pub(super) fn verify_object(
    parties: &Parties<'_>,
    compact: &str,
    client_id: &str,
    wallet_nonce: Option<&str>,
    policy: &WalletPolicy<'_>,
) -> Result<PresentationRequest, RequestError> {
    let claims = claims(compact)?;
    if claims.get("client_id").and_then(Value::as_str) != Some(client_id) {
        return Err(RequestError::ClientIdDiffers);
    }
    check_audience(&claims)?;
    check_wallet_nonce(&claims, wallet_nonce)?;
    verify_unsigned(parties, &claims, policy)
}

/// RFC 7515, appendix A.5: an unsecured JWS.
fn claims(compact: &str) -> Result<Map<String, Value>, RequestError> {
    let object = |part: &str| {
        let bytes = b64url_decode(part).ok()?;
        json::parse_object(&bytes).ok()
    };
    let malformed = || RequestError::Parameter("request");
    let parts: Vec<&str> = compact.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else {
        return Err(malformed());
    };
    let header = object(header).ok_or_else(malformed)?;
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    // Catalogue 322.
    if text("typ") != MEDIA_TYPE.strip_prefix("application/") {
        return Err(RequestError::Jws(JwsError::WrongType));
    }
    // Catalogue 323: requests with this prefix "cannot be signed".
    if text("alg") != Some("none") || !signature.is_empty() {
        return Err(RequestError::ClientId(ClientIdError::RedirectUri));
    }
    object(payload).ok_or_else(malformed)
}
