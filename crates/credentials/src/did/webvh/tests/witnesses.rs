use serde_json::{Value, json};

use super::proofs::sign;
use super::{NOW, Writer, key, multikey, one};
use crate::crypto::{Portable, SigningKey};
use crate::did::webvh::{Log, Place};
use crate::did::{Did, ResolutionOptions};

const TOO_FEW: &str = "too few witnesses approved an entry";
const MALFORMED: &str = "the file of witness proofs is malformed";

fn id(witness: &SigningKey) -> Value {
    json!({"id": format!("did:key:{}", multikey(witness))})
}

fn witnesses(threshold: usize, witnesses: &[&SigningKey]) -> Value {
    let list: Vec<Value> = witnesses.iter().map(|witness| id(witness)).collect();
    json!({"threshold": threshold, "witnesses": list})
}

/// A log of `versions` versions that are witnessed from the first on.
fn log(witness: Value, versions: usize) -> Writer {
    let a = key(1);
    let mut first = one(&a);
    first["witness"] = witness;
    let mut writer = Writer::new(first, &a);
    for version in 2..=versions {
        let time = format!("2026-01-0{version}T00:00:00Z");
        writer.update(&time, json!({}), &a);
    }
    writer
}

/// What `witness` says of the version `number`.
fn approval(writer: &Writer, number: usize, witness: &SigningKey) -> Value {
    let id = &writer.lines[number - 1]["versionId"];
    let proof = sign(&json!({"versionId": id}), witness);
    json!({"versionId": id, "proof": [proof]})
}

impl Writer {
    fn resolve_number(
        &self,
        file: Option<&[u8]>,
        number: Option<u64>,
    ) -> Result<String, &'static str> {
        let place = Place::parse(&Did::parse(&self.did).unwrap()).unwrap();
        let options = ResolutionOptions {
            version_number: number,
            ..Default::default()
        };
        Log::verify(self.text().as_bytes(), &place, NOW, &Portable)
            .and_then(|log| log.resolve(file, &options, &Portable))
            .map(|found| found.document_metadata.version_id().unwrap()[..1].to_owned())
            .map_err(|error| error.detail)
    }

    /// The version that is shown, with this file of proofs.
    fn witnessed(&self, file: &Value) -> Result<String, &'static str> {
        self.resolve_number(Some(file.to_string().as_bytes()), None)
    }
}

#[test]
fn a_witnessed_log_needs_the_proofs_of_its_witnesses() {
    let witness = key(5);
    let writer = log(witnesses(1, &[&witness]), 1);
    let missing = Err("the proofs of the witnesses are missing");
    assert_eq!(writer.resolve_number(None, None), missing);
    assert_eq!(writer.witnessed(&json!([])), Err(TOO_FEW));
    let approved = approval(&writer, 1, &witness);
    assert_eq!(writer.witnessed(&json!([approved])), Ok("1".into()));
    // One proof that stands by itself is a list of one.
    let alone = json!([{"versionId": approved["versionId"], "proof": approved["proof"][0]}]);
    assert_eq!(writer.witnessed(&alone), Ok("1".into()));
    let without = json!([{"versionId": approved["versionId"]}]);
    assert_eq!(writer.witnessed(&without), Err(TOO_FEW));
    // By somebody else, of another version, of another log.
    let stranger = approval(&writer, 1, &key(6));
    assert_eq!(writer.witnessed(&json!([stranger])), Err(TOO_FEW));
    let mut renamed = approved;
    renamed["versionId"] = json!("1-QmVVo7PVBXzxBAvYrSLaauyoRK1tHUe81J8TxCYyuRe8Vy");
    assert_eq!(writer.witnessed(&json!([renamed])), Err(TOO_FEW));
    let other = approval(&log(witnesses(1, &[&witness, &key(7)]), 1), 1, &witness);
    assert_eq!(writer.witnessed(&json!([other])), Err(TOO_FEW));
}

#[test]
fn an_approval_stands_for_the_versions_before_it_alone() {
    let witness = key(5);
    let writer = log(witnesses(1, &[&witness]), 3);
    let approved = |number| approval(&writer, number, &witness);
    assert_eq!(writer.witnessed(&json!([approved(3)])), Ok("3".into()));
    // The last version that was approved counts, wherever it is listed.
    for file in [
        json!([approved(1), approved(3)]),
        json!([approved(3), approved(1)]),
    ] {
        assert_eq!(writer.witnessed(&file), Ok("3".into()), "{file}");
    }
    for last in 1..=2_usize {
        let file = json!([approved(last)]);
        assert_eq!(writer.witnessed(&file), Err(TOO_FEW), "{last}");
        for number in 1..=3_usize {
            let text = file.to_string();
            let asked = u64::try_from(number).unwrap();
            let found = writer.resolve_number(Some(text.as_bytes()), Some(asked));
            let expected = if number <= last {
                Ok(number.to_string())
            } else {
                Err(TOO_FEW)
            };
            assert_eq!(found, expected, "{last} {number}");
        }
    }
}

