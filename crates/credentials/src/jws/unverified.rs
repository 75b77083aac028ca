//! Reading and verifying.

use serde_json::{Map, Value};

use super::{JwsError, Payload, TokenType};
use crate::Verified;
use crate::crypto::{Algorithm, CryptoProvider, KeyUse, PublicKey};
use crate::encoding::b64url_decode;
use crate::json;
use crate::jwks::JwkSet;
use crate::x509::Chain;

/// Header parameters that change how a token is read, or fetch a key from an address of the sender's choice.
/// None of them is supported (RFC 7515, section 4.1.11; RFC 7797; RFC 8725, section 3.10).
const UNSUPPORTED: [&str; 6] = ["crit", "b64", "jku", "x5u", "zip", "enc"];

/// A token whose signature has not been checked: gives no claims, only what chooses the key.
#[derive(Debug)]
pub struct Unverified<'a> {
    /// `header.payload` as received.
    signing_input: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
    algorithm: Algorithm,
    header: Map<String, Value>,
    jwk: Option<PublicKey>,
    x5c: Option<Chain>,
}

impl<'a> Unverified<'a> {
    /// Checks the shape of a compact JWS that must be a `token_type`.
    pub fn parse(compact: &'a str, token_type: TokenType) -> Result<Self, JwsError> {
        if compact.len() > token_type.max_length() {
            return Err(JwsError::TooLarge);
        }
        let parts = Parts::split(compact)?;
        let header = parse_header(parts.header, token_type)?;
        let algorithm = algorithm(&header)?;
        if UNSUPPORTED.iter().any(|name| header.contains_key(*name)) {
            return Err(JwsError::UnsupportedHeader);
        }
        if !token_type.matches(header.get("typ")) {
            return Err(JwsError::WrongType);
        }
        if !matches!(header.get("kid"), None | Some(Value::String(_))) {
            return Err(JwsError::InvalidHeader);
        }
        let sources = token_type.key_sources();
        Ok(Self {
            signing_input: parts.signing_input,
            payload: parts.payload,
            signature: signature(parts.signature, algorithm)?,
            algorithm,
            jwk: if sources.jwk {
                embedded_key(&header)?
            } else {
                None
            },
            x5c: if sources.x5c {
                embedded_chain(&header)?
            } else {
                None
            },
            header,
        })
    }

    /// The key id.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.header.get("kid").and_then(Value::as_str)
    }

    /// The algorithm of the signature.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The certificate chain, where the token type may carry one; ignored elsewhere.
    #[must_use]
    pub const fn x5c(&self) -> Option<&Chain> {
        self.x5c.as_ref()
    }

    /// The embedded key, where the token type may carry one (RFC 7515, section 4.1.3); ignored elsewhere.
    #[must_use]
    pub const fn jwk(&self) -> Option<&PublicKey> {
        self.jwk.as_ref()
    }

    /// The key attestation in the header of a key proof (OpenID4VCI 1.0, appendix F.1): another
    /// token that names the key, to be verified first.
    #[must_use]
    pub fn key_attestation(&self) -> Option<&Value> {
        self.header.get("key_attestation")
    }

    /// The attestation in the header of a request object (OpenID4VP 1.0, section 12): another token
    /// that names the key, to be verified first.
    #[must_use]
    pub fn verifier_attestation(&self) -> Option<&Value> {
        self.header.get("jwt")
    }

    /// Checks the signature and gives header and claims.
    pub fn verify(
        self,
        provider: &dyn CryptoProvider,
        key: &PublicKey,
    ) -> Result<Verified<Payload>, JwsError> {
        self.check(provider, key)?;
        self.payload()
    }

    /// Like [`Self::verify`], with the keys of the party that should have signed: those that fit algorithm and `kid`,
    /// at most [`crate::jwks::MAX_TRIED`].
    pub fn verify_with(
        self,
        provider: &dyn CryptoProvider,
        keys: &JwkSet,
    ) -> Result<Verified<Payload>, JwsError> {
        let mut answer = Err(JwsError::NoKey);
        for key in keys.verification_keys(self.algorithm, self.kid()) {
            answer = self.check(provider, key);
            if answer.is_ok() {
                break;
            }
        }
        answer?;
        self.payload()
    }

    fn check(&self, provider: &dyn CryptoProvider, key: &PublicKey) -> Result<(), JwsError> {
        // RFC 8725, section 3.1: the key decides the algorithm, the header may only agree.
        if self.algorithm != key.algorithm() {
            return Err(JwsError::Signature);
        }
        provider
            .verify(key, self.signing_input.as_bytes(), &self.signature)
            .map_err(|_| JwsError::Signature)
    }

    /// Called after [`Self::check`] alone.
    fn payload(self) -> Result<Verified<Payload>, JwsError> {
        let payload = b64url_decode(self.payload).map_err(|_| JwsError::Malformed)?;
        let claims = json::parse_object(&payload).map_err(JwsError::PayloadJson)?;
        Ok(Verified::new(Payload {
            header: self.header,
            claims,
        }))
    }
}

struct Parts<'a> {
    signing_input: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    /// RFC 7515, section 7.1: exactly three parts (a JWE has five).
    fn split(compact: &'a str) -> Result<Self, JwsError> {
        let (signing_input, signature) = compact.rsplit_once('.').ok_or(JwsError::Malformed)?;
        let (header, payload) = signing_input.split_once('.').ok_or(JwsError::Malformed)?;
        if payload.contains('.') {
            return Err(JwsError::Malformed);
        }
        Ok(Self {
            signing_input,
            header,
            payload,
            signature,
        })
    }
}

fn parse_header(part: &str, token_type: TokenType) -> Result<Map<String, Value>, JwsError> {
    // In base64url without padding.
    let longest = token_type.max_header().saturating_mul(4).div_ceil(3);
    if part.len() > longest {
        return Err(JwsError::TooLarge);
    }
    let header = b64url_decode(part).map_err(|_| JwsError::Malformed)?;
    json::parse_object(&header).map_err(JwsError::HeaderJson)
}

/// RFC 8725, sections 3.1 and 3.2: the algorithms of this system, byte by byte.
fn algorithm(header: &Map<String, Value>) -> Result<Algorithm, JwsError> {
    let name = header
        .get("alg")
        .and_then(Value::as_str)
        .ok_or(JwsError::Algorithm)?;
    Algorithm::from_name(name).ok_or(JwsError::Algorithm)
}

/// RFC 7518, section 3.4: the length follows from the algorithm.
fn signature(part: &str, algorithm: Algorithm) -> Result<Vec<u8>, JwsError> {
    if part.len() != algorithm.signature_length().saturating_mul(4).div_ceil(3) {
        return Err(JwsError::Signature);
    }
    b64url_decode(part).map_err(|_| JwsError::Signature)
}

fn embedded_key(header: &Map<String, Value>) -> Result<Option<PublicKey>, JwsError> {
    let read = |jwk| PublicKey::from_jwk_for(jwk, KeyUse::Verify);
    let key = header.get("jwk").map(read);
    key.transpose().map_err(|_| JwsError::InvalidHeader)
}

fn embedded_chain(header: &Map<String, Value>) -> Result<Option<Chain>, JwsError> {
    let Some(value) = header.get("x5c") else {
        return Ok(None);
    };
    let items = value.as_array().ok_or(JwsError::InvalidHeader)?;
    let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
    let chain = Chain::from_x5c(&texts.ok_or(JwsError::InvalidHeader)?);
    chain.map(Some).map_err(JwsError::Chain)
}
