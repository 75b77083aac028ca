//! Verification methods (DID Core 1.0, section 5.2; Controlled Identifiers 1.0, section 2.2).

use serde_json::{Map, Value, json};

use super::{Did, DidUrl, DocumentError};
use crate::crypto::KeyError;
use crate::did::{Multikey, datetime, jwk};
use crate::time::UnixTime;

/// A verification method whose key is known here.
#[derive(Clone, Debug, PartialEq)]
pub struct VerificationMethod {
    /// Its id, absolute.
    pub id: DidUrl,
    /// Who controls the private key.
    pub controller: Did,
    /// The public key.
    pub key: Multikey,
    /// From here on it must not be used (`expires`).
    pub expires: Option<UnixTime>,
    /// From here on it must not be used (`revoked`).
    pub revoked: Option<UnixTime>,
}

/// How a key is written in a verification method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyFormat {
    /// `Multikey` with `publicKeyMultibase`.
    #[default]
    Multikey,
    /// `JsonWebKey` with `publicKeyJwk`.
    JsonWebKey,
    /// `JsonWebKey2020` with `publicKeyJwk`.
    JsonWebKey2020,
    /// `Ed25519VerificationKey2020` or `X25519KeyAgreementKey2020` with `publicKeyMultibase`.
    Suite2020,
}

impl VerificationMethod {
    /// Whether it may be used at this time.
    #[must_use]
    pub fn is_valid_at(&self, time: UnixTime) -> bool {
        let before = |end: Option<UnixTime>| end.is_none_or(|end| time < end);
        before(self.expires) && before(self.revoked)
    }

    /// The public key, where it is one that verifies signatures here.
    #[must_use]
    pub fn signature_key(&self) -> Option<&crate::crypto::PublicKey> {
        self.key.signature_key()
    }
}

/// Types whose key is in `publicKeyMultibase` or `publicKeyJwk`.
const KEY_TYPES: [&str; 9] = [
    "Multikey",
    "JsonWebKey",
    "JsonWebKey2020",
    "Ed25519VerificationKey2018",
    "Ed25519VerificationKey2020",
    "X25519KeyAgreementKey2019",
    "X25519KeyAgreementKey2020",
    "EcdsaSecp256k1VerificationKey2019",
    "P256Key2021",
];

/// What is in a verification method: id, controller and, when it is known here, the method.
type Parts = (DidUrl, Option<Did>, Option<VerificationMethod>);

/// Reads a verification method.
pub(super) fn parse(members: &Map<String, Value>, base: &Did) -> Result<Parts, DocumentError> {
    let text = |name: &str| {
        members
            .get(name)
            .and_then(Value::as_str)
            .ok_or(DocumentError::Method)
    };
    // DID Core 1.0, section 5.2: id, type and controller are required. Published did:webvh documents
    // leave out the controller; such a method is kept, but nobody may use it.
    let id = DidUrl::parse_within(text("id")?, base).map_err(|_| DocumentError::Method)?;
    if id.is_bare() {
        return Err(DocumentError::Method);
    }
    let controller = match members.get("controller") {
        None => None,
        Some(_) => Some(Did::parse(text("controller")?).map_err(|_| DocumentError::Method)?),
    };
    let key = key(text("type")?, members)?;
    let time = |name: &str| match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => datetime::parse(text).map(Some).ok_or(DocumentError::Method),
        Some(_) => Err(DocumentError::Method),
    };
    let (expires, revoked) = (time("expires")?, time("revoked")?);
    let method = key
        .zip(controller.clone())
        .map(|(key, controller)| VerificationMethod {
            id: id.clone(),
            controller,
            key,
            expires,
            revoked,
        });
    Ok((id, controller, method))
}

fn key(kind: &str, members: &Map<String, Value>) -> Result<Option<Multikey>, DocumentError> {
    // A private key in a public document is a reason to trust nothing of it.
    if [
        "privateKeyMultibase",
        "privateKeyJwk",
        "privateKeyBase58",
        "secretKeyMultibase",
        "secretKeyJwk",
    ]
    .iter()
    .any(|name| members.contains_key(*name))
    {
        return Err(DocumentError::Key);
    }
    let (multibase, jwk) = (
        members.get("publicKeyMultibase"),
        members.get("publicKeyJwk"),
    );
    // DID Core 1.0, section 5.2: not the same key in two formats.
    if multibase.is_some() && jwk.is_some() {
        return Err(DocumentError::Method);
    }
    if !KEY_TYPES.contains(&kind) {
        return Ok(None);
    }
    let key = match (multibase, jwk) {
        // An RSA key; too long for every key that is known here.
        (Some(Value::String(text)), None) if text.len() > 140 => return Ok(None),
        (Some(Value::String(text)), None) => Multikey::decode(text),
        (None, Some(value @ Value::Object(_))) => jwk::to_multikey(value),
        (None, None) => return Ok(None),
        _ => return Err(DocumentError::Method),
    };
    let key = match key {
        Ok(key) => key,
        Err(KeyError::Unsupported) => return Ok(None),
        Err(_) => return Err(DocumentError::Key),
    };
    if fits(kind, &key) {
        Ok(Some(key))
    } else {
        Err(DocumentError::Key)
    }
}

/// A type that says what the key is must not contradict it.
fn fits(kind: &str, key: &Multikey) -> bool {
    use crate::crypto::Algorithm;
    match kind {
        "Ed25519VerificationKey2018" | "Ed25519VerificationKey2020" => {
            matches!(key, Multikey::Signature(key) if key.algorithm() == Algorithm::EdDsa)
        }
        "X25519KeyAgreementKey2019" | "X25519KeyAgreementKey2020" => {
            matches!(key, Multikey::X25519(_))
        }
        "EcdsaSecp256k1VerificationKey2019" => matches!(key, Multikey::Secp256k1(_)),
        "P256Key2021" => {
            matches!(key, Multikey::Signature(key) if key.algorithm() == Algorithm::Es256)
        }
        _ => true,
    }
}

/// Writes a verification method. `None` where the format has no place for this key.
pub(in crate::did) fn write(
    id: &str,
    controller: &str,
    key: &Multikey,
    format: KeyFormat,
) -> Option<Value> {
    let (kind, name, value) = match format {
        KeyFormat::Multikey => (
            "Multikey",
            "publicKeyMultibase",
            Value::String(key.encode()),
        ),
        KeyFormat::JsonWebKey => ("JsonWebKey", "publicKeyJwk", jwk::of_multikey(key)?),
        KeyFormat::JsonWebKey2020 => ("JsonWebKey2020", "publicKeyJwk", jwk::of_multikey(key)?),
        KeyFormat::Suite2020 => {
            let kind = match key {
                Multikey::X25519(_) => "X25519KeyAgreementKey2020",
                key if fits("Ed25519VerificationKey2020", key) => "Ed25519VerificationKey2020",
                _ => return None,
            };
            (kind, "publicKeyMultibase", Value::String(key.encode()))
        }
    };
    Some(json!({"id": id, "type": kind, "controller": controller, (name): value}))
}
