use std::sync::Mutex;

use proptest::prelude::*;
use vouchsafe_credentials::random::Rng;
use vouchsafe_credentials::testing::SeededRng;

use super::ciphersuite::{
    EXPAND_LEN, HASH_TO_SCALAR_DST, expand_message, hash_to_scalar, message_to_scalar,
};
use super::fixtures::*;
use super::generators::Generators;
use super::*;

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

fn key() -> SecretKey {
    // The fixtures name a longer tag than the default of the text.
    let dst = b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_H2G_HM2S_KEYGEN_DST_";
    SecretKey::key_gen_with_dst(&bytes(KEY_MATERIAL), &bytes(KEY_INFO), dst).unwrap()
}

fn messages() -> Vec<Vec<u8>> {
    MESSAGES.iter().map(|m| bytes(m)).collect()
}

fn slices(messages: &[Vec<u8>]) -> Vec<&[u8]> {
    messages.iter().map(Vec::as_slice).collect()
}

/// "Mocked Random Scalars": the bytes of all scalars at once, given out one by one.
struct Mocked(Mutex<Vec<u8>>);

impl Mocked {
    fn new(count: usize) -> Self {
        let all = expand_message(&bytes(MOCK_SEED), &bytes(MOCK_DST), count * EXPAND_LEN).unwrap();
        Self(Mutex::new(all))
    }
}

impl Rng for Mocked {
    fn fill(&self, buffer: &mut [u8]) {
        let mut rest = self.0.lock().unwrap();
        buffer.copy_from_slice(&rest.drain(..buffer.len()).collect::<Vec<_>>());
    }
}

#[test]
fn key_pair() {
    assert_eq!(hex::encode(*key().to_bytes()), SECRET_KEY);
    assert_eq!(hex::encode(key().public_key().as_bytes()), PUBLIC_KEY);
}

#[test]
fn generators_and_scalars() {
    let generators = Generators::for_messages(10).unwrap();
    assert_eq!(hex::encode(generators.base().to_compressed()), P1);
    assert_eq!(hex::encode(generators.point(1).to_compressed()), Q1);
    assert_eq!(
        hex::encode(generators.point(Generators::place(9)).to_compressed()),
        H10
    );
    let scalar = hash_to_scalar(&messages()[0], HASH_TO_SCALAR_DST);
    assert_eq!(hex::encode(scalar.to_bytes_be()), HASH_TO_SCALAR);
    for (index, expected) in [(0, MAPPED_FIRST), (9, MAPPED_LAST)] {
        let scalar = message_to_scalar(&messages()[index]);
        assert_eq!(hex::encode(scalar.to_bytes_be()), expected);
    }
}

#[test]
fn generators_do_not_depend_on_how_many_were_asked_for_before() {
    let few = Generators::for_messages(3).unwrap().point(4);
    let many = Generators::for_messages(100).unwrap();
    assert_eq!(few, many.point(4));
    let more = Generators::for_messages(300).unwrap();
    assert_eq!(many.point(101), more.point(101));
    assert_ne!(more.point(301), more.point(300));
    assert_eq!(
        Generators::for_messages(MAX_MESSAGES + 1).err(),
        Some(BbsError::TooManyMessages)
    );
    assert!(Generators::for_messages(MAX_MESSAGES).is_ok());
}

#[test]
fn signatures_of_the_fixtures() {
    let (key, messages) = (key(), messages());
    for (header, count, expected) in [
        (HEADER, 1, SIGNATURE_ONE),
        (HEADER, 10, SIGNATURE_ALL),
        ("", 10, SIGNATURE_NO_HEADER),
    ] {
        let messages = slices(&messages[..count]);
        let signature = sign(&key, &bytes(header), &messages).unwrap();
        assert_eq!(hex::encode(signature.to_bytes()), expected);
        let parsed = Signature::from_bytes(&bytes(expected)).unwrap();
        assert_eq!(parsed, signature);
        verify(&key.public_key(), &parsed, &bytes(header), &messages).unwrap();
    }
}

