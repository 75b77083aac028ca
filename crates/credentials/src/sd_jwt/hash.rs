//! The hash algorithms of `_sd_alg`.

use super::SdJwtError;
use crate::crypto::{sha256, sha384, sha512};
use crate::encoding::b64url;

/// A hash algorithm for digests of Disclosures and for `sd_hash`, by its name
/// in the IANA registry "Named Information Hash Algorithm" (RFC 9901,
/// section 4.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum HashAlg {
    /// `sha-256`, the default.
    #[default]
    Sha256,
    /// `sha-384`
    Sha384,
    /// `sha-512`
    Sha512,
}

impl HashAlg {
    /// The registered name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    /// The algorithm of a registered name. Names are case-sensitive.
    ///
    /// # Errors
    /// [`SdJwtError::HashAlgUnsupported`] for every other name.
    pub fn from_name(name: &str) -> Result<Self, SdJwtError> {
        match name {
            "sha-256" => Ok(Self::Sha256),
            "sha-384" => Ok(Self::Sha384),
            "sha-512" => Ok(Self::Sha512),
            _ => Err(SdJwtError::HashAlgUnsupported),
        }
    }

    /// Digest of the bytes of `text` as they stand, in base64url without
    /// padding (RFC 9901, section 4.2.3: over the encoded Disclosure, not over
    /// what it encodes).
    #[must_use]
    pub fn digest(self, text: &str) -> String {
        self.digest_bytes(text.as_bytes())
    }

    /// Digest of bytes, in base64url without padding.
    pub(crate) fn digest_bytes(self, bytes: &[u8]) -> String {
        match self {
            Self::Sha256 => b64url(&sha256(bytes)),
            Self::Sha384 => b64url(&sha384(bytes)),
            Self::Sha512 => b64url(&sha512(bytes)),
        }
    }

    /// Length of a digest in base64url characters.
    pub(crate) fn text_len(self) -> usize {
        match self {
            Self::Sha256 => 43,
            Self::Sha384 => 64,
            Self::Sha512 => 86,
        }
    }

    /// Whether `text` can be a digest of this algorithm.
    pub(crate) fn is_digest(self, text: &str) -> bool {
        text.len() == self.text_len()
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9901, section 4.2.3.
    #[test]
    fn digest_of_the_specification() {
        let disclosure = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0";
        assert_eq!(
            HashAlg::Sha256.digest(disclosure),
            "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"
        );
    }

    /// RFC 9901, section 4.2.4.2.
    #[test]
    fn digest_of_an_array_element_of_the_specification() {
        let disclosure = "WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIkZSIl0";
        assert_eq!(
            HashAlg::Sha256.digest(disclosure),
            "w0I8EKcdCtUPkGCNUrfwVp2xEgNjtoIDlOxc9-PlOhs"
        );
    }

    #[test]
    fn text_lengths_are_those_of_real_digests() {
        for alg in [HashAlg::Sha256, HashAlg::Sha384, HashAlg::Sha512] {
            let digest = alg.digest("x");
            assert!(alg.is_digest(&digest));
            assert_eq!(HashAlg::from_name(alg.name()), Ok(alg));
        }
    }

    #[test]
    fn other_names_are_refused() {
        for name in ["SHA-256", "sha256", "sha-1", "md5", "", "sha-256-128"] {
            assert_eq!(
                HashAlg::from_name(name),
                Err(SdJwtError::HashAlgUnsupported)
            );
        }
    }
}
