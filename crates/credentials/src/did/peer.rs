//! `did:peer` (DIF), numalgo 2 and 4.

use serde_json::{Map, Value, json};

use super::{Did, DidDocument, DocumentMetadata, ErrorCode, Multikey, Resolution, ResolutionError};
use crate::crypto::sha256;
use crate::encoding::b64url_decode;
use crate::json;

/// multihash `sha2-256` with 32 bytes, and multicodec `json` (0x0200), as unsigned varints.
const SHA2_256: [u8; 2] = [0x12, 0x20];
const JSON: [u8; 2] = [0x80, 0x04];

/// Resolves a `did:peer`.
pub(super) fn resolve(did: &Did) -> Result<Resolution, ResolutionError> {
    let document = match did.id().as_bytes().first() {
        Some(b'2') => numalgo2(did),
        Some(b'4') => numalgo4(did),
        Some(b'0' | b'1' | b'3') => {
            let detail = "this numalgo of did:peer is not supported";
            Err(ResolutionError::new(ErrorCode::FeatureNotSupported, detail))
        }
        _ => Err(invalid("unknown numalgo of did:peer")),
    }?;
    let document = DidDocument::from_json(document, did)
        .map_err(|_| invalid("the did:peer makes no valid document"))?;
    Ok(Resolution::found(document, DocumentMetadata::default()))
}

fn invalid(detail: &'static str) -> ResolutionError {
    ResolutionError::new(ErrorCode::InvalidDid, detail)
}

/// Keys and services in the DID itself ("Method 2").
fn numalgo2(did: &Did) -> Result<Value, ResolutionError> {
    let mut elements = did.id().split('.');
    if elements.next() != Some("2") {
        return Err(invalid("elements of a did:peer:2 begin with a dot"));
    }
    let mut parts = Parts::default();
    for element in elements {
        let (code, rest) = element
            .split_at_checked(1)
            .ok_or(invalid("an empty element"))?;
        match code {
            "S" => parts.add_services(rest)?,
            "A" | "E" | "V" | "I" | "D" => parts.add_key(did, code, rest)?,
            _ => return Err(invalid("unknown purpose code")),
        }
    }
    if parts.methods.is_empty() && parts.services.is_empty() {
        return Err(invalid("a did:peer:2 has at least one element"));
    }
    Ok(parts.document(did))
}

#[derive(Default)]
struct Parts {
    methods: Vec<Value>,
    relations: Vec<(&'static str, String)>,
    services: Vec<Value>,
    unnamed: usize,
}

impl Parts {
    fn add_key(&mut self, did: &Did, code: &str, multibase: &str) -> Result<(), ResolutionError> {
        Multikey::decode(multibase).map_err(|_| invalid("a key of the did:peer is malformed"))?;
        let relation = match code {
            "A" => "assertionMethod",
            "E" => "keyAgreement",
            "V" => "authentication",
            "I" => "capabilityInvocation",
            _ => "capabilityDelegation",
        };
        // did:peer, "Resolving a did:peer:2": keys are numbered from 1 in their order.
        let id = format!("#key-{}", self.methods.len().saturating_add(1));
        self.methods.push(json!({
            "id": id, "type": "Multikey", "controller": did.as_str(), "publicKeyMultibase": multibase,
        }));
        self.relations.push((relation, id));
        Ok(())
    }

    fn add_services(&mut self, text: &str) -> Result<(), ResolutionError> {
        let malformed = || invalid("a service of the did:peer is malformed");
        let bytes = b64url_decode(text).map_err(|_| malformed())?;
        let services = match json::parse_strict(&bytes).map_err(|_| malformed())? {
            Value::Array(list) => list,
            one => vec![one],
        };
        for service in services {
            let Value::Object(mut service) = expand(service) else {
                return Err(malformed());
            };
            if !service.contains_key("id") {
                // did:peer, "Resolving a did:peer:2": #service, then #service-1, #service-2 …
                let id = match self.unnamed {
                    0 => "#service".to_owned(),
                    n => format!("#service-{n}"),
                };
                service.insert("id".into(), id.into());
                self.unnamed = self.unnamed.saturating_add(1);
            }
            self.services.push(Value::Object(service));
        }
        Ok(())
    }

