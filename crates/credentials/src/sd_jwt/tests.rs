//! The rules of RFC 9901, section 7.1, by row of the attack catalogue, and
//! properties that hold for any claims.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::encoding::b64url;
use crate::testing::SeededRng;

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn path(json: Value) -> ClaimPath {
    ClaimPath::from_json(&json).unwrap()
}

fn frame(paths: &[Value]) -> Frame {
    paths.iter().fold(Frame::new(), |frame, json| {
        frame.hide(&path(json.clone())).unwrap()
    })
}

/// A Disclosure of these parts and its digest.
fn disclosure(parts: Value) -> (String, String) {
    let encoded = b64url(parts.to_string().as_bytes());
    let digest = HashAlg::Sha256.digest(&encoded);
    (encoded, digest)
}

fn run(payload: Value, disclosures: &[&str]) -> Result<Value, SdJwtError> {
    process(object(payload), disclosures).map(|processed| Value::Object(processed.claims))
}

fn refused(payload: Value, disclosures: &[&str]) -> SdJwtError {
    run(payload, disclosures).unwrap_err()
}

#[test]
fn cat_005_disclosure_of_the_wrong_kind() {
    let (property, digest) = disclosure(json!(["s", "name", "value"]));
    let payload = json!({"list": [{"...": digest}]});
    assert_eq!(refused(payload, &[&property]), SdJwtError::DisclosureKind);
    let (element, digest) = disclosure(json!(["s", "value"]));
    let payload = json!({"_sd": [digest]});
    assert_eq!(refused(payload, &[&element]), SdJwtError::DisclosureKind);
}

#[test]
fn cat_010_claim_that_already_exists() {
    for name in ["given_name", "iss", "sub"] {
        let (encoded, digest) = disclosure(json!(["s", name, "other"]));
        let payload = json!({name: "first", "_sd": [digest]});
        assert_eq!(
            refused(payload, &[&encoded]),
            SdJwtError::DisclosureNameExists
        );
        let payload = json!({"a": {name: null, "_sd": [digest]}});
        assert_eq!(
            refused(payload, &[&encoded]),
            SdJwtError::DisclosureNameExists
        );
    }
    // Two Disclosures of one name.
    let (first, one) = disclosure(json!(["s", "name", 1]));
    let (second, two) = disclosure(json!(["t", "name", 2]));
    let payload = json!({"_sd": [one, two]});
    assert_eq!(
        refused(payload, &[&first, &second]),
        SdJwtError::DisclosureNameExists
    );
    // The same name at another level is another claim.
    let (encoded, digest) = disclosure(json!(["s", "name", 1]));
    let payload = json!({"name": 0, "a": {"_sd": [digest]}});
    assert_eq!(
        run(payload, &[&encoded]).unwrap(),
        json!({"name": 0, "a": {"name": 1}})
    );
}

#[test]
fn cat_011_duplicate_digest() {
    let (encoded, digest) = disclosure(json!(["s", "name", 1]));
    let decoy = HashAlg::Sha256.digest("decoy");
    let (parent, above) = disclosure(json!(["s", "inner", {"_sd": [digest]}]));
    for (payload, sent) in [
        (json!({"_sd": [digest, digest]}), vec![encoded.as_str()]),
        (
            json!({"a": {"_sd": [digest]}, "b": {"_sd": [digest]}}),
            vec![&encoded],
        ),
        (json!({"_sd": [above, digest]}), vec![&parent, &encoded]),
        (json!({"_sd": [decoy, decoy]}), vec![]),
        (json!({"list": [{"...": decoy}, {"...": decoy}]}), vec![]),
        (json!({"_sd": [decoy], "list": [{"...": decoy}]}), vec![]),
    ] {
        assert_eq!(
            refused(payload.clone(), &sent),
            SdJwtError::DigestDuplicate,
            "{payload}"
        );
    }
}

