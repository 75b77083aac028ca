use super::*;

fn facts(claims: &Value) -> CredentialFacts<'_> {
    CredentialFacts {
        format: "dc+sd-jwt",
        credential_type: "t",
        also_known_as: &[],
        claims,
        authority_key_ids: &[],
        holder_bound: true,
    }
}

fn check(query: &DcqlQuery, claims: Value) -> Result<Vec<ClaimPointer>, CredentialMismatch> {
    check_credential(&query.credentials()[0], &facts(&claims))
}

#[test]
fn cat_307_claims_and_values_are_checked_again() {
    let age = one(json!([{"path": ["age_equal_or_over", "18"], "values": [true]}]));
    assert!(check(&age, json!({"age_equal_or_over": {"18": true}})).is_ok());
    for wrong in [
        json!({}),
        json!({"age_equal_or_over": {}}),
        json!({"age_equal_or_over": {"18": false}}),
        json!({"age_equal_or_over": {"18": null}}),
        json!({"age_equal_or_over": {"18": "true"}}),
        json!({"age_equal_or_over": {"18": 1}}),
        json!({"age_equal_or_over": {"18": [true]}}),
        json!({"age_equal_or_over": true}),
    ] {
        assert_eq!(
            check(&age, wrong.clone()),
            Err(CredentialMismatch::Claims),
            "{wrong}"
        );
    }
    let number = one(json!([{"path": ["n"], "values": [18]}]));
    assert!(check(&number, json!({"n": 18})).is_ok());
    assert!(
        check(&number, json!({"n": 18.0})).is_err(),
        "the type must match exactly"
    );
    assert!(check(&number, json!({"n": "18"})).is_err());
}

#[test]
fn cat_307_a_claim_that_is_null_answers_nothing() {
    let tier = one(json!([{"path": ["tier"]}]));
    assert!(check(&tier, json!({"tier": "gold"})).is_ok());
    for said in [json!(false), json!(0), json!(""), json!([]), json!({})] {
        assert!(check(&tier, json!({ "tier": said })).is_ok(), "{said}");
    }
    let refused = Err(CredentialMismatch::Claims);
    assert_eq!(check(&tier, json!({"tier": null})), refused);
    let roles = one(json!([{"path": ["roles", null]}]));
    assert_eq!(check(&roles, json!({"roles": [null, null]})), refused);
    let found = check(&roles, json!({"roles": [null, "admin"]})).unwrap();
    assert_eq!(found.len(), 1, "only what says something");
    let second = one(json!([{"path": ["roles", 1]}]));
    assert_eq!(check(&second, json!({"roles": ["admin", null]})), refused);
}

#[test]
fn values_below_all_elements_count_only_where_they_match() {
    let query = one(json!([{"path": ["roles", null], "values": ["admin"]}]));
    let found = check(&query, json!({"roles": ["user", "admin"]})).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        check(&query, json!({"roles": ["user"]})),
        Err(CredentialMismatch::Claims)
    );
}

#[test]
fn format_type_binding_and_authorities_are_checked() {
    let query = query(json!({"credentials": [{
        "id": "a", "format": "dc+sd-jwt", "meta": {"vct_values": ["t", "u"]},
        "trusted_authorities": [
            {"type": "etsi_tl", "values": ["https://list.example"]},
            {"type": "aki", "values": ["AQID"]}
        ]
    }]}));
    let entry = &query.credentials()[0];
    let claims = json!({});
    let authorities = [vec![1, 2, 3]];
    let good = CredentialFacts {
        authority_key_ids: &authorities,
        ..facts(&claims)
    };
    assert_eq!(check_credential(entry, &good), Ok(vec![]));
    assert_eq!(
        check_credential(
            entry,
            &CredentialFacts {
                format: "mso_mdoc",
                ..good
            }
        ),
        Err(CredentialMismatch::Format)
    );
    assert_eq!(
        check_credential(
            entry,
            &CredentialFacts {
                credential_type: "T",
                ..good
            }
        ),
        Err(CredentialMismatch::Type)
    );
    // cat_308: `trusted_authorities` not met.
    assert_eq!(
        check_credential(
            entry,
            &CredentialFacts {
                authority_key_ids: &[],
                ..good
            }
        ),
        Err(CredentialMismatch::Authority)
    );
    assert_eq!(
        check_credential(
            entry,
            &CredentialFacts {
                holder_bound: false,
                ..good
            }
        ),
        Err(CredentialMismatch::HolderBinding)
    );
}

