//! Ed25519 at its edges: points of small and of mixed order, encodings that are not canonical, scalars out of range.
//!
//! The classes are those of "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko, 2020) and of the
//! Community Cryptography Test Vectors; the signatures are made here. Both back ends must give the answer of
//! `verify_strict`: the equation without cofactor, no A or R of small order, canonical encodings, s below L.

use curve25519_dalek::constants::{ED25519_BASEPOINT_TABLE, EIGHT_TORSION};
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::traits::{Identity as _, IsIdentity as _};
use curve25519_dalek::{EdwardsPoint, Scalar};
use proptest::prelude::*;
use sha2::Digest as _;

use super::providers;
use crate::crypto::{CertificateAlgorithm, CryptoError, KeyError, PublicKey};

/// The prime 2^255 - 19, little endian.
const PRIME: [u8; 32] = {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xed;
    bytes[31] = 0x7f;
    bytes
};

/// Order L of the group, little endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// Sum of little-endian numbers, `None` when it has more than 256 bits.
fn add(a: [u8; 32], b: [u8; 32]) -> Option<[u8; 32]> {
    let mut carry = 0_u16;
    let mut sum = [0; 32];
    for (out, (a, b)) in sum.iter_mut().zip(a.into_iter().zip(b)) {
        let digit = u16::from(a) + u16::from(b) + carry;
        *out = digit.to_le_bytes()[0];
        carry = digit >> 8;
    }
    (carry == 0).then_some(sum)
}

fn challenge(r: &[u8; 32], a: &[u8; 32], message: &[u8]) -> Scalar {
    let hash = sha2::Sha512::new().chain_update(r).chain_update(a);
    Scalar::from_bytes_mod_order_wide(&hash.chain_update(message).finalize().into())
}

/// A key with a part of small order, its secret scalar, and a signature whose R has another such part.
struct Mixed {
    key: [u8; 32],
    signature: [u8; 64],
    /// Whether s*B = R + k*A, without a factor of eight.
    holds: bool,
}

fn mixed(secret: Scalar, nonce: Scalar, key_part: usize, r_part: usize, message: &[u8]) -> Mixed {
    let base = ED25519_BASEPOINT_TABLE;
    let a = &secret * base + EIGHT_TORSION[key_part];
    let r = &nonce * base + EIGHT_TORSION[r_part];
    let (key, r_bytes) = (a.compress().to_bytes(), r.compress().to_bytes());
    let k = challenge(&r_bytes, &key, message);
    let s = nonce + k * secret;
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r_bytes);
    signature[32..].copy_from_slice(&s.to_bytes());
    Mixed {
        key,
        signature,
        holds: &s * base == r + k * a,
    }
}

/// The answer of all back ends, for tokens and for certificates, which must agree.
fn accepts(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    let mut answers = Vec::new();
    for provider in providers() {
        answers.push(provider.verify(key, message, signature));
        let bytes = key.material().as_bytes();
        let algorithm = CertificateAlgorithm::Ed25519;
        answers.push(provider.verify_certificate(algorithm, bytes, message, signature));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "back ends disagree: {answers:?}");
    match answers[0] {
        Ok(()) => true,
        Err(CryptoError::BadSignature) => false,
        Err(other) => panic!("{other}"),
    }
}

