//! Every leaf of a secured document is secured.

use proptest::prelude::*;
use serde_json::Value;

use crate::json;
use crate::vcdm::fixtures::{
    Party, credential, leaves, presentation, presentation_policy, verify, verify_vp,
};

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// Other values of the same and of other types.
fn others(value: &Value) -> Vec<Value> {
    let mut others = vec![
        serde_json::json!(null),
        serde_json::json!(true),
        serde_json::json!(0),
        serde_json::json!(""),
        serde_json::json!([]),
        serde_json::json!({}),
    ];
    match value {
        Value::String(text) => {
            others.push(serde_json::json!(format!("{text}x")));
            others.push(serde_json::json!(text.to_uppercase()));
        }
        Value::Number(number) => others.push(serde_json::json!(number.as_f64().unwrap() + 1.0)),
        Value::Bool(flag) => others.push(serde_json::json!(!flag)),
        _ => {}
    }
    others.retain(|other| other != value);
    others
}

/// Every document that differs in one leaf.
fn mutants(document: &Value) -> Vec<Value> {
    let mut copy = document.clone();
    let mut all = Vec::new();
    leaves(&mut copy, &mut all);
    let originals: Vec<Value> = all.into_iter().map(|leaf| leaf.clone()).collect();
    let mut mutants = Vec::new();
    for (place, original) in originals.iter().enumerate() {
        for other in others(original) {
            let mut mutant = document.clone();
            let mut all = Vec::new();
            leaves(&mut mutant, &mut all);
            *all.swap_remove(place) = other;
            mutants.push(mutant);
        }
    }
    mutants
}

#[test]
fn cat_176_every_leaf_of_a_credential() {
    run(async {
        let issuer = Party::issuer();
        let secured = issuer.issue(&credential(&issuer, &Party::holder())).await;
        assert!(verify(&secured).await.is_ok());
        let mutants = mutants(&secured);
        assert!(mutants.len() > 150);
        for mutant in mutants {
            assert!(verify(&mutant).await.is_err(), "{mutant}");
        }
    });
}

#[test]
fn cat_176_every_leaf_of_a_presentation() {
    run(async {
        let (issuer, holder) = (Party::issuer(), Party::holder());
        let secured = issuer.issue(&credential(&issuer, &holder)).await;
        let presented = holder.present(&presentation(&holder, &[secured])).await;
        for mutant in mutants(&presented).into_iter().step_by(3) {
            assert!(
                verify_vp(&mutant, &presentation_policy()).await.is_err(),
                "{mutant}"
            );
        }
    });
}

#[test]
fn cat_176_members_that_are_added_or_taken_away() {
    run(async {
        let issuer = Party::issuer();
        let secured = issuer.issue(&credential(&issuer, &Party::holder())).await;
        for pointer in [
            "",
            "/issuer",
            "/credentialSubject",
            "/credentialSubject/member",
            "/proof",
        ] {
            let mut added = secured.clone();
            let object = added.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
            object.insert("unsigned".to_owned(), serde_json::json!("claim"));
            assert!(verify(&added).await.is_err(), "{pointer}");
            let names: Vec<String> = {
                let object = secured.pointer(pointer).unwrap().as_object().unwrap();
                object.keys().cloned().collect()
            };
            for name in names {
                let mut taken = secured.clone();
                let object = taken.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
                object.shift_remove(&name);
                assert!(verify(&taken).await.is_err(), "{pointer}/{name}");
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Order of members and the way in which numbers and strings are written are free; nothing else is.
    #[test]
    fn what_is_signed_is_what_is_read(claims in "[ -~\u{e9}\u{1f600}]{0,20}", number in any::<f64>(), flag in any::<bool>()) {
        // `-0.0` is refused by the parser.
        prop_assume!(number.is_finite() && number != 0.0);
        run(async {
            let issuer = Party::issuer();
            let mut document = credential(&issuer, &Party::holder());
            document["credentialSubject"]["claims"] = serde_json::json!([{claims.clone(): claims, "n": number, "f": flag}]);
            let secured = issuer.issue(&document).await;
            let text = serde_json::to_string_pretty(&secured).unwrap();
            let again = json::parse_strict(text.as_bytes()).unwrap();
            assert!(verify(&again).await.is_ok());
            let mut altered = again;
            altered["credentialSubject"]["claims"][0]["f"] = serde_json::json!(!flag);
            assert!(verify(&altered).await.is_err());
        });
    }
}
