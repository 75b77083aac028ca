use super::{providers, signers};
use crate::crypto::{
    AgreementKey, Algorithm, CryptoError, KeyError, KeyMaterial, PublicKey, Signer as _, SigningKey,
};
use crate::encoding::b64url_decode;
use crate::testing::SeededRng;

const MESSAGE: &[u8] = b"a message";

/// Order of the P-256 group.
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// Order of the Ed25519 group, little endian.
const ED25519_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

#[tokio::test]
async fn every_signer_is_verified_by_every_provider() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm, &SeededRng::new(1));
        let other = SigningKey::generate(algorithm, &SeededRng::new(2));
        for signer in signers(&key.to_pkcs8_der()) {
            assert_eq!(signer.public_key(), key.public_key());
            assert_eq!(signer.algorithm(), algorithm);
            let signature = signer.sign(MESSAGE).await.unwrap();
            assert_eq!(signature.len(), algorithm.signature_length());
            for provider in providers() {
                let verify = |key: &PublicKey, message: &[u8], signature: &[u8]| {
                    provider.verify(key, message, signature)
                };
                assert_eq!(verify(key.public_key(), MESSAGE, &signature), Ok(()));
                // A second time, with the key prepared.
                assert_eq!(verify(key.public_key(), MESSAGE, &signature), Ok(()));
                let bad = Err(CryptoError::BadSignature);
                assert_eq!(verify(other.public_key(), MESSAGE, &signature), bad);
                assert_eq!(
                    verify(key.public_key(), b"another message", &signature),
                    bad
                );
                for position in 0..signature.len() {
                    let mut altered = signature.clone();
                    altered[position] ^= 1;
                    assert_eq!(
                        verify(key.public_key(), MESSAGE, &altered),
                        bad,
                        "{position}"
                    );
                }
            }
        }
    }
}

/// Order of the group of each curve, big endian (SP 800-186, section 3.2.1).
fn order(algorithm: Algorithm) -> Vec<u8> {
    let text = match algorithm {
        Algorithm::Es256 => return P256_ORDER.to_vec(),
        Algorithm::Es384 => concat!(
            "ffffffffffffffffffffffffffffffffffffffffffffffff",
            "c7634d81f4372ddf581a0db248b0a77aecec196accc52973"
        ),
        Algorithm::Es512 => concat!(
            "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa",
            "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409"
        ),
        Algorithm::EdDsa => unreachable!("not a curve of ECDSA"),
    };
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[tokio::test]
async fn cat_080_ecdsa_only_raw_and_in_range() {
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::Es512] {
        let key = SigningKey::generate(algorithm, &SeededRng::new(1));
        let good = key.sign(MESSAGE).await.unwrap();
        let der = match algorithm {
            Algorithm::Es256 => p256::ecdsa::Signature::from_slice(&good)
                .unwrap()
                .to_der()
                .to_bytes(),
            Algorithm::Es384 => p384::ecdsa::Signature::from_slice(&good)
                .unwrap()
                .to_der()
                .to_bytes(),
            _ => p521::ecdsa::Signature::from_slice(&good)
                .unwrap()
                .to_der()
                .to_bytes(),
        };
        let joined = |r: &[u8], s: &[u8]| [r, s].concat();
        let (r, s) = good.split_at(good.len() / 2);
        let zero = vec![0; r.len()];
        let order = order(algorithm);
        assert_eq!(order.len(), r.len());
        let cases = [
            der.to_vec(),
            good[..good.len() - 1].to_vec(),
            joined(&good, &[0]),
            joined(&[0], &good),
            Vec::new(),
            vec![0; good.len()],
            joined(&zero, s),
            joined(r, &zero),
            joined(&order, s),
            joined(r, &order),
            joined(&zero, &order),
            vec![0xff; good.len()],
            // The lengths of the other curves.
            vec![1; 64],
            vec![1; 96],
            vec![1; 132],
        ];
        for provider in providers() {
            assert_eq!(provider.verify(key.public_key(), MESSAGE, &good), Ok(()));
            for case in &cases {
                let answer = provider.verify(key.public_key(), MESSAGE, case);
                assert_eq!(
                    answer,
                    Err(CryptoError::BadSignature),
                    "{provider:?} {case:02x?}"
                );
            }
        }
    }
}

/// Appendix A.4 of RFC 7515.
#[test]
fn rfc_7515_appendix_a_4_es512() {
    let key = PublicKey::from_jwk(&serde_json::json!({
        "kty": "EC", "crv": "P-521",
        "x": "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
        "y": "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
    }))
    .unwrap();
    let signature = b64url_decode(concat!(
        "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7Xdt",
        "AG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"
    ))
    .unwrap();
    for provider in providers() {
        let input = b"eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA";
        assert_eq!(provider.verify(&key, input, &signature), Ok(()));
        assert_eq!(
            provider.verify(&key, b"eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZB", &signature),
            Err(CryptoError::BadSignature)
        );
    }
}

#[tokio::test]
async fn cat_082_ed25519_strict() {
    let key = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(1));
    let good = key.sign(MESSAGE).await.unwrap();
    let mut malleable = good.clone();
    let mut carry = 0;
    for (byte, order) in malleable[32..].iter_mut().zip(ED25519_ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    for provider in providers() {
        assert_eq!(provider.verify(key.public_key(), MESSAGE, &good), Ok(()));
        for case in [&malleable[..], &good[..63], &[0; 64]] {
            let answer = provider.verify(key.public_key(), MESSAGE, case);
            assert_eq!(answer, Err(CryptoError::BadSignature), "{provider:?}");
        }
    }
}

