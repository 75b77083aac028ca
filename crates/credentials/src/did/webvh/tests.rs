mod entries;
mod proofs;
mod tips;
mod witnesses;

use proofs::sign;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Log, MAX_ENTRIES, MAX_LOG, Place, multihash};
use crate::crypto::{Algorithm, Multikey, Portable, Signer as _, SigningKey};
use crate::did::{Did, ErrorCode, Resolution, ResolutionError, ResolutionOptions};
use crate::jcs;
use crate::testing::SeededRng;
use crate::time::UnixTime;

const NOW: UnixTime = UnixTime(1_795_392_000);

fn key(seed: u64) -> SigningKey {
    SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(seed))
}

fn multikey(key: &SigningKey) -> String {
    Multikey::Signature(key.public_key().clone()).encode()
}

/// A log that is written as a controller writes it, right or wrong.
struct Writer {
    lines: Vec<Value>,
    did: String,
}

impl Writer {
    /// The first entry; `{SCID}` stands where the SCID will be.
    fn new(parameters: Value, key: &SigningKey) -> Self {
        Self::with_state(
            parameters,
            json!({"id": "did:webvh:{SCID}:example.com"}),
            key,
        )
    }

    fn with_state(mut parameters: Value, state: Value, key: &SigningKey) -> Self {
        parameters["scid"] = json!("{SCID}");
        if parameters.get("method").is_none() {
            parameters["method"] = json!("did:webvh:1.0");
        }
        let entry = json!({
            "versionId": "{SCID}", "versionTime": "2026-01-01T00:00:00Z", "parameters": parameters, "state": state,
        });
        let scid = multihash(jcs::canonicalize(&entry).unwrap().as_bytes());
        let entry: Value =
            serde_json::from_str(&entry.to_string().replace("{SCID}", &scid)).unwrap();
        let did = format!("did:webvh:{scid}:example.com");
        let mut writer = Self {
            lines: Vec::new(),
            did,
        };
        writer.push(entry, 1, key);
        writer
    }

    fn push(&mut self, mut entry: Value, number: usize, key: &SigningKey) {
        let hash = multihash(jcs::canonicalize(&entry).unwrap().as_bytes());
        entry["versionId"] = json!(format!("{number}-{hash}"));
        let proof = sign(&entry, key);
        entry["proof"] = json!([proof]);
        self.lines.push(entry);
    }

    fn update(&mut self, time: &str, parameters: Value, key: &SigningKey) -> &mut Self {
        let state = json!({"id": self.did, "version": self.lines.len() + 1});
        self.update_state(time, parameters, state, key)
    }

    fn update_state(
        &mut self,
        time: &str,
        parameters: Value,
        state: Value,
        key: &SigningKey,
    ) -> &mut Self {
        let previous = self.lines.last().unwrap()["versionId"].clone();
        let entry = json!({
            "versionId": previous, "versionTime": time, "parameters": parameters, "state": state,
        });
        self.push(entry, self.lines.len() + 1, key);
        self
    }

    fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }

    fn resolve_as(
        &self,
        did: &str,
        options: &ResolutionOptions,
    ) -> Result<Resolution, ResolutionError> {
        let place = Place::parse(&Did::parse(did).unwrap())?;
        Log::verify(self.text().as_bytes(), &place, NOW, &Portable)?
            .resolve(None, options, &Portable)
    }

    fn resolve(&self) -> Result<Resolution, ResolutionError> {
        self.resolve_as(&self.did, &ResolutionOptions::default())
    }

    fn refused(&self) -> &'static str {
        let error = self.resolve().unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidDid);
        error.detail
    }
}

fn one(key: &SigningKey) -> Value {
    json!({"updateKeys": [multikey(key)]})
}