#[test]
fn signatures_over_something_else_are_refused() {
    let (key, messages) = (key(), messages());
    let signature = Signature::from_bytes(&bytes(SIGNATURE_ALL)).unwrap();
    let refused = |header: &[u8], messages: &[Vec<u8>], key: &PublicKey| {
        let result = verify(key, &signature, header, &slices(messages));
        assert_eq!(result, Err(BbsError::BadSignature));
    };
    let header = bytes(HEADER);
    let public = key.public_key();
    refused(b"", &messages, &public);
    refused(&header, &messages[..9], &public);
    let mut other = messages.clone();
    other.push(Vec::new());
    refused(&header, &other, &public);
    other = messages.clone();
    other.swap(3, 4);
    refused(&header, &other, &public);
    other = messages.clone();
    other[0][0] ^= 1;
    refused(&header, &other, &public);
    let stranger = SecretKey::generate(&SeededRng::new(1)).public_key();
    refused(&header, &messages, &stranger);
}

#[test]
fn proofs_of_the_fixtures() {
    let (key, messages) = (key(), messages());
    for (signature, header, presentation, count, disclosed, expected) in [
        (
            SIGNATURE_ONE,
            HEADER,
            PRESENTATION_HEADER,
            1,
            &[0][..],
            PROOF_ONE,
        ),
        (
            SIGNATURE_ALL,
            HEADER,
            PRESENTATION_HEADER,
            10,
            &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
            PROOF_ALL,
        ),
        (
            SIGNATURE_ALL,
            HEADER,
            PRESENTATION_HEADER,
            10,
            &[0, 2, 4, 6],
            PROOF_SOME,
        ),
        (
            SIGNATURE_NO_HEADER,
            "",
            PRESENTATION_HEADER,
            10,
            &[0, 2, 4, 6],
            PROOF_NO_HEADER,
        ),
        (
            SIGNATURE_ALL,
            HEADER,
            "",
            10,
            &[0, 2, 4, 6],
            PROOF_NO_PRESENTATION_HEADER,
        ),
    ] {
        let messages = slices(&messages[..count]);
        let signature = Signature::from_bytes(&bytes(signature)).unwrap();
        let (header, presentation) = (bytes(header), bytes(presentation));
        let proof = proof_gen(
            &key.public_key(),
            &signature,
            &header,
            &presentation,
            &messages,
            disclosed,
            &Mocked::new(5 + count - disclosed.len()),
        );
        let proof = proof.unwrap();
        assert_eq!(hex::encode(&proof), expected);
        let revealed: Vec<_> = disclosed.iter().map(|&i| (i, messages[i])).collect();
        proof_verify(&key.public_key(), &proof, &header, &presentation, &revealed).unwrap();
    }
}

/// A proof of ten messages with 0, 2, 4 and 6 disclosed, and its inputs.
struct Shown {
    key: PublicKey,
    proof: Vec<u8>,
    messages: Vec<Vec<u8>>,
}

impl Shown {
    fn fixture() -> Self {
        Self {
            key: key().public_key(),
            proof: bytes(PROOF_SOME),
            messages: messages(),
        }
    }

    fn verify(&self, indexes: &[usize]) -> Result<(), BbsError> {
        let revealed: Vec<_> = indexes
            .iter()
            .map(|&i| (i, self.messages[i].as_slice()))
            .collect();
        let presentation = bytes(PRESENTATION_HEADER);
        proof_verify(
            &self.key,
            &self.proof,
            &bytes(HEADER),
            &presentation,
            &revealed,
        )
    }
}