/// All encodings of the eight points of small order, canonical or not.
fn small_order_encodings() -> Vec<[u8; 32]> {
    let mut found = Vec::new();
    for point in EIGHT_TORSION {
        let canonical = point.compress().to_bytes();
        let mut y = canonical;
        y[31] &= 0x7f;
        let above = add(y, PRIME).filter(|sum| sum[31] & 0x80 == 0);
        for y in [Some(y), above].into_iter().flatten() {
            for sign in [0, 0x80] {
                let mut bytes = y;
                bytes[31] |= sign;
                found.push(bytes);
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[test]
fn cat_082_every_encoding_of_small_order_as_key() {
    let encodings = small_order_encodings();
    // Eight canonical ones, two with a sign for x = 0, and y + p for y = 0 and y = 1 with both signs.
    assert_eq!(encodings.len(), 14);
    for bytes in encodings {
        assert_eq!(
            PublicKey::from_ed25519(&bytes),
            Err(KeyError::Invalid),
            "{bytes:02x?}"
        );
        for provider in providers() {
            let answer =
                provider.verify_certificate(CertificateAlgorithm::Ed25519, &bytes, b"m", &[0; 64]);
            assert_eq!(answer, Err(CryptoError::BadKey), "{provider:?}");
        }
    }
}

/// With a key of small order and s = 0, R = -k*A is a signature of a message that suits.
#[test]
fn cat_082_signatures_of_anything_by_keys_of_small_order() {
    let mut made = 0;
    for a in EIGHT_TORSION {
        let key = a.compress().to_bytes();
        for r in EIGHT_TORSION {
            let r = r.compress().to_bytes();
            let fits = |message: &u8| {
                let k = challenge(&r, &key, &[*message]);
                CompressedEdwardsY(r).decompress() == Some(-(k * a))
            };
            let Some(message) = (0..=u8::MAX).find(fits) else {
                continue;
            };
            made += 1;
            let signature = [&r[..], &[0; 32]].concat();
            for provider in providers() {
                let algorithm = CertificateAlgorithm::Ed25519;
                let answer = provider.verify_certificate(algorithm, &key, &[message], &signature);
                assert_eq!(answer, Err(CryptoError::BadKey), "{provider:?}");
            }
        }
    }
    assert!(made >= 20, "{made}");
}

/// R of small order, the equation true: possible for the owner of a key of mixed order.
#[test]
fn cat_082_every_r_of_small_order_although_the_equation_holds() {
    let secret = Scalar::from(0x1234_5678_9abc_def1_u64);
    let mut seen = [false; 8];
    for message in 0..2000_u16 {
        let message = message.to_be_bytes();
        for (r_part, seen) in seen.iter_mut().enumerate() {
            // The nonce is zero, so R is the point of small order itself.
            let made = mixed(secret, Scalar::ZERO, 1, r_part, &message);
            if made.holds {
                let key = PublicKey::from_ed25519(&made.key).unwrap();
                assert!(!accepts(&key, &message, &made.signature), "{r_part}");
                *seen = true;
            }
        }
    }
    assert_eq!(seen, [true; 8]);
}

/// The other encodings of such an R: y + p, and a sign for x = 0.
#[test]
fn cat_082_encodings_of_r_that_are_not_canonical() {
    let secret = Scalar::from(77_u64);
    let key = (&secret * ED25519_BASEPOINT_TABLE).compress().to_bytes();
    let public = PublicKey::from_ed25519(&key).unwrap();
    let mut tried = 0;
    for r in small_order_encodings() {
        // The signer knows how the verifier hashes: over the bytes as they are.
        let s = challenge(&r, &key, b"m") * secret;
        let signature = [&r[..], &s.to_bytes()].concat();
        assert!(!accepts(&public, b"m", &signature), "{r:02x?}");
        let identity = CompressedEdwardsY(r).decompress();
        tried += usize::from(identity.is_some_and(|point| point.is_identity()));
    }
    // Among them the ones whose equation is true for a verifier that decodes R.
    assert!(tried >= 1, "{tried}");
    assert!(EdwardsPoint::identity().is_identity());
}

#[test]
fn cat_082_s_out_of_range() {
    let nonce = Scalar::from(5_u64);
    let made = mixed(Scalar::from(9_u64), nonce, 0, 0, b"m");
    let key = PublicKey::from_ed25519(&made.key).unwrap();
    assert!(accepts(&key, b"m", &made.signature));
    let (r, s) = made.signature.split_at(32);
    let mut s: [u8; 32] = s.try_into().unwrap();
    let mut larger = 0;
    while let Some(next) = add(s, ORDER) {
        s = next;
        assert!(!accepts(&key, b"m", &[r, &s].concat()), "{s:02x?}");
        larger += 1;
    }
    assert_eq!(larger, 15);
    for s in [ORDER, [0xff; 32], [0; 32]] {
        assert!(!accepts(&key, b"m", &[r, &s].concat()));
    }
}

#[test]
fn cat_082_keys_that_are_not_canonical() {
    let mut refused = 0;
    // y from p to 2^255 - 1: nineteen values.
    for small in 0..19_u8 {
        let mut y = [0; 32];
        y[0] = small;
        let y = add(y, PRIME).unwrap();
        for sign in [0, 0x80] {
            let mut bytes = y;
            bytes[31] |= sign;
            assert_eq!(PublicKey::from_ed25519(&bytes), Err(KeyError::Invalid));
            refused += 1;
        }
    }
    assert_eq!(refused, 38);
}

proptest! {
    /// Keys and nonces of mixed order: accepted exactly when the equation holds without the cofactor.
    #[test]
    fn cat_082_points_of_mixed_order(
        secret in 1..u64::MAX, nonce in 1..u64::MAX, key_part in 0_usize..8, r_part in 0_usize..8, message in any::<[u8; 8]>(),
    ) {
        let made = mixed(Scalar::from(secret), Scalar::from(nonce), key_part, r_part, &message);
        let key = PublicKey::from_ed25519(&made.key).unwrap();
        prop_assert_eq!(accepts(&key, &message, &made.signature), made.holds);
    }
}