fn two_sets() -> DcqlQuery {
    let entry = |id: &str| json!({"id": id, "format": "dc+sd-jwt", "meta": {"vct_values": [id]}});
    query(json!({
        "credentials": [entry("a"), entry("b"), entry("c"), entry("d")],
        "credential_sets": [
            {"options": [["a"], ["b", "c"]]},
            {"options": [["d"]], "required": false}
        ]
    }))
}

#[test]
fn cat_308_required_sets_must_be_met() {
    let query = two_sets();
    let check = |ids: &[&str]| {
        let ids: Vec<&QueryId> = ids
            .iter()
            .map(|id| query.credential(id).unwrap().id())
            .collect();
        check_sets(&query, &ids)
    };
    assert_eq!(check(&["a"]), Ok(()));
    assert_eq!(check(&["b", "c"]), Ok(()));
    assert_eq!(check(&["a", "d"]), Ok(()));
    for unmet in [&[][..], &["b"], &["c", "d"], &["d"]] {
        assert_eq!(check(unmet), Err(SetError::SetUnmet), "{unmet:?}");
    }
    let all = one(json!([{"path": ["x"]}]));
    assert_eq!(check_sets(&all, &[]), Err(SetError::CredentialMissing));
}

#[test]
fn without_claims_nothing_is_disclosed() {
    let query = query(json!({"credentials": [{
        "id": "a", "format": "dc+sd-jwt", "meta": {"vct_values": ["t"]}
    }]}));
    let found = matches(&query, &[Card::new("t", json!({"name": "x"}))]).unwrap();
    assert_eq!(found.smallest().picks()[0].claims, []);
}

