//! The chain of entries (did:webvh 1.0, "Read (Resolve)").

use serde_json::Value;

use super::entry::Entry;
use super::parameters::{Parameters, Witnesses};
use super::{MAX_ENTRIES, MAX_LOG, Place, invalid, proof};
use crate::crypto::CryptoProvider;
use crate::did::web::document_error;
use crate::did::{Did, DidDocument, ErrorCode, ResolutionError, local};
use crate::time::UnixTime;

/// How far in the future a versionTime may be, in seconds.
const TOLERANCE: i64 = 5 * 60;
/// Most proofs of one entry.
const MAX_PROOFS: usize = 16;

/// A version whose entry is verified, its witnesses aside.
#[derive(Debug)]
pub(super) struct Version {
    pub(super) entry: Entry,
    pub(super) did: Did,
    pub(super) document: DidDocument,
    pub(super) parameters: Parameters,
    /// Who must have approved this entry.
    pub(super) approval: Option<Witnesses>,
}

/// A log whose entries are verified, up to the first that is not.
#[derive(Debug)]
pub struct Log {
    pub(super) place: Place,
    /// When it was verified.
    pub(super) now: UnixTime,
    /// Never empty.
    pub(super) versions: Vec<Version>,
    /// Why the entries after the last version are refused.
    pub(super) refused: Option<ResolutionError>,
}

impl Log {
    /// Verifies the log of `place`. When an entry is refused, it and all after it do not count,
    /// and only the versions before it can be asked for by name ("Read", steps 10 and 11).
    ///
    /// # Errors
    /// [`ErrorCode::InvalidDid`] when nothing of the log can be used.
    pub fn verify(
        log: &[u8],
        place: &Place,
        now: UnixTime,
        crypto: &dyn CryptoProvider,
    ) -> Result<Self, ResolutionError> {
        if log.len() > MAX_LOG {
            let detail = "the log is too large";
            return Err(ResolutionError::new(
                ErrorCode::InvalidDidDocumentLength,
                detail,
            ));
        }
        let text = std::str::from_utf8(log).map_err(|_| invalid("the log is not UTF-8"))?;
        let mut versions: Vec<Version> = Vec::new();
        let mut refused = None;
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            if versions.len() == MAX_ENTRIES {
                return Err(invalid("the log has too many entries"));
            }
            match Version::verify(line, versions.last(), place, now, crypto) {
                Ok(version) => versions.push(version),
                Err(error) => {
                    refused = Some(error);
                    break;
                }
            }
        }
        if versions.is_empty() {
            return Err(refused.unwrap_or(invalid("the log is empty")));
        }
        // "Read": no entry of the log is of this DID.
        if !versions.iter().any(|version| version.did == *place.did()) {
            return Err(invalid("the log is of another DID"));
        }
        Ok(Self {
            place: place.clone(),
            now,
            versions,
            refused,
        })
    }

    /// Whether proofs of witnesses are needed.
    #[must_use]
    pub fn is_witnessed(&self) -> bool {
        self.versions
            .iter()
            .any(|version| version.approval.is_some())
    }
}

