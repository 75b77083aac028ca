use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{GeneralSubtree, NameConstraints, SanType};
use zeroize::Zeroizing;

use super::{NOW, Node, anchors, ca, chain, make, params, verify, verify_at};
use crate::crypto::{
    AgreementKey, CertificateAlgorithm, CryptoError, CryptoProvider, Portable, PublicKey,
};
use crate::random::Rng;
use crate::x509::{Chain, Role, X509Error, verify_chain};

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

#[test]
fn the_longest_chain_is_read() {
    let leaf = make(params("Leaf"), None);
    let longest = vec![leaf.der.clone(); 6];
    assert!(Chain::from_der(longest.clone()).is_ok());
    let x5c = vec![chain(&[&leaf]).to_x5c().remove(0); 6];
    let read = Chain::from_x5c(&x5c).unwrap();
    assert_eq!(read, Chain::from_der(longest).unwrap());
    assert!(Chain::from_pem(&leaf.pem.repeat(6)).is_ok());
}

/// RFC 5280, section 4.2.1.12: what stands in an issuing certificate is read too.
#[test]
fn purposes_that_cannot_be_read_are_refused() {
    let root = make(ca("Root"), None);
    let judge = |content: &[u8]| {
        let extension = rcgen::CustomExtension::from_oid_content(&[2, 5, 29, 37], content.to_vec());
        let mut middle = ca("Middle");
        middle.custom_extensions = vec![extension.clone()];
        let middle = make(middle, Some(&root));
        let below = make(params("Leaf"), Some(&middle));
        let mut leaf = params("Leaf");
        leaf.custom_extensions = vec![extension];
        let leaf = make(leaf, Some(&root));
        (
            verify(&[&below, &middle], &root).map(drop),
            verify(&[&leaf], &root).map(drop),
        )
    };
    // SEQUENCE { 1.2.3.4 }
    assert_eq!(judge(&[0x30, 5, 6, 3, 0x2a, 3, 4]), (Ok(()), Ok(())));
    // An INTEGER in it, an OBJECT IDENTIFIER that is cut off.
    let malformed = Err(X509Error::Malformed);
    for content in [&[0x30, 3, 2, 1, 1][..], &[0x30, 4, 6, 3, 0x2a, 3]] {
        assert_eq!(judge(content), (malformed, malformed), "{content:?}");
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

/// Counts the signature checks of a path.
#[derive(Debug, Default)]
pub(super) struct Counting(pub(super) AtomicUsize);

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
