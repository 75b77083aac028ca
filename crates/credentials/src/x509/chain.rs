//! A chain as it is sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::pkix::AuthorityKeyIdentifier;

use super::anchors::validity;
use super::verify::alternative_names;
use super::{MAX_CERTIFICATES, X509Error};
use crate::crypto::{PublicKey, sha256};
use crate::encoding::b64url;
use crate::time::UnixTime;

/// A chain as sent: leaf first, without the anchor. Not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    leaf: CertificateDer<'static>,
    intermediates: Vec<CertificateDer<'static>>,
}

impl Chain {
    /// Reads an `x5c` header (RFC 7515, section 4.1.6: base64, not base64url).
    pub fn from_x5c<S: AsRef<str>>(x5c: &[S]) -> Result<Self, X509Error> {
        if x5c.len() > MAX_CERTIFICATES {
            return Err(X509Error::TooLong);
        }
        let decoded: Result<Vec<_>, _> = x5c
            .iter()
            .map(|text| STANDARD.decode(text.as_ref()))
            .collect();
        Self::from_der(decoded.map_err(|_| X509Error::Malformed)?)
    }

    /// From DER certificates, leaf first.
    pub fn from_der(certificates: Vec<Vec<u8>>) -> Result<Self, X509Error> {
        if certificates.len() > MAX_CERTIFICATES {
            return Err(X509Error::TooLong);
        }
        let mut certificates = certificates.into_iter().map(CertificateDer::from);
        let leaf = certificates.next().ok_or(X509Error::Empty)?;
        Ok(Self {
            leaf,
            intermediates: certificates.collect(),
        })
    }

    /// From a PEM text, leaf first.
    pub fn from_pem(pem: &str) -> Result<Self, X509Error> {
        let certificates: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        let certificates = certificates.map_err(|_| X509Error::Malformed)?;
        Self::from_der(certificates.iter().map(|der| der.to_vec()).collect())
    }

    /// The `x5c` value.
    #[must_use]
    pub fn to_x5c(&self) -> Vec<String> {
        self.certificates()
            .map(|der| STANDARD.encode(der))
            .collect()
    }

    /// DER of the certificates, leaf first.
    pub fn to_der(&self) -> impl Iterator<Item = &[u8]> {
        self.certificates().map(AsRef::as_ref)
    }

    /// DER of the leaf.
    #[must_use]
    pub fn leaf_der(&self) -> &[u8] {
        &self.leaf
    }

    /// base64url(SHA-256(DER of the leaf)): OpenID4VP 1.0, section 5.9.3, `x509_hash`.
    #[must_use]
    pub fn x509_hash(&self) -> String {
        b64url(&sha256(&self.leaf))
    }

    /// The key of the leaf, to compare it with a signing key. Not verified.
    pub fn leaf_public_key(&self) -> Result<PublicKey, X509Error> {
        let leaf = Certificate::from_der(&self.leaf).map_err(|_| X509Error::Malformed)?;
        certificate_key(&leaf)
    }

    /// From when to when the leaf is valid, both included. Not verified.
    ///
    /// # Errors
    /// [`X509Error::Malformed`].
    pub fn leaf_validity(&self) -> Result<(UnixTime, UnixTime), X509Error> {
        let leaf = Certificate::from_der(&self.leaf).map_err(|_| X509Error::Malformed)?;
        let window = validity(&leaf);
        Ok((window.not_before, window.not_after))
    }

    /// Subject of the leaf as RFC 4514 text. Not verified.
    ///
    /// # Errors
    /// [`X509Error::Malformed`].
    pub fn leaf_subject(&self) -> Result<String, X509Error> {
        let leaf = Certificate::from_der(&self.leaf).map_err(|_| X509Error::Malformed)?;
        Ok(leaf.tbs_certificate().subject().to_string())
    }

    /// The `dNSName` alternative names of the leaf (RFC 5280, section 4.2.1.6). Not verified.
    ///
    /// # Errors
    /// [`X509Error::Malformed`].
    pub fn leaf_dns_names(&self) -> Result<Vec<String>, X509Error> {
        let leaf = Certificate::from_der(&self.leaf).map_err(|_| X509Error::Malformed)?;
        alternative_names(&leaf).map(|(dns, _)| dns)
    }

    /// `keyIdentifier` of the AuthorityKeyIdentifier (RFC 5280, section 4.2.1.1) of each
    /// certificate that has one. Not verified.
    #[must_use]
    pub fn authority_key_ids(&self) -> Vec<Vec<u8>> {
        self.certificates()
            .filter_map(|der| authority_key_id(der))
            .collect()
    }

    pub(super) const fn leaf(&self) -> &CertificateDer<'static> {
        &self.leaf
    }

    pub(super) fn intermediates(&self) -> &[CertificateDer<'static>] {
        &self.intermediates
    }

    pub(super) fn certificates(&self) -> impl Iterator<Item = &CertificateDer<'static>> {
        std::iter::once(&self.leaf).chain(&self.intermediates)
    }
}

fn authority_key_id(der: &[u8]) -> Option<Vec<u8>> {
    let certificate = Certificate::from_der(der).ok()?;
    let extension = certificate.tbs_certificate().get_extension();
    let (_critical, AuthorityKeyIdentifier { key_identifier, .. }) = extension.ok()??;
    key_identifier.map(|id| id.as_bytes().to_vec())
}

pub(super) fn certificate_key(certificate: &Certificate) -> Result<PublicKey, X509Error> {
    let spki = certificate.tbs_certificate().subject_public_key_info();
    let spki = spki.to_der().map_err(|_| X509Error::Malformed)?;
    PublicKey::from_spki_der(&spki).map_err(|_| X509Error::UnsupportedKey)
}
