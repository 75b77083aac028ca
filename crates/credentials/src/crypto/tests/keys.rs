use proptest::prelude::*;
use serde_json::{Value, json};

use crate::crypto::{
    Algorithm, KeyError, KeyUse, PublicKey, Signer as _, SigningKey, constant_time_eq,
};
use crate::testing::SeededRng;

fn ec() -> Value {
    json!({
        "kty": "EC", "crv": "P-256",
        "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    })
}

fn okp() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
}

fn with(mut jwk: Value, name: &str, value: impl Into<Value>) -> Value {
    jwk[name] = value.into();
    jwk
}

#[test]
fn rfc_9449_section_6_1_thumbprint() {
    let key = PublicKey::from_jwk(&ec()).unwrap();
    assert_eq!(
        key.thumbprint(),
        "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
    );
    assert_eq!(key.algorithm(), Algorithm::Es256);
    assert_eq!(key.to_jwk(), ec());
}

#[test]
fn rfc_8037_appendix_a_3_thumbprint() {
    let key = PublicKey::from_jwk(&okp()).unwrap();
    assert_eq!(
        key.thumbprint(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
    assert_eq!(key.algorithm(), Algorithm::EdDsa);
    assert_eq!(key.to_jwk(), okp());
}

#[test]
fn rfc_7638_ignores_optional_members() {
    let jwk = with(with(ec(), "kid", "some"), "use", "sig");
    let key = PublicKey::from_jwk(&jwk).unwrap();
    assert_eq!(key, PublicKey::from_jwk(&ec()).unwrap());
}

#[test]
fn cat_074_rfc_7517_a_key_alone_is_used_for_what_it_is_meant_for() {
    let verify = |name: &str, value: Value| {
        PublicKey::from_jwk_for(&with(ec(), name, value), KeyUse::Verify).map(drop)
    };
    for (name, value) in [
        ("use", json!("sig")),
        ("key_ops", json!(["verify"])),
        ("key_ops", json!(["sign", "verify"])),
        ("key_ops", json!(["sign"])),
        ("key_ops", json!([])),
        ("alg", json!("ES256")),
        ("kid", json!("some")),
    ] {
        assert_eq!(verify(name, value.clone()), Ok(()), "{name} {value}");
    }
    for (name, value) in [
        ("use", json!("enc")),
        ("use", json!("")),
        ("key_ops", json!(["encrypt"])),
        ("key_ops", json!(["deriveBits"])),
        ("alg", json!("ES384")),
        ("alg", json!("EdDSA")),
        ("alg", json!("ECDH-ES")),
        ("alg", json!("es256")),
    ] {
        let refused = Err(KeyError::OtherUse);
        assert_eq!(verify(name, value.clone()), refused, "{name} {value}");
    }
    for (name, value) in [
        ("use", json!(null)),
        ("use", json!(["sig"])),
        ("key_ops", json!("verify")),
        ("key_ops", json!([1])),
        ("alg", json!(7)),
    ] {
        let refused = Err(KeyError::Invalid);
        assert_eq!(verify(name, value.clone()), refused, "{name} {value}");
    }
    for alg in ["EdDSA", "Ed25519"] {
        let key = with(okp(), "alg", alg);
        assert!(PublicKey::from_jwk_for(&key, KeyUse::Verify).is_ok());
    }
    let swapped = with(okp(), "alg", "ES256");
    let refused = PublicKey::from_jwk_for(&swapped, KeyUse::Verify);
    assert_eq!(refused, Err(KeyError::OtherUse));
    let private = PublicKey::from_jwk_for(&with(ec(), "d", "AAAA"), KeyUse::Verify);
    assert_eq!(private, Err(KeyError::PrivateMaterial));
}

#[test]
fn cat_094_coordinates_have_their_full_length_only() {
    for x in [
        "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBF",   // cut
        "AJfLRa4cft-LVd4USAkQ2PcwpA5aQYReNlEFH1lQFgRb", // extra leading zero
        "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs=", // padded
        "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFt",  // non-zero trailing bits
        "l8tFrhx+34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",  // base64
        "",
    ] {
        assert_eq!(
            PublicKey::from_jwk(&with(ec(), "x", x)),
            Err(KeyError::Invalid),
            "{x}"
        );
    }
    for x in [json!(1), json!(null), json!(["a"])] {
        assert_eq!(
            PublicKey::from_jwk(&with(ec(), "x", x)),
            Err(KeyError::Invalid)
        );
    }
}

#[test]
fn points_off_the_curve_are_refused() {
    let swapped = with(with(ec(), "x", ec()["y"].clone()), "y", ec()["x"].clone());
    assert_eq!(PublicKey::from_jwk(&swapped), Err(KeyError::Invalid));
    for bytes in [
        &[0; 1][..],
        &[4; 65],
        &[0; 65],
        &[6; 65],
        &[2; 32],
        &[0xff; 33],
    ] {
        assert_eq!(PublicKey::from_p256_sec1(bytes), Err(KeyError::Invalid));
    }
}

#[test]
fn cat_082_weak_and_non_canonical_ed25519_keys() {
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut negative_zero = identity;
    negative_zero[31] = 0x80;
    // y = p + 3: decodes to a proper point, but is not its canonical encoding.
    let mut above_prime = [0xff; 32];
    above_prime[0] = 0xf0;
    above_prime[31] = 0x7f;
    for key in [identity, negative_zero, [0; 32], above_prime, [0xff; 32]] {
        assert_eq!(
            PublicKey::from_ed25519(&key),
            Err(KeyError::Invalid),
            "{key:02x?}"
        );
    }
    assert_eq!(PublicKey::from_ed25519(&[9; 31]), Err(KeyError::Invalid));
}

#[test]
fn cat_095_private_members_are_refused() {
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] {
        for base in [ec(), okp()] {
            let answer = PublicKey::from_jwk(&with(base, name, "AAAA"));
            assert_eq!(answer, Err(KeyError::PrivateMaterial), "{name}");
        }
    }
    let oct = json!({"kty": "oct", "k": "AAAA"});
    assert_eq!(PublicKey::from_jwk(&oct), Err(KeyError::PrivateMaterial));
}

#[test]
fn cat_083_cat_085_other_key_types_are_unsupported() {
    for jwk in [
        json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
        with(okp(), "crv", "X25519"),
        with(okp(), "crv", "Ed448"),
        with(ec(), "crv", "secp256k1"),
        with(ec(), "crv", "p-256"),
        with(ec(), "kty", "ec"),
        with(okp(), "kty", "EC"),
        json!({}),
    ] {
        assert_eq!(
            PublicKey::from_jwk(&jwk),
            Err(KeyError::Unsupported),
            "{jwk}"
        );
    }
    assert_eq!(PublicKey::from_jwk(&json!("key")), Err(KeyError::Invalid));
}

#[test]
fn pkcs8_round_trip() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm, &SeededRng::new(5));
        let der = SigningKey::from_pkcs8_der(&key.to_pkcs8_der()).unwrap();
        let pem = SigningKey::from_pkcs8_pem(&key.to_pkcs8_pem()).unwrap();
        assert_eq!(der.public_key(), key.public_key());
        assert_eq!(pem.public_key(), key.public_key());
        let relabelled = key.to_pkcs8_pem().replace("PRIVATE KEY", "CERTIFICATE");
        assert_eq!(
            SigningKey::from_pkcs8_pem(&relabelled).unwrap_err(),
            KeyError::Unsupported
        );
        let truncated = &key.to_pkcs8_der()[1..];
        assert_eq!(
            SigningKey::from_pkcs8_der(truncated).unwrap_err(),
            KeyError::Invalid
        );
    }
    assert_eq!(
        SigningKey::from_pkcs8_pem("no pem").unwrap_err(),
        KeyError::Invalid
    );
}

