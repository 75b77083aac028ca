use super::*;

fn only(query: &DcqlQuery, wanted: &[&str]) -> DcqlQuery {
    let paths: Vec<ClaimsPath> = wanted
        .iter()
        .filter_map(|name| ClaimsPath::of_keys(&[name]))
        .collect();
    let narrowed = query.narrowed(|_, claim| paths.contains(claim.path()));
    // What is signed and what is checked are one question, and one that may be put.
    assert_eq!(
        DcqlQuery::parse(narrowed.as_json()),
        Ok(narrowed.clone()),
        "{wanted:?}"
    );
    narrowed
}

fn claims(query: &DcqlQuery) -> Option<Value> {
    query.as_json()["credentials"][0].get("claims").cloned()
}

#[test]
fn only_what_is_wanted_and_the_conditions_are_asked_for() {
    let adult = json!({"path": ["adult"], "values": [true]});
    let whole = one(json!([{"path": ["name"]}, {"path": ["email"]}, adult]));
    assert_eq!(only(&whole, &["name", "email"]), whole);
    assert_eq!(
        claims(&only(&whole, &["email"])),
        Some(json!([{"path": ["email"]}, adult]))
    );
    let nothing = only(&whole, &[]);
    assert_eq!(claims(&nothing), Some(json!([adult])));
    let minor = Card::new("t", json!({"name": "A", "email": "e", "adult": false}));
    assert!(find_matches(&nothing, &[&minor]).is_err());
}

#[test]
fn one_claim_is_always_asked_for() {
    let whole = one(json!([{"path": ["name"]}, {"path": ["email"]}]));
    let bare = only(&whole, &[]);
    assert_eq!(claims(&bare), Some(json!([{"path": ["name"]}])));
    // Where there was none, there is none.
    let card = query(json!({"credentials": [{
        "id": "a", "format": "dc+sd-jwt", "meta": {"vct_values": ["t"]}
    }]}));
    assert_eq!(claims(&only(&card, &[])), None);
}

#[test]
fn alternatives_shrink_and_demand_nothing_new() {
    let whole = query(json!({"credentials": [{
        "id": "a", "format": "dc+sd-jwt", "meta": {"vct_values": ["t"]},
        "claims": [
            {"id": "n", "path": ["name"]}, {"id": "e", "path": ["email"]}, {"id": "p", "path": ["phone"]}
        ],
        "claim_sets": [["n", "e", "p"], ["n", "e"], ["p"]]
    }]}));
    let sets = |wanted: &[&str]| {
        let narrowed = only(&whole, wanted);
        narrowed.as_json()["credentials"][0]
            .get("claim_sets")
            .cloned()
    };
    assert_eq!(
        sets(&["name", "phone"]),
        Some(json!([["n", "p"], ["n"], ["p"]]))
    );
    // A card with a telephone number alone was good before, and is still.
    assert_eq!(sets(&["name", "email"]), Some(json!([["n", "e"], ["p"]])));
    assert_eq!(sets(&["email"]), Some(json!([["e"], ["p"]])));
    assert_eq!(
        claims(&only(&whole, &["email"]))
            .unwrap()
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(sets(&[]), Some(json!([["n", "e", "p"]])));
}

#[test]
fn conditions_in_alternatives_stay_whole() {
    let whole = query(json!({"credentials": [{
        "id": "a", "format": "dc+sd-jwt", "meta": {"vct_values": ["t"]},
        "claims": [
            {"id": "n", "path": ["name"]}, {"id": "b", "path": ["badge"]},
            {"id": "r", "path": ["role"], "values": ["staff"]}
        ],
        "claim_sets": [["n", "b"], ["n", "r"]]
    }]}));
    let narrowed = only(&whole, &["name"]);
    assert_eq!(narrowed, whole);
    let guest = Card::new("t", json!({"name": "A", "role": "guest"}));
    assert!(find_matches(&narrowed, &[&guest]).is_err());
}