#[test]
fn versions_by_id_number_and_time() {
    let a = key(1);
    let mut writer = Writer::new(one(&a), &a);
    writer.update("2026-02-01T00:00:00Z", json!({}), &a);
    writer.update("2026-03-01T00:00:00Z", json!({}), &a);
    let ask = |options: ResolutionOptions| {
        let found = writer.resolve_as(&writer.did, &options);
        found.map(|found| found.document_metadata.version_id().unwrap().as_bytes()[0] - b'0')
    };
    let number = |number| ResolutionOptions {
        version_number: Some(number),
        ..Default::default()
    };
    let time = |seconds| ResolutionOptions {
        version_time: Some(UnixTime(seconds)),
        ..Default::default()
    };
    let id = |line: usize| {
        let id = writer.lines[line]["versionId"].as_str().unwrap().to_owned();
        ResolutionOptions {
            version_id: Some(id),
            ..Default::default()
        }
    };
    assert_eq!(ask(ResolutionOptions::default()), Ok(3));
    for (options, expected) in [
        (number(1), Some(1)),
        (number(2), Some(2)),
        (number(4), None),
        (number(0), None),
        // 31 December 2025, 1 January, 15 February, today.
        (time(1_767_139_200), None),
        (time(1_767_225_600), Some(1)),
        (time(1_771_113_600), Some(2)),
        (time(NOW.0), Some(3)),
        (id(1), Some(2)),
        (
            ResolutionOptions {
                version_id: Some("2".into()),
                ..Default::default()
            },
            None,
        ),
        (
            ResolutionOptions {
                version_number: Some(1),
                ..id(1)
            },
            None,
        ),
        (
            ResolutionOptions {
                version_number: Some(1),
                ..time(NOW.0)
            },
            None,
        ),
    ] {
        let found = ask(options.clone());
        match expected {
            Some(version) => assert_eq!(found, Ok(version), "{options:?}"),
            None => assert_eq!(found.unwrap_err().code, ErrorCode::NotFound, "{options:?}"),
        }
    }
}

#[test]
fn an_invalid_entry_leaves_the_versions_before_it() {
    let a = key(1);
    let mut writer = Writer::new(one(&a), &a);
    writer.update("2026-02-01T00:00:00Z", json!({}), &a);
    writer.update("2026-03-01T00:00:00Z", json!({}), &key(2));
    assert_eq!(
        writer.refused(),
        "a proof of an entry is by a key that is not authorized"
    );
    let first = ResolutionOptions {
        version_number: Some(2),
        ..Default::default()
    };
    assert!(writer.resolve_as(&writer.did, &first).is_ok());
    let third = ResolutionOptions {
        version_number: Some(3),
        ..Default::default()
    };
    assert_eq!(
        writer.resolve_as(&writer.did, &third).unwrap_err().code,
        ErrorCode::InvalidDid
    );
}

#[test]
fn keys_take_effect_after_their_entry() {
    let (a, b) = (key(1), key(2));
    let mut writer = Writer::new(one(&a), &a);
    writer.update("2026-02-01T00:00:00Z", one(&b), &a);
    writer.update("2026-03-01T00:00:00Z", json!({}), &b);
    assert!(writer.resolve().is_ok());
    let mut early = Writer::new(one(&a), &a);
    early.update("2026-02-01T00:00:00Z", one(&b), &b);
    assert_eq!(
        early.refused(),
        "a proof of an entry is by a key that is not authorized"
    );
    let mut late = Writer::new(one(&a), &a);
    late.update("2026-02-01T00:00:00Z", one(&b), &a);
    late.update("2026-03-01T00:00:00Z", json!({}), &a);
    assert_eq!(
        late.refused(),
        "a proof of an entry is by a key that is not authorized"
    );
}

#[test]
fn keys_that_were_announced() {
    let (a, b, c) = (key(1), key(2), key(3));
    let hash = |key: &SigningKey| multihash(multikey(key).as_bytes());
    let first = json!({"updateKeys": [multikey(&a)], "nextKeyHashes": [hash(&b)]});
    let next = |parameters: Value, key: &SigningKey| {
        let mut writer = Writer::new(first.clone(), &a);
        writer.update("2026-02-01T00:00:00Z", parameters, key);
        writer
    };
    let good = json!({"updateKeys": [multikey(&b)], "nextKeyHashes": [hash(&c)]});
    assert!(next(good.clone(), &b).resolve().is_ok());
    for (parameters, key, reason) in [
        (
            good,
            &a,
            "a proof of an entry is by a key that is not authorized",
        ),
        (
            json!({"nextKeyHashes": [hash(&c)]}),
            &a,
            "pre-rotation: the entry has no updateKeys",
        ),
        (
            json!({"updateKeys": [multikey(&b)]}),
            &b,
            "pre-rotation: the entry has no nextKeyHashes",
        ),
        (
            json!({"updateKeys": [multikey(&c)], "nextKeyHashes": []}),
            &c,
            "pre-rotation: a key was not announced",
        ),
        (
            json!({"updateKeys": [multikey(&b), multikey(&a)], "nextKeyHashes": []}),
            &b,
            "pre-rotation: a key was not announced",
        ),
    ] {
        assert_eq!(
            next(parameters.clone(), key).refused(),
            reason,
            "{parameters}"
        );
    }
    // Turned off, the next entry is signed by the keys before it.
    let mut off = next(
        json!({"updateKeys": [multikey(&b)], "nextKeyHashes": []}),
        &b,
    );
    off.update("2026-03-01T00:00:00Z", one(&c), &b);
    assert!(off.resolve().is_ok());
}

