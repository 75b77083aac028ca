//! Certificates made for the tests, and the checks on them.

mod authorities;
mod chains;
mod limits;
mod memory;
mod roles;

use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use super::{Chain, Role, TrustAnchors, VerifiedCertificate, X509Error, verify_chain};
use crate::crypto::tests::providers;
use crate::crypto::{Algorithm, SigningKey};
use crate::time::UnixTime;

const NOW: UnixTime = UnixTime(1_800_000_000);
const DAY: i64 = 86_400;

/// A certificate with its key, able to sign others.
pub(crate) struct Node {
    pub der: Vec<u8>,
    pub pem: String,
    pub key: SigningKey,
    issuer: Issuer<'static, KeyPair>,
}

fn at(offset_days: i64) -> time::OffsetDateTime {
    let seconds = u64::try_from(NOW.plus(offset_days * DAY).seconds()).unwrap();
    (SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).into()
}

/// Parameters of a certificate that is valid around [`NOW`].
pub(crate) fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = at(-10);
    params.not_after = at(10);
    params
}

pub(crate) fn ca(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

pub(crate) fn make(params: CertificateParams, by: Option<&Node>) -> Node {
    make_with(&rcgen::PKCS_ECDSA_P256_SHA256, params, by)
}

fn make_with(
    algorithm: &'static rcgen::SignatureAlgorithm,
    params: CertificateParams,
    by: Option<&Node>,
) -> Node {
    let pair = KeyPair::generate_for(algorithm).unwrap();
    let certificate = match by {
        None => params.self_signed(&pair),
        Some(node) => params.signed_by(&pair, &node.issuer),
    }
    .unwrap();
    // An RSA key only stands in a certificate here; any key stands in for it.
    let key = SigningKey::from_pkcs8_der(&pair.serialize_der()).unwrap_or_else(|_| {
        SigningKey::generate(Algorithm::Es256, &crate::testing::SeededRng::new(1))
    });
    let der = certificate.der().to_vec();
    Node {
        der,
        pem: certificate.pem(),
        key,
        issuer: Issuer::new(params, pair),
    }
}

pub(crate) fn anchors(role: Role, nodes: &[&Node]) -> TrustAnchors {
    let mut anchors = TrustAnchors::new(role);
    for node in nodes {
        anchors.add_der(&node.der).unwrap();
    }
    anchors
}

pub(crate) fn chain(nodes: &[&Node]) -> Chain {
    Chain::from_der(nodes.iter().map(|node| node.der.clone()).collect()).unwrap()
}

/// The answer of all back ends, which must agree.
fn verify_at(chain: &Chain, root: &Node, now: UnixTime) -> Result<VerifiedCertificate, X509Error> {
    // Anchors of their own: none answers from what another remembered.
    let mut answers: Vec<_> = providers()
        .into_iter()
        .map(|provider| {
            let anchors = anchors(Role::Issuer, &[root]);
            verify_chain(chain, &anchors, Role::Issuer, now, provider)
        })
        .collect();
    let kinds: Vec<_> = answers.iter().map(|answer| answer.as_ref().err()).collect();
    assert!(kinds.windows(2).all(|pair| pair[0] == pair[1]), "{kinds:?}");
    answers.remove(0)
}

fn verify(nodes: &[&Node], root: &Node) -> Result<VerifiedCertificate, X509Error> {
    verify_at(&chain(nodes), root, NOW)
}
