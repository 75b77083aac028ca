//! Certificates of signing keys: what new ones must be like before they take over.

use vouchsafe_credentials::credential_type::Format;
use vouchsafe_credentials::crypto::{AwsLc, PublicKey};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::{Chain, Role, TrustAnchors, X509Error, verify_chain};

use super::signing::ConfiguredKey;

/// ISO/IEC 18013-5:2021, table B.3: a document signer is valid for 457 days at most.
const DOCUMENT_SIGNER_S: i64 = 457 * 86_400;

/// Why new certificates are not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not certificates in PEM.
    #[error("the file holds no certificates that can be read: {0}")]
    Malformed(X509Error),
    /// They are for another key.
    #[error("the certificate is for another key")]
    OtherKey,
    /// They ended, or end before they begin to be used.
    #[error("the certificate has expired, or ends before it is used")]
    Expired,
    /// They do not lead to the authority, or are for something else.
    #[error("{what}: {error}")]
    Refused {
        /// What they should be.
        what: &'static str,
        /// What is wrong.
        error: X509Error,
    },
    /// A document signer may not be valid for so long.
    #[error("a document signer is valid for 457 days at most (ISO/IEC 18013-5, table B.3)")]
    TooLong,
}

/// New certificates of a key that were checked, and when they are used.
#[derive(Debug, Clone)]
pub struct NewCertificates {
    /// The chain, leaf first.
    pub chain: Chain,
    /// When they begin to be used: not before they are valid.
    pub from: UnixTime,
    /// When they end.
    pub until: UnixTime,
}

impl NewCertificates {
    /// Checks certificates that `authority` made for the public key of `key`, to be used from `now`
    /// or from when they are valid, whichever is later.
    pub fn check(
        key: &ConfiguredKey<'_>,
        public: &PublicKey,
        chain_pem: &str,
        authority_pem: &str,
        now: UnixTime,
    ) -> Result<Self, CertificateError> {
        let chain = Chain::from_pem(chain_pem).map_err(CertificateError::Malformed)?;
        let leaf = chain.leaf_public_key();
        if leaf.map_err(CertificateError::Malformed)? != *public {
            return Err(CertificateError::OtherKey);
        }
        let validity = chain.leaf_validity();
        let (begin, until) = validity.map_err(CertificateError::Malformed)?;
        let from = begin.max(now);
        if from >= until {
            return Err(CertificateError::Expired);
        }
        for (role, what) in roles(key) {
            let refused = |error| CertificateError::Refused { what, error };
            let mut anchors = TrustAnchors::new(role);
            anchors.add_pem(authority_pem).map_err(refused)?;
            verify_chain(&chain, &anchors, role, from, &AwsLc).map_err(refused)?;
            if role == Role::MdocIssuer && until.since(begin) > DOCUMENT_SIGNER_S {
                return Err(CertificateError::TooLong);
            }
        }
        Ok(Self { chain, from, until })
    }
}

/// What relying parties will look for.
fn roles(key: &ConfiguredKey<'_>) -> Vec<(Role, &'static str)> {
    if key.table == "status.signing" {
        return vec![(
            Role::Status,
            "not a signer of status lists below the authority",
        )];
    }
    let mut roles = Vec::new();
    // HAIP 1.0, section 6.1.1; the same chain stands in signed metadata.
    if key.table == "metadata.signing" || key.config.signs(Format::SdJwtVc) {
        roles.push((
            Role::Issuer,
            "not an issuer of SD-JWT VCs below the authority",
        ));
    }
    // ISO/IEC 18013-5:2021, annex B.1.4.
    if key.table == "signing" && key.config.signs(Format::Mdoc) {
        roles.push((
            Role::MdocIssuer,
            "not a document signer below the authority",
        ));
    }
    roles
}
