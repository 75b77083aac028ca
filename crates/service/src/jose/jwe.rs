//! JWEs from and to foreign parties: ECDH-ES on P-256, AES-GCM, never compressed.

use josekit::{
    jwe::{self, JweContext, JweHeader},
    jwk::Jwk,
};
use serde_json::{Map, Value};
use vouchsafe_credentials::{
    crypto::{KeyMaterial, KeyUse, PublicKey},
    encoding::b64url_decode_array,
};

use super::{JoseError, verify::header};

/// Content encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentEncryption {
    /// AES-128-GCM.
    A128Gcm,
    /// AES-256-GCM.
    A256Gcm,
}

impl ContentEncryption {
    /// Name in `enc`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
        }
    }
}

/// Decrypts a compact JWE with a private P-256 JWK. Only `ECDH-ES` and the listed content
/// encryptions are accepted; `zip` is refused before anything is decrypted.
pub fn open(
    token: &str,
    private: &Value,
    accepted: &[ContentEncryption],
) -> Result<Vec<u8>, JoseError> {
    let header = header(token, 5)?;
    let text = |name| header.get(name).and_then(Value::as_str);
    if text("alg") != Some("ECDH-ES") {
        return Err(JoseError::Algorithm);
    }
    let enc = text("enc").ok_or(JoseError::Algorithm)?;
    if !accepted.iter().any(|own| own.as_str() == enc) {
        return Err(JoseError::Algorithm);
    }
    check_shape(token, &header)?;
    let key = p256(private)?;
    let decrypter = jwe::ECDH_ES
        .decrypter_from_jwk(&key)
        .map_err(|_| JoseError::Key)?;
    let (plain, _) = context()
        .deserialize_compact(token, &decrypter)
        .map_err(|_| JoseError::NotAuthentic)?;
    Ok(plain)
}

/// What josekit does not look at: an empty nonce makes OpenSSL panic under it, and a shorter tag is only compared as
/// far as it goes.
fn check_shape(token: &str, header: &Map<String, Value>) -> Result<(), JoseError> {
    let parts: Vec<&str> = token.split('.').collect();
    let [_, encrypted_key, nonce, ciphertext, tag] = parts[..] else {
        return Err(JoseError::Malformed);
    };
    // RFC 7518, sections 4.6 and 5.3: no encrypted key, 96 bits of nonce, 128 bits of tag.
    let nonce = b64url_decode_array::<12>(nonce);
    let tag = b64url_decode_array::<16>(tag);
    if !encrypted_key.is_empty() || ciphertext.is_empty() || nonce.is_err() || tag.is_err() {
        return Err(JoseError::Malformed);
    }
    let read = |jwk| PublicKey::from_jwk_for(jwk, KeyUse::Agree);
    let ephemeral = header.get("epk").map(read);
    match ephemeral {
        Some(Ok(key)) if matches!(key.material(), KeyMaterial::P256(_)) => Ok(()),
        _ => Err(JoseError::Malformed),
    }
}

/// Encrypts for the owner of a public P-256 JWK. `cty` is `JWT` for a nested token.
pub fn encrypt(
    plain: &[u8],
    public: &Value,
    enc: ContentEncryption,
    cty: Option<&str>,
) -> Result<String, JoseError> {
    let key = p256(public)?;
    let encrypter = jwe::ECDH_ES
        .encrypter_from_jwk(&key)
        .map_err(|_| JoseError::Key)?;
    let mut header = JweHeader::new();
    header.set_content_encryption(enc.as_str());
    if let Some(cty) = cty {
        header.set_content_type(cty);
    }
    if let Some(kid) = public.get("kid").and_then(Value::as_str) {
        header.set_key_id(kid);
    }
    context()
        .serialize_compact(plain, &header, &encrypter)
        .map_err(|_| JoseError::Key)
}

/// josekit inflates without limit, so it is not given the means.
fn context() -> JweContext {
    let mut context = JweContext::new();
    context.remove_compression("DEF");
    context
}

fn p256(jwk: &Value) -> Result<Jwk, JoseError> {
    let jwk = jwk.as_object().ok_or(JoseError::Key)?;
    if jwk.get("kty") != Some(&"EC".into()) || jwk.get("crv") != Some(&"P-256".into()) {
        return Err(JoseError::Key);
    }
    let names = ["kty", "crv", "x", "y", "d"];
    let members = names
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), jwk.get(name)?.clone())));
    Jwk::from_map(members.collect::<Map<_, _>>()).map_err(|_| JoseError::Key)
}
