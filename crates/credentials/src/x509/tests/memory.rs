//! Chains answered from memory.

use std::sync::atomic::Ordering;

use super::limits::Counting;
use super::{DAY, NOW, Node, anchors, at, ca, chain, make, params};
use crate::crypto::{CryptoProvider, Portable};
use crate::x509::{
    Chain, MAX_CACHED_CHAINS, Role, TrustAnchors, VerifiedCertificate, X509Error, verify_chain,
};

fn verify(chain: &Chain, anchors: &TrustAnchors, provider: &dyn CryptoProvider) -> bool {
    verify_chain(chain, anchors, Role::Issuer, NOW, provider).is_ok()
}

fn checks(counting: &Counting) -> usize {
    counting.0.load(Ordering::Relaxed)
}

fn pair() -> (Node, Node) {
    let root = make(ca("Root"), None);
    let leaf = make(params("Leaf"), Some(&root));
    (root, leaf)
}

#[test]
fn cat_098_a_chain_is_verified_once() {
    let (root, leaf) = pair();
    let (anchors, chain) = (anchors(Role::Issuer, &[&root]), chain(&[&leaf]));
    let counting = Counting::default();
    assert!(verify(&chain, &anchors, &counting));
    let first = checks(&counting);
    assert!(first > 0);
    for _ in 0..10 {
        assert!(verify(&chain, &anchors.clone(), &counting));
    }
    assert_eq!(checks(&counting), first);
}

#[test]
fn memory_says_the_same_as_the_check() {
    let (root, leaf) = pair();
    let (anchors, chain) = (anchors(Role::Issuer, &[&root]), chain(&[&leaf]));
    let parts = |one: &VerifiedCertificate| {
        (
            one.public_key().clone(),
            one.subject().to_owned(),
            one.anchor_id().clone(),
            one.x509_hash().to_owned(),
        )
    };
    let ask = || verify_chain(&chain, &anchors, Role::Issuer, NOW, &Portable).unwrap();
    assert_eq!(parts(&ask()), parts(&ask()));
}

#[test]
fn memory_respects_every_validity() {
    // The leaf, the authority between and the anchor end first, in turn.
    for short in 0..3 {
        let end = |params: &mut rcgen::CertificateParams, index: usize| {
            if index == short {
                params.not_after = at(5);
            }
        };
        let (mut root, mut middle, mut leaf) = (ca("Root"), ca("Middle"), params("Leaf"));
        end(&mut root, 0);
        end(&mut middle, 1);
        end(&mut leaf, 2);
        let root = make(root, None);
        let middle = make(middle, Some(&root));
        let leaf = make(leaf, Some(&middle));
        let anchors = anchors(Role::Issuer, &[&root]);
        let chain = chain(&[&leaf, &middle]);
        let ask = |days| {
            let now = NOW.plus(days * DAY);
            verify_chain(&chain, &anchors, Role::Issuer, now, &Portable).map(drop)
        };
        assert_eq!(ask(0), Ok(()));
        assert_eq!(ask(4), Ok(()));
        assert_eq!(ask(6), Err(X509Error::Expired), "{short}");
        assert_eq!(ask(-11), Err(X509Error::NotYetValid), "{short}");
        assert_eq!(ask(0), Ok(()));
    }
}

#[test]
fn other_anchors_forget() {
    let (root, leaf) = pair();
    let other = make(ca("Other"), None);
    let chain = chain(&[&leaf]);
    let mut anchors = anchors(Role::Issuer, &[&root]);
    let counting = Counting::default();
    assert!(verify(&chain, &anchors, &counting));
    let first = checks(&counting);
    anchors.add_der(&other.der).unwrap();
    assert!(verify(&chain, &anchors, &counting));
    assert!(checks(&counting) > first);
    // What one set of anchors vouched for says nothing to another.
    let foreign = super::anchors(Role::Issuer, &[&other]);
    assert!(!verify(&chain, &foreign, &counting));
    assert_eq!(
        verify_chain(&chain, &anchors, Role::Status, NOW, &counting).unwrap_err(),
        X509Error::WrongRole
    );
}

#[test]
fn another_byte_is_another_chain() {
    let (root, leaf) = pair();
    let anchors = anchors(Role::Issuer, &[&root]);
    assert!(verify(&chain(&[&leaf]), &anchors, &Portable));
    let mut altered = leaf.der.clone();
    *altered.last_mut().unwrap() ^= 1;
    let altered = Chain::from_der(vec![altered]).unwrap();
    assert!(!verify(&altered, &anchors, &Portable));
    // The same bytes, cut at another place, are another chain too.
    let split = Chain::from_der(vec![leaf.der[..40].to_vec(), leaf.der[40..].to_vec()]).unwrap();
    assert!(!verify(&split, &anchors, &Portable));
}

#[test]
fn memory_is_bounded_and_holds_no_refusals() {
    let root = make(ca("Root"), None);
    let stranger = make(params("Stranger"), Some(&make(ca("Other"), None)));
    let anchors = anchors(Role::Issuer, &[&root]);
    assert!(!verify(&chain(&[&stranger]), &anchors, &Portable));
    assert_eq!(anchors.verified().len(), 0);
    // An authority that is not needed changes the bytes, not the answer: cheap other chains.
    let leaf = make(params("Leaf"), Some(&root));
    let spare: Vec<Node> = (0..18).map(|n| make(ca(&format!("{n}")), None)).collect();
    let mut made = 0;
    for one in &spare {
        for other in &spare {
            let chain = chain(&[&leaf, one, other]);
            assert!(verify(&chain, &anchors, &Portable));
            made += 1;
        }
    }
    assert!(made > MAX_CACHED_CHAINS);
    assert_eq!(anchors.verified().len(), MAX_CACHED_CHAINS);
}
