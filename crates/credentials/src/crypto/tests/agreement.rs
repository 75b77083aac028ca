//! Both back ends give the same answer, whatever they are given.

use proptest::prelude::*;

use super::{providers, signers};
use crate::crypto::{
    Algorithm, CertificateAlgorithm, CryptoError, KeyMaterial, PublicKey, Signer as _, SigningKey,
};
use crate::testing::SeededRng;

/// One way to spoil a signature.
#[derive(Clone, Debug)]
enum Change {
    Nothing,
    Flip(prop::sample::Index, u8),
    Cut(usize),
    Append(u8),
    SwapHalves,
    Fill(prop::sample::Index, usize, u8),
    Random(u64),
}

impl Change {
    fn apply(&self, signature: &[u8]) -> Vec<u8> {
        let mut out = signature.to_vec();
        let half = out.len() / 2;
        match self {
            Self::Nothing => {}
            Self::Flip(position, mask) => {
                let position = position.index(out.len());
                out[position] ^= mask;
            }
            Self::Cut(length) => out.truncate(out.len().saturating_sub(*length)),
            Self::Append(byte) => out.push(*byte),
            Self::SwapHalves => out.rotate_left(half),
            Self::Fill(start, length, byte) => {
                let start = start.index(out.len());
                let end = (start + length).min(out.len());
                out[start..end].fill(*byte);
            }
            Self::Random(seed) => {
                use crate::random::Rng as _;
                SeededRng::new(*seed).fill(&mut out);
            }
        }
        out
    }
}

fn change() -> impl Strategy<Value = Change> {
    let position = any::<prop::sample::Index>;
    prop_oneof![
        Just(Change::Nothing),
        (position(), 1_u8..).prop_map(|(at, mask)| Change::Flip(at, mask)),
        (1_usize..140).prop_map(Change::Cut),
        any::<u8>().prop_map(Change::Append),
        Just(Change::SwapHalves),
        (
            position(),
            1_usize..140,
            prop_oneof![Just(0), Just(0xff), any::<u8>()]
        )
            .prop_map(|(at, length, byte)| Change::Fill(at, length, byte)),
        any::<u64>().prop_map(Change::Random),
    ]
}

fn same<T: PartialEq + std::fmt::Debug>(mut answers: Vec<T>) -> T {
    answers.dedup();
    assert_eq!(answers.len(), 1, "back ends disagree: {answers:?}");
    answers.remove(0)
}

fn certificate_algorithm(algorithm: Algorithm) -> CertificateAlgorithm {
    match algorithm {
        Algorithm::Es256 => CertificateAlgorithm::EcdsaP256Sha256,
        Algorithm::Es384 => CertificateAlgorithm::EcdsaP384Sha384,
        Algorithm::Es512 => CertificateAlgorithm::EcdsaP521Sha512,
        Algorithm::EdDsa => CertificateAlgorithm::Ed25519,
    }
}

