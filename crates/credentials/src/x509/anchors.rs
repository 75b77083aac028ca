//! Trust anchors: certificates from configuration, never from a message.

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, TrustAnchor};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use super::{AnchorId, Role, X509Error};
use crate::time::UnixTime;

/// Anchors of one role.
#[derive(Clone, Debug)]
pub struct TrustAnchors {
    role: Role,
    anchors: Vec<Anchor>,
    /// The same anchors in the same order, as the path builder wants them.
    points: Vec<TrustAnchor<'static>>,
}

#[derive(Clone, Debug)]
struct Anchor {
    id: AnchorId,
    der: CertificateDer<'static>,
    not_before: UnixTime,
    not_after: UnixTime,
}

impl TrustAnchors {
    /// No anchors yet.
    #[must_use]
    pub const fn new(role: Role) -> Self {
        Self {
            role,
            anchors: Vec::new(),
            points: Vec::new(),
        }
    }

    /// The role.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// True when nothing can be trusted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// The ids of all anchors.
    pub fn ids(&self) -> impl Iterator<Item = &AnchorId> {
        self.anchors.iter().map(|anchor| &anchor.id)
    }

    /// Adds a certificate (DER).
    pub fn add_der(&mut self, der: &[u8]) -> Result<AnchorId, X509Error> {
        let der = CertificateDer::from(der.to_vec());
        let point = webpki::anchor_from_trusted_cert(&der).map_err(|_| X509Error::Malformed)?;
        let point = point.to_owned();
        let certificate = Certificate::from_der(&der).map_err(|_| X509Error::Malformed)?;
        let validity = certificate.tbs_certificate().validity();
        let id = AnchorId::of(&der);
        if !self.anchors.iter().any(|anchor| anchor.id == id) {
            self.points.push(point);
            self.anchors.push(Anchor {
                id: id.clone(),
                der,
                not_before: unix_time(validity.not_before),
                not_after: unix_time(validity.not_after),
            });
        }
        Ok(id)
    }

    /// Adds every certificate of a PEM text; at least one.
    pub fn add_pem(&mut self, pem: &str) -> Result<Vec<AnchorId>, X509Error> {
        let certificates: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        let certificates = certificates.map_err(|_| X509Error::Malformed)?;
        if certificates.is_empty() {
            return Err(X509Error::Empty);
        }
        certificates.iter().map(|der| self.add_der(der)).collect()
    }

    pub(super) fn points(&self) -> &[TrustAnchor<'static>] {
        &self.points
    }

    pub(super) fn contains(&self, der: &CertificateDer<'_>) -> bool {
        self.anchors.iter().any(|anchor| anchor.der == *der)
    }

    /// The anchor that a path ended in, if it is valid at `now`.
    pub(super) fn resolve(
        &self,
        point: &TrustAnchor<'_>,
        now: UnixTime,
    ) -> Result<AnchorId, X509Error> {
        let index = self.points.iter().position(|known| known == point);
        let anchor = index
            .and_then(|index| self.anchors.get(index))
            .ok_or(X509Error::Untrusted)?;
        // The path builder does not look at the anchor's own dates.
        if now < anchor.not_before {
            return Err(X509Error::NotYetValid);
        }
        if now > anchor.not_after {
            return Err(X509Error::Expired);
        }
        Ok(anchor.id.clone())
    }
}

fn unix_time(time: x509_cert::time::Time) -> UnixTime {
    let seconds = time.to_unix_duration().as_secs();
    UnixTime(i64::try_from(seconds).unwrap_or(i64::MAX))
}