#[test]
fn cat_197_a_deactivated_did_has_no_document() {
    let a = key(1);
    let mut writer = Writer::new(one(&a), &a);
    writer.update(
        "2026-02-01T00:00:00Z",
        json!({"deactivated": true, "updateKeys": []}),
        &a,
    );
    let gone = writer.resolve().unwrap();
    assert!(gone.document.is_none() && gone.document_metadata.deactivated());
    assert_eq!(gone.active().unwrap_err().code, ErrorCode::NotFound);
    let first = ResolutionOptions {
        version_number: Some(1),
        ..Default::default()
    };
    let shown = writer.resolve_as(&writer.did, &first).unwrap();
    assert!(shown.document.is_some() && shown.active().is_err());
    writer.update("2026-03-01T00:00:00Z", json!({"deactivated": false}), &a);
    assert_eq!(writer.refused(), "an entry follows the deactivation");
}

#[test]
fn a_did_that_moves() {
    let a = key(1);
    let moved = |portable: bool, known: bool, parameters: Value| {
        let mut first = one(&a);
        first["portable"] = json!(portable);
        let mut writer = Writer::new(first, &a);
        let old = writer.did.clone();
        let new = old.replace("example.com", "example.org");
        let names = if known { json!([old]) } else { json!([]) };
        let state = json!({"id": new, "alsoKnownAs": names});
        writer.update_state("2026-02-01T00:00:00Z", parameters, state, &a);
        (writer, new)
    };
    let (writer, new) = moved(true, true, json!({}));
    assert!(
        writer
            .resolve_as(&new, &ResolutionOptions::default())
            .is_ok()
    );
    assert_eq!(
        writer.refused(),
        "the document is of another DID: the DID was moved"
    );
    assert_eq!(
        moved(false, true, json!({})).0.refused(),
        "the DID is not portable"
    );
    assert_eq!(
        moved(true, true, json!({"portable": false})).0.refused(),
        "the DID is not portable"
    );
    let late = moved(false, true, json!({"portable": true})).0;
    assert_eq!(
        late.refused(),
        "only the first entry can make a DID portable"
    );
    let silent = moved(true, false, json!({})).0;
    assert_eq!(
        silent.refused(),
        "the DID was moved without naming the one before"
    );
}