/// A JOSE signature as certificates have it.
fn der(algorithm: Algorithm, signature: &[u8]) -> Vec<u8> {
    match algorithm {
        Algorithm::Es256 => {
            let signature = p256::ecdsa::Signature::from_slice(signature).unwrap();
            signature.to_der().as_bytes().to_vec()
        }
        Algorithm::Es384 => {
            let signature = p384::ecdsa::Signature::from_slice(signature).unwrap();
            signature.to_der().as_bytes().to_vec()
        }
        Algorithm::Es512 => {
            let signature = p521::ecdsa::Signature::from_slice(signature).unwrap();
            signature.to_der().as_bytes().to_vec()
        }
        Algorithm::EdDsa => signature.to_vec(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn on_signatures(
        algorithm in prop::sample::select(&Algorithm::ALL[..]),
        seed in any::<u64>(),
        message in prop::collection::vec(any::<u8>(), 0..100),
        change in change(),
    ) {
        let key = SigningKey::generate(algorithm, &SeededRng::new(seed));
        for signer in signers(&key.to_pkcs8_der()) {
            let good = futures_now(signer.sign(&message));
            let signature = change.apply(&good);
            let answer = same(providers().iter().map(|p| p.verify(key.public_key(), &message, &signature)).collect());
            prop_assert_eq!(answer.is_ok(), signature == good);
            if answer.is_err() {
                prop_assert_eq!(answer, Err(CryptoError::BadSignature));
            }
        }
    }

    #[test]
    fn on_signatures_of_certificates(
        algorithm in prop::sample::select(&Algorithm::ALL[..]),
        seed in any::<u64>(),
        message in prop::collection::vec(any::<u8>(), 0..100),
        change in change(),
    ) {
        let key = SigningKey::generate(algorithm, &SeededRng::new(seed));
        let good = der(algorithm, &futures_now(signers(&key.to_pkcs8_der())[0].sign(&message)));
        let signature = change.apply(&good);
        let bytes = key.public_key().material().as_bytes();
        let kind = certificate_algorithm(algorithm);
        let answer = same(providers().iter().map(|p| p.verify_certificate(kind, bytes, &message, &signature).is_ok()).collect());
        prop_assert_eq!(answer, signature == good);
        // The key under another algorithm.
        for other in Algorithm::ALL {
            if other != algorithm {
                let kind = certificate_algorithm(other);
                for provider in providers() {
                    prop_assert!(provider.verify_certificate(kind, bytes, &message, &good).is_err());
                }
            }
        }
    }

    /// A signature with n - s for s is as good: ECDSA is like that, and no check relies on the opposite.
    #[test]
    fn on_the_other_signature_of_the_same_message(seed in any::<u64>()) {
        let key = SigningKey::generate(Algorithm::Es256, &SeededRng::new(seed));
        let good = futures_now(key.sign(b"m"));
        let parsed = p256::ecdsa::Signature::from_slice(&good).unwrap();
        let (r, s) = parsed.split_scalars();
        let other = p256::ecdsa::Signature::from_scalars(r.to_bytes(), (-*s).to_bytes()).unwrap();
        let answer = same(providers().iter().map(|p| p.verify(key.public_key(), b"m", &other.to_bytes())).collect());
        prop_assert_eq!(answer, Ok(()));
    }

    #[test]
    fn on_points(width in prop::sample::select(&[32_usize, 48, 66][..]), head in 0_u8..8, body in prop::collection::vec(any::<u8>(), 132), compressed in any::<bool>()) {
        let length = if compressed { width } else { 2 * width };
        let mut point = vec![head];
        point.extend(&body[..length]);
        if width == 66 {
            point[1] &= 1;
        }
        let read = match width {
            32 => PublicKey::from_p256_sec1(&point),
            48 => PublicKey::from_p384_sec1(&point),
            _ => PublicKey::from_p521_sec1(&point),
        };
        let Ok(key) = read else { return Ok(()) };
        // What one side takes as a key, the other takes too, and nothing signed for it.
        let signature = vec![1; key.algorithm().signature_length()];
        let answer = same(providers().iter().map(|p| p.verify(&key, b"m", &signature)).collect());
        prop_assert_eq!(answer, Err(CryptoError::BadSignature));
        prop_assert!(compressed || key.material().as_bytes() == point);
    }

    #[test]
    fn on_ciphertexts(
        wide in any::<bool>(), nonce in any::<[u8; 12]>(), aad in prop::collection::vec(any::<u8>(), 0..40),
        plain in prop::collection::vec(any::<u8>(), 0..200), change in change(),
    ) {
        let key = vec![7; if wide { 32 } else { 16 }];
        let sealed = same(providers().iter().map(|p| {
            let mut buffer = plain.clone();
            let tag = p.aes_gcm_seal(&key, &nonce, &aad, &mut buffer).unwrap();
            [&buffer[..], &tag].concat()
        }).collect());
        let changed = change.apply(&sealed);
        prop_assume!(changed.len() >= 16);
        let (text, tag) = changed.split_at(changed.len() - 16);
        let answer = same(providers().iter().map(|p| {
            let mut buffer = text.to_vec();
            p.aes_gcm_open(&key, &nonce, &aad, &mut buffer, tag.try_into().unwrap()).map(|()| buffer)
        }).collect());
        let expected = if changed == sealed { Ok(plain) } else { Err(CryptoError::BadCiphertext) };
        prop_assert_eq!(answer, expected);
    }

    #[test]
    fn on_shared_secrets(a in any::<u64>(), b in any::<u64>()) {
        let shared = same(providers().iter().map(|p| {
            let ours = p.generate_agreement_key(&SeededRng::new(a));
            let theirs = p.generate_agreement_key(&SeededRng::new(b));
            p.ecdh(&ours, theirs.public_key()).unwrap().to_vec()
        }).collect());
        prop_assert_eq!(shared.len(), 32);
    }
}

/// The software signers never wait.
fn futures_now<T>(signed: impl Future<Output = Result<Vec<u8>, T>>) -> Vec<u8>
where
    T: std::fmt::Debug,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(signed).unwrap()
}

/// Other curves never agree with a P-256 key.
#[test]
fn only_p256_agrees() {
    for algorithm in [Algorithm::Es384, Algorithm::Es512, Algorithm::EdDsa] {
        let peer = SigningKey::generate(algorithm, &SeededRng::new(1));
        assert!(!matches!(
            peer.public_key().material(),
            KeyMaterial::P256(_)
        ));
        for provider in providers() {
            let own = provider.generate_agreement_key(&SeededRng::new(2));
            let answer = provider.ecdh(&own, peer.public_key());
            assert_eq!(answer, Err(CryptoError::BadKey), "{provider:?}");
        }
    }
}