#[test]
fn debug_output_shows_no_private_key() {
    let key = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(5));
    let shown = format!("{key:?}");
    assert_eq!(
        shown,
        format!("SigningKey {{ public: {:?}, .. }}", key.public_key())
    );
}

#[test]
fn spki_of_all_key_types() {
    for (algorithm, rcgen_algorithm) in [
        (Algorithm::Es256, &rcgen::PKCS_ECDSA_P256_SHA256),
        (Algorithm::Es384, &rcgen::PKCS_ECDSA_P384_SHA384),
        (Algorithm::Es512, &rcgen::PKCS_ECDSA_P521_SHA512),
        (Algorithm::EdDsa, &rcgen::PKCS_ED25519),
    ] {
        let pair = rcgen::KeyPair::generate_for(rcgen_algorithm).unwrap();
        let spki = rcgen::PublicKeyData::subject_public_key_info(&pair);
        let key = PublicKey::from_spki_der(&spki).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        let ours = SigningKey::from_pkcs8_der(&pair.serialize_der()).unwrap();
        assert_eq!(ours.public_key(), &key);
        assert_eq!(
            PublicKey::from_spki_der(&spki[..spki.len() - 1]),
            Err(KeyError::Invalid)
        );
    }
}

#[test]
fn cat_103_comparison_of_secrets() {
    assert!(constant_time_eq(b"same", b"same"));
    assert!(!constant_time_eq(b"same", b"sama"));
    assert!(!constant_time_eq(b"same", b"sam"));
    assert!(constant_time_eq(b"", b""));
}

#[test]
fn rfc_4231_section_4_3_hmac() {
    let mac = crate::crypto::hmac_sha256(b"Jefe", b"what do ya want for nothing?");
    let expected = "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM";
    assert_eq!(crate::encoding::b64url(&mac), expected);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = PublicKey::from_spki_der(&bytes);
        let _ = PublicKey::from_p256_sec1(&bytes);
        let _ = PublicKey::from_ed25519(&bytes);
        let _ = SigningKey::from_pkcs8_der(&bytes);
    }

    #[test]
    fn jwk_and_compressed_form_keep_the_key(seed in any::<u64>(), algorithm in prop::sample::select(&Algorithm::ALL[..])) {
        let key = SigningKey::generate(algorithm, &SeededRng::new(seed));
        let key = key.public_key();
        prop_assert_eq!(&PublicKey::from_jwk(&key.to_jwk()).unwrap(), key);
        let read = match algorithm {
            Algorithm::Es256 => PublicKey::from_p256_sec1,
            Algorithm::Es384 => PublicKey::from_p384_sec1,
            Algorithm::Es512 => PublicKey::from_p521_sec1,
            Algorithm::EdDsa => PublicKey::from_ed25519,
        };
        let read = read(&key.compressed());
        prop_assert_eq!(&read.unwrap(), key);
    }
}
