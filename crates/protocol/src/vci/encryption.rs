//! Encrypted requests and responses (sections 8.2 and 10): ECDH-ES on P-256 with AES-GCM, never
//! compressed.

use serde_json::{Map, Value, json};
use vouchsafe_credentials::crypto::{AgreementKey, Algorithm, CryptoProvider, KeyUse, PublicKey};
use vouchsafe_credentials::jwe::{self, ContentEncryption, JweError, Recipient, Sealed};
use vouchsafe_credentials::random::Rng;
use zeroize::Zeroizing;

use super::metadata;

/// Media type of an encrypted message.
pub const MEDIA_TYPE: &str = "application/jwt";
/// The one key agreement.
pub const ALG: &str = "ECDH-ES";
/// Content encryptions, in the order in which they stand in metadata (HAIP 1.0, section 5: both).
pub const ENC_VALUES: [ContentEncryption; 2] =
    [ContentEncryption::A256Gcm, ContentEncryption::A128Gcm];
/// Longest `jwk` of a request in bytes of JSON (the limit of this project).
const MAX_JWK: usize = 2048;

/// How a response is to be encrypted: `credential_response_encryption` of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseEncryption {
    key: PublicKey,
    kid: Option<String>,
    enc: ContentEncryption,
}

/// Why encryption parameters, or an encrypted request, were refused: always
/// `invalid_encryption_parameters`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncryptionError {
    /// `credential_response_encryption` is not an object with `jwk` and `enc`.
    #[error("malformed credential_response_encryption")]
    Form,
    /// `alg` of the key missing or not [`ALG`].
    #[error("the alg of the encryption key is missing or not supported")]
    Algorithm,
    /// Not a public P-256 key for encryption, or too long.
    #[error("the encryption key is not acceptable")]
    Key,
    /// `enc` is none of [`ENC_VALUES`].
    #[error("the content encryption is not supported")]
    Encryption,
    /// `zip` is no compression that anybody registered.
    #[error("the compression is not known")]
    Compression,
    /// The object came in a request that is not encrypted.
    #[error("a request for an encrypted response must be encrypted")]
    PlainRequest,
    /// The issuer demands encrypted requests.
    #[error("the request must be encrypted")]
    RequestRequired,
    /// The issuer demands encrypted responses.
    #[error("the response must be encrypted, and the request says not how")]
    ResponseRequired,
    /// The issuer offers no encryption of this kind.
    #[error("this encryption is not offered")]
    NotOffered,
    /// The request names no key of ours.
    #[error("the request is encrypted to a key that is not ours")]
    UnknownKey,
    /// The request does not open.
    #[error("the request does not open")]
    Jwe(#[from] JweError),
}

impl ResponseEncryption {
    /// Reads the member `credential_response_encryption`.
    ///
    /// # Errors
    /// [`EncryptionError`].
    pub fn read(value: &Value) -> Result<Self, EncryptionError> {
        let object = value.as_object().ok_or(EncryptionError::Form)?;
        let enc = object.get("enc").and_then(Value::as_str);
        let enc = enc.ok_or(EncryptionError::Form)?;
        let enc = ContentEncryption::from_name(enc).ok_or(EncryptionError::Encryption)?;
        // Section 8.2: OPTIONAL. We list no `zip_values_supported`, so nothing is compressed;
        // the one registered name is no reason to refuse (RFC 7516, section 4.1.3).
        match object.get("zip") {
            None => {}
            Some(zip) if zip == "DEF" => {}
            Some(_) => return Err(EncryptionError::Compression),
        }
        let jwk = object.get("jwk").ok_or(EncryptionError::Form)?;
        let (key, kid) = read_key(jwk)?;
        Ok(Self { key, kid, enc })
    }

    /// Encrypts a response; send it as [`MEDIA_TYPE`].
    ///
    /// # Errors
    /// [`JweError`], which no key that was read gives.
    pub fn seal(
        &self,
        response: &[u8],
        crypto: &dyn CryptoProvider,
        rng: &dyn Rng,
    ) -> Result<String, JweError> {
        let recipient = Recipient {
            key: &self.key,
            // Section 10: the same `kid` as the key has.
            kid: self.kid.as_deref(),
            enc: self.enc,
            apu: b"",
            apv: b"",
        };
        jwe::encrypt(response, &recipient, crypto, rng)
    }
}

fn read_key(jwk: &Value) -> Result<(PublicKey, Option<String>), EncryptionError> {
    let members = jwk.as_object().ok_or(EncryptionError::Form)?;
    if jwk.to_string().len() > MAX_JWK {
        return Err(EncryptionError::Key);
    }
    // Section 10: `alg` MUST be present, and the JWE uses it.
    if members.get("alg").and_then(Value::as_str) != Some(ALG) {
        return Err(EncryptionError::Algorithm);
    }
    let key = PublicKey::from_jwk_for(jwk, KeyUse::Agree).map_err(|_| EncryptionError::Key)?;
    if key.algorithm() != Algorithm::Es256 {
        return Err(EncryptionError::Key);
    }
    Ok((key, text(members, "kid")?))
}

fn text(members: &Map<String, Value>, name: &str) -> Result<Option<String>, EncryptionError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(EncryptionError::Form),
    }
}

/// A key to which requests are encrypted.
#[derive(Debug)]
pub struct RequestKey {
    /// Its `kid`.
    pub kid: String,
    /// The key.
    pub key: AgreementKey,
}

/// `credential_request_encryption` of the metadata.
#[must_use]
pub fn request_metadata(keys: &[RequestKey], required: bool) -> metadata::RequestEncryption {
    let keys = keys.iter().map(|RequestKey { kid, key }| {
        let mut jwk = key.public_key().to_jwk();
        if let Some(members) = jwk.as_object_mut() {
            // Sections 10 and 12.2.4: `alg` and `kid` MUST be there.
            members.insert("kid".into(), json!(kid));
            members.insert("alg".into(), json!(ALG));
            members.insert("use".into(), json!("enc"));
        }
        jwk
    });
    metadata::RequestEncryption {
        jwks: json!({ "keys": keys.collect::<Vec<_>>() }),
        enc_values_supported: enc_names(),
        encryption_required: required,
    }
}

/// `credential_response_encryption` of the metadata.
#[must_use]
pub fn response_metadata(required: bool) -> metadata::ResponseEncryption {
    metadata::ResponseEncryption {
        alg_values_supported: vec![ALG.to_owned()],
        enc_values_supported: enc_names(),
        encryption_required: required,
    }
}

fn enc_names() -> Vec<String> {
    ENC_VALUES.map(|enc| enc.name().to_owned()).to_vec()
}

/// Opens an encrypted request: a JWE with the JSON of the request. `find` gives the key with a
/// `kid`; section 10 wants it in the header.
///
/// # Errors
/// [`EncryptionError`].
pub fn open_request(
    body: &[u8],
    find: impl FnOnce(&str) -> Option<AgreementKey>,
    crypto: &dyn CryptoProvider,
) -> Result<Zeroizing<Vec<u8>>, EncryptionError> {
    let compact = std::str::from_utf8(body).map_err(|_| JweError::Malformed)?;
    // RFC 7516, section 7.1: the body is the JWE and nothing beside it (catalogue 101).
    let sealed = Sealed::parse(compact)?;
    let kid = sealed.kid().ok_or(EncryptionError::UnknownKey)?;
    let key = find(kid).ok_or(EncryptionError::UnknownKey)?;
    Ok(sealed.open(&key, &ENC_VALUES, crypto)?)
}

#[cfg(test)]
#[path = "encryption_tests.rs"]
mod tests;
