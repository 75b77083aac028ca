//! `ecdsa-sd-2023`, every step.

use serde_json::{Value, json};
use vouchsafe_credentials::crypto::multikey::Multikey;
use vouchsafe_credentials::crypto::{Portable, SigningKey, sha256};
use vouchsafe_credentials::data_integrity::{Cryptosuite as _, DeriveOptions, Proof};
use vouchsafe_credentials::multibase::base58btc_decode;
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials_jsonld::ecdsa_sd::{BaseProof, DerivedProof, EcdsaSd2023};
use vouchsafe_credentials_jsonld::sd::{Disclosed, Pointer, hmac_labels};
use vouchsafe_vectors::Run;

use crate::selective::{Walk, altered, entries, hex_key, json};

pub async fn both(run: &Run) {
    let employ = [
        "employmentAuth.json",
        "employMandatory.json",
        "employSelective.json",
    ];
    walk(&Walk::open(run, "ecdsa-sd-2023/employ/", employ, false)).await;
    let card = [
        "prCredUnsigned.json",
        "prCredMandatory.json",
        "prCredSelective.json",
    ];
    walk(&Walk::open(run, "ecdsa-sd-2023/prc/", card, false)).await;
}

/// A P-256 key out of `secretKeyMultibase`.
fn secret(text: &Value) -> SigningKey {
    let bytes = base58btc_decode(text.as_str().unwrap(), 34).unwrap();
    assert_eq!(bytes[..2], [0x86, 0x26]);
    let head = "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420";
    let der = [&hex::decode(head).unwrap(), &bytes[2..]].concat();
    SigningKey::from_pkcs8_der(&der).unwrap()
}

fn multikey(bytes: &[u8]) -> Value {
    Multikey::from_multicodec(bytes).unwrap().encode().into()
}

fn hex_list(list: &[[u8; 64]]) -> Value {
    list.iter().map(hex::encode).collect()
}

async fn walk(walk: &Walk<'_>) {
    let keys = json(walk.run, "ecdsa-sd-2023/SDKeyMaterial.json");
    let hmac_key = hex_key::<32>(&keys["hmacKeyString"]);
    let base_key = secret(&keys["baseKeyPair"]["secretKeyMultibase"]);
    let scoped = secret(&keys["proofKeyPair"]["secretKeyMultibase"]);
    let suite = EcdsaSd2023::new(walk.transformation.clone());

    // Issue.
    let parted = walk.base(|labels| hmac_labels(labels.values(), &hmac_key));
    let options = walk.options();
    let canonical = walk
        .processor
        .canonicalize_options(&walk.document, options.clone());
    walk.proof_hash(&sha256(canonical.unwrap().text().as_bytes()));
    let proof = suite
        .create_base(
            &walk.document,
            options,
            &walk.mandatory,
            &base_key,
            hmac_key,
            &scoped,
        )
        .await
        .unwrap();
    let base = BaseProof::parse(proof["proofValue"].as_str().unwrap()).unwrap();
    let raw = walk.json("addRawBaseSignatureInfo");
    walk.step(
        "baseSignature",
        &hex::encode(base.signature).into(),
        &raw["baseSignature"],
    );
    walk.step("publicKey", &multikey(&base.public_key), &raw["publicKey"]);
    walk.step(
        "signatures",
        &hex_list(&base.signatures),
        &raw["signatures"],
    );
    let mut signed = walk.document.clone();
    signed["proof"] = Value::Object(proof);
    walk.step("addSignedSDBase", &signed, &walk.json("addSignedSDBase"));

    // Derive.
    let recovered = walk.json("derivedRecoveredBaseData");
    let pointers: Vec<_> = base.mandatory.iter().map(Pointer::to_string).collect();
    walk.step(
        "derivedRecoveredBaseData",
        &json!({
            "baseSignature": hex::encode(base.signature),
            "proofPublicKey": multikey(&base.public_key),
            "hmacKey": hex::encode(base.hmac_key),
            "signatures": hex_list(&base.signatures),
            "mandatoryPointers": pointers,
        }),
        &recovered,
    );
    let (labels, mandatory, selective) = walk.groups(&parted);
    let adjusted = walk.json("derivedAdjMandatoryIndexes");
    walk.step(
        "adjMandatoryIndexes",
        &json!(mandatory),
        &adjusted["adjMandatoryIndexes"],
    );
    let filtered: Vec<_> = selective
        .iter()
        .map(|&index| base.signatures[index])
        .collect();
    let adjusted = walk.json("derivedAdjSignatures");
    walk.step(
        "adjSignatureIndexes",
        &json!(selective),
        &adjusted["adjSignatureIndexes"],
    );
    walk.step(
        "filteredSignatures",
        &hex_list(&filtered),
        &adjusted["filteredSignatures"],
    );

    let base_proof = Proof::parse(&signed["proof"]).unwrap();
    let wanted = DeriveOptions {
        selective_pointers: walk.selective.clone(),
        presentation_header: Vec::new(),
    };
    let rng = SeededRng::new(0);
    let derived = suite
        .derive(&walk.document, &base_proof, &wanted, &rng)
        .unwrap();
    let theirs = walk.json("derivedRevealDocument");
    let proof = Proof::parse(&derived["proof"]).unwrap();
    let value = DerivedProof::parse(proof.proof_value()).unwrap();
    let data = walk.json("derivedDisclosureData");
    walk.step(
        "disclosed baseSignature",
        &hex::encode(value.signature).into(),
        &data["baseSignature"],
    );
    walk.step(
        "disclosed publicKey",
        &multikey(&value.public_key),
        &data["publicKey"],
    );
    walk.step(
        "disclosed signatures",
        &hex_list(&value.signatures),
        &data["signatures"],
    );
    walk.step(
        "disclosed labelMap",
        &entries(&labels),
        &data["labelMap"]["value"],
    );
    walk.step(
        "disclosed mandatoryIndexes",
        &json!(value.mandatory),
        &data["mandatoryIndexes"],
    );
    walk.step("derivedRevealDocument", &derived, &theirs);

    // Verify.
    let parsed = walk.json("verifyDerivedProofValue");
    walk.step(
        "verifyDerivedProofValue",
        &json!({
            "baseSignature": hex::encode(value.signature),
            "publicKey": multikey(&value.public_key),
            "signatures": hex_list(&value.signatures),
            "labelMap": entries(&value.labels),
            "mandatoryIndexes": value.mandatory,
        }),
        &parsed,
    );
    let mut unsecured = theirs.clone();
    unsecured.as_object_mut().unwrap().shift_remove("proof");
    let disclosed =
        Disclosed::new(&walk.processor, &unsecured, &value.labels, &value.mandatory).unwrap();
    let canonical = walk
        .processor
        .canonicalize_options(&unsecured, proof.options());
    walk.step(
        "verifyCreateVerifyData",
        &json!({
            "baseSignature": hex::encode(value.signature),
            "proofHash": hex::encode(sha256(canonical.unwrap().text().as_bytes())),
            "publicKey": multikey(&value.public_key),
            "signatures": hex_list(&value.signatures),
            "nonMandatory": disclosed.others,
            "mandatoryHash": hex::encode(disclosed.mandatory_hash),
        }),
        &walk.json("verifyCreateVerifyData"),
    );
    refusals(&suite, &keys, &unsecured, &theirs["proof"], &signed);
}

