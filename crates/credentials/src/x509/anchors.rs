//! Trust anchors: certificates from configuration, never from a message.

use std::sync::Arc;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, TrustAnchor};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

use super::cache::{ChainCache, Window};
use super::{AnchorId, Role, X509Error};
use crate::time::UnixTime;

/// Anchors of one role.
#[derive(Clone, Debug)]
pub struct TrustAnchors {
    role: Role,
    anchors: Vec<Anchor>,
    /// The same anchors in the same order, as the path builder wants them.
    points: Vec<TrustAnchor<'static>>,
    /// End-entity certificates that are believed themselves and vouch for nobody.
    signers: Vec<Anchor>,
    /// Chains that were verified against exactly these anchors. Clones share it; every change
    /// starts a new one.
    verified: Arc<ChainCache>,
}

#[derive(Clone, Debug)]
struct Anchor {
    id: AnchorId,
    der: CertificateDer<'static>,
    window: Window,
}

impl TrustAnchors {
    /// No anchors yet.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self {
            role,
            anchors: Vec::new(),
            points: Vec::new(),
            signers: Vec::new(),
            verified: Arc::default(),
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
        self.anchors.is_empty() && self.signers.is_empty()
    }

    /// The ids of all anchors.
    pub fn ids(&self) -> impl Iterator<Item = &AnchorId> {
        let all = self.anchors.iter().chain(&self.signers);
        all.map(|anchor| &anchor.id)
    }

    /// Adds the certificate of an authority (DER). An end-entity certificate is refused: its
    /// holder could issue others; see [`Self::add_signer_der`].
    pub fn add_der(&mut self, der: &[u8]) -> Result<AnchorId, X509Error> {
        let der = CertificateDer::from(der.to_vec());
        let point = webpki::anchor_from_trusted_cert(&der).map_err(|_| X509Error::Malformed)?;
        let point = point.to_owned();
        let certificate = Certificate::from_der(&der).map_err(|_| X509Error::Malformed)?;
        if is_end_entity(&certificate)? {
            return Err(X509Error::NotAnAuthority);
        }
        let id = AnchorId::of(&der);
        if !self.anchors.iter().any(|anchor| anchor.id == id) {
            self.verified = Arc::default();
            self.points.push(point);
            self.anchors.push(Anchor {
                id: id.clone(),
                der,
                window: validity(&certificate),
            });
        }
        Ok(id)
    }

    /// Adds an end-entity certificate (DER) that is believed itself: the leaf of a chain may be
    /// it, and nothing below it is accepted. Lists of trusted entities name such certificates.
    pub fn add_signer_der(&mut self, der: &[u8]) -> Result<AnchorId, X509Error> {
        let certificate = Certificate::from_der(der).map_err(|_| X509Error::Malformed)?;
        let id = AnchorId::of(der);
        if !self.signers.iter().any(|signer| signer.id == id) {
            self.verified = Arc::default();
            self.signers.push(Anchor {
                id: id.clone(),
                der: CertificateDer::from(der.to_vec()),
                window: validity(&certificate),
            });
        }
        Ok(id)
    }

    /// Adds a certificate of either kind, by its basic constraints and key usage.
    pub fn add_any_der(&mut self, der: &[u8]) -> Result<AnchorId, X509Error> {
        match self.add_der(der) {
            Err(X509Error::NotAnAuthority) => self.add_signer_der(der),
            other => other,
        }
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

    pub(super) fn verified(&self) -> &ChainCache {
        &self.verified
    }

    /// The anchor that a path ended in, if it is valid at `now`.
    pub(super) fn resolve(
        &self,
        point: &TrustAnchor<'_>,
        now: UnixTime,
    ) -> Result<Trusted<'_>, X509Error> {
        let same = self.points.iter().zip(&self.anchors);
        let same = same.filter(|(known, _)| *known == point);
        // The path builder does not look at the anchor's own dates. A renewed authority has the
        // name and key of its older certificate: any of them that is valid will do.
        let mut refusal = X509Error::Untrusted;
        for (_, anchor) in same {
            match anchor.at(now) {
                Ok(trusted) => return Ok(trusted),
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }

    /// Whether `der` is a believed end-entity certificate of `role`, whatever its key, for
    /// signatures of that role and valid at `now`.
    #[cfg(feature = "xml-trusted-list")]
    pub(crate) fn is_signer(
        &self,
        der: &[u8],
        role: Role,
        now: UnixTime,
    ) -> Option<Result<(), X509Error>> {
        let found = self.signer(&CertificateDer::from(der), now)?;
        Some(found.and_then(|trusted| {
            if self.role != role {
                return Err(X509Error::WrongRole);
            }
            super::verify::check_leaf_usage(trusted.der, role)
        }))
    }

    /// The believed end-entity certificate that is `der`, if it is valid at `now`.
    pub(super) fn signer(
        &self,
        der: &CertificateDer<'_>,
        now: UnixTime,
    ) -> Option<Result<Trusted<'_>, X509Error>> {
        let signer = self.signers.iter().find(|signer| signer.der == *der);
        signer.map(|signer| signer.at(now))
    }
}

/// What a chain ended in.
pub(super) struct Trusted<'a> {
    pub id: &'a AnchorId,
    pub der: &'a CertificateDer<'static>,
    pub window: Window,
}

impl Anchor {
    fn at(&self, now: UnixTime) -> Result<Trusted<'_>, X509Error> {
        if now < self.window.not_before {
            return Err(X509Error::NotYetValid);
        }
        if now > self.window.not_after {
            return Err(X509Error::Expired);
        }
        let Self { id, der, window } = self;
        Ok(Trusted {
            id,
            der,
            window: *window,
        })
    }
}

/// Whether the certificate must not issue others.
fn is_end_entity(certificate: &Certificate) -> Result<bool, X509Error> {
    let content = certificate.tbs_certificate();
    let constraints = content.get_extension::<BasicConstraints>();
    let constraints = constraints.map_err(|_| X509Error::Malformed)?;
    let usage = content.get_extension::<KeyUsage>();
    let usage = usage.map_err(|_| X509Error::Malformed)?;
    // RFC 5280, section 4.2.1.9: without the extension, or without `cA` in it, the key must not
    // verify certificates; section 4.2.1.3: nor with a key usage that lacks `keyCertSign`.
    let authority = constraints.is_some_and(|(_critical, constraints)| constraints.ca);
    let may_sign = usage.is_none_or(|(_critical, usage)| usage.key_cert_sign());
    Ok(!(authority && may_sign))
}

pub(super) fn validity(certificate: &Certificate) -> Window {
    let validity = certificate.tbs_certificate().validity();
    Window {
        not_before: unix_time(validity.not_before),
        not_after: unix_time(validity.not_after),
    }
}

fn unix_time(time: x509_cert::time::Time) -> UnixTime {
    let seconds = time.to_unix_duration().as_secs();
    UnixTime(i64::try_from(seconds).unwrap_or(i64::MAX))
}
