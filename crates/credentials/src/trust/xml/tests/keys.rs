//! Keys of listed operators, and the methods they sign with.

use rcgen::SigningKey as _;

use super::super::key::{Method, SignerKey};
use super::*;
use crate::crypto::{Algorithm, SigningKey};
use crate::trust::ListPolicy;
use crate::x509::tests::params;
use crate::x509::{Role, TrustAnchors};

const MESSAGE: &[u8] = b"what is signed";

fn trusted(pair: &rcgen::KeyPair) -> SignerKey {
    let certificate = params("Operator").self_signed(pair).unwrap();
    let mut operators = TrustAnchors::new(Role::ListOperator);
    operators.add_signer_der(certificate.der()).unwrap();
    let scheme = Scheme::new();
    let policy = ListPolicy {
        operators: &operators,
        ..scheme.policy(ListKind::QualifiedServices)
    };
    let key = SignerKey::trusted(vec![certificate.der().to_vec()], &policy, &Portable);
    key.unwrap_or_else(|error| panic!("{error}"))
}

fn method(name: &str) -> Option<Method> {
    Method::from_uri(&format!("http://www.w3.org/2001/04/xmldsig-more#{name}"))
}

/// The key accepts this signature of the message with this method alone.
fn accepts_one_alone(key: &SignerKey, name: &str, signature: &[u8]) {
    let judge = |name: &str, message: &[u8], signature: &[u8]| {
        key.verify(method(name).unwrap(), message, signature, &Portable)
    };
    assert_eq!(judge(name, MESSAGE, signature), Ok(()), "{name}");
    let wrong = Err(TrustListError::Signature);
    for family in ["rsa", "ecdsa"] {
        for hash in ["sha256", "sha384", "sha512"] {
            let other = format!("{family}-{hash}");
            if other != name {
                assert_eq!(judge(&other, MESSAGE, signature), wrong, "{name} {other}");
            }
        }
    }
    assert_eq!(judge(name, b"another", signature), wrong, "{name}");
    let mut altered = signature.to_vec();
    altered[20] ^= 1;
    for bytes in [&altered[..], &signature[1..], &[]] {
        assert_eq!(judge(name, MESSAGE, bytes), wrong, "{name}");
    }
}

#[test]
fn an_rsa_key_decides_by_the_hash_of_the_method() {
    for (algorithm, name) in [
        (&rcgen::PKCS_RSA_SHA256, "rsa-sha256"),
        (&rcgen::PKCS_RSA_SHA384, "rsa-sha384"),
        (&rcgen::PKCS_RSA_SHA512, "rsa-sha512"),
    ] {
        let pair = rcgen::KeyPair::generate_for(algorithm).unwrap();
        accepts_one_alone(&trusted(&pair), name, &pair.sign(MESSAGE).unwrap());
    }
}

#[tokio::test]
async fn an_ec_key_takes_the_hash_of_its_curve() {
    for (algorithm, ours, name) in [
        (
            &rcgen::PKCS_ECDSA_P256_SHA256,
            Algorithm::Es256,
            "ecdsa-sha256",
        ),
        (
            &rcgen::PKCS_ECDSA_P384_SHA384,
            Algorithm::Es384,
            "ecdsa-sha384",
        ),
        (
            &rcgen::PKCS_ECDSA_P521_SHA512,
            Algorithm::Es512,
            "ecdsa-sha512",
        ),
    ] {
        let pair = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let key = SigningKey::from_pkcs8_der(&pair.serialize_der()).unwrap();
        assert_eq!(key.public_key().algorithm(), ours);
        accepts_one_alone(&trusted(&pair), name, &key.sign(MESSAGE).await.unwrap());
    }
    // XML Signature has no method for it here.
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let (key, signature) = (trusted(&pair), pair.sign(MESSAGE).unwrap());
    for name in ["ecdsa-sha256", "ecdsa-sha512", "rsa-sha256"] {
        let answer = key.verify(method(name).unwrap(), MESSAGE, &signature, &Portable);
        assert_eq!(answer, Err(TrustListError::Signature), "{name}");
    }
}

#[test]
fn other_methods_are_none() {
    for name in [
        "",
        "rsa",
        "rsa-",
        "-sha256",
        "rsa-sha1",
        "rsa-sha224",
        "ecdsa-sha1",
        "hmac-sha256",
        "RSA-SHA256",
        "rsa-sha256 ",
    ] {
        assert!(method(name).is_none(), "{name}");
    }
    assert!(Method::from_uri("http://www.w3.org/2000/09/xmldsig#rsa-sha256").is_none());
}
