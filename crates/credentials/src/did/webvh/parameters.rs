//! The parameters of a log and how they change (did:webvh 1.0, "did:webvh DID Method Parameters").

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{invalid, is_hash, multihash};
use crate::crypto::{Algorithm, Multikey, PublicKey};
use crate::did::ResolutionError;

/// The one version of the specification that is known here.
const METHOD: &str = "did:webvh:1.0";
/// Most keys, hashes, witnesses and watchers.
const MAX_LIST: usize = 64;
/// Longest time to live in seconds: 2^31.
const MAX_TTL: u64 = 1 << 31;
const NAMES: [&str; 9] = [
    "method",
    "scid",
    "updateKeys",
    "nextKeyHashes",
    "witness",
    "watchers",
    "portable",
    "deactivated",
    "ttl",
];

/// Who must approve an entry.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Witnesses {
    pub(super) threshold: usize,
    /// Their `did:key`s; each holds an Ed25519 key.
    pub(super) ids: Vec<String>,
    /// As written.
    pub(super) json: Value,
}

/// The parameters in force after an entry.
#[derive(Clone, Debug)]
pub(super) struct Parameters {
    pub(super) scid: String,
    pub(super) update_keys: Vec<String>,
    pub(super) next_key_hashes: Vec<String>,
    pub(super) witnesses: Option<Witnesses>,
    pub(super) watchers: Vec<String>,
    pub(super) portable: bool,
    pub(super) deactivated: bool,
    pub(super) ttl: u64,
}

impl Parameters {
    /// The parameters of the first entry.
    pub(super) fn first(own: &Map<String, Value>) -> Result<Self, ResolutionError> {
        check_names(own)?;
        if own.get("method").and_then(Value::as_str) != Some(METHOD) {
            return Err(invalid("the version of did:webvh is unknown"));
        }
        let scid = own
            .get("scid")
            .and_then(Value::as_str)
            .filter(|scid| is_hash(scid));
        let keys = texts(own, "updateKeys")?.ok_or(invalid("the first entry has no updateKeys"))?;
        let mut parameters = Self {
            scid: scid
                .ok_or(invalid("the first entry has no SCID"))?
                .to_owned(),
            update_keys: check_keys(keys)?,
            next_key_hashes: Vec::new(),
            witnesses: None,
            watchers: Vec::new(),
            portable: flag(own, "portable")?.unwrap_or(false),
            deactivated: false,
            ttl: 3600,
        };
        parameters.take_common(own)?;
        Ok(parameters)
    }

    /// The parameters after one more entry.
    pub(super) fn next(&self, own: &Map<String, Value>) -> Result<Self, ResolutionError> {
        check_names(own)?;
        match own.get("method") {
            None => {}
            Some(method) if method == METHOD => {}
            Some(_) => return Err(invalid("the version of did:webvh is unknown")),
        }
        if own.contains_key("scid") {
            return Err(invalid("only the first entry has an SCID"));
        }
        let mut next = self.clone();
        let keys = texts(own, "updateKeys")?;
        // "Pre-rotation": keys and hashes are explicit, and every key was announced.
        if !self.next_key_hashes.is_empty() {
            let keys = keys
                .as_ref()
                .ok_or(invalid("pre-rotation: the entry has no updateKeys"))?;
            if texts(own, "nextKeyHashes")?.is_none() {
                return Err(invalid("pre-rotation: the entry has no nextKeyHashes"));
            }
            let announced =
                |key: &String| self.next_key_hashes.contains(&multihash(key.as_bytes()));
            if !keys.iter().all(announced) {
                return Err(invalid("pre-rotation: a key was not announced"));
            }
        }
        if let Some(keys) = keys {
            next.update_keys = check_keys(keys)?;
        }
        match flag(own, "portable")? {
            Some(true) => return Err(invalid("only the first entry can make a DID portable")),
            Some(false) => next.portable = false,
            None => {}
        }
        next.take_common(own)?;
        Ok(next)
    }

