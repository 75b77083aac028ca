//! `…#integrity`: the expected hash of a document (SD-JWT VC, "Integrity of Referenced
//! Documents"; syntax of W3C Subresource Integrity, section 3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::crypto::{constant_time_eq, sha256, sha384, sha512};

/// Longest accepted integrity string in bytes.
const MAX_BYTES: usize = 4096;

/// Weakest first: the order is that of strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Algorithm {
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "sha256" => Some(Self::Sha256),
            "sha384" => Some(Self::Sha384),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    fn digest(self, octets: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => sha256(octets).to_vec(),
            Self::Sha384 => sha384(octets).to_vec(),
            Self::Sha512 => sha512(octets).to_vec(),
        }
    }

    const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// The hashes with the strongest supported algorithm of an integrity string; weaker ones do not
/// count beside them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Integrity {
    algorithm: Algorithm,
    digests: Vec<Vec<u8>>,
}

/// Why an integrity string, or a document by it, is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntegrityError {
    /// Not an integrity string.
    #[error("not an integrity string")]
    Malformed,
    /// No algorithm in it is supported.
    #[error("no supported hash algorithm")]
    Unsupported,
    /// Another document.
    #[error("the hash does not fit")]
    Mismatch,
}

impl Integrity {
    /// Reads an integrity string.
    ///
    /// # Errors
    /// [`IntegrityError::Malformed`], or [`IntegrityError::Unsupported`] when it has only
    /// algorithms that are not known.
    pub fn parse(text: &str) -> Result<Self, IntegrityError> {
        if text.len() > MAX_BYTES {
            return Err(IntegrityError::Malformed);
        }
        let mut found: Option<Self> = None;
        let mut any = false;
        for expression in text.split_ascii_whitespace() {
            any = true;
            let (name, rest) = expression
                .split_once('-')
                .ok_or(IntegrityError::Malformed)?;
            // Unknown algorithms are for others (Subresource Integrity, section 3.3.3).
            let Some(algorithm) = Algorithm::from_name(name) else {
                continue;
            };
            let digest = digest(rest, algorithm)?;
            match &mut found {
                Some(best) if best.algorithm > algorithm => {}
                Some(best) if best.algorithm == algorithm => best.digests.push(digest),
                _ => {
                    found = Some(Self {
                        algorithm,
                        digests: vec![digest],
                    });
                }
            }
        }
        match found {
            Some(integrity) => Ok(integrity),
            None if any => Err(IntegrityError::Unsupported),
            None => Err(IntegrityError::Malformed),
        }
    }

    /// Checks the octets of a document as they were received.
    ///
    /// # Errors
    /// [`IntegrityError::Mismatch`].
    pub fn check(&self, octets: &[u8]) -> Result<(), IntegrityError> {
        let digest = self.algorithm.digest(octets);
        if self
            .digests
            .iter()
            .any(|one| constant_time_eq(one, &digest))
        {
            Ok(())
        } else {
            Err(IntegrityError::Mismatch)
        }
    }

    /// The integrity string for a document, with SHA-256.
    #[must_use]
    pub fn of(octets: &[u8]) -> String {
        format!("sha256-{}", STANDARD.encode(sha256(octets)))
    }
}

/// The canonical text: the strongest hashes alone. A key for caches.
impl std::fmt::Display for Integrity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (position, digest) in self.digests.iter().enumerate() {
            let space = if position > 0 { " " } else { "" };
            let name = self.algorithm.name();
            write!(f, "{space}{name}-{}", STANDARD.encode(digest))?;
        }
        Ok(())
    }
}

/// base64 (not base64url) of a hash, with options behind `?` that mean nothing here.
fn digest(text: &str, algorithm: Algorithm) -> Result<Vec<u8>, IntegrityError> {
    let value = text.split_once('?').map_or(text, |(value, _options)| value);
    let digest = STANDARD.decode(value).ok();
    digest
        .filter(|digest| digest.len() == algorithm.length())
        .ok_or(IntegrityError::Malformed)
}
