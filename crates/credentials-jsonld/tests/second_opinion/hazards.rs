//! What `ssi` 0.16 does or leaves out, and that it changes nothing here. `specs/conformance.md`,
//! "What ssi does that cannot be reached here", has the whole list.

use std::io::ErrorKind;
use std::net::TcpListener;

use proptest::prelude::*;
use vouchsafe_credentials::data_integrity::verify_credential;
use vouchsafe_credentials::did::LocalResolver;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::vcdm::{Issuers, Policy, StatusPolicy};

use super::*;

const NOW: UnixTime = UnixTime(1_800_000_000);

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("runtime")
        .block_on(future)
}

/// The judge: what a service asks. The second opinion stands beside it, never in its place.
async fn judged(secured: &Value) -> Result<(), &'static str> {
    let policy = Policy::new(Issuers::AnyResolvable, NOW, StatusPolicy::Unchecked);
    let verdict = verify_credential(secured, &table(), &policy, &LocalResolver, &Portable).await;
    verdict.map(|_| ()).map_err(|error| error.code())
}

async fn issued(alter: impl FnOnce(&mut Value)) -> Value {
    let key = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(7));
    let multibase = did::key::encode_multibase(key.public_key());
    let mut unsigned = credential();
    unsigned["issuer"]["id"] = json!(format!("did:key:{multibase}"));
    alter(&mut unsigned);
    sign(&unsigned, &key).await
}

async fn sign(unsigned: &Value, key: &SigningKey) -> Value {
    let multibase = did::key::encode_multibase(key.public_key());
    let method = format!("did:key:{multibase}#{multibase}");
    let options = ProofOptions::new(method, ProofPurpose::AssertionMethod);
    let suites = table();
    let suite = suites.get("eddsa-rdfc-2022").expect("suite");
    let signer = SuiteSigner::Signature(key);
    let rng = SeededRng::new(1);
    let made = add_proof(unsigned, &options, suite, signer, &rng);
    made.await.expect("issued")
}

#[tokio::test]
async fn ssi_binds_no_key_to_the_issuer_and_we_do() {
    let own = issued(|_| ()).await;
    assert_eq!(second_opinion::verify(&own).await, Ok(()));
    assert_eq!(judged(&own).await, Ok(()));
    for issuer in ["did:example:issuer", "https://university.example"] {
        let forged = issued(|unsigned| unsigned["issuer"]["id"] = json!(issuer)).await;
        // This is what must never be a verdict alone.
        assert_eq!(second_opinion::verify(&forged).await, Ok(()), "{issuer}");
        assert_eq!(judged(&forged).await, Err("issuer_mismatch"), "{issuer}");
    }
}

#[tokio::test]
async fn ssi_is_not_asked_about_suites_that_it_has_not_finished() {
    let good = issued(|_| ()).await;
    let unsupported = async |alter: &dyn Fn(&mut Value), what: &str| {
        let mut document = good.clone();
        alter(&mut document);
        let verdict = second_opinion::verify(&document).await;
        assert_eq!(verdict, Err(SecondOpinionError::Unsupported), "{what}");
    };
    for kind in [
        "AleoSignature2021",
        "SolanaSignature2021",
        "EthereumEip712Signature2021",
        "Eip712Signature2021",
        "EcdsaSecp256k1RecoverySignature2020",
        "TezosSignature2021",
        "Ed25519Signature2018",
        "JsonWebSignature2020",
        "RsaSignature2018",
        "",
    ] {
        unsupported(&|document| document["proof"]["type"] = json!(kind), kind).await;
    }
    for suite in [
        "bbs-2023",
        "ecdsa-sd-2023",
        "eddsa-2022",
        "eddsa-jcs-2022",
        "",
    ] {
        unsupported(
            &|document| document["proof"]["cryptosuite"] = json!(suite),
            suite,
        )
        .await;
    }
    // No proof is no success, nor is a list of them taken apart.
    for proof in [json!(null), json!([]), json!("z"), json!([good["proof"]])] {
        let what = proof.to_string();
        unsupported(&|document| document["proof"] = proof.clone(), &what).await;
    }
    let no_proof = |document: &mut Value| {
        document
            .as_object_mut()
            .expect("object")
            .shift_remove("proof");
    };
    unsupported(&no_proof, "no proof").await;
}