#[test]
fn proofs_of_something_else_are_refused() {
    let good = [0, 2, 4, 6];
    Shown::fixture().verify(&good).unwrap();

    let mut shown = Shown::fixture();
    shown.messages[2][0] ^= 1;
    assert_eq!(shown.verify(&good), Err(BbsError::BadProof));
    shown = Shown::fixture();
    shown.messages.swap(0, 2);
    assert_eq!(shown.verify(&good), Err(BbsError::BadProof));
    shown = Shown::fixture();
    shown.key = SecretKey::generate(&SeededRng::new(2)).public_key();
    assert_eq!(shown.verify(&good), Err(BbsError::BadProof));
    for indexes in [&[0, 2, 4][..], &[0, 2, 4, 6, 8], &[0, 2, 4, 7], &[]] {
        assert_eq!(Shown::fixture().verify(indexes), Err(BbsError::BadProof));
    }
    // Not ascending, twice the same.
    for indexes in [[0, 2, 6, 4], [0, 2, 2, 4]] {
        assert_eq!(Shown::fixture().verify(&indexes), Err(BbsError::Indexes));
    }
    // An index that the number of messages excludes.
    let revealed = [(0, &b""[..]), (10, b"")];
    let proof = bytes(PROOF_ONE);
    let result = proof_verify(&key().public_key(), &proof, b"", b"", &revealed);
    assert_eq!(result, Err(BbsError::Indexes));
}

#[test]
fn proofs_with_a_byte_altered_are_refused() {
    for index in 0..bytes(PROOF_SOME).len() {
        let mut shown = Shown::fixture();
        shown.proof[index] ^= 1;
        assert!(shown.verify(&[0, 2, 4, 6]).is_err(), "byte {index}");
    }
}

#[test]
fn weak_and_malformed_points_and_scalars_are_refused() {
    let mut identity = [0; 96];
    identity[0] = 0xc0;
    assert_eq!(PublicKey::from_bytes(&identity), Err(BbsError::PublicKey));
    assert_eq!(PublicKey::from_bytes(&[0; 96]), Err(BbsError::PublicKey));
    assert_eq!(PublicKey::from_bytes(&[0xff; 96]), Err(BbsError::PublicKey));
    // On the curve, not in the subgroup: the first such x for G2 and for G1.
    let outside = (0..=255).find_map(|x| {
        let mut point = [0; 96];
        (point[0], point[95]) = (0x80, x);
        let on_curve = bool::from(blstrs::G2Affine::from_compressed_unchecked(&point).is_some());
        on_curve.then_some(point)
    });
    assert_eq!(
        PublicKey::from_bytes(&outside.unwrap()),
        Err(BbsError::PublicKey)
    );
    let outside = (0..=255).find_map(|x| {
        let mut point = [0; 48];
        (point[0], point[47]) = (0x80, x);
        let on_curve = bool::from(blstrs::G1Affine::from_compressed_unchecked(&point).is_some());
        on_curve.then_some(point)
    });
    let mut points = vec![outside.unwrap()];
    let mut infinity = [0; 48];
    infinity[0] = 0xc0;
    points.push(infinity);

    for point in points {
        let mut signature = bytes(SIGNATURE_ALL);
        signature[..48].copy_from_slice(&point);
        assert_eq!(
            Signature::from_bytes(&signature),
            Err(BbsError::MalformedSignature)
        );
        for at in [0, 48, 96] {
            let mut shown = Shown::fixture();
            shown.proof[at..at + 48].copy_from_slice(&point);
            assert_eq!(shown.verify(&[0, 2, 4, 6]), Err(BbsError::MalformedProof));
        }
    }
    let order = bytes("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001");
    for scalar in [vec![0; 32], order] {
        let mut signature = bytes(SIGNATURE_ALL);
        signature[48..].copy_from_slice(&scalar);
        assert_eq!(
            Signature::from_bytes(&signature),
            Err(BbsError::MalformedSignature)
        );
        let scalars = bytes(PROOF_SOME).len() - 144;
        for at in (0..scalars).step_by(32) {
            let mut shown = Shown::fixture();
            shown.proof[144 + at..144 + at + 32].copy_from_slice(&scalar);
            assert_eq!(shown.verify(&[0, 2, 4, 6]), Err(BbsError::MalformedProof));
        }
        let scalar: [u8; 32] = scalar.try_into().unwrap();
        assert_eq!(
            SecretKey::from_bytes(&scalar).err(),
            Some(BbsError::SecretKey)
        );
    }
}

