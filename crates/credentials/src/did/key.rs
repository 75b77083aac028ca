//! `did:key` (W3C CCG, v0.9): a multicodec key in base58btc.

use serde_json::{Value, json};

use super::document::{KeyFormat, write_method};
use super::{
    Did, DidDocument, DidError, DocumentMetadata, ErrorCode, Multikey, Resolution, ResolutionError,
    ResolutionOptions,
};
use crate::crypto::{KeyMaterial, PublicKey};
use crate::encoding::b64url;
use crate::json::set;
use crate::multibase::base58btc;

/// Longest text that is decoded, for an RSA key of 4096 bits; base58 takes time in the square of the length.
const MAX_TEXT: usize = 740;
/// `rsa-pub` (0x1205), `bls12_381-g1-pub` (0xea) and `bls12_381-g1g2-pub` (0xee) as unsigned varints.
const RSA_PUB: [u8; 2] = [0x85, 0x24];
const BLS12381_G1_PUB: [u8; 2] = [0xea, 0x01];
const BLS12381_G1G2_PUB: [u8; 2] = [0xee, 0x01];

/// The `did:key` of a key.
#[must_use]
pub fn encode(key: &PublicKey) -> String {
    format!("did:key:{}", encode_multibase(key))
}

/// The Multikey text of a key (`z…`).
#[must_use]
pub fn encode_multibase(key: &PublicKey) -> String {
    Multikey::Signature(key.clone()).encode()
}

/// A key that a `did:key` may hold.
#[derive(Debug)]
enum Key {
    /// A key that is known here.
    Known(Multikey),
    /// An RSA key: modulus and exponent.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// The part of a BLS12-381 key in the first group; carried, used for nothing.
    BlsG1(Vec<u8>),
}

/// Reads what follows `did:key:`, for callers that want a key that verifies signatures.
pub(super) fn decode(text: &str) -> Result<PublicKey, DidError> {
    match parse(text) {
        Ok(Key::Known(Multikey::Signature(key))) => Ok(key),
        _ => Err(DidError::InvalidKey),
    }
}

fn parse(text: &str) -> Result<Key, ResolutionError> {
    let invalid = |detail| ResolutionError::new(ErrorCode::InvalidDid, detail);
    // did:key, section 3.1.2: base58btc and no other base.
    if text.len() > MAX_TEXT || !text.starts_with('z') {
        return Err(invalid("a did:key begins with z and holds one key"));
    }
    let (_, bytes) = multibase::decode(text).map_err(|_| invalid("not base58btc"))?;
    let (codec, raw) = bytes
        .split_first_chunk::<2>()
        .ok_or(invalid("no multicodec prefix"))?;
    check_length(*codec, raw.len())?;
    let invalid_key =
        ResolutionError::new(ErrorCode::InvalidPublicKey, "not a public key of its type");
    match *codec {
        RSA_PUB => rsa(raw).ok_or(invalid_key),
        // The vectors show the first group alone of a key with both.
        BLS12381_G1_PUB | BLS12381_G1G2_PUB => raw
            .get(..48)
            .map(|first| Key::BlsG1(first.to_vec()))
            .ok_or(invalid_key),
        _ => Multikey::from_multicodec(&bytes)
            .map(Key::Known)
            .map_err(|_| invalid_key),
    }
}

/// did:key, section 3.1.2, step 4: the length that belongs to the multicodec.
fn check_length(codec: [u8; 2], length: usize) -> Result<(), ResolutionError> {
    let expected = match codec {
        [0xed | 0xec, 0x01] => 32..=32,
        [0xe7, 0x01] | [0x80, 0x24] => 33..=33,
        [0x81, 0x24] => 49..=49,
        [0x82, 0x24] => 67..=67,
        [0xeb, 0x01] => 96..=96,
        BLS12381_G1_PUB => 48..=48,
        BLS12381_G1G2_PUB => 144..=144,
        // 2048 to 4096 bits.
        RSA_PUB => 256..=530,
        _ => {
            return Err(ResolutionError::new(
                ErrorCode::InvalidDid,
                "unknown multicodec",
            ));
        }
    };
    if expected.contains(&length) {
        Ok(())
    } else {
        Err(ResolutionError::new(
            ErrorCode::InvalidPublicKeyLength,
            "the key has the wrong length",
        ))
    }
}

/// `RSAPublicKey` (RFC 8017, appendix A.1.1).
fn rsa(der: &[u8]) -> Option<Key> {
    use x509_cert::der::asn1::UintRef;
    use x509_cert::der::{Decode as _, Reader as _, SliceReader};
    let mut reader = SliceReader::new(der).ok()?;
    let header = x509_cert::der::Header::decode(&mut reader).ok()?;
    if header.tag() != x509_cert::der::Tag::Sequence {
        return None;
    }
    let n = UintRef::decode(&mut reader).ok()?;
    let e = UintRef::decode(&mut reader).ok()?;
    reader.finish().ok()?;
    let (n, e) = (n.as_bytes().to_vec(), e.as_bytes().to_vec());
    ((256..=512).contains(&n.len()) && (1..=8).contains(&e.len())).then_some(Key::Rsa { n, e })
}