#[test]
fn parameters_have_their_form() {
    let a = key(1);
    let p256 = SigningKey::generate(Algorithm::Es256, &SeededRng::new(1));
    for (name, value) in [
        ("method", json!("did:webvh:0.5")),
        ("method", json!("did:webvh:1.0-rc1")),
        ("method", json!(1)),
        (
            "scid",
            json!("QmVVo7PVBXzxBAvYrSLaauyoRK1tHUe81J8TxCYyuRe8Vy"),
        ),
        ("updateKeys", json!("z6Mk")),
        ("updateKeys", json!([1])),
        ("updateKeys", json!(["z6Mk"])),
        ("updateKeys", json!([multikey(&p256)])),
        ("updateKeys", json!(vec!["a"; 65])),
        ("nextKeyHashes", json!({})),
        ("watchers", json!("https://w.example")),
        ("portable", json!("true")),
        ("deactivated", json!(1)),
        ("ttl", json!(-1)),
        ("ttl", json!("3600")),
        ("ttl", json!(4_294_967_296_u64)),
        ("witness", json!([])),
        ("witness", json!({"threshold": 1})),
        ("witness", json!({"threshold": 1, "witnesses": []})),
        (
            "witness",
            json!({"threshold": 1.5, "witnesses": [{"id": format!("did:key:{}", multikey(&a))}]}),
        ),
        (
            "witness",
            json!({"threshold": 2, "witnesses": [{"id": format!("did:key:{}", multikey(&a))}]}),
        ),
        (
            "witness",
            json!({"threshold": 1, "witnesses": [{"id": format!("did:key:{}", multikey(&p256))}]}),
        ),
        (
            "witness",
            json!({"threshold": 1, "witnesses": [{"id": "did:web:example.com"}]}),
        ),
        ("prerotation", json!(true)),
    ] {
        let mut writer = Writer::new(one(&a), &a);
        writer.update("2026-02-01T00:00:00Z", json!({ name: value }), &a);
        let error = writer.resolve().expect_err(&format!("{name}: {value}"));
        assert_eq!(error.code, ErrorCode::InvalidDid, "{name}: {value}");
        assert_ne!(error.detail, "an entry hash does not match");
    }
    // What early implementations wrote for "none".
    let mut writer = Writer::new(one(&a), &a);
    let none = json!({"witness": null, "watchers": null, "nextKeyHashes": null, "ttl": null});
    writer.update("2026-02-01T00:00:00Z", none, &a);
    assert!(writer.resolve().is_ok());
}

#[test]
fn entries_have_their_form_and_order() {
    let a = key(1);
    for time in [
        "2026-01-01T00:00:00Z",
        "2025-12-31T23:59:59Z",
        "2026-02-01T00:00:00",
        "2026-02-01T01:00:00+01:00",
        "2999-01-01T00:00:00Z",
        "soon",
    ] {
        let mut writer = Writer::new(one(&a), &a);
        writer.update(time, json!({}), &a);
        assert_eq!(
            writer.resolve().unwrap_err().code,
            ErrorCode::InvalidDid,
            "{time}"
        );
    }
    let mut fractions = Writer::new(one(&a), &a);
    fractions.update("2026-01-01T00:00:00.5Z", json!({}), &a);
    assert!(fractions.resolve().is_ok());
    let good = Writer::new(one(&a), &a);
    let altered = |change: &dyn Fn(&mut Value)| {
        let mut writer = Writer {
            lines: good.lines.clone(),
            did: good.did.clone(),
        };
        change(&mut writer.lines[0]);
        writer.refused()
    };
    let hash = good.lines[0]["versionId"].as_str().unwrap()[2..].to_owned();
    for id in [
        format!("01-{hash}"),
        format!("1--{hash}"),
        format!("1{hash}"),
        format!("+1-{hash}"),
        "1-".to_owned(),
        hash.clone(),
    ] {
        assert_eq!(
            altered(&|line| line["versionId"] = json!(id)),
            "a versionId is malformed",
            "{id}"
        );
    }
    let two = format!("2-{hash}");
    assert_eq!(
        altered(&|line| line["versionId"] = json!(two)),
        "the version numbers have a gap"
    );
    assert_eq!(
        altered(&|line| line["extra"] = json!(1)),
        "an entry of the log is malformed"
    );
    assert_eq!(
        altered(&|line| line["proof"] = json!([])),
        "an entry has no proof, or too many"
    );
    assert_eq!(
        altered(&|line| drop(line.as_object_mut().unwrap().remove("proof"))),
        "an entry has no proof"
    );
    for (name, value) in [
        ("type", "Ed25519Signature2020"),
        ("cryptosuite", "ecdsa-jcs-2019"),
        ("proofPurpose", "authentication"),
        ("created", "yesterday"),
        ("created", "2026-01-02T00:00:00Z"),
        ("@context", "https://www.w3.org/ns/did/v1"),
        ("proofValue", "z"),
        ("verificationMethod", "did:web:example.com#a"),
    ] {
        let reason = altered(&|line| line["proof"][0][name] = json!(value));
        assert_eq!(reason, "a proof of an entry is invalid", "{name}");
    }
}

