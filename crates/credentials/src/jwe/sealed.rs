//! Reading and opening.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{ContentEncryption, JweError, MAX_HEADER, MAX_LENGTH, kdf};
use crate::crypto::{AgreementKey, Algorithm, CryptoProvider, KeyUse, PublicKey};
use crate::encoding::{b64url_decode, b64url_decode_array};
use crate::json;
use crate::jws::TokenType;

/// The longest header in base64url.
const MAX_HEADER_TEXT: usize = MAX_HEADER.div_ceil(3) * 4;
/// Header parameters that change how a JWE is read, or fetch a key from an address of the sender's choice.
const UNSUPPORTED: [&str; 5] = ["crit", "zip", "jku", "x5u", "b64"];
/// Tokens of other kinds, none of which is encrypted like this (catalogue 100; RFC 8725, section 3.12).
const OTHER_TOKENS: [TokenType; 6] = [
    TokenType::KeyBinding,
    TokenType::StatusList,
    TokenType::SdJwtVc,
    TokenType::RequestObject,
    TokenType::Dpop,
    TokenType::VciProof,
];

/// A JWE that has been read but not opened.
pub struct Sealed<'a> {
    header_part: &'a str,
    nonce: [u8; 12],
    ciphertext: Vec<u8>,
    tag: [u8; 16],
    enc: ContentEncryption,
    ephemeral: PublicKey,
    apu: Vec<u8>,
    apv: Vec<u8>,
    kid: Option<String>,
}

impl<'a> Sealed<'a> {
    /// Checks the shape and the header.
    pub fn parse(compact: &'a str) -> Result<Self, JweError> {
        if compact.len() > MAX_LENGTH {
            return Err(JweError::TooLarge);
        }
        // RFC 7516, section 7.1: exactly five parts (a JWS has three).
        let mut parts = compact.split('.');
        let mut part = || parts.next().ok_or(JweError::Malformed);
        let (header_part, encrypted_key, nonce, ciphertext, tag) =
            (part()?, part()?, part()?, part()?, part()?);
        // RFC 7518, section 4.6: with ECDH-ES the encrypted key is empty.
        if parts.next().is_some() || !encrypted_key.is_empty() || ciphertext.is_empty() {
            return Err(JweError::Malformed);
        }
        let header = parse_header(header_part)?;
        // RFC 7516, section 4.1.11: nobody has to write a `typ`, and wallets write various ones.
        if text(&header, "typ")?.is_some_and(names_another_token) {
            return Err(JweError::InvalidHeader);
        }
        let (enc, ephemeral) = algorithms(&header)?;
        Ok(Self {
            header_part,
            // RFC 7518, section 5.3: 96 bits of IV, 128 bits of tag.
            nonce: b64url_decode_array(nonce).map_err(|_| JweError::Malformed)?,
            ciphertext: b64url_decode(ciphertext).map_err(|_| JweError::Malformed)?,
            tag: b64url_decode_array(tag).map_err(|_| JweError::Malformed)?,
            enc,
            ephemeral,
            apu: party(&header, "apu")?,
            apv: party(&header, "apv")?,
            kid: text(&header, "kid")?.map(str::to_owned),
        })
    }

    /// The recipient key's id.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// `enc` of the header.
    #[must_use]
    pub const fn enc(&self) -> ContentEncryption {
        self.enc
    }

    /// `apu` of the header, decoded; empty when absent.
    #[must_use]
    pub fn apu(&self) -> &[u8] {
        &self.apu
    }

    /// `apv` of the header, decoded; empty when absent.
    #[must_use]
    pub fn apv(&self) -> &[u8] {
        &self.apv
    }

    /// Decrypts. `allowed` is what the recipient announced (OpenID4VP 1.0, section 8.3).
    pub fn open(
        self,
        key: &AgreementKey,
        allowed: &[ContentEncryption],
        provider: &dyn CryptoProvider,
    ) -> Result<Zeroizing<Vec<u8>>, JweError> {
        if !allowed.contains(&self.enc) {
            return Err(JweError::Encryption);
        }
        let shared = provider
            .ecdh(key, &self.ephemeral)
            .map_err(|_| JweError::Key)?;
        let content_key = kdf::derive(&shared, self.enc, &self.apu, &self.apv);
        let mut buffer = Zeroizing::new(self.ciphertext);
        provider
            .aes_gcm_open(
                &content_key,
                &self.nonce,
                self.header_part.as_bytes(),
                &mut buffer,
                &self.tag,
            )
            .map_err(|_| JweError::Decryption)?;
        Ok(buffer)
    }
}

impl std::fmt::Debug for Sealed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealed")
            .field("enc", &self.enc)
            .finish_non_exhaustive()
    }
}

fn parse_header(part: &str) -> Result<Map<String, Value>, JweError> {
    if part.len() > MAX_HEADER_TEXT {
        return Err(JweError::TooLarge);
    }
    let header = b64url_decode(part).map_err(|_| JweError::Malformed)?;
    json::parse_object(&header).map_err(|_| JweError::InvalidHeader)
}

fn algorithms(header: &Map<String, Value>) -> Result<(ContentEncryption, PublicKey), JweError> {
    if header.get("alg").and_then(Value::as_str) != Some("ECDH-ES") {
        return Err(JweError::Algorithm);
    }
    if UNSUPPORTED.iter().any(|name| header.contains_key(*name)) {
        return Err(JweError::UnsupportedHeader);
    }
    let enc = text(header, "enc")?.and_then(ContentEncryption::from_name);
    let enc = enc.ok_or(JweError::Encryption)?;
    let ephemeral = header.get("epk").ok_or(JweError::Key)?;
    let ephemeral = PublicKey::from_jwk_for(ephemeral, KeyUse::Agree).map_err(|_| JweError::Key)?;
    if ephemeral.algorithm() != Algorithm::Es256 {
        return Err(JweError::Key);
    }
    Ok((enc, ephemeral))
}

/// RFC 7515, section 4.1.9: a media type, in any case, perhaps without `application/`.
fn names_another_token(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    let typ = typ.strip_prefix("application/").unwrap_or(&typ);
    OTHER_TOKENS.iter().any(|token| token.typ() == typ)
}

fn text<'h>(header: &'h Map<String, Value>, name: &str) -> Result<Option<&'h str>, JweError> {
    match header.get(name) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(JweError::InvalidHeader),
    }
}

fn party(header: &Map<String, Value>, name: &str) -> Result<Vec<u8>, JweError> {
    let decoded = text(header, name)?.map(b64url_decode).transpose();
    decoded
        .map(Option::unwrap_or_default)
        .map_err(|_| JweError::InvalidHeader)
}
