//! The vectors of Data Integrity EdDSA Cryptosuites 1.0.

use serde_json::Value;
use vouchsafe_credentials::crypto::{Algorithm, SigningKey};
use vouchsafe_credentials::data_integrity::{SuiteSigner, add_proof};
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_vectors::Run;

use crate::data_integrity::{
    Canonical, Steps, check, ed25519, json, options, secret, suites, twins, whole,
};

fn key(pair: &Value) -> SigningKey {
    ed25519(&secret(pair["privateKeyMultibase"].as_str().unwrap(), 32))
}

#[tokio::test]
async fn vectors_of_vc_di_eddsa() {
    let Some(run) = Run::open("vc-di-eddsa", 55) else {
        return;
    };
    let run = run.without(
        "Ed25519Signature2020",
        "a cryptosuite that came before Data Integrity 1.0",
    );
    let pair = json(&run, "keyPair.json");
    for (folder, suffix, unsigned, canonical) in [
        (
            "eddsa-rdfc-2022",
            "DataInt",
            "unsigned.json",
            Canonical::Rdfc,
        ),
        (
            "eddsa-rdfc-2022/employ",
            "DataInt",
            "employmentAuth.json",
            Canonical::Rdfc,
        ),
        ("eddsa-jcs-2022", "JCS", "unsigned.json", Canonical::Jcs),
    ] {
        let key = Some(key(&pair));
        let steps = Steps {
            folder,
            suffix,
            unsigned,
            canonical,
            algorithm: Algorithm::EdDsa,
            key,
        };
        whole(&run, &steps).await;
    }
    set_and_chain(&run).await;
    run.close();
}

/// Proof sets and chains: each proof made again, and each document that came of it.
async fn set_and_chain(run: &Run) {
    let file = |name: &str| json(run, &format!("proof-set-chain/{name}.json"));
    let pairs = file("multiKeyPairs");
    let suites = suites();
    let suite = suites.get("eddsa-rdfc-2022").unwrap();
    let rng = SeededRng::new(1);
    let mut document = file("unsigned");
    let unsigned = document.clone();
    for (config, signed, pair, result) in [
        (
            "proofSetConfig1",
            "proofSetConfigSigned1",
            "keyPair1",
            "signedProofSet1",
        ),
        (
            "proofSetConfig2",
            "proofSetConfigSigned2",
            "keyPair2",
            "signedProofSet2",
        ),
        (
            "proofChainConfig1",
            "proofChainConfigSigned1",
            "keyPair3",
            "signedProofChain1",
        ),
        (
            "proofChainConfig2",
            "proofChainConfigSigned2",
            "keyPair4",
            "signedProofChain2",
        ),
    ] {
        let signer = key(&pairs[pair]);
        let proof_options = options(&file(config));
        let made = add_proof(
            &document,
            &proof_options,
            suite,
            SuiteSigner::Signature(&signer),
            &rng,
        );
        let made = made.await.unwrap();
        let proofs = made["proof"]
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![made["proof"].clone()]);
        run.step(signed, proofs.last().unwrap(), &file(signed));
        let theirs = file(result);
        let their_proofs = theirs["proof"]
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![theirs["proof"].clone()]);
        run.step(result, &proofs, &their_proofs);
        document = made;
    }
    for (temporary, signed) in [
        ("proofChainTempDoc1", "proofChainConfigSigned1"),
        ("proofChainTempDoc2", "proofChainConfigSigned2"),
    ] {
        // What a proof of a chain signs: the document with the proofs it names.
        let proof = file(signed);
        run.step(temporary, check(&file(temporary), &proof).is_ok(), true);
        assert!(
            check(&unsigned, &proof).is_err(),
            "without the proofs that it seals"
        );
        twins(&file(temporary), &proof);
    }
}
