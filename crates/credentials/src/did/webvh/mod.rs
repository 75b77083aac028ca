//! `did:webvh` 1.0 (DIF): a log of versions in which every entry is chained to the one before,
//! signed by a key that the one before authorized, and approved by witnesses where it has them.
//!
//! [`Log::verify`] checks everything but the witnesses, [`Log::resolve`] the witnesses, and gives
//! the version that was asked for.

mod entry;
mod log;
mod parameters;
mod proof;
mod result;
#[cfg(test)]
mod tests;
mod tips;
mod witness;

pub use log::Log;
pub(super) use tips::Tips;

use super::location::Location;
use super::{Did, ErrorCode, ResolutionError};

/// Largest log in bytes.
pub const MAX_LOG: usize = 1024 * 1024;
/// Largest file of witness proofs in bytes.
pub const MAX_WITNESS: usize = 256 * 1024;
/// Most entries of a log.
pub const MAX_ENTRIES: usize = 1024;

/// A `did:webvh` DID taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    did: Did,
    scid: String,
    location: Location,
}

impl Place {
    /// Parses by the ABNF and the rules of did:webvh 1.0, "Method-Specific Identifier".
    ///
    /// # Errors
    /// [`ErrorCode::InvalidDid`].
    pub fn parse(did: &Did) -> Result<Self, ResolutionError> {
        if did.method() != "webvh" {
            return Err(invalid("not a did:webvh"));
        }
        let (scid, rest) = did
            .id()
            .split_once(':')
            .ok_or(invalid("a did:webvh has an SCID and a domain"))?;
        if !is_hash(scid) {
            return Err(invalid("the SCID is not 46 characters of base58btc"));
        }
        let location = Location::parse(rest)?;
        if !location.is_qualified() {
            return Err(invalid("the domain is not fully qualified"));
        }
        Ok(Self {
            did: did.clone(),
            scid: scid.to_owned(),
            location,
        })
    }

    /// The DID.
    #[must_use]
    pub fn did(&self) -> &Did {
        &self.did
    }

    /// Where the log is.
    #[must_use]
    pub fn log_url(&self) -> String {
        self.location.document("did.jsonl")
    }

    /// Where the proofs of the witnesses are.
    #[must_use]
    pub fn witness_url(&self) -> String {
        self.location.document("did-witness.json")
    }
}

/// The form of an SCID, entry hash or key hash: a SHA-256 multihash in base58btc has 46 characters.
fn is_hash(text: &str) -> bool {
    let base58 = |b: u8| b.is_ascii_alphanumeric() && !matches!(b, b'0' | b'O' | b'I' | b'l');
    text.len() == 46 && text.starts_with("Qm") && text.bytes().all(base58)
}

/// The SHA-256 multihash of `bytes` in base58btc, without multibase prefix.
fn multihash(bytes: &[u8]) -> String {
    let hash = [&[0x12, 0x20][..], &crate::crypto::sha256(bytes)].concat();
    multibase::Base::Base58Btc.encode(hash)
}

pub(super) const fn invalid(detail: &'static str) -> ResolutionError {
    ResolutionError::new(ErrorCode::InvalidDid, detail)
}