impl Version {
    fn verify(
        line: &str,
        previous: Option<&Self>,
        place: &Place,
        now: UnixTime,
        crypto: &dyn CryptoProvider,
    ) -> Result<Self, ResolutionError> {
        let entry = Entry::parse(line)?;
        let parameters = match previous {
            None => Parameters::first(&entry.parameters)?,
            Some(previous) if previous.parameters.deactivated => {
                return Err(invalid("an entry follows the deactivation"));
            }
            Some(previous) => previous.parameters.next(&entry.parameters)?,
        };
        // "Reading did:webvh DID URLs": the SCID of the DID is that of the log.
        if parameters.scid != place.scid {
            return Err(invalid("the SCID of the log is another"));
        }
        check_order(&entry, previous.map(|previous| &previous.entry), now)?;
        if previous.is_none() {
            entry.check_scid(&parameters.scid)?;
        }
        entry.check_hash(
            previous.map_or(parameters.scid.as_str(), |p| p.entry.version_id.as_str()),
        )?;
        let did = check_id(&entry, &parameters, previous.map(|previous| &previous.did))?;
        check_proofs(
            &entry,
            authorized(&parameters, previous.map(|p| &p.parameters)),
            now,
            crypto,
        )?;
        let document =
            DidDocument::from_json(entry.state().clone(), &did).map_err(document_error)?;
        let before = previous.and_then(|previous| previous.parameters.witnesses.clone());
        // "The witness Parameter": a change takes effect after its entry, unless there were none before.
        let approval = before.or_else(|| parameters.witnesses.clone());
        Ok(Self {
            entry,
            did,
            document,
            parameters,
            approval,
        })
    }
}

/// "Read", steps 3.1 and 4.
fn check_order(
    entry: &Entry,
    previous: Option<&Entry>,
    now: UnixTime,
) -> Result<(), ResolutionError> {
    if entry.number != previous.map_or(1, |previous| previous.number.saturating_add(1)) {
        return Err(invalid("the version numbers have a gap"));
    }
    if previous.is_some_and(|previous| later(&entry.time_text, entry.time, previous).is_none()) {
        return Err(invalid("a versionTime is not after the one before"));
    }
    if entry.time > now.plus(TOLERANCE) {
        return Err(invalid("a versionTime is in the future"));
    }
    Ok(())
}

/// Fractions of a second count, so two entries within one second are in order.
fn later(text: &str, time: UnixTime, previous: &Entry) -> Option<()> {
    let fraction = |text: &str| {
        let digits = text.split_once('.').map_or("", |(_, rest)| rest);
        let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
        digits.trim_end_matches('0').to_owned()
    };
    let own = (time, fraction(text));
    (own > (previous.time, fraction(&previous.time_text))).then_some(())
}

/// "Read", step 6, and "DID Portability".
fn check_id(
    entry: &Entry,
    parameters: &Parameters,
    previous: Option<&Did>,
) -> Result<Did, ResolutionError> {
    let id = entry.state().get("id").and_then(Value::as_str);
    let did = local::parse(id.ok_or(invalid("a document has no id"))?)?;
    if Place::parse(&did)?.scid != parameters.scid {
        return Err(invalid("the SCID of a document is another"));
    }
    let Some(previous) = previous.filter(|previous| **previous != did) else {
        return Ok(did);
    };
    let names = entry.state().get("alsoKnownAs").and_then(Value::as_array);
    let known = |names: &Vec<Value>| names.iter().any(|name| name == previous.as_str());
    if !parameters.portable {
        return Err(invalid("the DID is not portable"));
    }
    if !names.is_some_and(known) {
        return Err(invalid("the DID was moved without naming the one before"));
    }
    Ok(did)
}

/// "Authorized Keys": the keys that may sign this entry.
fn authorized<'p>(own: &'p Parameters, previous: Option<&'p Parameters>) -> &'p [String] {
    match previous {
        Some(previous) if previous.next_key_hashes.is_empty() => &previous.update_keys,
        _ => &own.update_keys,
    }
}

fn check_proofs(
    entry: &Entry,
    keys: &[String],
    now: UnixTime,
    crypto: &dyn CryptoProvider,
) -> Result<(), ResolutionError> {
    if entry.proofs.is_empty() || entry.proofs.len() > MAX_PROOFS {
        return Err(invalid("an entry has no proof, or too many"));
    }
    for one in &entry.proofs {
        let key = proof::verify(&entry.unsigned, one, now, crypto)
            .ok_or(invalid("a proof of an entry is invalid"))?;
        if !keys.contains(&key) {
            return Err(invalid(
                "a proof of an entry is by a key that is not authorized",
            ));
        }
    }
    Ok(())
}