#[test]
fn same_disclosure_twice() {
    let (encoded, digest) = disclosure(json!(["s", "name", 1]));
    let payload = json!({"_sd": [digest]});
    assert_eq!(
        refused(payload, &[&encoded, &encoded]),
        SdJwtError::DisclosureDuplicate
    );
}

#[test]
fn cat_001_cat_013_disclosures_that_nothing_refers_to() {
    let (child, digest) = disclosure(json!(["s", "locality", "Köln"]));
    let (parent, above) = disclosure(json!(["s", "address", {"_sd": [digest]}]));
    let payload = json!({"_sd": [above]});
    assert_eq!(
        refused(payload.clone(), &[&child]),
        SdJwtError::DisclosureUnreferenced
    );
    let whole = run(payload.clone(), &[&child, &parent]).unwrap();
    assert_eq!(whole, json!({"address": {"locality": "Köln"}}));
    assert_eq!(run(payload, &[&parent]).unwrap(), json!({"address": {}}));
    assert_eq!(
        refused(json!({}), &[&child]),
        SdJwtError::DisclosureUnreferenced
    );
    // A claim value that looks like a digest is none.
    assert_eq!(
        refused(json!({"x": digest}), &[&child]),
        SdJwtError::DisclosureUnreferenced
    );
}

/// Disclosures inside each other, outermost first.
fn nested(depth: usize) -> (Value, Vec<String>) {
    let mut value = json!("core");
    let mut encoded = Vec::new();
    for level in 0..depth {
        let (text, digest) = disclosure(json!([level.to_string(), "a", value]));
        value = json!({"_sd": [digest]});
        encoded.push(text);
    }
    encoded.reverse();
    (value, encoded)
}

#[test]
fn cat_014_deeply_nested_disclosures() {
    for (depth, accepted) in [(MAX_DEPTH, true), (MAX_DEPTH + 1, false), (500, false)] {
        let (payload, encoded) = nested(depth);
        let sent: Vec<&str> = encoded.iter().map(String::as_str).collect();
        let result = run(payload, &sent);
        assert_eq!(result.is_ok(), accepted, "{depth}");
        if !accepted {
            assert_eq!(result.unwrap_err(), SdJwtError::TooDeep);
        }
    }
    let (payload, encoded) = nested(1000);
    let sent: Vec<&str> = encoded.iter().map(String::as_str).collect();
    let refused = |count: usize| refused(payload.clone(), &sent[..count]);
    assert_eq!(refused(513), SdJwtError::TooManyDisclosures);
    assert_eq!(refused(512), SdJwtError::TooDeep);
}

#[test]
fn cat_016_malformed_digests() {
    let digest = HashAlg::Sha256.digest("x");
    for sd in [
        json!("x"),
        json!({}),
        json!(null),
        json!([5]),
        json!([null]),
        json!([["x"]]),
        json!(["short"]),
        json!([format!("{digest}=")]),
        json!([digest.replace(char::is_alphanumeric, "+")]),
        json!([HashAlg::Sha512.digest("x")]),
    ] {
        for payload in [json!({"_sd": sd}), json!({"a": [{"_sd": sd}]})] {
            assert_eq!(
                refused(payload.clone(), &[]),
                SdJwtError::DigestsMalformed,
                "{payload}"
            );
        }
        let (encoded, above) = disclosure(json!(["s", "a", {"_sd": sd}]));
        let refused = refused(json!({"_sd": [above]}), &[&encoded]);
        assert_eq!(refused, SdJwtError::DigestsMalformed);
    }
    assert_eq!(
        run(json!({"_sd": []}), &[]).unwrap(),
        json!({}),
        "section 4.2.4.1: may be empty"
    );
}

#[test]
fn cat_017_misused_ellipsis() {
    let digest = HashAlg::Sha256.digest("x");
    for payload in [
        json!({"list": [{"...": digest, "x": 1}]}),
        json!({"list": [{"...": 5}]}),
        json!({"list": [{"...": "short"}]}),
        json!({"...": digest}),
        json!({"a": {"...": digest}}),
        json!({"a": {"...": digest, "_sd": []}}),
    ] {
        assert_eq!(
            refused(payload.clone(), &[]),
            SdJwtError::EllipsisMalformed,
            "{payload}"
        );
    }
}

