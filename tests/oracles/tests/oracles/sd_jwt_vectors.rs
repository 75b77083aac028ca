//! The examples of RFC 9901 and SD-JWT VC: their inputs issued, presented and
//! verified by us, with affinidi-sd-jwt as the judge.

use std::path::Path;

use affinidi_sd_jwt::Sha256Hasher;
use serde_json::{Map, Value, json};
use serde_yaml_ng::Value as Yaml;
use vouchsafe_credentials::sd_jwt::{ClaimPath, HashAlg, PathElement};

use crate::sd_jwt_cases::*;
use crate::{sd_jwt_affinidi, sd_jwt_iota};
use vouchsafe_vectors::folder;

/// Claims that our issuer sets from its own input.
const OURS: [&str; 5] = ["vct", "iss", "iat", "exp", "cnf"];

#[test]
fn examples_of_rfc_9901() {
    let Some(folder) = folder("sd-jwt", 15) else {
        return;
    };
    assert_eq!(run_all(&folder), 15);
}

#[test]
fn examples_of_sd_jwt_vc() {
    let Some(folder) = folder("sd-jwt-vc", 3) else {
        return;
    };
    assert_eq!(run_all(&folder), 3);
}

fn run_all(folder: &Path) -> usize {
    let parties = Parties::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path().join("specification.yml");
        if !file.is_file() {
            continue;
        }
        let case = read(&file);
        let compact = parties.issue(&case, HashAlg::Sha256);
        let held = parties.hold(&compact);
        assert_eq!(held.disclosable().len(), case.hidden.len(), "{}", case.name);
        for (name, value) in &case.claims {
            assert_eq!(&held.claims()[name], value, "{}", case.name);
        }
        let all = Value::Object(held.claims().clone());
        assert_eq!(sd_jwt_iota::disclosed(&compact), all, "{}", case.name);

        let presented = parties.present(&case, &held);
        let ours = parties.verify(&presented).unwrap();
        let theirs = sd_jwt_affinidi::verify(&parties, &presented, &Sha256Hasher).unwrap();
        assert_eq!(Value::Object(ours.claims.clone()), theirs, "{}", case.name);
        for path in &case.shown {
            assert!(!path.resolve(&theirs).is_empty(), "{}: {path}", case.name);
        }
        count += 1;
    }
    count
}

fn read(file: &Path) -> Case {
    let text = std::fs::read_to_string(file).unwrap();
    let yaml: Yaml = serde_yaml_ng::from_str(&text).unwrap();
    let mut hidden = Vec::new();
    let claims = convert(&yaml["user_claims"], &mut Vec::new(), &mut hidden);
    let mut claims: Map<String, Value> = claims.as_object().unwrap().clone();
    for name in OURS {
        claims.shift_remove(name);
    }
    let mut shown = Vec::new();
    disclose(
        &yaml["holder_disclosed_claims"],
        &mut Vec::new(),
        &mut shown,
    );
    let root = Value::Object(claims.clone());
    // One example discloses below a claim that it does not have.
    shown.retain(|path| !path.resolve(&root).is_empty());
    Case {
        name: file.display().to_string(),
        claims,
        hidden,
        shown,
        decoys: if yaml["add_decoy_claims"] == Yaml::Bool(true) {
            5
        } else {
            0
        },
    }
}

/// Takes `!sd` off names and elements and notes where it was.
fn convert(yaml: &Yaml, here: &mut Vec<PathElement>, hidden: &mut Vec<ClaimPath>) -> Value {
    let mut below = |element: PathElement, tagged: bool, value: &Yaml| {
        here.push(element);
        if tagged {
            hidden.push(ClaimPath::new(here.clone()));
        }
        let value = convert(value, here, hidden);
        here.pop();
        value
    };
    match yaml {
        Yaml::Mapping(map) => map
            .iter()
            .map(|(name, value)| {
                let (tagged, name) = untag(name);
                let name = name.as_str().unwrap().to_owned();
                (name.clone(), below(PathElement::Key(name), tagged, value))
            })
            .collect::<Map<_, _>>()
            .into(),
        Yaml::Sequence(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                let (tagged, item) = untag(item);
                below(PathElement::Index(index), tagged, item)
            })
            .collect(),
        scalar => serde_json::to_value(scalar).unwrap(),
    }
}

fn untag(yaml: &Yaml) -> (bool, &Yaml) {
    match yaml {
        Yaml::Tagged(tagged) => {
            assert_eq!(tagged.tag, "sd");
            (true, &tagged.value)
        }
        other => (false, other),
    }
}

/// What the holder of the example shows: a tree with `true` at the leaves.
fn disclose(yaml: &Yaml, here: &mut Vec<PathElement>, shown: &mut Vec<ClaimPath>) {
    let children: Vec<(PathElement, &Yaml)> = match yaml {
        Yaml::Mapping(map) => {
            let key = |(k, v)| (PathElement::Key(Yaml::as_str(k).unwrap().to_owned()), v);
            map.iter().map(key).collect()
        }
        Yaml::Sequence(items) => {
            let index = |(i, v)| (PathElement::Index(i), v);
            items.iter().enumerate().map(index).collect()
        }
        _ => Vec::new(),
    };
    if *yaml == Yaml::Bool(false) {
        return;
    }
    if children.is_empty() && !here.is_empty() {
        shown.push(ClaimPath::new(here.clone()));
    }
    for (element, value) in children {
        here.push(element);
        disclose(value, here, shown);
        here.pop();
    }
}

/// RFC 9901, section 5: Disclosures and digests as printed there.
#[test]
fn disclosures_printed_in_rfc_9901() {
    for (encoded, digest, value) in [
        (
            "WyJlbHVWNU9nM2dTTklJOEVZbnN4QV9BIiwgImZhbWlseV9uYW1lIiwgIkRvZSJd",
            "TGf4oLbgwd5JQaHyKVQZU9UdGE0w5rtDsrZzfUaomLo",
            json!({"family_name": "Doe"}),
        ),
        (
            "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0",
            "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0",
            json!({"family_name": "Möbius"}),
        ),
    ] {
        assert_eq!(HashAlg::Sha256.digest(encoded), digest);
        let payload = json!({"_sd_alg": "sha-256", "_sd": [digest]});
        let payload = payload.as_object().unwrap().clone();
        let processed = vouchsafe_credentials::sd_jwt::process(payload, &[encoded]).unwrap();
        assert_eq!(Value::Object(processed.claims), value);
    }
}
