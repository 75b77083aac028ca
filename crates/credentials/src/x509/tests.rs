use rcgen::{
    BasicConstraints, CertificateParams, DnType, GeneralSubtree, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, NameConstraints, SanType,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

use super::{Chain, Role, TrustAnchors, VerifiedCertificate, X509Error, verify_chain};
use crate::crypto::tests::providers;
use crate::crypto::{
    AgreementKey, Algorithm, CertificateAlgorithm, CryptoError, CryptoProvider, Portable,
    PublicKey, SigningKey, sha256,
};
use crate::encoding::b64url;
use crate::random::Rng;
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
    // A P-384 key only signs certificates here; any key stands in for it.
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
    let anchors = anchors(Role::Issuer, &[root]);
    let mut answers: Vec<_> = providers()
        .into_iter()
        .map(|provider| verify_chain(chain, &anchors, Role::Issuer, now, provider))
        .collect();
    let kinds: Vec<_> = answers.iter().map(|answer| answer.as_ref().err()).collect();
    assert!(kinds.windows(2).all(|pair| pair[0] == pair[1]), "{kinds:?}");
    answers.remove(0)
}

fn verify(nodes: &[&Node], root: &Node) -> Result<VerifiedCertificate, X509Error> {
    verify_at(&chain(nodes), root, NOW)
}

#[test]
fn says_what_the_leaf_says() {
    let root = make(ca("Root"), None);
    let middle = make(ca("Middle"), Some(&root));
    let mut leaf = params("Signer");
    leaf.distinguished_name
        .push(DnType::OrganizationName, "Verein, e.V.");
    leaf.distinguished_name.push(DnType::CountryName, "DE");
    leaf.subject_alt_names = vec![
        SanType::DnsName("issuer.example".try_into().unwrap()),
        SanType::URI("https://issuer.example/id".try_into().unwrap()),
        SanType::Rfc822Name("a@issuer.example".try_into().unwrap()),
    ];
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let leaf = make(leaf, Some(&middle));
    let verified = verify(&[&leaf, &middle], &root).unwrap();
    assert_eq!(
        verified.public_key(),
        crate::crypto::Signer::public_key(&leaf.key)
    );
    assert_eq!(verified.subject(), "C=DE,O=Verein\\, e.V.,CN=Signer");
    assert_eq!(verified.san_dns(), ["issuer.example"]);
    assert_eq!(verified.san_uri(), ["https://issuer.example/id"]);
    assert_eq!(verified.anchor_id().as_str(), b64url(&sha256(&root.der)));
    assert_eq!(verified.x509_hash(), b64url(&sha256(&leaf.der)));
}

#[test]
fn accepted_algorithms() {
    use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
    for root in [
        &PKCS_ECDSA_P256_SHA256,
        &PKCS_ECDSA_P384_SHA384,
        &PKCS_ED25519,
    ] {
        let root = make_with(root, ca("Root"), None);
        for leaf in [&PKCS_ECDSA_P256_SHA256, &PKCS_ED25519] {
            let leaf = make_with(leaf, params("Leaf"), Some(&root));
            let verified = verify(&[&leaf], &root).unwrap();
            let key: &PublicKey = verified.public_key();
            assert_eq!(key, crate::crypto::Signer::public_key(&leaf.key));
        }
        let p384 = make_with(&PKCS_ECDSA_P384_SHA384, params("Leaf"), Some(&root));
        assert_eq!(
            verify(&[&p384], &root).unwrap_err(),
            X509Error::UnsupportedKey
        );
    }
}

#[test]
fn x5c_and_pem_round_trip() {
    let root = make(ca("Root"), None);
    let middle = make(ca("Middle"), Some(&root));
    let leaf = make(params("Leaf"), Some(&middle));
    let chain = chain(&[&leaf, &middle]);
    assert_eq!(Chain::from_x5c(&chain.to_x5c()).unwrap(), chain);
    assert_eq!(
        Chain::from_pem(&format!("{}{}", leaf.pem, middle.pem)).unwrap(),
        chain
    );
    assert_eq!(chain.leaf_der(), leaf.der);
    assert_eq!(
        &chain.leaf_public_key().unwrap(),
        crate::crypto::Signer::public_key(&leaf.key)
    );
    let mut anchors = TrustAnchors::new(Role::Issuer);
    assert!(anchors.is_empty());
    let ids = anchors
        .add_pem(&format!("{}{}{}", root.pem, middle.pem, root.pem))
        .unwrap();
    assert_eq!((ids.len(), anchors.ids().count()), (3, 2));
    assert_eq!(
        anchors.add_pem("no certificate").unwrap_err(),
        X509Error::Empty
    );
    assert_eq!(
        anchors.add_der(b"no certificate").unwrap_err(),
        X509Error::Malformed
    );
}

