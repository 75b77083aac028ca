//! Path validation (RFC 5280, by rustls-webpki) and the rules of HAIP 1.0.

use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::SignatureVerificationAlgorithm;
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::asn1::ObjectIdentifier as Oid;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{KeyUsage, SubjectAltName};

use super::anchors::{Trusted, validity};
use super::cache::Window;
use super::chain::certificate_key;
use super::{
    AnchorId, Chain, Role, TrustAnchors, X509Error, cache, document_signer, signatures, usage,
};
use crate::crypto::{CryptoProvider, PublicKey};
use crate::time::UnixTime;

/// X.520, `organizationIdentifier`.
const ORGANIZATION_IDENTIFIER: Oid = Oid::new_unwrap("2.5.4.97");

/// What a verified chain says. Cheap to clone.
#[derive(Clone, Debug)]
pub struct VerifiedCertificate(Arc<Content>);

#[derive(Debug)]
struct Content {
    public_key: PublicKey,
    subject: String,
    organization: Option<String>,
    san_dns: Vec<String>,
    san_uri: Vec<String>,
    anchor_id: AnchorId,
    x509_hash: String,
    validity: Window,
}

impl VerifiedCertificate {
    /// The leaf's key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.0.public_key
    }

    /// Subject of the leaf as RFC 4514 text.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// `organizationIdentifier` of the subject (X.520, 2.5.4.97), where there is exactly one.
    #[must_use]
    pub fn organization_identifier(&self) -> Option<&str> {
        self.0.organization.as_deref()
    }

    /// DNS names of the leaf.
    #[must_use]
    pub fn san_dns(&self) -> &[String] {
        &self.0.san_dns
    }

    /// URIs of the leaf.
    #[must_use]
    pub fn san_uri(&self) -> &[String] {
        &self.0.san_uri
    }

    /// The anchor that vouches.
    #[must_use]
    pub fn anchor_id(&self) -> &AnchorId {
        &self.0.anchor_id
    }

    /// From when to when the leaf is valid, both included.
    #[must_use]
    pub fn validity(&self) -> (UnixTime, UnixTime) {
        (self.0.validity.not_before, self.0.validity.not_after)
    }

    /// base64url(SHA-256(DER of the leaf)).
    #[must_use]
    pub fn x509_hash(&self) -> &str {
        &self.0.x509_hash
    }
}

/// Checks a chain against the anchors of `role` at the time `now`.
///
/// The extended key usage must not be that of another role. A chain that these anchors vouched
/// for before is answered from memory (at most [`super::MAX_CACHED_CHAINS`] per set of anchors)
/// while every certificate in it is valid.
pub fn verify_chain(
    chain: &Chain,
    anchors: &TrustAnchors,
    role: Role,
    now: UnixTime,
    provider: &dyn CryptoProvider,
) -> Result<VerifiedCertificate, X509Error> {
    if anchors.role() != role {
        return Err(X509Error::WrongRole);
    }
    let key = cache::key(chain);
    if let Some(known) = anchors.verified().get(&key, now) {
        return Ok(known);
    }
    let (certificate, window) = verify_new(chain, anchors, now, provider)?;
    anchors.verified().put(key, certificate.clone(), window);
    Ok(certificate)
}

fn verify_new(
    chain: &Chain,
    anchors: &TrustAnchors,
    now: UnixTime,
    provider: &dyn CryptoProvider,
) -> Result<(VerifiedCertificate, Window), X509Error> {
    // HAIP 1.0, sections 4.1, 5, 6.1 and 6.1.1: the anchor is not part of x5c.
    if chain.certificates().any(|der| anchors.contains(der)) {
        return Err(X509Error::AnchorInChain);
    }
    let leaf = parse(chain.leaf())?;
    check_key_usage(&leaf)?;
    usage::check(&leaf, anchors.role())?;
    let mut window = validity(&leaf);
    let trusted = match anchors.signer(chain.leaf(), now) {
        Some(signer) => signer?,
        None => {
            check_not_self_signed(&leaf)?;
            for der in chain.intermediates() {
                let certificate = parse(der)?;
                check_issuing(&certificate)?;
                window = window.and(validity(&certificate));
            }
            let trusted = build_path(chain, anchors, now, provider)?;
            if anchors.role() == Role::MdocIssuer {
                check_document_signer(chain, &leaf, &trusted)?;
            }
            trusted
        }
    };
    let (san_dns, san_uri) = alternative_names(&leaf)?;
    let certificate = VerifiedCertificate(Arc::new(Content {
        public_key: certificate_key(&leaf)?,
        subject: leaf.tbs_certificate().subject().to_string(),
        organization: document_signer::attribute(&leaf, ORGANIZATION_IDENTIFIER)
            .ok()
            .flatten()
            .and_then(|text| String::from_utf8(text).ok()),
        san_dns,
        san_uri,
        anchor_id: trusted.id.clone(),
        x509_hash: chain.x509_hash(),
        validity: validity(&leaf),
    }));
    Ok((certificate, window.and(trusted.window)))
}

