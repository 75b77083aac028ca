use serde_json::json;
use vouchsafe_credentials::cbor::Writer;
use vouchsafe_credentials::crypto::{Portable, Signer as _};
use vouchsafe_credentials::multibase::base64url;
use vouchsafe_credentials::testing::SeededRng;

use super::*;
use crate::sd::fixtures::{Party, Secured, credential, transformation};

fn derived() -> (Party, Secured) {
    let party = Party::ecdsa();
    let base = party.issue(&credential(&json!({ "name": "Ada", "age": 36 })), &[]);
    let derived = party.derive(&base.unwrap(), &["/credentialSubject".to_owned()]);
    (party, derived.unwrap())
}

#[test]
fn every_statement_needs_its_signature() {
    let (party, shown) = derived();
    let good = DerivedProof::parse(shown.value()).unwrap();
    assert!(good.signatures.len() >= 2);
    let mut bad = vec![good.clone(); 5];
    bad[0].signatures.pop();
    bad[1].signatures.push(good.signatures[0]);
    bad[2].signatures.swap(0, 1);
    bad[3].signatures[0] = good.signature;
    bad[4].signature = good.signatures[0];
    for value in bad {
        let shown = shown.with_value(value.encode().unwrap());
        assert!(matches!(party.verify(&shown), Err(ProofError::Signature)));
    }
}

/// Who makes a scoped key of their own cannot sign statements with it.
#[test]
fn the_scoped_key_is_bound_by_the_base_signature() {
    let (party, shown) = derived();
    let mut value = DerivedProof::parse(shown.value()).unwrap();
    let own = SigningKey::generate(Algorithm::Es256, &SeededRng::new(77));
    value.public_key = scoped_key(own.public_key()).unwrap();
    let parsed = shown.with_value(value.encode().unwrap());
    assert!(matches!(party.verify(&parsed), Err(ProofError::Signature)));
}

#[test]
fn keys_of_other_curves_are_refused() {
    let (party, shown) = derived();
    let proof = Proof::parse(&shown.proof).unwrap();
    for algorithm in [Algorithm::Es384, Algorithm::Es512, Algorithm::EdDsa] {
        let key = SigningKey::generate(algorithm, &SeededRng::new(3));
        let key = Multikey::Signature(key.public_key().clone());
        let result = party.suite.verify(&shown.document, &proof, &key, &Portable);
        assert!(matches!(result, Err(ProofError::Key)));
    }
    let key = Multikey::Bls12381G2([1; 96]);
    let result = party.suite.verify(&shown.document, &proof, &key, &Portable);
    assert!(matches!(result, Err(ProofError::Key)));
    // A scoped key of another curve has another length or is no point of P-256.
    let mut value = DerivedProof::parse(shown.value()).unwrap();
    value.public_key[..2].copy_from_slice(&[0xed, 0x01]);
    let shown = shown.with_value(value.encode().unwrap());
    assert!(matches!(party.verify(&shown), Err(ProofError::ProofValue)));
}

#[tokio::test]
async fn only_p256_signs() {
    let suite = EcdsaSd2023::new(transformation());
    let document = credential(&json!({ "name": "Ada" }));
    let rng = SeededRng::new(4);
    let options = ProofOptions::new(
        "did:example:i#k",
        vouchsafe_credentials::data_integrity::ProofPurpose::AssertionMethod,
    );
    for algorithm in [Algorithm::Es384, Algorithm::EdDsa] {
        let key = SigningKey::generate(algorithm, &rng);
        let signer = SuiteSigner::Signature(&key);
        let result = suite.create(&document, &options, signer, &rng).await;
        assert!(matches!(result, Err(ProofError::Key)));
    }
}

/// Section 3.5.8: five components of these types and lengths.
#[test]
fn components_have_their_types_and_lengths() {
    let parse = |write: &dyn Fn(&mut Writer)| {
        let mut writer = Writer::new();
        writer.raw(&[0xd9, 0x5d, 0x01]);
        write(&mut writer);
        DerivedProof::parse(&base64url(&writer.finish()))
    };
    let good = |writer: &mut Writer| {
        writer.array(5).bytes(&[1; 64]).bytes(&[2; 35]);
        writer.array(1).bytes(&[3; 64]);
        writer.map(1).unsigned(0).bytes(&[4; 32]);
        writer.array(2).unsigned(0).unsigned(1);
    };
    assert!(parse(&good).is_ok());
    let cases: [&dyn Fn(&mut Writer); 10] = [
        &|w| {
            w.array(4).bytes(&[1; 64]).bytes(&[2; 35]).array(0).map(0);
        },
        &|w| {
            w.array(5)
                .bytes(&[1; 63])
                .bytes(&[2; 35])
                .array(0)
                .map(0)
                .array(0);
        },
        &|w| {
            w.array(5)
                .bytes(&[1; 64])
                .bytes(&[2; 36])
                .array(0)
                .map(0)
                .array(0);
        },
        &|w| {
            w.array(5)
                .bytes(&[1; 64])
                .bytes(&[2; 35])
                .array(1)
                .bytes(&[3; 65])
                .map(0)
                .array(0);
        },
        &|w| {
            w.array(5)
                .bytes(&[1; 64])
                .bytes(&[2; 35])
                .array(0)
                .map(1)
                .unsigned(0)
                .bytes(&[4; 31])
                .array(0);
        },
        &|w| {
            w.array(5)
                .bytes(&[1; 64])
                .bytes(&[2; 35])
                .array(0)
                .map(1)
                .text("0")
                .bytes(&[4; 32])
                .array(0);
        },
        &|w| {
            w.array(5)
                .bytes(&[1; 64])
                .bytes(&[2; 35])
                .array(0)
                .map(0)
                .array(1)
                .text("0");
        },
        &|w| {
            w.array(5)
                .bytes(&[1; 64])
                .bytes(&[2; 35])
                .array(0)
                .map(0)
                .array(2)
                .unsigned(1)
                .unsigned(1);
        },
        // A tag, which must not be there (RFC 8949 allows it, the suite does not).
        &|w| {
            w.array(5)
                .tag(64)
                .bytes(&[1; 64])
                .bytes(&[2; 35])
                .array(0)
                .map(0)
                .array(0);
        },
        &|w| {
            good(w);
            w.unsigned(0);
        },
    ];
    for (index, case) in cases.into_iter().enumerate() {
        assert!(
            matches!(parse(case), Err(ProofError::ProofValue)),
            "case {index}"
        );
    }
}