#[test]
fn the_alternative_that_reveals_least_is_chosen() {
    let query = query(json!({"credentials": [{
        "id": "a", "format": "dc+sd-jwt", "meta": {"vct_values": ["t"]},
        "claims": [
            {"id": "name", "path": ["name"]}, {"id": "birth", "path": ["birth"]},
            {"id": "adult", "path": ["adult"]}, {"id": "address", "path": ["address"]}
        ],
        "claim_sets": [["name", "birth"], ["address"], ["adult"]]
    }]}));
    let all = json!({
        "name": "n", "birth": "b", "adult": true, "address": {"street": "s", "town": "t"}
    });
    let chosen = |claims: Value| {
        let found = matches(&query, &[Card::new("t", claims)])?;
        let pick = found.smallest().picks()[0].clone();
        Ok::<_, NoMatch>(
            pick.claims
                .iter()
                .map(|claim| format!("{:?}", claim.steps()))
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(chosen(all.clone()).unwrap(), [r#"[Key("adult")]"#]);
    let mut minor = all;
    minor.as_object_mut().unwrap().remove("adult");
    // Both others reveal two values: the verifier's order decides.
    assert_eq!(
        chosen(minor).unwrap(),
        [r#"[Key("birth")]"#, r#"[Key("name")]"#]
    );
    let none = chosen(json!({"name": "n"})).unwrap_err();
    assert_eq!(none.unanswered[0].1, CredentialMismatch::Claims);
}

#[test]
fn the_cheapest_option_and_candidate_are_chosen_and_optional_sets_left_out() {
    let query = two_sets();
    let cards = [
        Card::new("b", json!({})),
        Card::new("c", json!({})),
        Card::new("d", json!({})),
    ];
    let found = matches(&query, &cards).unwrap();
    let smallest = found.smallest();
    let picked: Vec<&str> = smallest
        .picks()
        .iter()
        .map(|pick| pick.query.as_str())
        .collect();
    assert_eq!(picked, ["b", "c"]);
    assert_eq!(
        found.sets()[1].options.len(),
        1,
        "the optional one is offered"
    );
    let lacking = matches(&query, &cards[..1]).unwrap_err();
    let ids: Vec<&str> = lacking
        .unanswered
        .iter()
        .map(|(id, _)| id.as_str())
        .collect();
    assert_eq!(ids, ["a", "c", "d"]);
    assert_eq!(lacking.unanswered[0].1, CredentialMismatch::Type);
}

#[test]
fn where_nothing_is_required_something_is_shown_all_the_same() {
    let entry = |id: &str| json!({"id": id, "format": "dc+sd-jwt", "meta": {"vct_values": [id]}});
    let query = query(json!({
        "credentials": [entry("a"), entry("b"), entry("c")],
        "credential_sets": [
            {"options": [["a"]], "required": false},
            {"options": [["b", "c"], ["c"]], "required": false}
        ]
    }));
    let picked = |cards: &[Card]| -> Vec<String> {
        let smallest = matches(&query, cards).unwrap().smallest();
        let picks = smallest.picks().iter();
        picks.map(|pick| pick.query.as_str().to_owned()).collect()
    };
    assert_eq!(picked(&[Card::new("c", json!({}))]), ["c"]);
    let both = [Card::new("a", json!({})), Card::new("c", json!({}))];
    assert_eq!(picked(&both), ["a"]);
    // Nothing is required and nothing is there: there is no answer.
    for cards in [vec![], vec![Card::new("b", json!({}))]] {
        let lacking = matches(&query, &cards).unwrap_err();
        assert_eq!(lacking.unanswered.len(), 3 - cards.len());
    }
}

#[test]
fn what_is_needed_beside_comes_with_the_cheapest_option() {
    let entry = |id: &str| {
        json!({"id": id, "format": "dc+sd-jwt", "meta": {"vct_values": [id]},
               "claims": [{"path": ["x"]}]})
    };
    let query = query(json!({
        "credentials": [entry("a"), entry("b"), entry("c"), entry("d")],
        "credential_sets": [
            {"options": [["a"], ["b"]]},
            {"options": [["c", "d"], ["d"]], "required": false}
        ]
    }));
    let id = |id: &str| query.credential(id).unwrap().id().clone();
    let ids = |names: &[&str]| -> Vec<QueryId> { names.iter().map(|name| id(name)).collect() };
    let picked = |cards: &[&'static str], needed: &[&[&str]]| -> Vec<String> {
        let cards = cards.iter().copied();
        let cards: Vec<Card> = cards.map(|vct| Card::new(vct, json!({"x": 1}))).collect();
        let found = matches(&query, &cards).unwrap();
        let lists: Vec<Vec<QueryId>> = needed.iter().map(|names| ids(names)).collect();
        let lists: Vec<&[QueryId]> = lists.iter().map(Vec::as_slice).collect();
        let smallest = found.smallest_with(&lists);
        let picks = smallest.picks().iter();
        picks.map(|pick| pick.query.as_str().to_owned()).collect()
    };
    let all = ["a", "b", "c", "d"];
    assert_eq!(picked(&all, &[]), ["a"]);
    // A pick that is there already serves.
    assert_eq!(picked(&all, &[&["a", "d"]]), ["a"]);
    // Another option of what is required serves both, and costs nothing more.
    assert_eq!(picked(&all, &[&["b"]]), ["b"]);
    // Nobody insists on these.
    assert_eq!(picked(&all, &[&["d"]]), ["a", "d"]);
    assert_eq!(picked(&all, &[&["c"]]), ["a", "c", "d"]);
    assert_eq!(picked(&all, &[&["d"], &["b"]]), ["b", "d"]);
    assert_eq!(picked(&all, &[&["d"], &["c"]]), ["a", "c", "d"]);
    // The person does not have it.
    assert_eq!(picked(&["a", "d"], &[&["c"]]), ["a"]);
}

#[test]
fn what_is_preferred_counts_more_than_what_is_cheap() {
    let entry = |id: &str, claims: Value| json!({"id": id, "format": "dc+sd-jwt", "meta": {"vct_values": [id]}, "claims": claims});
    let (one, two) = (
        json!([{"path": ["x"]}]),
        json!([{"path": ["x"]}, {"path": ["y"]}]),
    );
    let query = query(json!({
        "credentials": [entry("a", one.clone()), entry("b", two.clone()), entry("c", one), entry("d", two)],
        "credential_sets": [
            {"options": [["a"], ["b"]]},
            {"options": [["c"]], "required": false},
            {"options": [["d"]], "required": false}
        ]
    }));
    let id = |id: &str| query.credential(id).unwrap().id().clone();
    let card = |vct| Card::new(vct, json!({"x": 1, "y": 1}));
    // What is asked about, the options that are left, and what is suggested.
    let seen = |cards: &[&'static str], preferred: &[&str], needed: &[&[QueryId]]| {
        let held: Vec<Card> = cards.iter().copied().map(card).collect();
        let mut found = matches(&query, &held).unwrap();
        found.prefer(|place| preferred.contains(&cards[place]), needed);
        let asked = found
            .queries()
            .iter()
            .filter(|entry| !entry.candidates.is_empty());
        let asked: String = asked.map(|entry| entry.query.as_str()).collect();
        let options: Vec<usize> = found.sets().iter().map(|set| set.options.len()).collect();
        let smallest = found.smallest_with(needed);
        let picks = smallest.picks().iter().map(|pick| pick.query.as_str());
        (asked, options, picks.collect::<String>())
    };
    let seen_as = |asked: &str, options: [usize; 3], picks: &str| {
        (asked.to_owned(), options.to_vec(), picks.to_owned())
    };
    let all = ["a", "b", "c", "d"];
    assert_eq!(seen(&all, &all, &[]), seen_as("abcd", [2, 1, 1], "a"));
    // The cheap option goes where a good one is whole; what nothing else answers stays.
    assert_eq!(seen(&all, &["b", "d"], &[]), seen_as("bcd", [1, 1, 1], "b"));
    assert_eq!(seen(&all, &["c"], &[]), seen_as("abcd", [2, 1, 1], "a"));
    // It stays where somebody is to sign whom nobody else stands for.
    let signer = [id("a")];
    assert_eq!(
        seen(&all, &["b"], &[&signer]),
        seen_as("abcd", [2, 1, 1], "a")
    );
    let signers = [id("a"), id("b")];
    assert_eq!(
        seen(&all, &["b"], &[&signers]),
        seen_as("bcd", [1, 1, 1], "b")
    );
}

#[test]
fn of_what_nobody_insists_on_the_preferred_is_suggested() {
    let entry = |id: &str, claims: Value| json!({"id": id, "format": "dc+sd-jwt", "meta": {"vct_values": [id]}, "claims": claims});
    let query = query(json!({
        "credentials": [entry("a", json!([{"path": ["x"]}])), entry("b", json!([{"path": ["x"]}, {"path": ["y"]}]))],
        "credential_sets": [
            {"options": [["a"]], "required": false},
            {"options": [["b"]], "required": false}
        ]
    }));
    let cards = ["a", "b"].map(|vct| Card::new(vct, json!({"x": 1, "y": 1})));
    let mut found = matches(&query, &cards).unwrap();
    assert_eq!(found.smallest().picks()[0].query.as_str(), "a");
    found.prefer(|place| place == 1, &[]);
    assert_eq!(found.smallest().picks()[0].query.as_str(), "b");
    assert!(found.sets().iter().all(|set| set.options.len() == 1));
}

#[test]
fn a_choice_of_the_person_is_checked() {
    let query = two_sets();
    let cards = [
        Card::new("a", json!({})),
        Card::new("a", json!({})),
        Card::new("d", json!({})),
    ];
    let found = matches(&query, &cards).unwrap();
    let id = |id: &str| query.credential(id).unwrap().id().clone();
    let select = |choice: &[(QueryId, usize)]| found.select(&query, choice);
    assert_eq!(
        select(&[(id("a"), 1), (id("d"), 2)]).unwrap().picks().len(),
        2
    );
    assert_eq!(select(&[(id("d"), 2)]), Err(SelectionError::Incomplete));
    assert_eq!(select(&[(id("a"), 2)]), Err(SelectionError::NoSuchMatch));
    assert_eq!(
        select(&[(id("a"), 0), (id("a"), 1)]),
        Err(SelectionError::TooMany)
    );
}

#[test]
fn a_claim_that_would_shift_when_its_neighbours_stay_hidden_is_not_offered() {
    struct Shifting(Value);
    impl Candidate for Shifting {
        fn facts(&self) -> CredentialFacts<'_> {
            facts(&self.0)
        }
        fn disclosed_view(&self, claims: &[ClaimPointer]) -> Value {
            let list: Vec<&Value> = claims
                .iter()
                .filter_map(|claim| claim.find(&self.0))
                .collect();
            json!({ "list": list })
        }
    }
    let card = Shifting(json!({"list": ["x", "y"]}));
    let second = one(json!([{"path": ["list", 1]}]));
    assert!(find_matches(&second, &[&card]).is_err());
    let first = one(json!([{"path": ["list", 0]}]));
    assert!(find_matches(&first, &[&card]).is_ok());
}

#[test]
fn duplicate_claims_count_once() {
    let query = one(json!([{"path": ["x"]}, {"path": ["x"], "values": ["other"]}]));
    assert!(check(&query, json!({"x": "v"})).is_ok());
}
