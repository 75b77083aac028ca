//! Files that are refused, claims that are refused, and the types we ship.

use serde_json::{Map, Value, json};

use super::*;
use crate::sd_jwt::{HashAlg, conceal};
use crate::testing::SeededRng;

const AGE: &str = include_str!("../../../../specs/credential-types/age.toml");
const MEMBERSHIP: &str = include_str!("../../../../specs/credential-types/membership.toml");

const CARD: &str = r#"
id = "card"
vct = "urn:example:card:1"
format = "dc+sd-jwt"
validity_days = 30
status = false
key_binding = true
decoys = 1

[display.en]
name = "Card"
[display.de]
name = "Karte"
description = "Eine Karte"

[[claim]]
path = ["name"]
type = "string"
sd = "always"
required = true
display = { en = "Name", de = "Name" }

[[claim]]
path = ["born"]
type = "date"
sd = "never"
display = { en = "Born", de = "Geboren" }

[[claim]]
path = ["score", "points"]
type = "integer"
sd = "always"
required = true
display = { en = "Points", de = "Punkte" }

[[claim]]
path = ["langs"]
type = "array"
sd = "always"
display = { en = "Languages", de = "Sprachen" }

[[claim]]
path = ["langs", "[]"]
type = "string"
sd = "always"
display = { en = "Language", de = "Sprache" }
"#;

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn card() -> CredentialType {
    CredentialType::from_toml(CARD).unwrap()
}

/// Line, column and message of the refusal of `CARD` with one change.
fn refused(from: &str, to: &str) -> TypeError {
    assert!(CARD.contains(from), "{from}");
    CredentialType::from_toml(&CARD.replacen(from, to, 1)).unwrap_err()
}

#[test]
fn errors_name_line_and_column() {
    let error = refused("status = false", "status = \"no\"");
    assert_eq!((error.line, error.column), (6, 10), "{error}");
    let error = refused("status = false", "status = false\nstatuss = true");
    assert_eq!((error.line, error.column), (7, 1), "{error}");
    let error = refused("validity_days = 30", "validity_days = 0");
    assert_eq!(error.to_string(), "line 5, column 17: must be 1 to 36500");
    let error = refused("urn:example:card:1", "card");
    assert_eq!((error.line, error.column), (3, 7), "{error}");
    let error = refused("type = \"date\"", "type = \"day\"");
    assert_eq!((error.line, error.column), (25, 8), "{error}");
    let error = refused("id = \"card\"", "id = \"card");
    assert_eq!(error.line, 2, "{error}");
}

#[test]
fn files_that_contradict_themselves_are_refused() {
    for (from, to, message) in [
        ("\"Geboren\"", "\"\"", "no text for `de`"),
        (", de = \"Geboren\"", "", "no text for `de`"),
        (
            "de = \"Geboren\"",
            "de = \"Geboren\", fr = \"Né\"",
            "no texts for `fr`",
        ),
        ("[display.en]\nname = \"Card\"\n", "", "texts for `en`"),
        ("name = \"Karte\"", "name = \"\"", "`de` is empty"),
        ("[\"born\"]", "[\"name\"]", "described twice"),
        ("[\"born\"]", "[]", "path is empty"),
        ("[\"born\"]", "[\"exp\"]", "set by the issuer"),
        ("[\"born\"]", "[\"x\", \"_sd\"]", "reserved"),
        ("[\"born\"]", "[\"name\", \"x\"]", "no object"),
        ("[\"born\"]", "[\"score\"]", "no object"),
        ("[\"born\"]", "[\"[]\"]", "member name"),
        (
            "[\"langs\", \"[]\"]",
            "[\"tongues\", \"[]\"]",
            "array before its elements",
        ),
        (
            "[\"langs\", \"[]\"]",
            "[\"other\"]",
            "needs a claim for its elements",
        ),
        ("dc+sd-jwt", "vc+sd-jwt", "only"),
        ("id = \"card\"", "id = \"Card\"", "a-z"),
    ] {
        let result = CredentialType::from_toml(&CARD.replacen(from, to, 1));
        let error = result.expect_err(to);
        assert!(error.message.contains(message), "{to}: {error}");
    }
}