#[test]
fn lengths_are_checked() {
    let short = SecretKey::key_gen(&[1; 31], &[]);
    assert_eq!(short.err(), Some(BbsError::SecretKey));
    let long = SecretKey::key_gen(&[1; 32], &vec![0; 65536]);
    assert_eq!(long.err(), Some(BbsError::SecretKey));
    let tag = SecretKey::key_gen_with_dst(&[1; 32], &[], &[0; 256]);
    assert_eq!(tag.err(), Some(BbsError::SecretKey));
    for length in [0, 79, 81] {
        let result = Signature::from_bytes(&vec![0x80; length]);
        assert_eq!(result, Err(BbsError::MalformedSignature));
    }
    let proof = bytes(PROOF_SOME);
    for length in [0, 47, 271, proof.len() - 1] {
        let mut shown = Shown::fixture();
        shown.proof.truncate(length);
        assert_eq!(shown.verify(&[0, 2, 4, 6]), Err(BbsError::MalformedProof));
    }
    // One hidden message less than was signed.
    let mut shown = Shown::fixture();
    shown.proof.truncate(proof.len() - 32);
    assert_eq!(shown.verify(&[0, 2, 4, 6]), Err(BbsError::BadProof));
    let many = vec![0xab; 272 + 32 * (MAX_MESSAGES + 1)];
    let result = proof_verify(&key().public_key(), &many, b"", b"", &[]);
    assert_eq!(result, Err(BbsError::TooManyMessages));
    let result = proof_verify(&key().public_key(), &many[32..], b"", b"", &[]);
    assert_eq!(result, Err(BbsError::MalformedProof));
    let message: &[u8] = b"m";
    let result = sign(&key(), b"", &vec![message; MAX_MESSAGES + 1]);
    assert_eq!(result, Err(BbsError::TooManyMessages));
    let signature = Signature::from_bytes(&bytes(SIGNATURE_ONE)).unwrap();
    let rng = SeededRng::new(4);
    let public = key().public_key();
    for disclosed in [&[1][..], &[0, 0]] {
        let result = proof_gen(&public, &signature, b"", b"", &[message], disclosed, &rng);
        assert_eq!(result, Err(BbsError::Indexes));
    }
}

#[test]
fn two_proofs_of_one_signature_share_nothing() {
    let (key, messages) = (key(), messages());
    let messages = slices(&messages);
    let signature = sign(&key, b"h", &messages).unwrap();
    let rng = SeededRng::new(3);
    let proof = || {
        proof_gen(
            &key.public_key(),
            &signature,
            b"h",
            b"",
            &messages,
            &[1],
            &rng,
        )
    };
    let (first, second) = (proof().unwrap(), proof().unwrap());
    for (a, b) in first.chunks(16).zip(second.chunks(16)) {
        assert_ne!(a, b);
    }
}

