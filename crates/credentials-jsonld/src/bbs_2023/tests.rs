use serde_json::json;
use vouchsafe_credentials::crypto::Portable;
use vouchsafe_credentials::multibase::{base64url, base64url_decode};

use super::*;
use crate::sd::fixtures::{Party, credential};

#[test]
fn two_disclosures_of_one_credential_share_no_proof() {
    let party = Party::bbs();
    let base = party
        .issue(&credential(&json!({ "name": "Ada", "age": 36 })), &[])
        .unwrap();
    let wanted = ["/credentialSubject/name".to_owned()];
    let parse = || {
        let derived = party.derive(&base, &wanted).unwrap();
        party.verify(&derived).unwrap();
        DerivedProof::parse(derived.value()).unwrap()
    };
    let (one, two) = (parse(), parse());
    for (a, b) in one.proof.chunks(16).zip(two.proof.chunks(16)) {
        assert_ne!(a, b);
    }
}

/// Anonymous holder binding and pseudonyms: other headers, other components.
#[test]
fn features_beyond_the_baseline_are_refused() {
    let party = Party::bbs();
    let base = party
        .issue(&credential(&json!({ "name": "Ada" })), &[])
        .unwrap();
    let derived = party
        .derive(&base, &["/credentialSubject".to_owned()])
        .unwrap();
    for kind in [4, 5, 6, 7, 8, 9] {
        for text in [base.value(), derived.value()] {
            let mut bytes = base64url_decode(text).unwrap();
            bytes[2] = kind;
            let text = base64url(&bytes);
            assert!(matches!(
                BaseProof::parse(&text),
                Err(ProofError::ProofValue)
            ));
            assert!(matches!(
                DerivedProof::parse(&text),
                Err(ProofError::ProofValue)
            ));
        }
    }
}

#[test]
fn keys_that_are_no_points_are_refused() {
    let party = Party::bbs();
    let base = party
        .issue(&credential(&json!({ "name": "Ada" })), &[])
        .unwrap();
    let derived = party
        .derive(&base, &["/credentialSubject".to_owned()])
        .unwrap();
    let proof = Proof::parse(&derived.proof).unwrap();
    let mut identity = [0; 96];
    identity[0] = 0xc0;
    for bytes in [identity, [0; 96], [0xff; 96]] {
        let key = Multikey::Bls12381G2(bytes);
        let result = party
            .suite
            .verify(&derived.document, &proof, &key, &Portable);
        assert!(matches!(result, Err(ProofError::Key)));
    }
}

/// A holder would prove with the key in the proof: it must be the issuer's.
#[test]
fn the_key_in_a_base_proof_is_the_issuers() {
    let party = Party::bbs();
    let base = party
        .issue(&credential(&json!({ "name": "Ada" })), &[])
        .unwrap();
    let mut value = BaseProof::parse(base.value()).unwrap();
    let other = bbs::SecretKey::key_gen(&[3; 32], b"").unwrap();
    value.public_key = *other.public_key_bytes();
    let altered = base.with_value(value.encode());
    assert!(matches!(
        party.verify_base(&altered),
        Err(ProofError::Signature)
    ));
    let derived = party.derive(&altered, &["/credentialSubject".to_owned()]);
    assert!(matches!(derived, Err(ProofError::Signature)));
}

#[test]
fn keys_are_kept_in_bounds() {
    let keys = PreparedKeys::default();
    for index in 0..40_u8 {
        let key = bbs::SecretKey::key_gen(&[index; 32], b"").unwrap();
        let found = keys.get(key.public_key_bytes()).unwrap();
        assert_eq!(found, key.public_key());
        assert_eq!(keys.get(key.public_key_bytes()).unwrap(), found);
    }
    assert!(keys.len() <= 32);
}
