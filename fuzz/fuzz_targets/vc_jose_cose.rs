#![no_main]
//! Any bytes as each envelope of VC-JOSE-COSE. Nothing panics, and nothing that a
//! fuzzer writes is accepted under a fixed key.

use futures::executor::block_on;
use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials::crypto::{Portable, PublicKey};
use vouchsafe_credentials::data_integrity::Suites;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::vc_jose_cose::{KeySource, open_presentation, verify_credential};
use vouchsafe_credentials::vcdm::{
    Binding, EmptyPresentation, EnvelopeType, Enveloped, HolderPolicy, Issuers, Policy,
    PresentationPolicy, StatusPolicy,
};

/// The key of RFC 8032, section 7.1, test 1.
const KEY: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];

fuzz_target!(|bytes: &[u8]| {
    let Ok(key) = PublicKey::from_ed25519(&KEY) else { return };
    let policy = Policy::new(Issuers::DangerousUnbound, UnixTime(0), StatusPolicy::Unchecked);
    let presentations = PresentationPolicy {
        credentials: policy,
        challenge: Binding::Unchecked,
        domain: Binding::Unchecked,
        holder: HolderPolicy::Any,
        empty: EmptyPresentation::Allowed,
    };
    for kind in EnvelopeType::ALL {
        let envelope = Enveloped::new(kind, bytes);
        let keys = KeySource::Key { key: &key, controller: "did:example:1" };
        let suites = Suites::jcs();
        let credential = verify_credential(&envelope, keys, &suites, &policy, &Portable);
        assert!(block_on(credential).is_err());
        assert!(block_on(open_presentation(&envelope, keys, &presentations, &Portable)).is_err());
    }
});
