//! Bodies of the credential endpoints: plain or encrypted, in both directions (OpenID4VCI 1.0,
//! sections 8.2, 8.3 and 10).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use vouchsafe_credentials::jwe::JweError;
use vouchsafe_protocol::vci::encryption::{
    self, EncryptionError, MEDIA_TYPE, ResponseEncryption, open_request,
};
use vouchsafe_protocol::vci::request::{self, RESPONSE_ENCRYPTION, RequestError};
use zeroize::Zeroizing;

use super::admin::body::{is_json, is_media_type};
use super::wire::json_no_store;
use crate::core::Core;
use crate::settings::Encryption;

/// Why a body cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// Neither JSON nor a JWT, or with a content encoding.
    #[error("the body is neither plain JSON nor a JWT")]
    MediaType,
    /// Not a JSON object.
    #[error("the body is not acceptable")]
    Request(#[from] RequestError),
    /// What concerns encryption is not acceptable.
    #[error("the encryption is not acceptable")]
    Encryption(#[from] EncryptionError),
}

/// A request, and how its answer is to be encrypted.
#[derive(Debug)]
pub struct Message {
    /// The members of the request.
    pub members: Map<String, Value>,
    /// How the answer is encrypted, if it is.
    pub encryption: Option<ResponseEncryption>,
}

/// Reads a body.
pub fn read(core: &Core, headers: &HeaderMap, body: &[u8]) -> Result<Message, MessageError> {
    let settings = &core.settings.encryption;
    let opened: Zeroizing<Vec<u8>>;
    let (plain, sealed) = if is_media_type(headers, MEDIA_TYPE) {
        if settings.requests == Encryption::Off {
            return Err(EncryptionError::NotOffered.into());
        }
        let now = core.clock.now();
        let find = |kid: &str| core.keys.sealed_requests.find(kid, now);
        opened = open_request(body, find, &*core.crypto)?;
        (opened.as_slice(), true)
    } else if is_json(headers) {
        // Section 10: SHOULD be rejected.
        if settings.requests == Encryption::Required {
            return Err(EncryptionError::RequestRequired.into());
        }
        (body, false)
    } else {
        return Err(MessageError::MediaType);
    };
    let members = request::members(plain)?;
    let encryption = match (members.get(RESPONSE_ENCRYPTION), settings.responses, sealed) {
        (None, Encryption::Off | Encryption::Offered, _) => None,
        (None, Encryption::Required, _) => return Err(EncryptionError::ResponseRequired.into()),
        (Some(_), Encryption::Off, _) => return Err(EncryptionError::NotOffered.into()),
        // Section 8.2: the request MUST be encrypted, or the key could be exchanged on its way.
        (Some(_), Encryption::Offered | Encryption::Required, false) => {
            return Err(EncryptionError::PlainRequest.into());
        }
        (Some(member), Encryption::Offered | Encryption::Required, true) => {
            Some(ResponseEncryption::read(member)?)
        }
    };
    Ok(Message {
        members,
        encryption,
    })
}

/// An answer with credentials or a transaction; no cache keeps it.
pub fn answer(
    core: &Core,
    status: StatusCode,
    body: &impl Serialize,
    encryption: Option<&ResponseEncryption>,
) -> Result<Response, JweError> {
    let Some(encryption) = encryption else {
        return Ok(json_no_store(status, body));
    };
    let plain = serde_json::to_vec(body).map(Zeroizing::new);
    let plain = plain.map_err(|_| JweError::Malformed)?;
    let token = encryption.seal(&plain, &*core.crypto, &*core.rng)?;
    let mut response = (status, token).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(encryption::MEDIA_TYPE),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