#[test]
fn unknown_anchor_and_foreign_chain() {
    let root = make(ca("Root"), None);
    // The same name, another key.
    let impostor = make(ca("Root"), None);
    let leaf = make(params("Leaf"), Some(&root));
    assert!(verify(&[&leaf], &root).is_ok());
    assert_eq!(verify(&[&leaf], &impostor).unwrap_err(), X509Error::Invalid);
    let stranger = make(ca("Stranger"), None);
    assert_eq!(
        verify(&[&leaf], &stranger).unwrap_err(),
        X509Error::Untrusted
    );
    let none = TrustAnchors::new(Role::Issuer);
    for provider in providers() {
        let answer = verify_chain(&chain(&[&leaf]), &none, Role::Issuer, NOW, provider);
        assert_eq!(answer.unwrap_err(), X509Error::Untrusted);
    }
}

#[test]
fn anchors_serve_their_role_alone() {
    let root = make(ca("Root"), None);
    let leaf = make(params("Leaf"), Some(&root));
    let anchors = anchors(Role::Status, &[&root]);
    for role in [Role::Issuer, Role::VerifierAccess] {
        let answer = verify_chain(&chain(&[&leaf]), &anchors, role, NOW, providers()[0]);
        assert_eq!(answer.unwrap_err(), X509Error::WrongRole);
    }
}

#[test]
fn self_signed_leaf_and_anchor_in_the_chain() {
    let root = make(ca("Root"), None);
    let leaf = make(params("Leaf"), Some(&root));
    assert_eq!(
        verify(&[&leaf, &root], &root).unwrap_err(),
        X509Error::AnchorInChain
    );
    assert_eq!(
        verify(&[&root], &root).unwrap_err(),
        X509Error::AnchorInChain
    );
    let alone = make(params("Alone"), None);
    assert_eq!(verify(&[&alone], &root).unwrap_err(), X509Error::SelfSigned);
    assert_eq!(
        verify(&[&alone], &alone).unwrap_err(),
        X509Error::AnchorInChain
    );
}

#[test]
fn validity_of_every_certificate() {
    let early = |mut params: CertificateParams| {
        params.not_after = at(-1);
        params
    };
    let late = |mut params: CertificateParams| {
        params.not_before = at(1);
        params
    };
    let root = make(ca("Root"), None);
    let middle = make(ca("Middle"), Some(&root));
    for (change, error) in [
        (&early as &dyn Fn(_) -> _, X509Error::Expired),
        (&late, X509Error::NotYetValid),
    ] {
        let leaf = make(change(params("Leaf")), Some(&middle));
        assert_eq!(verify(&[&leaf, &middle], &root).unwrap_err(), error);
        let bad_middle = make(change(ca("Middle")), Some(&root));
        let leaf = make(params("Leaf"), Some(&bad_middle));
        assert_eq!(verify(&[&leaf, &bad_middle], &root).unwrap_err(), error);
        let bad_root = make(change(ca("Root")), None);
        let leaf = make(params("Leaf"), Some(&bad_root));
        assert_eq!(verify(&[&leaf], &bad_root).unwrap_err(), error);
    }
    let leaf = chain(&[&make(params("Leaf"), Some(&root))]);
    assert!(verify_at(&leaf, &root, NOW.plus(10 * DAY)).is_ok());
    assert_eq!(
        verify_at(&leaf, &root, NOW.plus(10 * DAY + 1)).unwrap_err(),
        X509Error::Expired
    );
    assert_eq!(
        verify_at(&leaf, &root, UnixTime(-1)).unwrap_err(),
        X509Error::NotYetValid
    );
}