#[test]
fn cat_019_nested_hash_algorithm() {
    for payload in [
        json!({"a": {"_sd_alg": "sha-256"}}),
        json!({"a": [{"_sd_alg": "x"}]}),
    ] {
        assert_eq!(refused(payload, &[]), SdJwtError::HashAlgNested);
    }
    let (encoded, digest) = disclosure(json!(["s", "a", {"_sd_alg": "sha-256"}]));
    assert_eq!(
        refused(json!({"_sd": [digest]}), &[&encoded]),
        SdJwtError::HashAlgNested
    );
}

#[test]
fn hash_algorithm_is_understood_or_refused() {
    for (alg, expected) in [
        (json!("sha-1"), SdJwtError::HashAlgUnsupported),
        (json!("SHA-256"), SdJwtError::HashAlgUnsupported),
        (json!(256), SdJwtError::HashAlgMalformed),
        (json!(null), SdJwtError::HashAlgMalformed),
    ] {
        assert_eq!(refused(json!({"_sd_alg": alg}), &[]), expected);
    }
    // A digest of another algorithm than the declared one.
    let (encoded, digest) = disclosure(json!(["s", "a", 1]));
    let payload = json!({"_sd_alg": "sha-512", "_sd": [digest]});
    assert_eq!(refused(payload, &[&encoded]), SdJwtError::DigestsMalformed);
}

/// RFC 9901, section 4.2.6.
#[test]
fn recursive_example_of_the_specification() {
    let (de, one) = disclosure(json!(["16_mAd0GiwaZokU26_0i0h", "DE"]));
    let (fr, two) = disclosure(json!(["fn9fN0rD-fFs2n303ZI-0c", "FR"]));
    let (_, three) = disclosure(json!(["YIKesqOkXXNzMQtsX_-_lw", "UK"]));
    let nationalities = json!([{"...": one}, {"...": two}, {"...": three}]);
    let (list, above) = disclosure(json!([
        "4drfeTtSUK3aY_-PF12gcX",
        "nationalities",
        nationalities
    ]));
    let payload = json!({"family_name": "Möbius", "_sd": [above]});
    let result = process(object(payload.clone()), &[&fr, &list]).unwrap();
    assert_eq!(result.claims["nationalities"], json!(["FR"]));
    assert_eq!(result.disclosed[0].path, path(json!(["nationalities", 0])));
    assert_eq!(result.disclosed[0].parent, Some(1));
    assert_eq!(result.disclosed[1].parent, None);
    assert_eq!(refused(payload, &[&de]), SdJwtError::DisclosureUnreferenced);
}

#[test]
fn claims_with_reserved_names_are_not_issued() {
    let rng = SeededRng::new(1);
    for claims in [
        json!({"_sd": []}),
        json!({"...": 1}),
        json!({"_sd_alg": "sha-256"}),
        json!({"a": [{"b": {"...": 1}}]}),
    ] {
        let result = conceal(object(claims), &Frame::new(), HashAlg::Sha256, &rng);
        assert_eq!(result.unwrap_err(), SdJwtError::ClaimReservedName);
    }
}

