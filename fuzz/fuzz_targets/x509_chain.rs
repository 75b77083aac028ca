#![no_main]
//! A certificate chain: the bytes as a leaf, before a good authority, and as a whole chain cut at length prefixes.
//! Nothing panics, both back ends agree, and only the certificate that the authority signed is accepted.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use vouchsafe_credentials::crypto::{AwsLc, CryptoProvider, Portable};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::{Chain, Role, TrustAnchors, verify_chain};

struct Authority {
    anchors: TrustAnchors,
    middle: Vec<u8>,
    leaf: Vec<u8>,
}

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| {
    let authority = || {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    };
    let made = "certificates can be made";
    let root_key = KeyPair::generate().expect(made);
    let root = authority().self_signed(&root_key).expect(made);
    let mut anchors = TrustAnchors::new(Role::Issuer);
    anchors.add_der(root.der()).expect("the root is an anchor");
    let root = Issuer::new(authority(), root_key);
    let middle_key = KeyPair::generate().expect(made);
    let middle = authority().signed_by(&middle_key, &root).expect(made);
    let issuer = Issuer::new(authority(), middle_key);
    let leaf_key = KeyPair::generate().expect(made);
    let leaf = CertificateParams::default().signed_by(&leaf_key, &issuer).expect(made);
    Authority {
        anchors,
        middle: middle.der().to_vec(),
        leaf: leaf.der().to_vec(),
    }
});

fn verify(certificates: Vec<Vec<u8>>) -> bool {
    let Ok(chain) = Chain::from_der(certificates) else { return false };
    assert_eq!(Chain::from_x5c(&chain.to_x5c()).as_ref(), Ok(&chain));
    let _ = (chain.leaf_public_key(), chain.authority_key_ids(), chain.x509_hash());
    let anchors = &AUTHORITY.anchors;
    let answer = |provider: &dyn CryptoProvider| {
        verify_chain(&chain, anchors, Role::Issuer, UnixTime(1_795_000_000), provider).map(drop)
    };
    let portable = answer(&Portable);
    assert_eq!(portable, answer(&AwsLc), "back ends disagree");
    portable.is_ok()
}

/// Certificates with two bytes of length before each.
fn cut(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (part, rest) = rest.split_at(length);
        parts.push(part.to_vec());
        bytes = rest;
    }
    parts
}

fuzz_target!(|bytes: &[u8]| {
    let Authority { anchors: _, middle, leaf } = &*AUTHORITY;
    assert!(!verify(vec![bytes.to_vec(), middle.clone()]) || bytes == leaf);
    assert!(!verify(vec![leaf.clone(), bytes.to_vec()]) || bytes == middle);
    verify(cut(bytes));
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Chain::from_pem(text);
        let _ = TrustAnchors::new(Role::Issuer).add_pem(text);
    }
    let _ = TrustAnchors::new(Role::Issuer).add_any_der(bytes);
});
