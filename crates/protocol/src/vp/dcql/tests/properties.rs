use super::*;
use proptest::prelude::*;

/// Any JSON, with names and values that queries are made of.
fn any_json() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "credentials",
        "credential_sets",
        "id",
        "format",
        "meta",
        "claims",
        "claim_sets",
        "path",
        "values",
        "options",
        "required",
        "multiple",
        "vct_values",
        "type",
        "x",
        "y",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        names.clone().prop_map(Value::from),
        prop::sample::select(vec!["dc+sd-jwt", "mso_mdoc", "aki", ""]).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..8).prop_map(|members| {
                members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect()
            }),
        ]
    })
}

/// A path over the small alphabet of [`claims`].
fn path() -> impl Strategy<Value = Value> {
    let step = prop_oneof![
        3 => prop::sample::select(vec!["a", "b", "c"]).prop_map(Value::from),
        1 => Just(Value::Null),
        1 => (0..3u64).prop_map(Value::from),
    ];
    let first = prop::sample::select(vec!["a", "b", "c"]).prop_map(Value::from);
    (first, prop::collection::vec(step, 0..2)).prop_map(|(first, mut rest)| {
        rest.insert(0, first);
        Value::from(rest)
    })
}

fn claims() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        (0..3i64).prop_map(Value::from)
    ];
    let inner = leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(vec!["a", "b", "c"]), inner), 0..3)
                .prop_map(|m| m.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    });
    prop::collection::vec((prop::sample::select(vec!["a", "b", "c"]), inner), 0..4)
        .prop_map(|m| m.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
}

fn claim_query() -> impl Strategy<Value = (Value, Option<Value>)> {
    let values = prop::collection::vec(
        prop_oneof![
            any::<bool>().prop_map(Value::from),
            (0..3i64).prop_map(Value::from)
        ],
        1..3,
    );
    (
        path(),
        prop::option::weighted(0.3, values.prop_map(Value::from)),
    )
}

fn credential_query() -> impl Strategy<Value = Value> {
    let claims = prop::collection::vec(claim_query(), 1..4);
    let sets = prop::option::of(prop::collection::vec(
        prop::collection::vec(0..4usize, 1..3),
        1..3,
    ));
    (
        prop::sample::select(vec!["s", "t"]),
        prop::option::of((claims, sets)),
        any::<bool>(),
    )
        .prop_map(|(vct, asked, multiple)| {
            let mut entry = json!({
                "format": "dc+sd-jwt", "meta": {"vct_values": [vct]}, "multiple": multiple
            });
            if let Some((claims, sets)) = asked {
                let count = claims.len();
                entry["claims"] = claims
                    .into_iter()
                    .enumerate()
                    .map(|(index, (path, values))| {
                        let mut claim = json!({"id": format!("c{index}"), "path": path});
                        if let Some(values) = values {
                            claim["values"] = values;
                        }
                        claim
                    })
                    .collect();
                if let Some(sets) = sets {
                    entry["claim_sets"] = sets
                        .iter()
                        .map(|set| {
                            set.iter()
                                .map(|index| format!("c{}", index % count))
                                .collect::<Value>()
                        })
                        .collect();
                }
            }
            entry
        })
}

fn any_query() -> impl Strategy<Value = DcqlQuery> {
    let sets = prop::option::of(prop::collection::vec(
        (
            prop::collection::vec(prop::collection::vec(0..3usize, 1..3), 1..3),
            any::<bool>(),
        ),
        1..3,
    ));
    (prop::collection::vec(credential_query(), 1..4), sets).prop_map(|(mut entries, sets)| {
        let count = entries.len();
        for (index, entry) in entries.iter_mut().enumerate() {
            entry["id"] = json!(format!("q{index}"));
        }
        let mut json = json!({ "credentials": entries });
        if let Some(sets) = sets {
            json["credential_sets"] = sets
                .into_iter()
                .map(|(options, required)| {
                    let options: Value = options
                        .iter()
                        .map(|option| {
                            option
                                .iter()
                                .map(|id| format!("q{}", id % count))
                                .collect::<Value>()
                        })
                        .collect();
                    json!({"options": options, "required": required})
                })
                .collect();
        }
        DcqlQuery::parse(&json).expect("the generator makes valid queries")
    })
}

proptest! {
    #[test]
    fn the_parser_never_panics(json in any_json()) {
        let _ = DcqlQuery::parse(&json);
    }

    #[test]
    fn a_mutated_query_never_panics(query in any_query(), at in any::<prop::sample::Index>(), with in any_json()) {
        let text = query.as_json().to_string();
        let mut bytes = text.clone().into_bytes();
        let index = at.index(bytes.len());
        bytes[index] ^= 0x15;
        if let Ok(json) = vouchsafe_credentials::json::parse_strict(&bytes) {
            let _ = DcqlQuery::parse(&json);
        }
        let mut json = query.as_json().clone();
        json["credentials"][0]["claims"] = with;
        let _ = DcqlQuery::parse(&json);
    }

    /// What the wallet selects, the verifier accepts.
    #[test]
    fn a_selection_always_passes_the_check(
        query in any_query(),
        cards in prop::collection::vec((prop::sample::select(vec!["s", "t"]), claims()), 0..5),
    ) {
        let cards: Vec<Card> = cards.into_iter().map(|(vct, claims)| Card::new(vct, claims)).collect();
        match matches(&query, &cards) {
            Ok(found) => {
                let selection = found.smallest();
                let mut answered = Vec::new();
                for pick in selection.picks() {
                    let entry = query.credential(pick.query.as_str()).expect("a query of the request");
                    let card = &cards[pick.candidate];
                    let view = card.disclosed_view(&pick.claims);
                    let facts = CredentialFacts { claims: &view, ..card.facts() };
                    prop_assert!(check_credential(entry, &facts).is_ok());
                    answered.push(&pick.query);
                }
                prop_assert_eq!(check_sets(&query, &answered), Ok(()));
                let choice: Vec<_> =
                    selection.picks().iter().map(|pick| (pick.query.clone(), pick.candidate)).collect();
                prop_assert_eq!(found.select(&query, &choice), Ok(selection));
            }
            Err(none) => {
                // With everything disclosed the verifier would not be content either.
                for (id, _) in &none.unanswered {
                    let entry = query.credential(id.as_str()).expect("a query of the request");
                    for card in &cards {
                        prop_assert!(check_credential(entry, &card.facts()).is_err());
                    }
                }
                prop_assert!(!none.unanswered.is_empty());
            }
        }
    }
}