#[test]
fn frames_that_do_not_fit_are_refused() {
    let rng = SeededRng::new(1);
    let claims = json!({"a": {"b": 1}, "list": [1, 2], "text": "x"});
    for (hidden, expected) in [
        (json!(["missing"]), SdJwtError::FrameClaimMissing),
        (json!(["a", "missing"]), SdJwtError::FrameClaimMissing),
        (json!(["list", 2]), SdJwtError::FrameClaimMissing),
        (json!(["text", "x"]), SdJwtError::FrameMismatch),
        (json!(["text", null]), SdJwtError::FrameMismatch),
        (json!(["a", 0]), SdJwtError::FrameMismatch),
        (json!(["list", "x"]), SdJwtError::FrameMismatch),
    ] {
        let frame = frame(std::slice::from_ref(&hidden));
        let result = conceal(object(claims.clone()), &frame, HashAlg::Sha256, &rng);
        assert_eq!(result.unwrap_err(), expected, "{hidden}");
    }
    assert_eq!(
        Frame::new().hide(&ClaimPath::default()).unwrap_err(),
        SdJwtError::PathEmpty
    );
    let optional = Frame::new()
        .hide_if_present(&path(json!(["missing"])))
        .unwrap();
    let result = conceal(object(claims.clone()), &optional, HashAlg::Sha256, &rng).unwrap();
    assert_eq!(
        Value::Object(result.payload),
        claims,
        "nothing hidden, nothing added"
    );
}

#[test]
fn decoys_look_like_digests_and_do_not_show_in_the_result() {
    let rng = SeededRng::new(1);
    let claims = json!({"a": 1, "list": ["x", "y"]});
    let hidden = frame(&[json!(["a"]), json!(["list", 0])])
        .decoys(&ClaimPath::default(), 3)
        .decoys(&path(json!(["list"])), 2);
    let concealed = conceal(object(claims.clone()), &hidden, HashAlg::Sha256, &rng).unwrap();
    assert_eq!(concealed.disclosures.len(), 2);
    assert_eq!(concealed.payload["_sd"].as_array().unwrap().len(), 4);
    assert_eq!(concealed.payload["list"].as_array().unwrap().len(), 4);
    let sent: Vec<&str> = concealed.disclosures.iter().map(String::as_str).collect();
    let result = process(concealed.payload, &sent).unwrap();
    assert_eq!(Value::Object(result.claims), claims);
}

#[test]
fn digests_are_not_in_the_order_of_the_claims() {
    let rng = SeededRng::new(1);
    let names: Vec<String> = (0..8).map(|n| format!("claim{n}")).collect();
    let claims: Map<String, Value> = names.iter().map(|n| (n.clone(), json!(1))).collect();
    let paths: Vec<Value> = names.iter().map(|n| json!([n])).collect();
    let in_order = |rng: &SeededRng| {
        let concealed = conceal(claims.clone(), &frame(&paths), HashAlg::Sha256, rng).unwrap();
        let digests: Vec<Value> = concealed
            .disclosures
            .iter()
            .map(|d| json!(HashAlg::Sha256.digest(d)))
            .collect();
        concealed.payload["_sd"] == Value::Array(digests)
    };
    // 1 in 40,320 by chance.
    assert!((0..5).any(|_| !in_order(&rng)));
}

