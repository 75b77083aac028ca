//! Requests to an issuer, plain or encrypted (OpenID4VCI 1.0, sections 8.2, 9.1 and 10).

use serde_json::{Map, Value};
use url::Url;
use vouchsafe_protocol::http::{HttpRequest, Method};
use vouchsafe_protocol::vci::encryption::MEDIA_TYPE;
use vouchsafe_protocol::vci::encryption_of_wallet::{Offered, ResponseKey};

use super::IssuanceError;
use crate::wallet::Wallet;

/// A POST of these members, encrypted where the issuer offers it, with the key that the answer is
/// encrypted to.
pub(super) fn sealed_post(
    wallet: &Wallet,
    url: Url,
    members: Map<String, Value>,
    encryption: Option<&Offered>,
) -> Result<(HttpRequest, Option<ResponseKey>), IssuanceError> {
    let Some(encryption) = encryption else {
        let request = HttpRequest::post_json(url, &Value::Object(members));
        return Ok((request.map_err(|_| IssuanceError::Proof)?, None));
    };
    let sealed = encryption.seal(members, wallet.crypto(), wallet.rng());
    let (sealed, key) = sealed.map_err(|_| IssuanceError::Encryption)?;
    let accepted = match &key {
        Some(_) => MEDIA_TYPE,
        None => "application/json",
    };
    let mut request = HttpRequest::new(Method::Post, url)
        .header("content-type", MEDIA_TYPE)
        .header("accept", accepted);
    request.body = sealed.into_bytes();
    Ok((request, key))
}