#[test]
fn only_authorities_issue() {
    let root = make(ca("Root"), None);
    let person = make(params("Person"), Some(&root));
    let leaf = make(params("Leaf"), Some(&person));
    assert_eq!(
        verify(&[&leaf, &person], &root).unwrap_err(),
        X509Error::Invalid
    );
    let mut no_cert_sign = ca("Middle");
    no_cert_sign.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let middle = make(no_cert_sign, Some(&root));
    let leaf = make(params("Leaf"), Some(&middle));
    assert_eq!(
        verify(&[&leaf, &middle], &root).unwrap_err(),
        X509Error::Invalid
    );
    let authority = make(ca("Leaf"), Some(&root));
    assert_eq!(
        verify(&[&authority], &root).unwrap_err(),
        X509Error::Invalid
    );
    let mut short = ca("Root");
    short.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let root = make(short, None);
    let first = make(
        {
            let mut p = ca("First");
            p.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            p
        },
        Some(&root),
    );
    let second = make(ca("Second"), Some(&first));
    let leaf = make(params("Leaf"), Some(&second));
    assert_eq!(
        verify(&[&leaf, &second, &first], &root).unwrap_err(),
        X509Error::Invalid
    );
}

#[test]
fn a_leaf_for_other_uses() {
    let root = make(ca("Root"), None);
    let mut leaf = params("Leaf");
    leaf.key_usages = vec![KeyUsagePurpose::KeyAgreement];
    let leaf = make(leaf, Some(&root));
    assert_eq!(verify(&[&leaf], &root).unwrap_err(), X509Error::Invalid);
}

#[test]
fn cat_097_name_constraints() {
    let constrained = |permitted: Vec<GeneralSubtree>, excluded: Vec<GeneralSubtree>| {
        let root = make(ca("Root"), None);
        let mut middle = ca("Middle");
        middle.name_constraints = Some(NameConstraints {
            permitted_subtrees: permitted,
            excluded_subtrees: excluded,
        });
        let middle = make(middle, Some(&root));
        (root, middle)
    };
    let with_dns = |name: &str| {
        let mut leaf = params("Leaf");
        leaf.subject_alt_names = vec![SanType::DnsName(name.try_into().unwrap())];
        leaf
    };
    let dns = |name: &str| GeneralSubtree::DnsName(name.to_owned());
    let (root, middle) = constrained(vec![dns("accept.example")], vec![]);
    let good = make(with_dns("a.accept.example"), Some(&middle));
    assert!(verify(&[&good, &middle], &root).is_ok());
    for name in [
        "reject.example",
        "*.example",
        "accept.example.attacker.example",
    ] {
        let leaf = make(with_dns(name), Some(&middle));
        let answer = verify(&[&leaf, &middle], &root);
        assert_eq!(answer.unwrap_err(), X509Error::Invalid, "{name}");
    }
    // RUSTSEC-2026-0099: a wildcard covers the excluded name.
    let (root, middle) = constrained(vec![], vec![dns("bad.accept.example")]);
    for name in ["bad.accept.example", "*.accept.example"] {
        let leaf = make(with_dns(name), Some(&middle));
        let answer = verify(&[&leaf, &middle], &root);
        assert_eq!(answer.unwrap_err(), X509Error::Invalid, "{name}");
    }
}

/// RUSTSEC-2026-0098: a constraint on URIs must not be skipped.
#[test]
fn cat_097_uri_name_constraints() {
    let root = make(ca("Root"), None);
    let mut middle = ca("Middle");
    // NameConstraints { permittedSubtrees [0] { { base uniformResourceIdentifier [6] ".ok.example" } } }
    let mut content = vec![0x30, 0x11, 0xa0, 0x0f, 0x30, 0x0d, 0x86, 0x0b];
    content.extend_from_slice(b".ok.example");
    let mut extension = rcgen::CustomExtension::from_oid_content(&[2, 5, 29, 30], content);
    extension.set_criticality(true);
    middle.custom_extensions = vec![extension];
    let middle = make(middle, Some(&root));
    let mut unconcerned = params("Leaf");
    unconcerned.subject_alt_names = vec![SanType::DnsName("any.example".try_into().unwrap())];
    let unconcerned = make(unconcerned, Some(&middle));
    assert!(verify(&[&unconcerned, &middle], &root).is_ok());
    let mut leaf = params("Leaf");
    leaf.subject_alt_names = vec![SanType::URI("https://evil.example/".try_into().unwrap())];
    let leaf = make(leaf, Some(&middle));
    assert_eq!(
        verify(&[&leaf, &middle], &root).unwrap_err(),
        X509Error::Invalid
    );
}