#[test]
fn claims_that_fit_are_prepared() {
    let claims =
        json!({"name": "Ada", "born": "1815-12-10", "score": {"points": 7}, "langs": ["en"]});
    let prepared = card().prepare(object(claims.clone())).unwrap();
    assert_eq!(Value::Object(prepared.claims.clone()), claims);
    let rng = SeededRng::new(1);
    let concealed = conceal(prepared.claims, &prepared.frame, HashAlg::Sha256, &rng).unwrap();
    assert_eq!(
        concealed.disclosures.len(),
        4,
        "name, points, langs, one language"
    );
    let payload = Value::Object(concealed.payload);
    assert_eq!(
        payload["_sd"].as_array().unwrap().len(),
        3,
        "name, langs and a decoy"
    );
    assert_eq!(payload["score"]["_sd"].as_array().unwrap().len(), 2);
    assert_eq!(payload["born"], "1815-12-10");
}

#[test]
fn every_claim_that_does_not_fit_is_named() {
    let claims = json!({
        "born": "10.12.1815", "score": {"points": 1.5, "level": 3}, "langs": ["en", 5], "x": null,
    });
    let problems = card().prepare(object(claims)).unwrap_err();
    let mut texts: Vec<String> = problems
        .0
        .iter()
        .map(|p| format!("{} {}", p.path, p.expected.code()))
        .collect();
    texts.sort();
    assert_eq!(
        texts,
        [
            "born date",
            "langs.1 string",
            "name present",
            "score.level absent",
            "score.points integer",
            "x absent",
        ]
    );
    assert!(problems.to_string().contains("`name` is required"));
    assert!(
        !problems.to_string().contains("1815"),
        "no claim values in errors"
    );
}

#[test]
fn other_kinds_are_refused() {
    let fits = json!({"name": "Ada", "score": {"points": 7}});
    assert!(card().prepare(object(fits.clone())).is_ok());
    for (name, value) in [
        ("name", json!(5)),
        ("name", json!(null)),
        ("score", json!([])),
        ("score", json!({})),
        ("score", json!({"points": 9_007_199_254_740_992_i64})),
        ("langs", json!("en")),
        ("born", json!("2026-02-30")),
        ("_sd", json!([])),
    ] {
        let mut claims = object(fits.clone());
        claims.insert(name.into(), value.clone());
        assert!(card().prepare(claims).is_err(), "{name} = {value}");
    }
}

#[test]
fn names_fall_back_to_the_language_and_to_english() {
    let display = card().display;
    assert_eq!(display.name("de-AT"), "Karte");
    assert_eq!(display.name("fr"), "Card");
    assert_eq!(display.description("de"), Some("Eine Karte"));
    assert_eq!(display.description("fr"), None);
}

#[test]
fn shipped_types_have_both_languages() {
    for text in [AGE, MEMBERSHIP] {
        let credential_type = CredentialType::from_toml(text).unwrap();
        assert!(credential_type.status && credential_type.key_binding);
        for display in credential_type
            .claims
            .iter()
            .map(|claim| &claim.display)
            .chain([&credential_type.display])
        {
            let locales: Vec<&str> = display.names.keys().map(String::as_str).collect();
            assert_eq!(locales, ["de", "en"]);
        }
    }
}

#[test]
fn the_age_proof_hides_each_threshold() {
    let age = CredentialType::from_toml(AGE).unwrap();
    assert_eq!(age.vct, "urn:vouchsafe:age:1");
    let claims = json!({"age_equal_or_over": {"16": true, "18": true, "21": false}});
    let prepared = age.prepare(object(claims)).unwrap();
    let rng = SeededRng::new(1);
    let concealed = conceal(prepared.claims, &prepared.frame, HashAlg::Sha256, &rng).unwrap();
    assert_eq!(concealed.disclosures.len(), 3);
    let payload = Value::Object(concealed.payload);
    assert_eq!(
        payload["age_equal_or_over"].as_object().unwrap().len(),
        1,
        "digests alone"
    );
    let birth_date = json!({"age_equal_or_over": {"18": true}, "birthdate": "2000-01-01"});
    assert!(age.prepare(object(birth_date)).is_err());
}

#[test]
fn the_membership_card_hides_everything_about_the_person() {
    let membership = CredentialType::from_toml(MEMBERSHIP).unwrap();
    assert_eq!(membership.vct, "urn:vouchsafe:membership:1");
    let claims = json!({
        "member_id": "A-17", "tier": "gold",
        "valid_from": "2026-01-01", "valid_until": "2026-12-31",
    });
    let prepared = membership.prepare(object(claims)).unwrap();
    let rng = SeededRng::new(1);
    let concealed = conceal(prepared.claims, &prepared.frame, HashAlg::Sha256, &rng).unwrap();
    assert_eq!(concealed.disclosures.len(), 4);
    let missing = membership.prepare(Map::new()).unwrap_err();
    let texts = missing.to_string();
    assert!(
        texts.contains("member_id") && texts.contains("tier"),
        "{texts}"
    );
}
