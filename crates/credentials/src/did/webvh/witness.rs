//! The proofs of witnesses (did:webvh 1.0, "Verifying Witness Proofs During Resolution").

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::log::Version;
use super::{MAX_ENTRIES, MAX_WITNESS, invalid, proof};
use crate::crypto::CryptoProvider;
use crate::did::ResolutionError;
use crate::json;
use crate::time::UnixTime;

/// Most proofs of the file that are verified.
const MAX_PROOFS: usize = 1024;

/// For each witness the last version that it approved; that approves all before it too.
pub(super) struct Approvals(BTreeMap<String, usize>);

impl Approvals {
    /// Verifies the proofs in `did-witness.json`. Proofs that count for nothing are passed over.
    pub(super) fn read(
        file: &[u8],
        versions: &[Version],
        now: UnixTime,
        crypto: &dyn CryptoProvider,
    ) -> Result<Self, ResolutionError> {
        let malformed = || invalid("the file of witness proofs is malformed");
        if file.len() > MAX_WITNESS {
            return Err(malformed());
        }
        let value = json::parse_strict(file).map_err(|_| malformed())?;
        let list = value
            .as_array()
            .filter(|list| list.len() <= MAX_ENTRIES)
            .ok_or(malformed())?;
        let mut approvals = BTreeMap::new();
        let mut verified = 0;
        for item in list {
            let id = item
                .get("versionId")
                .and_then(Value::as_str)
                .ok_or(malformed())?;
            let proofs = match item.get("proof") {
                None => continue,
                Some(Value::Array(proofs)) => proofs.as_slice(),
                Some(one) => std::slice::from_ref(one),
            };
            // Step 3: versions that are not in this log are evidence of nothing.
            let Some(index) = versions
                .iter()
                .position(|version| version.entry.version_id == id)
            else {
                continue;
            };
            let document = Map::from_iter([("versionId".to_owned(), Value::from(id))]);
            for one in proofs {
                verified = usize::saturating_add(verified, 1);
                if verified > MAX_PROOFS {
                    return Err(invalid("too many witness proofs"));
                }
                if let Some(key) = proof::verify(&document, one, now, crypto) {
                    let last = approvals.entry(format!("did:key:{key}")).or_insert(index);
                    *last = index.max(*last);
                }
            }
        }
        Ok(Self(approvals))
    }

    /// "Witness Threshold Algorithm": the first version that is not approved by enough witnesses.
    pub(super) fn first_missing(&self, versions: &[Version]) -> Option<usize> {
        versions.iter().enumerate().position(|(index, version)| {
            version.approval.as_ref().is_some_and(|witnesses| {
                let approved = |id: &&String| self.0.get(*id).is_some_and(|last| *last >= index);
                witnesses.ids.iter().filter(approved).count() < witnesses.threshold
            })
        })
    }
}