#[test]
fn cat_098_long_chains_and_many_paths() {
    let root = make(ca("Root"), None);
    let leaf = make(params("Leaf"), Some(&root));
    let long = vec![leaf.der.clone(); 100];
    assert_eq!(Chain::from_der(long).unwrap_err(), X509Error::TooLong);
    let x5c = vec![chain(&[&leaf]).to_x5c().remove(0); 7];
    assert_eq!(Chain::from_x5c(&x5c).unwrap_err(), X509Error::TooLong);
    let pem = leaf.pem.repeat(7);
    assert_eq!(Chain::from_pem(&pem).unwrap_err(), X509Error::TooLong);

    // Five authorities of one name and key usage: every order is a candidate path, none ends in an anchor.
    let stranger = make(ca("Same"), None);
    let same: Vec<Node> = (0..5).map(|_| make(ca("Same"), Some(&stranger))).collect();
    let leaf = make(params("Leaf"), Some(&stranger));
    let mut nodes = vec![&leaf];
    nodes.extend(&same);
    let counting = Counting::default();
    let anchors = anchors(Role::Issuer, &[&root]);
    assert!(verify_chain(&chain(&nodes), &anchors, Role::Issuer, NOW, &counting).is_err());
    // Time depends on the machine, the number of signature checks does not: 100 take some 14 ms.
    let checks = counting.0.load(Ordering::Relaxed);
    assert!(checks <= 100, "{checks}");
}

/// Counts the signature checks of a path.
#[derive(Debug, Default)]
struct Counting(AtomicUsize);

impl CryptoProvider for Counting {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        Portable.verify(key, message, signature)
    }

    fn verify_certificate(
        &self,
        algorithm: CertificateAlgorithm,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Portable.verify_certificate(algorithm, key, message, signature)
    }

    fn generate_agreement_key(&self, rng: &dyn Rng) -> AgreementKey {
        Portable.generate_agreement_key(rng)
    }

    fn ecdh(
        &self,
        private: &AgreementKey,
        peer: &PublicKey,
    ) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
        Portable.ecdh(private, peer)
    }

    fn aes_gcm_seal(
        &self,
        key: &[u8],
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; 16], CryptoError> {
        Portable.aes_gcm_seal(key, nonce, aad, buffer)
    }

    fn aes_gcm_open(
        &self,
        key: &[u8],
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), CryptoError> {
        Portable.aes_gcm_open(key, nonce, aad, buffer, tag)
    }
}

#[test]
fn malformed_certificates() {
    let root = make(ca("Root"), None);
    let leaf = make(params("Leaf"), Some(&root));
    assert_eq!(Chain::from_x5c::<&str>(&[]).unwrap_err(), X509Error::Empty);
    assert_eq!(Chain::from_x5c(&["*"]).unwrap_err(), X509Error::Malformed);
    assert_eq!(Chain::from_pem("").unwrap_err(), X509Error::Empty);
    for length in [0, 1, 10, leaf.der.len() - 1] {
        let chain = Chain::from_der(vec![leaf.der[..length].to_vec()]).unwrap();
        assert_eq!(
            verify_at(&chain, &root, NOW).unwrap_err(),
            X509Error::Malformed
        );
    }
    let trailing = [&leaf.der[..], &[0]].concat();
    let chain = Chain::from_der(vec![trailing]).unwrap();
    assert_eq!(
        verify_at(&chain, &root, NOW).unwrap_err(),
        X509Error::Malformed
    );
}

#[test]
fn any_changed_byte_is_refused() {
    let root = make(ca("Root"), None);
    let leaf = make(params("Leaf"), Some(&root));
    for position in 0..leaf.der.len() {
        let mut altered = leaf.der.clone();
        altered[position] ^= 1;
        let chain = Chain::from_der(vec![altered]).unwrap();
        assert!(verify_at(&chain, &root, NOW).is_err(), "{position}");
    }
}