/// Resolves a `did:key`.
pub(super) fn resolve(
    did: &Did,
    options: &ResolutionOptions,
) -> Result<Resolution, ResolutionError> {
    // did:key, section 3.1.1: did:key:[version:]multibase; the only version is 1.
    let id = did.id();
    let text = match id.split_once(':') {
        None => id,
        Some(("1", text)) => text,
        Some(_) => {
            return Err(ResolutionError::new(
                ErrorCode::InvalidDid,
                "unknown version of did:key",
            ));
        }
    };
    let key = parse(text)?;
    let format = format(options, &key)?;
    let wrong_type = ResolutionError::new(
        ErrorCode::InvalidPublicKeyType,
        "the key has no such format",
    );
    let fragment = match &key {
        Key::BlsG1(raw) => base58btc(&[&BLS12381_G1_PUB[..], raw].concat()),
        Key::Known(_) | Key::Rsa { .. } => text.to_owned(),
    };
    let url = format!("{did}#{fragment}");
    let method = match &key {
        Key::Known(known) => write_method(&url, did.as_str(), known, format),
        Key::Rsa { n, e } => {
            let jwk = json!({"kty": "RSA", "n": b64url(n), "e": b64url(e)});
            other(did, &fragment, format, jwk)
        }
        Key::BlsG1(raw) => {
            let jwk = json!({"kty": "EC", "crv": "BLS12381_G1", "x": b64url(raw)});
            other(did, &fragment, format, jwk)
        }
    }
    .ok_or(wrong_type)?;
    let mut methods = vec![method];
    let mut document = json!({"@context": contexts(format), "id": did.as_str()});
    let encryption_only = matches!(key, Key::Known(Multikey::X25519(_)));
    if !encryption_only {
        for name in [
            "authentication",
            "assertionMethod",
            "capabilityInvocation",
            "capabilityDelegation",
        ] {
            set(&mut document, name, json!([url]));
        }
    }
    if encryption_only {
        set(&mut document, "keyAgreement", json!([url]));
    } else if options.enable_encryption_key_derivation
        && let Some((agreement, derived)) = agreement(did, &key, &url, format)
    {
        set(&mut document, "keyAgreement", json!([agreement]));
        methods.extend(derived);
    }
    set(&mut document, "verificationMethod", methods.into());
    let document = DidDocument::from_json(document, did)
        .map_err(|_| ResolutionError::new(ErrorCode::InvalidDid, "the key makes no document"))?;
    Ok(Resolution::found(document, DocumentMetadata::default()))
}

/// The key for key agreement that a key gives, and its method where it is another key.
fn agreement(
    did: &Did,
    key: &Key,
    url: &str,
    format: KeyFormat,
) -> Option<(String, Option<Value>)> {
    match key {
        Key::Known(Multikey::Signature(key)) => match key.material() {
            KeyMaterial::Ed25519(bytes) => {
                // RFC 7748, section 4.1: the birational map from Edwards to Montgomery form.
                let point = ed25519_dalek::VerifyingKey::from_bytes(bytes)
                    .ok()?
                    .to_montgomery();
                let derived = Multikey::X25519(point.to_bytes());
                let url = format!("{did}#{}", derived.encode());
                let method = write_method(&url, did.as_str(), &derived, format)?;
                Some((url, Some(method)))
            }
            _ => Some((url.to_owned(), None)),
        },
        Key::Known(Multikey::Secp256k1(_)) | Key::Rsa { .. } => Some((url.to_owned(), None)),
        _ => None,
    }
}

/// did:key, section 3.1.2.1, steps 4 and 5.
fn format(options: &ResolutionOptions, key: &Key) -> Result<KeyFormat, ResolutionError> {
    let Some(name) = options.public_key_format.as_deref() else {
        return Ok(KeyFormat::Multikey);
    };
    let invalid = ResolutionError::new(
        ErrorCode::InvalidPublicKeyType,
        "the key has no such format",
    );
    match name {
        "Multikey" => Ok(KeyFormat::Multikey),
        "JsonWebKey" => Ok(KeyFormat::JsonWebKey),
        "JsonWebKey2020" => Ok(KeyFormat::JsonWebKey2020),
        "Ed25519VerificationKey2020" | "X25519KeyAgreementKey2020" => match key {
            Key::Known(_) => Ok(KeyFormat::Suite2020),
            _ => Err(invalid),
        },
        "Ed25519VerificationKey2018"
        | "X25519KeyAgreementKey2019"
        | "EcdsaSecp256k1VerificationKey2019"
        | "Bls12381G2Key2020"
        | "P256Key2021" => Err(invalid),
        _ => Err(ResolutionError::new(
            ErrorCode::UnsupportedPublicKeyType,
            "unknown publicKeyFormat",
        )),
    }
}

/// The method of a key that is unknown as a [`Multikey`].
fn other(did: &Did, text: &str, format: KeyFormat, jwk: Value) -> Option<Value> {
    let (kind, name, value) = match format {
        KeyFormat::Multikey => ("Multikey", "publicKeyMultibase", json!(text)),
        KeyFormat::JsonWebKey => ("JsonWebKey", "publicKeyJwk", jwk),
        KeyFormat::JsonWebKey2020 => ("JsonWebKey2020", "publicKeyJwk", jwk),
        KeyFormat::Suite2020 => return None,
    };
    let id = format!("{did}#{text}");
    Some(json!({"id": id, "type": kind, "controller": did.as_str(), (name): value}))
}

/// The contexts that define the terms of a format.
pub(super) fn contexts(format: KeyFormat) -> Value {
    const DID: &str = "https://www.w3.org/ns/did/v1";
    match format {
        KeyFormat::Multikey => json!([DID, "https://w3id.org/security/multikey/v1"]),
        KeyFormat::JsonWebKey => json!([DID, "https://w3id.org/security/jwk/v1"]),
        KeyFormat::JsonWebKey2020 => json!([DID, "https://w3id.org/security/suites/jws-2020/v1"]),
        KeyFormat::Suite2020 => json!([
            DID,
            "https://w3id.org/security/suites/ed25519-2020/v1",
            "https://w3id.org/security/suites/x25519-2020/v1"
        ]),
    }
}