/// A key owner can make R of small order with a valid equation; both back ends must refuse it.
#[test]
fn cat_082_small_order_r_is_refused() {
    use curve25519_dalek::Scalar;
    use sha2::Digest as _;

    let secret = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let public = secret.verifying_key();
    let key = PublicKey::from_ed25519(public.as_bytes()).unwrap();
    let mut r = [0; 32];
    r[0] = 1;
    let hash = sha2::Sha512::new()
        .chain_update(r)
        .chain_update(public.as_bytes());
    let hash: [u8; 64] = hash.chain_update(MESSAGE).finalize().into();
    // R is the neutral element, so s = k * a satisfies s*B = R + k*A.
    let k = Scalar::from_bytes_mod_order_wide(&hash);
    let s = k * secret.to_scalar();
    let signature = [r, s.to_bytes()].concat();
    let equation = ed25519_dalek::Signature::from_slice(&signature).unwrap();
    assert!(ed25519_dalek::Verifier::verify(&public, MESSAGE, &equation).is_ok());
    for provider in providers() {
        let answer = provider.verify(&key, MESSAGE, &signature);
        assert_eq!(answer, Err(CryptoError::BadSignature), "{provider:?}");
    }
}

#[cfg(feature = "aws-lc")]
#[test]
fn cat_082_the_list_of_small_order_points_is_complete() {
    use crate::crypto::aws_lc::SMALL_ORDER;
    let mut seen = 0;
    for y in SMALL_ORDER {
        for sign in [0, 0x80] {
            let mut bytes = y;
            bytes[31] |= sign;
            let Ok(point) = ed25519_dalek::VerifyingKey::from_bytes(&bytes) else {
                continue;
            };
            assert!(point.is_weak());
            seen += usize::from(point.to_edwards().compress().to_bytes() == bytes);
        }
    }
    assert_eq!(seen, 8);
}

#[test]
fn agreement_is_the_same_everywhere() {
    let rng = SeededRng::new(3);
    for ours in providers() {
        for theirs in providers() {
            let a = ours.generate_agreement_key(&rng);
            let b = theirs.generate_agreement_key(&rng);
            let shared = ours.ecdh(&a, b.public_key()).unwrap();
            assert_eq!(*shared, *theirs.ecdh(&b, a.public_key()).unwrap());
            let restored = AgreementKey::from_bytes(&*a.to_bytes()).unwrap();
            assert_eq!(restored.public_key(), a.public_key());
        }
        let ed25519 = SigningKey::generate(Algorithm::EdDsa, &rng);
        let key = AgreementKey::generate(&rng);
        assert_eq!(
            ours.ecdh(&key, ed25519.public_key()),
            Err(CryptoError::BadKey)
        );
    }
    for bytes in [&[0; 32][..], &P256_ORDER, &[1; 31], &[1; 33], &[0xff; 32]] {
        assert_eq!(
            AgreementKey::from_bytes(bytes).unwrap_err(),
            KeyError::Invalid
        );
    }
}

#[test]
fn aead_is_the_same_everywhere() {
    for length in [16, 32] {
        let key = vec![9; length];
        for ours in providers() {
            let mut buffer = b"some text".to_vec();
            let tag = ours
                .aes_gcm_seal(&key, &[1; 12], b"aad", &mut buffer)
                .unwrap();
            for theirs in providers() {
                let open = |key: &[u8], nonce, aad: &[u8], tag: &[u8; 16]| {
                    let mut copy = buffer.clone();
                    theirs
                        .aes_gcm_open(key, nonce, aad, &mut copy, tag)
                        .map(|()| copy)
                };
                assert_eq!(open(&key, &[1; 12], b"aad", &tag).unwrap(), b"some text");
                let bad = Err(CryptoError::BadCiphertext);
                assert_eq!(open(&key, &[2; 12], b"aad", &tag), bad);
                assert_eq!(open(&key, &[1; 12], b"add", &tag), bad);
                assert_eq!(open(&key, &[1; 12], b"aad", &[0; 16]), bad);
                assert_eq!(open(&vec![8; length], &[1; 12], b"aad", &tag), bad);
                assert_eq!(
                    open(&[9; 24], &[1; 12], b"aad", &tag),
                    Err(CryptoError::BadKey)
                );
            }
        }
    }
}

#[tokio::test]
async fn rfc_8037_appendix_a_4_signature() {
    let seed = b64url_decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
    let seed: [u8; 32] = seed.try_into().unwrap();
    let key = ed25519_dalek::SigningKey::from_bytes(&seed);
    let pkcs8 = ed25519_dalek::pkcs8::EncodePrivateKey::to_pkcs8_der(&key).unwrap();
    let input = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let expected = b64url_decode(concat!(
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt",
        "9g7sVvpAr_MuM0KAg"
    ))
    .unwrap();
    for signer in signers(pkcs8.as_bytes()) {
        assert_eq!(signer.sign(input).await.unwrap(), expected);
        for provider in providers() {
            assert_eq!(
                provider.verify(signer.public_key(), input, &expected),
                Ok(())
            );
        }
    }
}

#[test]
fn material_is_what_it_says() {
    let key = SigningKey::generate(Algorithm::Es256, &SeededRng::new(1));
    assert!(matches!(key.public_key().material(), KeyMaterial::P256(point) if point[0] == 4));
}