fn check_document_signer(
    chain: &Chain,
    leaf: &Certificate,
    trusted: &Trusted<'_>,
) -> Result<(), X509Error> {
    // ISO/IEC 18013-5:2021, table B.1: an IACA has a path length of 0.
    if !chain.intermediates().is_empty() {
        return Err(X509Error::Invalid);
    }
    document_signer::check_names(leaf, &parse(trusted.der)?)
}

fn parse(der: &[u8]) -> Result<Certificate, X509Error> {
    Certificate::from_der(der).map_err(|_| X509Error::Malformed)
}

fn check_not_self_signed(leaf: &Certificate) -> Result<(), X509Error> {
    let content = leaf.tbs_certificate();
    // HAIP 1.0: the signing certificate is not self-signed. A name that vouches for itself is enough to refuse.
    if content.issuer() == content.subject() {
        return Err(X509Error::SelfSigned);
    }
    Ok(())
}

/// The checks on a leaf that its chain has no part in.
#[cfg(feature = "xml-trusted-list")]
pub(super) fn check_leaf_usage(der: &[u8], role: Role) -> Result<(), X509Error> {
    let leaf = parse(der)?;
    check_key_usage(&leaf)?;
    usage::check(&leaf, role)
}

fn check_key_usage(leaf: &Certificate) -> Result<(), X509Error> {
    // RFC 5280, section 4.2.1.3: a key for signatures over anything but certificates says digitalSignature.
    match key_usage(leaf)? {
        Some(usage) if !usage.digital_signature() => Err(X509Error::Invalid),
        Some(_) | None => Ok(()),
    }
}

/// The path builder checks basic constraints but not the key usage of issuing certificates.
fn check_issuing(certificate: &Certificate) -> Result<(), X509Error> {
    match key_usage(certificate)? {
        Some(usage) if !usage.key_cert_sign() => Err(X509Error::Invalid),
        Some(_) | None => Ok(()),
    }
}

fn key_usage(certificate: &Certificate) -> Result<Option<KeyUsage>, X509Error> {
    let extension = certificate.tbs_certificate().get_extension::<KeyUsage>();
    let extension = extension.map_err(|_| X509Error::Malformed)?;
    Ok(extension.map(|(_critical, usage)| usage))
}

fn build_path<'a>(
    chain: &Chain,
    anchors: &'a TrustAnchors,
    now: UnixTime,
    provider: &dyn CryptoProvider,
) -> Result<Trusted<'a>, X509Error> {
    let seconds = u64::try_from(now.seconds()).map_err(|_| X509Error::NotYetValid)?;
    let time = rustls_pki_types::UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let algorithms = signatures::all(provider);
    let algorithms = algorithms
        .each_ref()
        .map(|one| one as &dyn SignatureVerificationAlgorithm);
    let leaf = EndEntityCert::try_from(chain.leaf()).map_err(|error| refusal(&error))?;
    let path = leaf
        .verify_for_usage(
            &algorithms,
            anchors.points(),
            chain.intermediates(),
            time,
            AnyUsage,
            None,
            None,
        )
        .map_err(|error| refusal(&error))?;
    anchors.resolve(path.anchor(), now)
}

/// The purposes are judged by [`usage::check`], for the leaf and by role.
struct AnyUsage;

impl ExtendedKeyUsageValidator for AnyUsage {
    fn validate(&self, mut usages: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        usages.try_for_each(|usage| usage.map(drop))
    }
}

fn refusal(error: &webpki::Error) -> X509Error {
    use webpki::Error as E;
    match error {
        E::CertExpired { .. } => X509Error::Expired,
        E::CertNotValidYet { .. } => X509Error::NotYetValid,
        E::UnknownIssuer => X509Error::Untrusted,
        E::BadDer | E::BadDerTime | E::TrailingData(_) | E::UnsupportedCertVersion => {
            X509Error::Malformed
        }
        // Signatures, name constraints, key usage, extensions, budgets: the enum is open.
        _ => X509Error::Invalid,
    }
}

/// The DNS names and the URIs of a certificate.
pub(super) fn alternative_names(
    leaf: &Certificate,
) -> Result<(Vec<String>, Vec<String>), X509Error> {
    let extension = leaf.tbs_certificate().get_extension::<SubjectAltName>();
    let extension = extension.map_err(|_| X509Error::Malformed)?;
    let (mut dns, mut uris) = (Vec::new(), Vec::new());
    let Some((_critical, SubjectAltName(names))) = extension else {
        return Ok((dns, uris));
    };
    for name in &names {
        match name {
            GeneralName::DnsName(name) => dns.push(name.to_string()),
            GeneralName::UniformResourceIdentifier(uri) => uris.push(uri.to_string()),
            GeneralName::OtherName(_)
            | GeneralName::Rfc822Name(_)
            | GeneralName::DirectoryName(_)
            | GeneralName::EdiPartyName(_)
            | GeneralName::IpAddress(_)
            | GeneralName::RegisteredId(_) => {}
        }
    }
    Ok((dns, uris))
}