#[test]
fn salts_are_never_the_same() {
    let rng = SeededRng::new(1);
    let claims: Map<String, Value> = (0..200).map(|n| (format!("c{n}"), json!("same"))).collect();
    let paths: Vec<Value> = claims.keys().map(|n| json!([n])).collect();
    let concealed = conceal(claims, &frame(&paths), HashAlg::Sha256, &rng).unwrap();
    let salts: std::collections::BTreeSet<String> = concealed
        .disclosures
        .iter()
        .map(|d| {
            let bytes = crate::encoding::b64url_decode(d).unwrap();
            let parts: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
            parts[0].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(salts.len(), 200);
    assert!(
        salts.iter().all(|salt| salt.len() == 22),
        "128 bits in base64url"
    );
}

#[test]
fn too_many_or_too_deep_claims_are_not_issued() {
    let rng = SeededRng::new(1);
    let hidden = |count: usize| {
        let items: Vec<Value> = (0..count).map(|n| json!(n)).collect();
        let (claims, all) = (
            object(json!({"list": items})),
            frame(&[json!(["list", null])]),
        );
        conceal(claims, &all, HashAlg::Sha256, &rng)
    };
    let most = hidden(MAX_DISCLOSURES).unwrap();
    let sent: Vec<&str> = most.disclosures.iter().map(String::as_str).collect();
    assert!(run(Value::Object(most.payload), &sent).is_ok());
    let result = hidden(MAX_DISCLOSURES + 1);
    assert_eq!(result.unwrap_err(), SdJwtError::TooManyDisclosures);
    let deep = (0..40).fold(json!(1), |inner, _| json!({"a": inner}));
    let result = conceal(object(deep.clone()), &Frame::new(), HashAlg::Sha256, &rng);
    assert_eq!(result.unwrap_err(), SdJwtError::TooDeep);
    let keys: Vec<&str> = vec!["a"; MAX_DEPTH + 1];
    let all = (1..=keys.len()).fold(Frame::new(), |frame, n| {
        frame.hide(&ClaimPath::of_keys(&keys[..n])).unwrap()
    });
    let less = (0..20).fold(json!(1), |inner, _| json!({"a": inner}));
    let result = conceal(object(less), &all, HashAlg::Sha256, &rng);
    assert_eq!(result.unwrap_err(), SdJwtError::TooDeep);
}

#[test]
fn selecting_takes_parents_and_children_and_nothing_else() {
    let rng = SeededRng::new(1);
    let claims = json!({"address": {"city": {"name": "Köln"}, "zip": "1"}, "list": [1, 2], "x": 1});
    let hidden = frame(&[
        json!(["address"]),
        json!(["address", "city"]),
        json!(["address", "city", "name"]),
        json!(["address", "zip"]),
        json!(["list", null]),
        json!(["x"]),
    ]);
    let concealed = conceal(object(claims), &hidden, HashAlg::Sha256, &rng).unwrap();
    let sent: Vec<&str> = concealed.disclosures.iter().map(String::as_str).collect();
    let all = process(concealed.payload.clone(), &sent).unwrap();
    let revealed = |wanted: &[Value]| {
        let wanted: Vec<ClaimPath> = wanted.iter().cloned().map(path).collect();
        let chosen = select(&all, &wanted)?;
        let sent: Vec<&str> = chosen.iter().map(|position| sent[*position]).collect();
        run(Value::Object(concealed.payload.clone()), &sent)
    };
    let none = json!({"list": []});
    assert_eq!(revealed(&[]).unwrap(), none);
    let city = json!({"address": {"city": {"name": "Köln"}}, "list": []});
    assert_eq!(revealed(&[json!(["address", "city"])]).unwrap(), city);
    assert_eq!(
        revealed(&[json!(["address", "city", "name"])]).unwrap(),
        city
    );
    assert_eq!(
        revealed(&[json!(["list", 1])]).unwrap(),
        json!({"list": [2]})
    );
    assert_eq!(
        revealed(&[json!(["list", null])]).unwrap(),
        json!({"list": [1, 2]})
    );
    for missing in [
        json!(["y"]),
        json!(["list", 2]),
        json!(["x", "y"]),
        json!([0]),
    ] {
        assert_eq!(revealed(&[missing]).unwrap_err(), SdJwtError::PathNotFound);
    }
}

/// Any JSON of moderate size, with names that may surprise.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-(1_i64 << 53) + 1..(1_i64 << 53)).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(any_name(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,4}", Just("__proto__".to_owned()), "\\PC{1,6}"]
        .prop_filter("reserved", |name| !is_reserved(name))
}

fn any_claims() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map(any_name(), any_json(), 1..6)
        .prop_map(|map| map.into_iter().collect())
}

/// Every path in a value.
fn all_paths(value: &Value, here: &mut Vec<PathElement>, found: &mut Vec<ClaimPath>) {
    let below: Vec<(PathElement, &Value)> = match value {
        Value::Object(map) => {
            let key = |(name, value)| (PathElement::Key(String::clone(name)), value);
            map.iter().map(key).collect()
        }
        Value::Array(items) => {
            let index = |(index, value)| (PathElement::Index(index), value);
            items.iter().enumerate().map(index).collect()
        }
        _ => return,
    };
    for (element, value) in below {
        here.push(element);
        found.push(ClaimPath::new(here.clone()));
        all_paths(value, here, found);
        here.pop();
    }
}

