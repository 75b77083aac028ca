use serde_json::{Value, json};

use super::{CHILD, Table, child, parent};
use crate::sd_jwt::ClaimPath;
use crate::type_metadata::*;

fn paths(paths: &[Value]) -> Vec<ClaimPath> {
    paths
        .iter()
        .map(|path| ClaimPath::from_json(path).unwrap())
        .collect()
}

async fn judge(payload: Value, disclosed: &[Value], party: Party) -> Result<(), &'static str> {
    let table = Table::of(&[parent(), child()]);
    let effective = resolve(CHILD, None, &table).await.unwrap();
    check_claims(&effective, &payload, &paths(disclosed), party).map_err(|error| error.code())
}

fn whole() -> Value {
    json!({"name": "A", "kind": "k", "nick": "n", "cities": ["X", "Y"], "extra": 1})
}

#[tokio::test]
async fn a_credential_that_fits() {
    let disclosed = [json!(["name"]), json!(["cities", 0]), json!(["cities", 1])];
    assert_eq!(judge(whole(), &disclosed, Party::Holder).await, Ok(()));
    assert_eq!(judge(whole(), &disclosed, Party::Verifier).await, Ok(()));
    // What may be withheld says nothing by its absence; what may not does.
    let shown = json!({"kind": "k", "nick": "n"});
    assert_eq!(judge(shown.clone(), &[], Party::Verifier).await, Ok(()));
    assert_eq!(
        judge(shown, &[], Party::Holder).await,
        Err("type_metadata_claim_missing")
    );
    let without = json!({"name": "A", "nick": "n"});
    let answer = judge(without, &[json!(["name"])], Party::Verifier).await;
    assert_eq!(answer, Err("type_metadata_claim_missing"));
}

#[tokio::test]
async fn disclosability_is_checked() {
    let all = [json!(["name"]), json!(["cities", 0]), json!(["cities", 1])];
    for party in [Party::Holder, Party::Verifier] {
        // `always`, but in the open; one element of an array in the open; `never`, but hidden.
        for disclosed in [
            all[1..].to_vec(),
            all[..2].to_vec(),
            [&all[..], &[json!(["kind"])]].concat(),
        ] {
            let answer = judge(whole(), &disclosed, party).await;
            assert_eq!(answer, Err("type_metadata_disclosability"), "{disclosed:?}");
        }
        // A hidden parent does not make the child disclosable.
        let parent_hidden = [json!(["name"]), json!(["cities"])];
        let answer = judge(whole(), &parent_hidden, party).await;
        assert_eq!(answer, Err("type_metadata_disclosability"));
    }
}

#[tokio::test]
async fn a_path_that_does_not_fit_is_an_error() {
    for cities in [json!("X"), json!({"0": "X"}), json!(7)] {
        let mut payload = whole();
        payload["cities"] = cities;
        let answer = judge(payload, &[json!(["name"])], Party::Holder).await;
        assert_eq!(answer, Err("type_metadata_path"));
    }
}

#[test]
fn one_path_selects_boundedly() {
    let claim = json!({"vct": "a", "claims": [{"path": ["a", null, null], "sd": "never"}]});
    let document = TypeMetadata::parse(claim.to_string().as_bytes()).unwrap();
    let effective = EffectiveType {
        types: vec![document.vct],
        display: Vec::new(),
        claims: document.claims,
    };
    let payload = |inner: usize| json!({"a": vec![vec![0; inner]; 64]});
    assert!(check_claims(&effective, &payload(64), &[], Party::Holder).is_ok());
    assert!(check_claims(&effective, &payload(65), &[], Party::Holder).is_err());
}

/// Positions count the elements as issued, which a Verifier does not see.
#[test]
fn a_claim_at_a_position_is_judged_by_the_holder_alone() {
    let judge = |payload: Value, disclosed: &[Value], party| {
        let claim = json!({"path": ["cities", 1], "sd": "always", "mandatory": true});
        let document = json!({"vct": "a", "claims": [claim]}).to_string();
        let document = TypeMetadata::parse(document.as_bytes()).unwrap();
        let effective = EffectiveType {
            types: vec![document.vct],
            display: Vec::new(),
            claims: document.claims,
        };
        let answer = check_claims(&effective, &payload, &paths(disclosed), party);
        answer.map_err(|error| error.code())
    };
    let second = [json!(["cities", 1])];
    let first = [json!(["cities", 0])];
    for (payload, disclosed, wanted) in [
        (json!({"cities": ["X", "Y"]}), &second[..], Ok(())),
        (
            json!({"cities": ["X", "Y"]}),
            &first,
            Err("type_metadata_disclosability"),
        ),
        (
            json!({"cities": ["X"]}),
            &first,
            Err("type_metadata_claim_missing"),
        ),
        (json!({}), &[], Err("type_metadata_claim_missing")),
        (
            json!({"cities": {"1": "Y"}}),
            &[],
            Err("type_metadata_path"),
        ),
    ] {
        let holder = judge(payload.clone(), disclosed, Party::Holder);
        assert_eq!(holder, wanted, "{payload}");
        assert_eq!(judge(payload, disclosed, Party::Verifier), Ok(()));
    }
}
