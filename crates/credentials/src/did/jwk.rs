//! `did:jwk`: the base64url of a JWK.

use serde_json::Value;

use super::document::KeyFormat;
use super::{
    Did, DidDocument, DidError, DocumentMetadata, ErrorCode, Multikey, Resolution, ResolutionError,
};
use crate::crypto::{Algorithm, KeyError, KeyUse, PublicKey};
use crate::encoding::{b64url, b64url_decode, b64url_decode_array};
use crate::json;

/// The `did:jwk` of a key.
#[must_use]
pub fn encode(key: &PublicKey) -> String {
    format!("did:jwk:{}", b64url(key.to_jwk().to_string().as_bytes()))
}

/// Reads what follows `did:jwk:`.
pub(super) fn decode(text: &str) -> Result<PublicKey, DidError> {
    let bytes = b64url_decode(text).map_err(|_| DidError::InvalidKey)?;
    let jwk = json::parse_object(&bytes).map_err(|_| DidError::InvalidKey)?;
    // did:jwk: a key for encryption has no assertionMethod or authentication relationship.
    if !matches!(jwk.get("use").map(Value::as_str), None | Some(Some("sig"))) {
        return Err(DidError::InvalidKey);
    }
    PublicKey::from_jwk_for(&Value::Object(jwk), KeyUse::Verify).map_err(|_| DidError::InvalidKey)
}

/// The public key of a JWK, also of the curves for key agreement and of secp256k1.
pub(super) fn to_multikey(jwk: &Value) -> Result<Multikey, KeyError> {
    let member = |name: &str| jwk.get(name).and_then(Value::as_str);
    let array = |name: &str| {
        b64url_decode_array::<32>(member(name).ok_or(KeyError::Invalid)?)
            .map_err(|_| KeyError::Invalid)
    };
    match PublicKey::from_jwk(jwk) {
        Ok(key) => Ok(Multikey::Signature(key)),
        Err(KeyError::Unsupported) => match (member("kty"), member("crv")) {
            (Some("OKP"), Some("X25519")) => array("x").map(Multikey::X25519),
            (Some("EC"), Some("secp256k1")) => {
                // SEC 1, section 2.3.3: 02 for an even y, 03 for an odd one.
                let (x, y) = (array("x")?, array("y")?);
                let mut point = [2 | (y[31] & 1); 33];
                point[1..].copy_from_slice(&x);
                Ok(Multikey::Secp256k1(point))
            }
            _ => Err(KeyError::Unsupported),
        },
        Err(error) => Err(error),
    }
}

/// The JWK of a key; `None` for keys that have none here.
pub(super) fn of_multikey(key: &Multikey) -> Option<Value> {
    match key {
        Multikey::Signature(key) => Some(key.to_jwk()),
        Multikey::X25519(key) => {
            Some(serde_json::json!({"kty": "OKP", "crv": "X25519", "x": b64url(key)}))
        }
        _ => None,
    }
}

/// Resolves a `did:jwk`.
pub(super) fn resolve(did: &Did) -> Result<Resolution, ResolutionError> {
    let invalid = |detail| ResolutionError::new(ErrorCode::InvalidDid, detail);
    let bytes = b64url_decode(did.id()).map_err(|_| invalid("not base64url"))?;
    let jwk = json::parse_object(&bytes).map_err(|_| invalid("not a JWK"))?;
    let usage = match jwk.get("use") {
        None => None,
        Some(Value::String(usage)) if usage == "sig" || usage == "enc" => Some(usage.clone()),
        Some(_) => return Err(invalid("unknown use of the key")),
    };
    let kind = jwk.get("kty").and_then(Value::as_str).map(str::to_owned);
    let jwk = Value::Object(jwk);
    let agrees = match to_multikey(&jwk) {
        Ok(Multikey::Signature(key)) => key.algorithm() != Algorithm::EdDsa,
        Ok(_) => true,
        // A key that is not known here is published as it is; secrets and nonsense are not.
        Err(KeyError::Unsupported) if matches!(kind.as_deref(), Some("EC" | "OKP" | "RSA")) => true,
        Err(_) => return Err(invalid("not a public key")),
    };
    let signs = !matches!(to_multikey(&jwk), Ok(Multikey::X25519(_)));
    let url = format!("{did}#0");
    let mut document = serde_json::json!({
        "@context": super::key::contexts(KeyFormat::JsonWebKey2020),
        "id": did.as_str(),
        // did:jwk, "Read": the JWK as it was encoded.
        "verificationMethod": [{
            "id": url, "type": "JsonWebKey2020", "controller": did.as_str(), "publicKeyJwk": jwk,
        }],
    });
    if signs && usage.as_deref() != Some("enc") {
        for name in [
            "assertionMethod",
            "authentication",
            "capabilityInvocation",
            "capabilityDelegation",
        ] {
            json::set(&mut document, name, serde_json::json!([url]));
        }
    }
    if agrees && usage.as_deref() != Some("sig") {
        json::set(&mut document, "keyAgreement", serde_json::json!([url]));
    }
    let document =
        DidDocument::from_json(document, did).map_err(|_| invalid("not a public key"))?;
    Ok(Resolution::found(document, DocumentMetadata::default()))
}