/// What is left of `value` when hidden claims that are not `kept` are dropped.
fn expected(
    value: &Value,
    here: &mut Vec<PathElement>,
    dropped: &dyn Fn(&ClaimPath) -> bool,
) -> Value {
    let mut keep = |element: PathElement, value: &Value| {
        here.push(element);
        let kept =
            (!dropped(&ClaimPath::new(here.clone()))).then(|| expected(value, here, dropped));
        here.pop();
        kept
    };
    match value {
        Value::Object(map) => map
            .iter()
            .filter_map(|(k, v)| Some((k.clone(), keep(PathElement::Key(k.clone()), v)?)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .filter_map(|(i, v)| keep(PathElement::Index(i), v))
            .collect(),
        scalar => scalar.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Issue, present any subset, process: exactly the subset comes out.
    #[test]
    fn any_subset_comes_out_exactly(
        claims in any_claims(),
        hide in prop::collection::vec(any::<bool>(), 64),
        show in prop::collection::vec(any::<bool>(), 64),
        decoys in 0_usize..3,
        seed in any::<u64>(),
        hash in prop_oneof![Just(HashAlg::Sha256), Just(HashAlg::Sha384), Just(HashAlg::Sha512)],
    ) {
        let value = Value::Object(claims.clone());
        let mut every = Vec::new();
        all_paths(&value, &mut Vec::new(), &mut every);
        let pick = |choices: &[bool], path: &ClaimPath| {
            let position = every.iter().position(|other| other == path).unwrap();
            choices[position % choices.len()]
        };
        let hidden: Vec<&ClaimPath> = every.iter().filter(|path| pick(&hide, path)).collect();
        let frame = hidden
            .iter()
            .fold(Frame::new(), |frame, path| frame.hide(path).unwrap())
            .decoys(&ClaimPath::default(), decoys);
        let concealed = conceal(claims, &frame, hash, &SeededRng::new(seed)).unwrap();
        prop_assert_eq!(concealed.disclosures.len(), hidden.len());
        let encoded: Vec<&str> = concealed.disclosures.iter().map(String::as_str).collect();
        let all = process(concealed.payload.clone(), &encoded).unwrap();
        prop_assert_eq!(&Value::Object(all.claims.clone()), &value);

        let wanted: Vec<ClaimPath> =
            hidden.iter().filter(|path| pick(&show, path)).map(|path| (*path).clone()).collect();
        let chosen = select(&all, &wanted).unwrap();
        let sent: Vec<&str> = chosen.iter().map(|position| encoded[*position]).collect();
        let result = process(concealed.payload, &sent).unwrap();
        let dropped = |path: &ClaimPath| {
            hidden.contains(&path)
                && !wanted.iter().any(|w| w.is_prefix_of(path) || path.is_prefix_of(w))
        };
        let remaining = expected(&value, &mut Vec::new(), &dropped);
        prop_assert_eq!(Value::Object(result.claims), remaining);
    }

    /// Nothing that can be sent makes the parser panic.
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}", tilded in "[a-zA-Z0-9_.~-]{0,200}") {
        for text in [text, tilded] {
            if let Ok(parts) = SdJwt::parse(&text) {
                let _ = process(Map::new(), parts.disclosures());
            }
        }
    }

    /// Nor does any payload, whatever it says under the reserved names.
    #[test]
    fn no_payload_makes_it_panic(value in any_json(), name in any_name()) {
        for payload in [
            json!({"_sd": value}), json!({name.clone(): [{"...": value}]}),
            json!({"_sd_alg": value}), json!({name: {"_sd": [value]}}),
        ] {
            let (encoded, _) = disclosure(json!(["s", "n", value]));
            let _ = process(object(payload), &[&encoded]);
        }
    }
}
