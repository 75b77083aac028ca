#![no_main]
//! A presentation request: the raw text, and claims under a good signature,
//! so that the fuzzer also reaches what stands behind it.

use std::sync::LazyLock;

use futures::executor::block_on;
use libfuzzer_sys::fuzz_target;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use vouchsafe_credentials::crypto::{Portable, SigningKey};
use vouchsafe_credentials::json::parse_strict;
use vouchsafe_credentials::jws::{self, Header, TokenType};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::{Chain, Role, TrustAnchors};
use vouchsafe_protocol::vp::client_id::ClientId;
use vouchsafe_protocol::vp::request::{WalletPolicy, verify_request};
use vouchsafe_protocol::http::UrlRule;

struct Verifier {
    anchors: TrustAnchors,
    chain: Chain,
    key: SigningKey,
}

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let root_key = KeyPair::generate().expect("a key can be made");
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = root.self_signed(&root_key).expect("a root can be made");
    let mut anchors = TrustAnchors::new(Role::VerifierAccess);
    anchors.add_der(certificate.der()).expect("the root is an anchor");
    let issuer = Issuer::new(root, root_key);
    let leaf_key = KeyPair::generate().expect("a key can be made");
    let mut leaf = CertificateParams::default();
    leaf.subject_alt_names = vec![SanType::DnsName("verifier.example".try_into().expect("a name"))];
    let certificate = leaf.signed_by(&leaf_key, &issuer).expect("a leaf can be made");
    Verifier {
        anchors,
        chain: Chain::from_der(vec![certificate.der().to_vec()]).expect("one certificate is a chain"),
        key: SigningKey::from_pkcs8_der(&leaf_key.serialize_der()).expect("a P-256 key"),
    }
});

fuzz_target!(|bytes: &[u8]| {
    let Verifier { anchors, chain, key } = &*VERIFIER;
    let policy = WalletPolicy {
        anchors,
        crypto: &Portable,
        now: UnixTime(1_795_000_000),
        urls: UrlRule::PublicHttps,
    };
    let client_id = ClientId::x509_hash(chain);
    if let Ok(text) = std::str::from_utf8(bytes) {
        verify_request(text, client_id.as_str(), None, &policy).ok();
    }
    let Ok(claims) = parse_strict(bytes) else { return };
    let header = Header::new(TokenType::RequestObject).with_x5c(chain);
    if let Ok(compact) = block_on(jws::sign(&header, &claims, key)) {
        verify_request(&compact, client_id.as_str(), None, &policy).ok();
    }
});
