//! Whether a verifier accepts what a holder's key signs: `kb-jwt_alg_values` and
//! `deviceauth_alg_values` of its metadata.

use vouchsafe_credentials::cose;
use vouchsafe_credentials::crypto::Algorithm;

use super::HeldCredential;
use crate::vp::dcql::Format;
use crate::vp::request::{ApiRequest, PresentationRequest, Question};

impl Question {
    pub(super) fn takes_key(&self, format: &Format, algorithm: Algorithm) -> bool {
        let metadata = &self.metadata;
        match format {
            // Appendix B.3.4.
            Format::SdJwtVc => metadata
                .key_binding_algorithms
                .as_ref()
                .is_none_or(|names| names.iter().any(|name| name == algorithm.name())),
            // Appendix B.2.2.
            Format::MsoMdoc => metadata.device_algorithms.as_ref().is_none_or(|numbers| {
                let own = identifiers(algorithm);
                numbers.iter().any(|number| own.contains(number))
            }),
            Format::Other(_) => false,
        }
    }

    /// Whether keys of this algorithm can answer any of the Credential Queries.
    fn takes_keys(&self, algorithm: Algorithm) -> bool {
        let mut entries = self.query.credentials().iter();
        entries.any(|entry| self.takes_key(entry.format(), algorithm))
    }

    fn takes(&self, credential: &HeldCredential<'_>) -> bool {
        let format = match credential {
            HeldCredential::SdJwtVc(_) => Format::SdJwtVc,
            HeldCredential::Mdoc(_) => Format::MsoMdoc,
        };
        let key = credential.holder_key();
        key.is_some_and(|key| self.takes_key(&format, key.algorithm()))
    }
}

impl PresentationRequest {
    /// Whether keys of this algorithm can answer any part of the request. It says nothing about what
    /// the person holds.
    pub fn takes_keys(&self, algorithm: Algorithm) -> bool {
        self.question().takes_keys(algorithm)
    }

    /// Whether the verifier accepts what the key of this credential signs.
    pub fn takes(&self, credential: &HeldCredential<'_>) -> bool {
        self.question().takes(credential)
    }
}

impl ApiRequest {
    /// As [`PresentationRequest::takes_keys`].
    pub fn takes_keys(&self, algorithm: Algorithm) -> bool {
        self.question().takes_keys(algorithm)
    }

    /// As [`PresentationRequest::takes`].
    pub fn takes(&self, credential: &HeldCredential<'_>) -> bool {
        self.question().takes(credential)
    }
}

/// Appendix B.2.2: either the number in the header (RFC 9053), or that of algorithm and curve together
/// (RFC 9864).
const fn identifiers(algorithm: Algorithm) -> [i64; 2] {
    let with_curve = match algorithm {
        Algorithm::Es256 => -9,
        Algorithm::Es384 => -51,
        Algorithm::Es512 => -52,
        Algorithm::EdDsa => -19,
    };
    [cose::algorithm_number(algorithm), with_curve]
}