#[test]
fn the_threshold_counts_different_witnesses_of_the_list() {
    let (a, b, c, stranger) = (key(5), key(6), key(7), key(8));
    let writer = log(witnesses(2, &[&a, &b, &c]), 1);
    let file = |witnesses: &[&SigningKey]| -> Value {
        witnesses
            .iter()
            .map(|by| approval(&writer, 1, by))
            .collect()
    };
    for (by, good) in [
        (&[&a][..], false),
        (&[&a, &a], false),
        (&[&a, &stranger], false),
        (&[&a, &b], true),
        (&[&c, &a], true),
        (&[&a, &b, &c], true),
    ] {
        let result = writer.witnessed(&file(by));
        assert_eq!(result, if good { Ok("1".into()) } else { Err(TOO_FEW) });
    }
}

/// did:webvh 1.0, "The witness Parameter".
#[test]
fn a_change_of_the_witnesses_takes_effect_after_its_entry() {
    let (a, old, new) = (key(1), key(5), key(6));
    let mut writer = log(witnesses(1, &[&old]), 1);
    let changed = json!({"witness": witnesses(1, &[&new])});
    writer.update("2026-02-01T00:00:00Z", changed, &a);
    let by_new = json!([approval(&writer, 1, &old), approval(&writer, 2, &new)]);
    assert_eq!(writer.witnessed(&by_new), Err(TOO_FEW));
    assert_eq!(
        writer.witnessed(&json!([approval(&writer, 2, &old)])),
        Ok("2".into())
    );
    writer.update("2026-03-01T00:00:00Z", json!({"witness": {}}), &a);
    let file = json!([approval(&writer, 2, &old), approval(&writer, 3, &new)]);
    assert_eq!(writer.witnessed(&file), Ok("3".into()));
    // `{}` is no witnesses from here on.
    writer.update("2026-04-01T00:00:00Z", json!({}), &a);
    assert_eq!(writer.witnessed(&file), Ok("4".into()));
}

#[test]
fn the_witness_parameter_has_its_form() {
    let a = key(1);
    let keys: Vec<SigningKey> = (100..165).map(key).collect();
    let keys: Vec<&SigningKey> = keys.iter().collect();
    let range = Some("the witness threshold is out of range");
    let malformed = Some("the witness parameter is malformed");
    for (witness, refused) in [
        (witnesses(0, &keys[..2]), range),
        (witnesses(1, &keys[..2]), None),
        (witnesses(2, &keys[..2]), None),
        (witnesses(3, &keys[..2]), range),
        (witnesses(0, &[]), range),
        (witnesses(64, &keys[..64]), None),
        (witnesses(1, &keys[..65]), malformed),
        (
            witnesses(1, &[keys[0], keys[1], keys[0]]),
            Some("a witness is listed twice"),
        ),
        (
            // The bare Multikey is the same witness.
            json!({"threshold": 1, "witnesses": [id(keys[0]), {"id": multikey(keys[0])}]}),
            Some("a witness is listed twice"),
        ),
        (json!({}), None),
        (json!(null), None),
        (json!("did:key:z6Mk"), malformed),
        (json!({"witnesses": [id(keys[0])]}), malformed),
    ] {
        let mut writer = Writer::new(one(&a), &a);
        writer.update("2026-02-01T00:00:00Z", json!({"witness": witness}), &a);
        let signers = if witness["witnesses"].is_array() {
            &keys[..64]
        } else {
            &[]
        };
        let file: Value = signers.iter().map(|by| approval(&writer, 2, by)).collect();
        assert_eq!(writer.witnessed(&file).err(), refused, "{witness}");
    }
}

#[test]
fn the_file_of_witness_proofs_has_its_form_and_bounds() {
    let witness = key(5);
    let writer = log(witnesses(1, &[&witness]), 1);
    let approved = approval(&writer, 1, &witness);
    for file in [
        json!({}),
        json!("x"),
        json!([1]),
        json!([{"proof": []}]),
        json!([{"versionId": 1}]),
    ] {
        assert_eq!(writer.witnessed(&file), Err(MALFORMED), "{file}");
    }
    let padded = |length: usize| {
        let mut file = json!([approved]).to_string().into_bytes();
        file.resize(length, b' ');
        writer.resolve_number(Some(&file), None)
    };
    assert_eq!(padded(262_144), Ok("1".into()));
    assert_eq!(padded(262_145), Err(MALFORMED));
    let entries = |count: usize| {
        let mut list = vec![json!({"versionId": "x"}); count - 1];
        list.push(approved.clone());
        writer.witnessed(&json!(list))
    };
    assert_eq!(entries(1024), Ok("1".into()));
    assert_eq!(entries(1025), Err(MALFORMED));
    let proofs = |count: usize| {
        let mut list = vec![json!({}); count - 1];
        list.push(approved["proof"][0].clone());
        writer.witnessed(&json!([{"versionId": approved["versionId"], "proof": list}]))
    };
    assert_eq!(proofs(1024), Ok("1".into()));
    assert_eq!(proofs(1025), Err("too many witness proofs"));
}