    /// What has the same rules in every entry.
    fn take_common(&mut self, own: &Map<String, Value>) -> Result<(), ResolutionError> {
        if let Some(hashes) = texts(own, "nextKeyHashes")? {
            self.next_key_hashes = hashes;
        }
        if let Some(value) = own.get("witness") {
            self.witnesses = witnesses(value)?;
        }
        if let Some(watchers) = texts(own, "watchers")? {
            self.watchers = watchers;
        }
        if let Some(deactivated) = flag(own, "deactivated")? {
            self.deactivated = deactivated;
        }
        if let Some(ttl) = own.get("ttl") {
            // "null" of early implementations is the default.
            let ttl = if ttl.is_null() {
                Some(3600)
            } else {
                ttl.as_u64()
            };
            self.ttl = ttl
                .filter(|ttl| *ttl <= MAX_TTL)
                .ok_or(invalid("the ttl is malformed"))?;
        }
        Ok(())
    }
}

fn check_names(own: &Map<String, Value>) -> Result<(), ResolutionError> {
    if own.keys().all(|name| NAMES.contains(&name.as_str())) {
        Ok(())
    } else {
        Err(invalid("unknown parameter"))
    }
}

/// A list of distinct texts; `null` of early implementations is the empty list.
fn texts(own: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, ResolutionError> {
    let malformed = invalid("a list among the parameters is malformed");
    match own.get(name) {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(Vec::new())),
        Some(Value::Array(list)) if list.len() <= MAX_LIST => {
            let texts: Option<Vec<_>> =
                list.iter().map(|v| v.as_str().map(str::to_owned)).collect();
            texts.map(Some).ok_or(malformed)
        }
        Some(_) => Err(malformed),
    }
}

fn flag(own: &Map<String, Value>, name: &str) -> Result<Option<bool>, ResolutionError> {
    match own.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(invalid("a flag among the parameters is malformed")),
    }
}

/// did:webvh 1.0, "method": `eddsa-jcs-2022` alone, so every key is an Ed25519 key.
fn check_keys(keys: Vec<String>) -> Result<Vec<String>, ResolutionError> {
    if keys.iter().all(|key| ed25519(key).is_some()) {
        Ok(keys)
    } else {
        Err(invalid("an update key is not an Ed25519 Multikey"))
    }
}

/// The Ed25519 key of a Multikey text.
pub(super) fn ed25519(multikey: &str) -> Option<PublicKey> {
    match Multikey::decode(multikey).ok()? {
        Multikey::Signature(key) if key.algorithm() == Algorithm::EdDsa => Some(key),
        _ => None,
    }
}

/// "The witness Parameter". `{}` is no witnesses; anything malformed is an error, never no witnesses.
fn witnesses(value: &Value) -> Result<Option<Witnesses>, ResolutionError> {
    let malformed = || invalid("the witness parameter is malformed");
    let members = match value {
        Value::Null => return Ok(None),
        Value::Object(members) if members.is_empty() => return Ok(None),
        Value::Object(members) => members,
        _ => return Err(malformed()),
    };
    let list = members
        .get("witnesses")
        .and_then(Value::as_array)
        .ok_or(malformed())?;
    let threshold = members
        .get("threshold")
        .and_then(Value::as_u64)
        .ok_or(malformed())?;
    let threshold = usize::try_from(threshold).map_err(|_| malformed())?;
    if list.len() > MAX_LIST {
        return Err(malformed());
    }
    let mut ids = Vec::new();
    for witness in list {
        let id = witness
            .get("id")
            .and_then(Value::as_str)
            .ok_or(malformed())?;
        // A did:key; the bare Multikey that some implementations write is the same key.
        let key = id.strip_prefix("did:key:").unwrap_or(id);
        if ed25519(key).is_none() {
            return Err(invalid("a witness is not a did:key with an Ed25519 key"));
        }
        ids.push(format!("did:key:{key}"));
    }
    if ids.iter().collect::<BTreeSet<_>>().len() < ids.len() {
        return Err(invalid("a witness is listed twice"));
    }
    // An empty list has none that is in range.
    if !(1..=ids.len()).contains(&threshold) {
        return Err(invalid("the witness threshold is out of range"));
    }
    Ok(Some(Witnesses {
        threshold,
        ids,
        json: value.clone(),
    }))
}