#[test]
fn logs_are_bounded() {
    let did =
        Did::parse("did:webvh:QmVVo7PVBXzxBAvYrSLaauyoRK1tHUe81J8TxCYyuRe8Vy:example.com").unwrap();
    let place = Place::parse(&did).unwrap();
    let verify = |log: &[u8]| Log::verify(log, &place, NOW, &Portable).unwrap_err();
    assert_eq!(
        verify(&vec![b' '; MAX_LOG + 1]).code,
        ErrorCode::InvalidDidDocumentLength
    );
    assert_eq!(verify(b"").code, ErrorCode::InvalidDid);
    assert_eq!(verify(b"\xff").code, ErrorCode::InvalidDid);
    assert_eq!(
        verify("{}\n".repeat(MAX_ENTRIES * 2).as_bytes()).code,
        ErrorCode::InvalidDid
    );
}

#[test]
fn cat_181_places_of_did_webvh() {
    const SCID: &str = "QmVVo7PVBXzxBAvYrSLaauyoRK1tHUe81J8TxCYyuRe8Vy";
    for (rest, url) in [
        ("example.com", "https://example.com/.well-known/did.jsonl"),
        (
            "issuer.example.com",
            "https://issuer.example.com/.well-known/did.jsonl",
        ),
        (
            "example.com:dids:issuer",
            "https://example.com/dids/issuer/did.jsonl",
        ),
        (
            "example.com%3A3000:dids:issuer",
            "https://example.com:3000/dids/issuer/did.jsonl",
        ),
    ] {
        let place =
            Place::parse(&Did::parse(&format!("did:webvh:{SCID}:{rest}")).unwrap()).unwrap();
        assert_eq!(place.log_url(), url);
        assert_eq!(
            place.witness_url(),
            url.replace("did.jsonl", "did-witness.json")
        );
    }
    for id in [
        format!("{SCID}:localhost"),
        format!("{SCID}:example.com:..:admin"),
        format!("{SCID}:example.com:a%2Fb"),
        format!("{SCID}:127.0.0.1"),
        format!("{SCID}:127%2E0%2E0%2E1"),
        format!("{SCID}:127.0.0.1%3a8080"),
        format!("{SCID}:example.com%3A0"),
        SCID.to_owned(),
        format!("{}0:example.com", &SCID[..45]),
        format!("{}:example.com", &SCID[..45]),
        "example.com".to_owned(),
    ] {
        let did = Did::parse(&format!("did:webvh:{id}")).unwrap();
        assert_eq!(
            Place::parse(&did).unwrap_err().code,
            ErrorCode::InvalidDid,
            "{id}"
        );
    }
    assert!(Place::parse(&Did::parse("did:web:example.com").unwrap()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_altered_byte_is_accepted(at in any::<prop::sample::Index>(), byte in 0x20_u8..0x7f) {
        let a = key(1);
        let mut writer = Writer::new(one(&a), &a);
        writer.update("2026-02-01T00:00:00Z", json!({}), &a);
        let mut log = writer.text().into_bytes();
        let at = at.index(log.len() - 1);
        prop_assume!(log[at] != byte);
        let before: Vec<Value> = writer.lines.clone();
        log[at] = byte;
        let after: Option<Vec<Value>> = std::str::from_utf8(&log).ok().and_then(|text| {
            text.lines().map(|line| serde_json::from_str(line).ok()).collect()
        });
        let place = Place::parse(&Did::parse(&writer.did).unwrap()).unwrap();
        let result = Log::verify(&log, &place, NOW, &Portable)
            .and_then(|log| log.resolve(None, &ResolutionOptions::default(), &Portable));
        // White space and other spellings of the same value are no alteration.
        prop_assert!(result.is_err() || after == Some(before));
    }

    #[test]
    fn any_text_is_refused_without_panic(text in "(\\{\"versionId\":\"1-[A-Za-z0-9]{0,50}\")?.{0,200}") {
        let did = Did::parse("did:webvh:QmVVo7PVBXzxBAvYrSLaauyoRK1tHUe81J8TxCYyuRe8Vy:example.com").unwrap();
        let place = Place::parse(&did).unwrap();
        prop_assert!(Log::verify(text.as_bytes(), &place, NOW, &Portable).is_err());
    }
}
