//! Both ways with zkryptium 0.8: signatures and proofs of BBS with BLS12-381-SHA-256.

use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials_jsonld::bbs::{
    BbsError, PublicKey, SecretKey, Signature, proof_gen, proof_verify, sign, verify,
};
use zkryptium::bbsplus::keys::{BBSplusPublicKey, BBSplusSecretKey};
use zkryptium::schemes::algorithms::BbsBls12381Sha256;
use zkryptium::schemes::generics::{PoKSignature, Signature as TheirSignature};

const HEADER: &[u8] = b"the header of the issuer";
const PRESENTATION: &[u8] = b"a nonce of the verifier";
/// Some disclosed, all, none.
const DISCLOSED: [&[usize]; 4] = [&[1, 3], &[0], &[0, 1, 2, 3, 4], &[]];

struct Parties {
    ours: SecretKey,
    theirs: BBSplusSecretKey,
    messages: Vec<Vec<u8>>,
}

impl Parties {
    fn new() -> Self {
        let ours = SecretKey::generate(&SeededRng::new(3));
        let theirs = BBSplusSecretKey::from_bytes(&ours.to_bytes()[..]).unwrap();
        let messages = ["Mustermann", "Erika", "1984-01-26", "", "AT"];
        Self {
            ours,
            theirs,
            messages: messages.map(|text| text.as_bytes().to_vec()).to_vec(),
        }
    }

    fn their_key(&self) -> BBSplusPublicKey {
        self.theirs.public_key()
    }

    fn slices(messages: &[Vec<u8>]) -> Vec<&[u8]> {
        messages.iter().map(Vec::as_slice).collect()
    }

    fn chosen(messages: &[Vec<u8>], indexes: &[usize]) -> Vec<Vec<u8>> {
        indexes.iter().map(|at| messages[*at].clone()).collect()
    }

    fn they_accept_proof(
        &self,
        proof: &[u8],
        shown: &[Vec<u8>],
        at: &[usize],
        nonce: &[u8],
    ) -> bool {
        let Ok(proof) = PoKSignature::<BbsBls12381Sha256>::from_bytes(proof) else {
            return false;
        };
        let key = self.their_key();
        let verdict = proof.proof_verify(&key, Some(shown), Some(at), Some(HEADER), Some(nonce));
        verdict.is_ok()
    }

    fn we_accept_proof(
        &self,
        proof: &[u8],
        shown: &[Vec<u8>],
        at: &[usize],
        nonce: &[u8],
    ) -> Result<(), BbsError> {
        let shown: Vec<_> = at.iter().copied().zip(Self::slices(shown)).collect();
        proof_verify(&self.ours.public_key(), proof, HEADER, nonce, &shown)
    }

    /// Both accept a proof, and neither with another message, nonce or place, or altered.
    fn proof_and_twins(&self, proof: &[u8], at: &[usize]) {
        let shown = Self::chosen(&self.messages, at);
        assert!(self.they_accept_proof(proof, &shown, at, PRESENTATION));
        assert_eq!(
            self.we_accept_proof(proof, &shown, at, PRESENTATION),
            Ok(())
        );
        let refused = |proof: &[u8], shown: &[Vec<u8>], at: &[usize], nonce: &[u8], what: &str| {
            assert!(!self.they_accept_proof(proof, shown, at, nonce), "{what}");
            let ours = self.we_accept_proof(proof, shown, at, nonce);
            assert!(ours.is_err(), "{what}");
        };
        refused(proof, &shown, at, b"another nonce", "nonce");
        if !at.is_empty() {
            let mut other = shown.clone();
            other[0].push(b'!');
            refused(proof, &other, at, PRESENTATION, "message");
            refused(proof, &shown[1..], &at[1..], PRESENTATION, "one less");
        }
        if at.len() == 2 {
            let swapped = [shown[1].clone(), shown[0].clone()];
            refused(proof, &swapped, at, PRESENTATION, "places");
        }
        // In the first point and in the last scalar.
        for place in [20, proof.len() - 1] {
            let mut altered = proof.to_vec();
            altered[place] ^= 1;
            refused(&altered, &shown, at, PRESENTATION, "altered");
        }
        refused(&proof[..proof.len() - 32], &shown, at, PRESENTATION, "cut");
    }
}

#[test]
fn keys_are_the_same() {
    let parties = Parties::new();
    assert_eq!(
        parties.their_key().to_bytes(),
        *parties.ours.public_key_bytes()
    );
    assert!(PublicKey::from_bytes(&parties.their_key().to_bytes()).is_ok());
}

#[test]
fn they_verify_what_we_sign_and_prove() {
    let parties = Parties::new();
    let messages = Parties::slices(&parties.messages);
    let signature = sign(&parties.ours, HEADER, &messages).unwrap();
    let theirs = TheirSignature::<BbsBls12381Sha256>::from_bytes(&signature.to_bytes()).unwrap();
    let key = parties.their_key();
    let accepted = |messages: &[Vec<u8>], header: &[u8]| {
        theirs.verify(&key, Some(messages), Some(header)).is_ok()
    };
    assert!(accepted(&parties.messages, HEADER));
    let mut altered = parties.messages.clone();
    altered[2][0] ^= 1;
    assert!(!accepted(&altered, HEADER));
    assert!(!accepted(&parties.messages, b"another header"));
    assert!(!accepted(&parties.messages[..4], HEADER));
    for at in DISCLOSED {
        let key = parties.ours.public_key();
        let rng = SeededRng::new(4);
        let proof = proof_gen(&key, &signature, HEADER, PRESENTATION, &messages, at, &rng);
        parties.proof_and_twins(&proof.unwrap(), at);
    }
}

#[test]
fn we_verify_what_they_sign_and_prove() {
    let parties = Parties::new();
    let key = parties.their_key();
    let messages = Some(parties.messages.as_slice());
    let theirs =
        TheirSignature::<BbsBls12381Sha256>::sign(messages, &parties.theirs, &key, Some(HEADER));
    let bytes = theirs.unwrap().to_bytes();
    let signature = Signature::from_bytes(&bytes).unwrap();
    let ours = parties.ours.public_key();
    let accepted = |messages: &[Vec<u8>], header: &[u8]| {
        verify(&ours, &signature, header, &Parties::slices(messages))
    };
    assert_eq!(accepted(&parties.messages, HEADER), Ok(()));
    let mut altered = parties.messages.clone();
    altered[2][0] ^= 1;
    assert_eq!(accepted(&altered, HEADER), Err(BbsError::BadSignature));
    assert!(accepted(&parties.messages, b"another header").is_err());
    assert!(accepted(&parties.messages[..4], HEADER).is_err());
    // A signature has no randomness: both make the same.
    let own = sign(&parties.ours, HEADER, &Parties::slices(&parties.messages)).unwrap();
    assert_eq!(own.to_bytes(), bytes);
    for at in DISCLOSED {
        let proof = PoKSignature::<BbsBls12381Sha256>::proof_gen(
            &key,
            &bytes,
            Some(HEADER),
            Some(PRESENTATION),
            messages,
            Some(at),
        );
        parties.proof_and_twins(&proof.unwrap().to_bytes(), at);
    }
}
