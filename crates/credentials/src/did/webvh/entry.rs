//! One line of the log.

use serde_json::{Map, Value};

use super::{invalid, is_hash, multihash};
use crate::did::{MAX_DOCUMENT, ResolutionError, datetime};
use crate::time::UnixTime;
use crate::{jcs, json};

/// Largest line: a document and what is around it.
const MAX_LINE: usize = MAX_DOCUMENT + 64 * 1024;

/// An entry whose form is checked, and nothing else.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) version_id: String,
    /// The number before the dash.
    pub(super) number: u64,
    /// As written.
    pub(super) time_text: String,
    pub(super) time: UnixTime,
    pub(super) parameters: Map<String, Value>,
    /// The entry without its proofs.
    pub(super) unsigned: Map<String, Value>,
    pub(super) proofs: Vec<Value>,
}

impl Entry {
    pub(super) fn parse(line: &str) -> Result<Self, ResolutionError> {
        if line.len() > MAX_LINE {
            return Err(invalid("an entry of the log is too large"));
        }
        let malformed = || invalid("an entry of the log is malformed");
        let mut members = json::parse_object(line.as_bytes()).map_err(|_| malformed())?;
        // did:webvh 1.0, "The DID Log File": these five properties.
        let proof = members
            .remove("proof")
            .ok_or(invalid("an entry has no proof"))?;
        let known = ["versionId", "versionTime", "parameters", "state"];
        if members.len() != known.len() || !known.iter().all(|name| members.contains_key(*name)) {
            return Err(malformed());
        }
        let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
        let version_id = text("versionId").ok_or(malformed())?;
        let time_text = text("versionTime").ok_or(malformed())?;
        let parameters = members
            .get("parameters")
            .and_then(Value::as_object)
            .cloned()
            .ok_or(malformed())?;
        Ok(Self {
            number: number(&version_id)?,
            time: utc(&time_text)?,
            version_id,
            time_text,
            parameters,
            unsigned: members,
            proofs: match proof {
                Value::Array(list) => list,
                one => vec![one],
            },
        })
    }

    pub(super) fn state(&self) -> &Value {
        self.unsigned.get("state").unwrap_or(&Value::Null)
    }

    /// did:webvh 1.0, "Verify The Entry Hash".
    pub(super) fn check_hash(&self, previous: &str) -> Result<(), ResolutionError> {
        let mut members = self.unsigned.clone();
        members.insert("versionId".into(), previous.into());
        let canonical = jcs::canonicalize(&Value::Object(members))
            .map_err(|_| invalid("an entry of the log is malformed"))?;
        let hash = multihash(canonical.as_bytes());
        if self.version_id.split_once('-').map(|(_, own)| own) == Some(hash.as_str()) {
            Ok(())
        } else {
            Err(invalid("an entry hash does not match"))
        }
    }

    /// did:webvh 1.0, "Verify SCID".
    pub(super) fn check_scid(&self, scid: &str) -> Result<(), ResolutionError> {
        const PLACEHOLDER: &str = "{SCID}";
        let malformed = |_| invalid("the first entry is malformed");
        let mut members = self.unsigned.clone();
        members.insert("versionId".into(), PLACEHOLDER.into());
        let text = Value::Object(members)
            .to_string()
            .replace(scid, PLACEHOLDER);
        let value = json::parse_strict(text.as_bytes()).map_err(malformed)?;
        let canonical =
            jcs::canonicalize(&value).map_err(|_| invalid("the first entry is malformed"))?;
        if multihash(canonical.as_bytes()) == scid {
            Ok(())
        } else {
            Err(invalid("the SCID is not the hash of the first entry"))
        }
    }
}

/// did:webvh 1.0, "Read", step 3: number, exactly one dash, hash.
fn number(version_id: &str) -> Result<u64, ResolutionError> {
    let malformed = invalid("a versionId is malformed");
    let (number, hash) = version_id.split_once('-').ok_or(malformed.clone())?;
    let canonical = !number.starts_with('0') && number.bytes().all(|b| b.is_ascii_digit());
    let number = number.parse().ok().filter(|_| canonical && is_hash(hash));
    number.ok_or(malformed)
}

/// did:webvh 1.0, "Read", step 4: UTC, said with `Z` or `+00:00`.
fn utc(text: &str) -> Result<UnixTime, ResolutionError> {
    let time = datetime::parse(text).filter(|_| text.ends_with('Z') || text.ends_with("+00:00"));
    time.ok_or(invalid("a versionTime is not a UTC time"))
}
