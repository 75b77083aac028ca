//! The two versions of the data model, and issuers that somebody else signs for.

use serde_json::{Value, json};

use super::fixtures::Lists;
use super::{
    Credential, Delegation, Issuers, Policy, Presentation, StatusLists, StatusPolicy, VcdmError,
    Version,
};
use crate::crypto::{Algorithm, Portable, SigningKey};
use crate::data_integrity::{
    EddsaJcs2022, ProofOptions, ProofPurpose, SuiteSigner, Suites, add_proof, verify_credential,
};
use crate::did::{LocalResolver, key};
use crate::testing::SeededRng;
use crate::time::UnixTime;

const NOW: UnixTime = UnixTime(1_800_000_000);

fn version_1() -> Value {
    json!({
        "@context": ["https://www.w3.org/2018/credentials/v1"],
        "type": ["VerifiableCredential"],
        "issuer": "did:example:issuer",
        "issuanceDate": "2020-03-16T22:37:26.544Z",
        "credentialSubject": {"id": "did:example:subject"}
    })
}

#[test]
fn each_version_has_its_own_dates() {
    let credential = Credential::parse(&version_1()).unwrap();
    assert_eq!(credential.version(), Version::V1_1);
    assert_eq!(
        credential.valid_from().unwrap().time(),
        UnixTime(1_584_398_246)
    );
    let mut ended = version_1();
    ended["expirationDate"] = json!("2021-01-01T00:00:00Z");
    assert!(Credential::parse(&ended).unwrap().valid_until().is_some());
    ended["expirationDate"] = json!("2019-01-01T00:00:00Z");
    assert_eq!(Credential::parse(&ended), Err(VcdmError::Period));
    let mut without = version_1();
    without.as_object_mut().unwrap().remove("issuanceDate");
    assert_eq!(
        Credential::parse(&without),
        Err(VcdmError::Missing("issuanceDate"))
    );
    for (name, context) in [
        ("validFrom", "https://www.w3.org/2018/credentials/v1"),
        ("validUntil", "https://www.w3.org/2018/credentials/v1"),
        ("issuanceDate", "https://www.w3.org/ns/credentials/v2"),
        ("expirationDate", "https://www.w3.org/ns/credentials/v2"),
    ] {
        let mut mixed = version_1();
        if context.ends_with("v2") {
            mixed.as_object_mut().unwrap().remove("issuanceDate");
        }
        mixed["@context"] = json!([context]);
        mixed[name] = json!("2020-03-16T22:37:26Z");
        assert_eq!(
            Credential::parse(&mixed),
            Err(VcdmError::OtherVersion(name)),
            "{name}"
        );
    }
    let presentation = json!({
        "@context": ["https://www.w3.org/2018/credentials/v1"],
        "type": ["VerifiablePresentation"]
    });
    assert_eq!(Presentation::parse(&presentation), Err(VcdmError::Version1));
}

#[tokio::test]
async fn a_controller_signs_for_another_issuer_only_where_the_verifier_says_so() {
    let rng = SeededRng::new(5);
    let signer = SigningKey::generate(Algorithm::EdDsa, &rng);
    let multibase = key::encode_multibase(crate::crypto::Signer::public_key(&signer));
    let did = format!("did:key:{multibase}");
    let credential = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": "https://vc.example/issuers/1",
        "credentialSubject": {"id": "did:example:subject"}
    });
    let options = ProofOptions::new(format!("{did}#{multibase}"), ProofPurpose::AssertionMethod);
    let signer = SuiteSigner::Signature(&signer);
    let secured = add_proof(&credential, &options, &EddsaJcs2022, signer, &rng)
        .await
        .unwrap();
    let verify = async |delegations: &[Delegation]| {
        let mut policy = Policy::new(Issuers::AnyResolvable, NOW, StatusPolicy::Unchecked);
        policy.delegations = delegations;
        verify_credential(&secured, &Suites::jcs(), &policy, &LocalResolver, &Portable)
            .await
            .map(drop)
            .map_err(|error| error.code())
    };
    let delegation = |issuer: &str, controller: &str| Delegation {
        issuer: issuer.to_owned(),
        controller: controller.to_owned(),
    };
    assert_eq!(verify(&[]).await, Err("issuer_mismatch"));
    let other = [
        delegation("https://vc.example/issuers/2", &did),
        delegation("https://vc.example/issuers/1", "did:example:other"),
    ];
    assert_eq!(verify(&other).await, Err("issuer_mismatch"));
    let said = [delegation("https://vc.example/issuers/1", &did)];
    assert_eq!(verify(&said).await, Ok(()));
}

#[test]
fn an_earlier_edition_is_named_by_its_digest_and_no_other() {
    let mut document = version_1();
    document["relatedResource"] = json!({
        "id": "https://www.w3.org/ns/credentials/v2",
        "digestMultibase": "uJKGMkOmFbVJhEfKTduMC2XCyvRAYLjOVmZWwIH1wQ7k"
    });
    let credential = Credential::parse(&document).unwrap();
    let [resource] = credential.related_resources() else {
        panic!("one resource");
    };
    let own = crate::encoding::b64url_decode("JKGMkOmFbVJhEfKTduMC2XCyvRAYLjOVmZWwIH1wQ7k");
    let own = own.unwrap();
    let other = [7; 32];
    assert!(resource.is_one_of(&[&other, &own]));
    assert!(!resource.is_one_of(&[&other]));
    assert!(!resource.is_one_of(&[]));
    assert!(!resource.matches(b"another text"));
}

#[test]
fn lists_are_shown_by_their_publishers() {
    let publishers = ["did:example:publisher".to_owned()];
    let lists = StatusLists {
        source: &Lists::default(),
        publishers: &publishers,
    };
    assert!(format!("{lists:?}").contains("did:example:publisher"));
}