/// A holder who derives from a signature that does not belong to the messages would show what every
/// verifier refuses, and an issuer could tell its holders apart by that.
#[test]
fn a_proof_is_made_of_a_signature_that_was_verified() {
    let (key, messages) = (key(), messages());
    let messages = slices(&messages);
    let signature = sign(&key, b"h", &messages).unwrap();
    let public = key.public_key();
    let prove = |key: &PublicKey, signature: &Signature, header: &[u8], messages: &[&[u8]]| {
        let rng = SeededRng::new(3);
        proof_gen_verified(key, signature, header, b"ph", messages, &[1], &rng)
    };
    let proof = prove(&public, &signature, b"h", &messages).unwrap();
    proof_verify(&public, &proof, b"h", b"ph", &[(1, messages[1])]).unwrap();
    let rng = SeededRng::new(3);
    let unchecked = proof_gen(&public, &signature, b"h", b"ph", &messages, &[1], &rng);
    assert_eq!(unchecked.as_ref(), Ok(&proof));

    let bad = Err(BbsError::BadSignature);
    let other_key = SecretKey::generate(&SeededRng::new(2)).public_key();
    assert_eq!(prove(&other_key, &signature, b"h", &messages), bad);
    assert_eq!(prove(&public, &signature, b"i", &messages), bad);
    assert_eq!(prove(&public, &signature, b"h", &messages[1..]), bad);
    let mut other = messages.clone();
    // A message that stays hidden.
    other[5] = b"another message";
    assert_eq!(prove(&public, &signature, b"h", &other), bad);
    let another = sign(&key, b"h", &other).unwrap();
    let mixed = [&another.to_bytes()[..48], &signature.to_bytes()[48..]].concat();
    let mixed = Signature::from_bytes(&mixed).unwrap();
    assert_eq!(prove(&public, &mixed, b"h", &messages), bad);
    let two = [0, 0];
    let rng = SeededRng::new(3);
    let indexes = proof_gen_verified(&public, &signature, b"h", b"", &messages, &two, &rng);
    assert_eq!(indexes, Err(BbsError::Indexes));
}

/// Random scalars of zero would make every signature good.
#[test]
fn a_generator_of_zeros_verifies_no_signature() {
    struct Zeros;
    impl Rng for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }
    let (key, messages) = (key(), messages());
    let messages = slices(&messages);
    for header in [b"h", b"i"] {
        let signature = sign(&key, b"h", &messages).unwrap();
        let public = key.public_key();
        let proof = proof_gen_verified(&public, &signature, header, b"", &messages, &[1], &Zeros);
        assert_eq!(proof, Err(BbsError::BadSignature));
    }
}

#[test]
fn the_secret_key_is_not_printed() {
    let printed = format!("{:?}", key());
    assert!(!printed.contains(SECRET_KEY) && !printed.contains("scalar"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_proved_verifies_and_nothing_else(
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..20),
        choice in any::<u32>(),
        altered in any::<prop::sample::Index>(),
        seed in any::<u64>(),
    ) {
        let rng = SeededRng::new(seed);
        let key = SecretKey::generate(&rng);
        let slices = slices(&messages);
        let signature = sign(&key, b"header", &slices).unwrap();
        verify(&key.public_key(), &signature, b"header", &slices).unwrap();
        let disclosed: Vec<usize> = (0..messages.len()).filter(|i| choice >> i & 1 == 1).collect();
        let proof = proof_gen(&key.public_key(), &signature, b"header", b"ph", &slices, &disclosed, &rng).unwrap();
        let mut revealed: Vec<_> = disclosed.iter().map(|&i| (i, slices[i])).collect();
        prop_assert_eq!(proof_verify(&key.public_key(), &proof, b"header", b"ph", &revealed), Ok(()));
        prop_assert!(proof_verify(&key.public_key(), &proof, b"header", b"pi", &revealed).is_err());
        if !revealed.is_empty() {
            let which = altered.index(revealed.len());
            let mut other = revealed[which].1.to_vec();
            other.push(0);
            revealed[which].1 = &other;
            prop_assert!(proof_verify(&key.public_key(), &proof, b"header", b"ph", &revealed).is_err());
        }
    }

    #[test]
    fn any_octets_are_refused_without_a_panic(
        proof in prop::collection::vec(any::<u8>(), 0..600),
        indexes in prop::collection::vec(0_usize..40, 0..5),
    ) {
        let revealed: Vec<(usize, &[u8])> = indexes.iter().map(|&i| (i, &b"m"[..])).collect();
        prop_assert!(proof_verify(&key().public_key(), &proof, b"", b"", &revealed).is_err());
        let _ = Signature::from_bytes(&proof);
    }
}