    fn document(self, did: &Did) -> Value {
        let mut document = Map::new();
        document.insert(
            "@context".into(),
            super::key::contexts(super::KeyFormat::Multikey),
        );
        document.insert("id".into(), did.as_str().into());
        document.insert("verificationMethod".into(), self.methods.into());
        for (relation, id) in self.relations {
            let list = document.entry(relation).or_insert_with(|| json!([]));
            if let Value::Array(list) = list {
                list.push(id.into());
            }
        }
        if !self.services.is_empty() {
            document.insert("service".into(), self.services.into());
        }
        // did:peer, "Method 3": the short form is a hash of the long form without `did:peer:2`.
        let digest = sha256(did.id().get(1..).unwrap_or_default().as_bytes());
        let hash = multibase::encode(
            multibase::Base::Base58Btc,
            [&SHA2_256[..], &digest].concat(),
        );
        document.insert("alsoKnownAs".into(), json!([format!("did:peer:3{hash}")]));
        Value::Object(document)
    }
}

/// did:peer, "Common String Abbreviations": in names everywhere, and `dm` as a type.
fn expand(value: Value) -> Value {
    match value {
        Value::Object(members) => members.into_iter().map(expand_member).collect(),
        Value::Array(list) => list.into_iter().map(expand).collect(),
        other => other,
    }
}

fn expand_member((name, value): (String, Value)) -> (String, Value) {
    let name = match name.as_str() {
        "t" => "type",
        "s" => "serviceEndpoint",
        "r" => "routingKeys",
        "a" => "accept",
        other => other,
    };
    let value = match value {
        Value::String(text) if name == "type" && text == "dm" => "DIDCommMessaging".into(),
        other => expand(other),
    };
    (name.to_owned(), value)
}

/// A document in the DID, bound to it by a hash ("Method 4").
fn numalgo4(did: &Did) -> Result<Value, ResolutionError> {
    let malformed = || invalid("the did:peer:4 is malformed");
    let rest = did.id().get(1..).unwrap_or_default();
    let Some((hash, encoded)) = rest.split_once(':') else {
        multihash(rest).ok_or(malformed())?;
        let detail = "the short form of a did:peer:4 needs the long form first";
        return Err(ResolutionError::new(ErrorCode::NotFound, detail));
    };
    if !encoded.starts_with('z')
        || multihash(hash).ok_or(malformed())? != sha256(encoded.as_bytes())
    {
        return Err(invalid("the hash in the did:peer:4 is not of its document"));
    }
    let (_, bytes) = multibase::decode(encoded).map_err(|_| malformed())?;
    let text = bytes.strip_prefix(&JSON).ok_or(malformed())?;
    let mut document = json::parse_object(text).map_err(|_| malformed())?;
    // did:peer, "Resolving a DID": the input document has no id.
    if document.insert("id".into(), did.as_str().into()).is_some() {
        return Err(invalid("the document in a did:peer:4 has no id"));
    }
    let short = Value::String(format!("did:peer:4{hash}"));
    match document.entry("alsoKnownAs").or_insert_with(|| json!([])) {
        Value::Array(names) => names.push(short),
        _ => return Err(malformed()),
    }
    for name in ["verificationMethod"]
        .into_iter()
        .chain(super::Relationship::ALL.map(|r| r.name()))
    {
        control(document.get_mut(name), did);
    }
    Ok(Value::Object(document))
}

/// did:peer, "Resolving a DID": methods without a controller are controlled by the DID.
fn control(methods: Option<&mut Value>, did: &Did) {
    for method in methods.and_then(Value::as_array_mut).into_iter().flatten() {
        if let Value::Object(method) = method {
            method
                .entry("controller")
                .or_insert_with(|| did.as_str().into());
        }
    }
}

/// The SHA-256 value of a multihash in base58btc.
fn multihash(text: &str) -> Option<[u8; 32]> {
    if text.len() > 64 || !text.starts_with('z') {
        return None;
    }
    let (_, bytes) = multibase::decode(text).ok()?;
    bytes.strip_prefix(&SHA2_256)?.try_into().ok()
}