/// What verifies, and its negative twins.
fn refusals(suite: &EcdsaSd2023, keys: &Value, document: &Value, proof: &Value, signed: &Value) {
    let key = keys["baseKeyPair"]["publicKeyMultibase"].as_str().unwrap();
    let key = Multikey::decode(key).unwrap();
    let other = keys["proofKeyPair"]["publicKeyMultibase"].as_str().unwrap();
    let other = Multikey::decode(other).unwrap();
    let parsed = Proof::parse(proof).unwrap();
    suite.verify(document, &parsed, &key, &Portable).unwrap();
    assert!(suite.verify(document, &parsed, &other, &Portable).is_err());
    for (place, altered) in altered(document) {
        assert!(
            suite.verify(&altered, &parsed, &key, &Portable).is_err(),
            "{place}"
        );
    }
    for (name, value) in [
        ("created", "2023-08-15T23:36:39Z"),
        ("proofPurpose", "authentication"),
    ] {
        let mut proof = proof.clone();
        proof[name] = value.into();
        let parsed = Proof::parse(&proof).unwrap();
        assert!(
            suite.verify(document, &parsed, &key, &Portable).is_err(),
            "{name}"
        );
    }
    let good = DerivedProof::parse(parsed.proof_value()).unwrap();
    let mut values = vec![good.clone(); 6];
    values[0].signature[10] ^= 1;
    values[1].signatures[0][63] ^= 1;
    values[2].signatures.pop();
    values[3].mandatory.pop();
    values[4].labels.pop_first();
    values[5].signatures.swap(0, 1);
    for (index, value) in values.into_iter().enumerate() {
        let mut proof = proof.clone();
        proof["proofValue"] = value.encode().unwrap().into();
        let parsed = Proof::parse(&proof).unwrap();
        assert!(
            suite.verify(document, &parsed, &key, &Portable).is_err(),
            "value {index}"
        );
    }

    // The base proof holds, and is no derived one.
    let base = Proof::parse(&signed["proof"]).unwrap();
    let mut unsecured = signed.clone();
    unsecured.as_object_mut().unwrap().shift_remove("proof");
    suite
        .verify_base(&unsecured, &base, &key, &Portable)
        .unwrap();
    assert!(suite.verify(&unsecured, &base, &key, &Portable).is_err());
    assert!(
        suite
            .verify_base(&unsecured, &base, &other, &Portable)
            .is_err()
    );
    for (place, altered) in altered(&unsecured) {
        assert!(
            suite.verify_base(&altered, &base, &key, &Portable).is_err(),
            "{place}"
        );
    }
}
