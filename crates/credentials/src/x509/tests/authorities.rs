//! Which listed certificates may vouch for others.

use super::*;
use crate::crypto::Portable;
use crate::x509::AnchorId;

fn signer(is_ca: IsCa, usages: &[KeyUsagePurpose]) -> Node {
    let root = make(ca("Root"), None);
    let mut params = params("PID signer");
    params.is_ca = is_ca;
    params.key_usages = usages.to_vec();
    make(params, Some(&root))
}

#[test]
fn a_listed_signer_vouches_for_itself_alone() {
    use KeyUsagePurpose::{CrlSign, DigitalSignature};
    let any_path = || IsCa::Ca(BasicConstraints::Unconstrained);
    for (is_ca, usages) in [
        // RFC 5280, section 4.2.1.9: without the extension it is no authority.
        (IsCa::NoCa, vec![]),
        (IsCa::NoCa, vec![DigitalSignature]),
        (IsCa::ExplicitNoCa, vec![]),
        (IsCa::ExplicitNoCa, vec![DigitalSignature]),
        // Section 4.2.1.3: with the extension, only keyCertSign allows it.
        (any_path(), vec![DigitalSignature, CrlSign]),
    ] {
        let case = format!("{is_ca:?} {usages:?}");
        let signer = signer(is_ca, &usages);
        let mut anchors = TrustAnchors::new(Role::Issuer);
        assert_eq!(
            anchors.add_der(&signer.der),
            Err(X509Error::NotAnAuthority),
            "{case}"
        );
        anchors.add_any_der(&signer.der).unwrap();
        let judge = |nodes: &[&Node]| {
            verify_chain(&chain(nodes), &anchors, Role::Issuer, NOW, &Portable).map(drop)
        };
        assert_eq!(judge(&[&signer]), Ok(()), "{case}");
        let below = make(params("Anybody"), Some(&signer));
        assert!(judge(&[&below]).is_err(), "{case}");
        assert!(judge(&[&below, &signer]).is_err(), "{case}");
    }
}

#[test]
fn an_authority_without_key_usage_stays_one() {
    let mut root = ca("Root");
    root.key_usages = Vec::new();
    let root = make(root, None);
    let leaf = make(params("Leaf"), Some(&root));
    let anchors = anchors(Role::Issuer, &[&root]);
    assert!(verify_chain(&chain(&[&leaf]), &anchors, Role::Issuer, NOW, &Portable).is_ok());
}

#[test]
fn a_renewed_authority_counts_in_any_order() {
    let pair = KeyPair::generate().unwrap();
    let of = |from: i64, to: i64| {
        let mut params = ca("Renewed");
        (params.not_before, params.not_after) = (at(from), at(to));
        params.self_signed(&pair).unwrap().der().to_vec()
    };
    let (old, new, later) = (of(-100, -1), of(-10, 10), of(5, 100));
    let issuer = Issuer::new(
        ca("Renewed"),
        KeyPair::try_from(pair.serialize_der()).unwrap(),
    );
    let leaf_pair = KeyPair::generate().unwrap();
    let leaf = params("Leaf").signed_by(&leaf_pair, &issuer).unwrap();
    let leaf = Chain::from_der(vec![leaf.der().to_vec()]).unwrap();
    let judge = |order: &[&Vec<u8>]| {
        let mut anchors = TrustAnchors::new(Role::Issuer);
        for der in order {
            anchors.add_der(der).unwrap();
        }
        let answer = verify_chain(&leaf, &anchors, Role::Issuer, NOW, &Portable);
        answer.map(|certificate| certificate.anchor_id().clone())
    };
    let wanted = judge(&[&new]);
    assert!(wanted.is_ok());
    for order in [
        [&old, &new, &later],
        [&new, &old, &later],
        [&later, &old, &new],
    ] {
        assert_eq!(judge(&order), wanted);
    }
    assert_eq!(judge(&[&old]), Err(X509Error::Expired));
    assert_eq!(judge(&[&later]), Err(X509Error::NotYetValid));
    assert!(judge(&[&old, &later]).is_err());
}

#[test]
fn every_signer_is_kept_and_each_once() {
    let (first, second) = (signer(IsCa::NoCa, &[]), signer(IsCa::NoCa, &[]));
    let mut signers = TrustAnchors::new(Role::Issuer);
    for node in [&first, &second, &first] {
        let id = signers.add_signer_der(&node.der).unwrap();
        assert_eq!(id, AnchorId::of(&node.der));
    }
    assert_eq!(signers.ids().count(), 2);
    for node in [&first, &second] {
        let answer = verify_chain(&chain(&[node]), &signers, Role::Issuer, NOW, &Portable);
        assert_eq!(*answer.unwrap().anchor_id(), AnchorId::of(&node.der));
    }
    let refused = signers.add_signer_der(b"no certificate");
    assert_eq!(refused, Err(X509Error::Malformed));
}

#[test]
fn anchors_of_either_kind_are_something() {
    let root = make(ca("Root"), None);
    assert!(TrustAnchors::new(Role::Issuer).is_empty());
    assert!(!anchors(Role::Issuer, &[&root]).is_empty());
    let mut signers = TrustAnchors::new(Role::Issuer);
    signers.add_signer_der(&root.der).unwrap();
    assert!(!signers.is_empty());
}