/// Neither a context nor a key, a status, a schema or evidence is fetched, whatever a credential names.
#[tokio::test]
async fn cat_175_ssi_asks_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
    listener.set_nonblocking(true).expect("nonblocking");
    let port = listener.local_addr().expect("address").port();
    let url = format!("http://127.0.0.1:{port}/x");
    let secured = issued(|unsigned| {
        unsigned["id"] = json!(format!("{url}/credential"));
        unsigned["credentialStatus"] = json!({
            "id": format!("{url}/list#7"), "type": "BitstringStatusListEntry", "statusPurpose": "revocation",
            "statusListIndex": "7", "statusListCredential": format!("{url}/list"),
        });
        unsigned["credentialSchema"] = json!({"id": format!("{url}/schema"), "type": "JsonSchema"});
        unsigned["credentialSubject"]["id"] = json!(format!("{url}/subject"));
    })
    .await;
    assert_eq!(second_opinion::verify(&secured).await, Ok(()));
    let refused = async |alter: &dyn Fn(&mut Value), what: &str| {
        let mut document = secured.clone();
        alter(&mut document);
        let verdict = second_opinion::verify(&document).await;
        assert!(verdict.is_err(), "{what}");
    };
    refused(&|d| d["@context"][1] = json!(url), "a context").await;
    refused(&|d| d["proof"]["@context"] = json!(url), "of the proof").await;
    let did = format!("did:web:127.0.0.1%3A{port}");
    for method in [&url, &did, &format!("{did}#key"), &format!("did:key:{url}")] {
        let alter = |d: &mut Value| d["proof"]["verificationMethod"] = json!(method);
        refused(&alter, method).await;
        let owned = json!({"id": method, "type": "Multikey", "controller": did, "publicKeyMultibase": "z6Mk"});
        refused(
            &|d| d["proof"]["verificationMethod"] = owned.clone(),
            method,
        )
        .await;
    }
    let nobody = listener.accept().expect_err("nobody called");
    assert_eq!(nobody.kind(), ErrorKind::WouldBlock);
}

/// `ssi` turns on `arbitrary_precision` of `serde_json` in the whole program. What is signed, hashed
/// and compared stays the same with it.
#[tokio::test]
async fn ssi_changes_how_numbers_are_kept_and_no_signature() {
    let kept: Value = serde_json::from_str("[1.0, 1.00]").expect("json");
    assert_ne!(kept[0], kept[1], "the feature is on in this program");
    let numbers = json!({
        "a": serde_json::from_str::<Value>("1.00").expect("json"),
        "b": serde_json::from_str::<Value>("1e2").expect("json"),
        "c": -0.0, "d": 4.5, "e": 10_000_000_000_u64,
    });
    let canonical = vouchsafe_credentials::jcs::canonicalize(&numbers).expect("canonical");
    assert_eq!(
        canonical,
        r#"{"a":1,"b":100,"c":0,"d":4.5,"e":10000000000}"#
    );
    // Both write the same statements for usual numbers. Where `ssi` writes others, it refuses
    // what we signed (JSON-LD 1.1 API, 8.6: 5.0 is the integer 5), and a credential does not leave.
    let refused = Err(SecondOpinionError::Refused);
    for (number, theirs) in [
        ("5", Ok(())),
        ("-7", Ok(())),
        ("5.5", Ok(())),
        ("9007199254740991", Ok(())),
        ("5.0", refused),
        ("1.5e2", refused),
        ("18446744073709551615", refused),
    ] {
        let secured = with_number(number).await;
        assert_eq!(judged(&secured).await, Ok(()), "{number}");
        assert_eq!(second_opinion::verify(&secured).await, theirs, "{number}");
    }
}

async fn with_number(number: &str) -> Value {
    let number: Value = serde_json::from_str(number).expect("json");
    issued(|unsigned| unsigned["credentialSubject"]["height"] = json!([{"value": number}])).await
}

/// `ssi` panics at them.
#[tokio::test]
async fn ssi_is_not_asked_about_numbers_that_end_it() {
    for number in ["1e2", "1E2", "-1e2", "1e-7", "1e300"] {
        let secured = with_number(number).await;
        assert_eq!(judged(&secured).await, Ok(()), "{number}");
        let verdict = second_opinion::verify(&secured).await;
        assert_eq!(verdict, Err(SecondOpinionError::Unsupported), "{number}");
    }
    let mut large = with_number("1").await;
    let number = serde_json::from_str("18446744073709551616").expect("json");
    large["credentialSubject"]["height"][0]["value"] = number;
    let verdict = second_opinion::verify(&large).await;
    assert_eq!(verdict, Err(SecondOpinionError::Unsupported));
}

/// A piece of JSON that a caller of the VC API may have put into a credential that we signed.
fn odd() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (any::<i32>(), any::<i16>()).prop_map(|(digits, power)| {
            serde_json::from_str(&format!("{digits}e{power}")).expect("a number")
        }),
        "[ -~]{0,12}".prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
        Just(json!("urn:x:y")),
        Just(json!("2023-99-99T00:00:00Z")),
        Just(json!({"@value": "x", "@language": "de"})),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name = prop_oneof![
            "[a-z@]{1,8}",
            Just("id".to_owned()),
            Just("type".to_owned())
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..4)
                .prop_map(|members| { Value::Object(members.into_iter().collect()) }),
        ]
    })
}

proptest! {
    /// Whatever stands in a credential, `ssi` gives an answer and ends nothing.
    #[test]
    fn ssi_ends_no_process_whatever_stands_in_a_credential(
        member in prop::sample::select(vec![
            "@context", "id", "type", "issuer", "name", "description", "validFrom", "validUntil",
            "credentialSubject", "credentialStatus", "credentialSchema", "relatedResource",
            "refreshService", "termsOfUse", "evidence", "proof",
        ]),
        value in odd(),
        inside in any::<bool>(),
    ) {
        run(async {
            let mut document = issued(|_| ()).await;
            match document.get_mut(member) {
                Some(Value::Object(members)) if inside => {
                    let name = members.keys().next().cloned().unwrap_or_default();
                    members.insert(name, value);
                }
                _ => document[member] = value,
            }
            let _ = second_opinion::verify(&document).await;
        });
    }
}
