#![no_main]
//! A key set, one JWK, a SubjectPublicKeyInfo, points and a PKCS #8 document. What is read is written as it was.

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use vouchsafe_credentials::crypto::{Algorithm, PublicKey, Signer, SigningKey};
use vouchsafe_credentials::json::parse_strict;
use vouchsafe_credentials::jwks::{JwkSet, MAX_KEYS, MAX_TRIED};

fn same(key: &PublicKey, read: &serde_json::Map<String, Value>) {
    let Value::Object(written) = key.to_jwk() else { panic!("a JWK is an object") };
    assert!(written.iter().all(|(name, value)| read.get(name) == Some(value)));
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(set) = JwkSet::parse(bytes) {
        assert!(set.keys().len() <= MAX_KEYS);
        for key in set.keys() {
            if let Ok(public) = key.public_key() {
                same(public, key.members());
            }
        }
        for algorithm in Algorithm::ALL {
            let tried: Vec<_> = set.verification_keys(algorithm, None).collect();
            assert!(tried.len() <= MAX_TRIED);
            assert!(tried.iter().all(|key| key.algorithm() == algorithm));
        }
    }
    if let Ok(Value::Object(jwk)) = parse_strict(bytes) {
        if let Ok(key) = PublicKey::from_jwk(&Value::Object(jwk.clone())) {
            same(&key, &jwk);
        }
    }
    for read in [
        PublicKey::from_spki_der,
        PublicKey::from_p256_sec1,
        PublicKey::from_p384_sec1,
        PublicKey::from_p521_sec1,
        PublicKey::from_ed25519,
    ] {
        if let Ok(key) = read(bytes) {
            assert_eq!(PublicKey::from_jwk(&key.to_jwk()), Ok(key));
        }
    }
    if let Ok(key) = SigningKey::from_pkcs8_der(bytes) {
        let again = SigningKey::from_pkcs8_der(&key.to_pkcs8_der()).expect("what was written is read");
        assert_eq!(again.public_key(), key.public_key());
    }
});
