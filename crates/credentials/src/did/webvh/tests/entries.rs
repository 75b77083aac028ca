use serde_json::{Value, json};

use super::proofs::{sign, sign_with};
use super::{NOW, Writer, key, one};
use crate::crypto::{Portable, SigningKey};
use crate::did::webvh::{Log, Place, multihash};
use crate::did::{Did, ErrorCode};

const OTHER: &str = "QmVVo7PVBXzxBAvYrSLaauyoRK1tHUe81J8TxCYyuRe8Vy";

/// Signs the entry `line` anew, after `change`.
fn altered(
    writer: &mut Writer,
    line: usize,
    key: &SigningKey,
    change: impl FnOnce(&mut Value),
) -> &'static str {
    let entry = &mut writer.lines[line];
    entry.as_object_mut().unwrap().remove("proof");
    change(entry);
    let proof = sign(entry, key);
    entry["proof"] = json!([proof]);
    writer.refused()
}

/// did:webvh 1.0, "Verify The Entry Hash".
#[test]
fn an_entry_hash_that_a_controller_signed_and_that_does_not_match() {
    let a = key(1);
    for line in 0..2 {
        let two = || {
            let mut writer = Writer::new(one(&a), &a);
            writer.update("2026-02-01T00:00:00Z", json!({}), &a);
            writer
        };
        let hash = altered(&mut two(), line, &a, |entry| {
            entry["versionId"] = json!(format!("{}-{OTHER}", line + 1));
        });
        assert_eq!(hash, "an entry hash does not match", "{line}");
    }
    let mut content = Writer::new(one(&a), &a);
    content.update("2026-02-01T00:00:00Z", json!({}), &a);
    let reason = altered(&mut content, 1, &a, |entry| {
        entry["state"]["version"] = json!(7);
    });
    assert_eq!(reason, "an entry hash does not match");
}

/// The second entry is chained to the first, not to another first entry of the same controller.
#[test]
fn an_entry_that_continues_another_log() {
    let a = key(1);
    let mut writer = Writer::new(one(&a), &a);
    let entry = json!({
        "versionId": format!("1-{OTHER}"), "versionTime": "2026-02-01T00:00:00Z",
        "parameters": {}, "state": {"id": writer.did},
    });
    writer.push(entry, 2, &a);
    assert_eq!(writer.refused(), "an entry hash does not match");
}

/// did:webvh 1.0, "Verify SCID".
#[test]
fn an_scid_that_is_not_the_hash_of_the_first_entry() {
    let a = key(1);
    let mut parameters = one(&a);
    parameters["scid"] = json!(OTHER);
    parameters["method"] = json!("did:webvh:1.0");
    let did = format!("did:webvh:{OTHER}:example.com");
    let mut writer = Writer {
        lines: Vec::new(),
        did: did.clone(),
    };
    let entry = json!({
        "versionId": OTHER, "versionTime": "2026-01-01T00:00:00Z",
        "parameters": parameters, "state": {"id": did},
    });
    writer.push(entry, 1, &a);
    assert_eq!(
        writer.refused(),
        "the SCID is not the hash of the first entry"
    );
}

/// Each of these is signed as it stands.
#[test]
fn proofs_of_another_suite_or_purpose() {
    let a = key(1);
    let text = super::multikey(&a);
    for (name, value, good) in [
        ("created", json!("2026-01-03T00:00:00Z"), true),
        ("type", json!("Ed25519Signature2020"), false),
        ("type", json!(null), false),
        ("cryptosuite", json!("eddsa-rdfc-2022"), false),
        ("proofPurpose", json!("authentication"), false),
        ("@context", json!("https://www.w3.org/ns/did/v1"), false),
        ("created", json!("yesterday"), false),
        (
            "verificationMethod",
            json!(format!("did:key:{text}#{}", super::multikey(&key(2)))),
            false,
        ),
        (
            "verificationMethod",
            json!(format!("did:web:{text}#{text}")),
            false,
        ),
    ] {
        let mut writer = Writer::new(one(&a), &a);
        let entry = &mut writer.lines[0];
        entry.as_object_mut().unwrap().remove("proof");
        let proof = sign_with(entry, &a, &[(name, value.clone())]);
        entry["proof"] = json!([proof]);
        let result = writer.resolve().map(drop).map_err(|error| error.detail);
        let expected = if good {
            Ok(())
        } else {
            Err("a proof of an entry is invalid")
        };
        assert_eq!(result, expected, "{name}: {value}");
    }
}

#[test]
fn an_entry_has_at_most_sixteen_proofs_and_each_must_be_good() {
    let a = key(1);
    let with = |count: usize, change: &dyn Fn(&mut Vec<Value>)| {
        let mut writer = Writer::new(one(&a), &a);
        let mut proofs = vec![writer.lines[0]["proof"][0].clone(); count];
        change(&mut proofs);
        writer.lines[0]["proof"] = json!(proofs);
        writer.resolve().map(drop).map_err(|error| error.detail)
    };
    assert_eq!(with(16, &|_| {}), Ok(()));
    let bounds = Err("an entry has no proof, or too many");
    assert_eq!(with(17, &|_| {}), bounds);
    assert_eq!(with(0, &|_| {}), bounds);
    let invalid = Err("a proof of an entry is invalid");
    assert_eq!(with(2, &|proofs| proofs[1]["type"] = json!("x")), invalid);
}

#[test]
fn a_version_time_is_at_most_five_minutes_ahead() {
    let a = key(1);
    for (time, good) in [
        ("2026-11-23T00:05:00Z", true),
        ("2026-11-23T00:05:01Z", false),
    ] {
        let mut writer = Writer::new(one(&a), &a);
        writer.update(time, json!({}), &a);
        let result = writer.resolve().map(drop).map_err(|error| error.detail);
        let expected = if good {
            Ok(())
        } else {
            Err("a versionTime is in the future")
        };
        assert_eq!(result, expected, "{time}");
    }
}

#[test]
fn sizes_of_the_log_of_its_lines_and_of_its_lists() {
    let a = key(1);
    let writer = Writer::new(one(&a), &a);
    let place = Place::parse(&Did::parse(&writer.did).unwrap()).unwrap();
    let verify = |log: &str| {
        Log::verify(log.as_bytes(), &place, NOW, &Portable)
            .map(drop)
            .map_err(|error| (error.code, error.detail))
    };
    let long = (ErrorCode::InvalidDidDocumentLength, "the log is too large");
    // Spaces around an entry do not matter.
    let line = writer.lines[0].to_string();
    let padded = |text: &str, length: usize| format!("{text}{}", " ".repeat(length - text.len()));
    assert_eq!(verify(&padded(&line, 131_072)), Ok(()));
    let too_large = (ErrorCode::InvalidDid, "an entry of the log is too large");
    assert_eq!(verify(&padded(&line, 131_073)), Err(too_large));
    // The rest is an entry that is refused, and the one before it stands.
    let lines = format!("{line}\n");
    assert_eq!(verify(&padded(&lines, 1_048_576)), Ok(()));
    assert_eq!(verify(&padded(&lines, 1_048_577)), Err(long));
    for (name, count, good) in [
        ("nextKeyHashes", 64, true),
        ("nextKeyHashes", 65, false),
        ("watchers", 64, true),
        ("watchers", 65, false),
    ] {
        let mut list = Writer::new(one(&a), &a);
        let parameters = json!({ name: vec![multihash(b"x"); count] });
        list.update("2026-02-01T00:00:00Z", parameters, &a);
        assert_eq!(list.resolve().is_ok(), good, "{name}: {count}");
    }
    for (ttl, good) in [(2_147_483_648_u64, true), (2_147_483_649, false)] {
        let mut writer = Writer::new(one(&a), &a);
        writer.update("2026-02-01T00:00:00Z", json!({"ttl": ttl}), &a);
        assert_eq!(writer.resolve().is_ok(), good, "{ttl}");
    }
}

/// A later entry may repeat the version of the method, and change it to no other.
#[test]
fn a_later_entry_repeats_the_method() {
    let a = key(1);
    let mut writer = Writer::new(one(&a), &a);
    let same = json!({"method": "did:webvh:1.0"});
    writer.update("2026-02-01T00:00:00Z", same, &a);
    assert!(writer.resolve().is_ok());
    let other = json!({"method": "did:webvh:1.1"});
    writer.update("2026-03-01T00:00:00Z", other, &a);
    assert_eq!(writer.refused(), "the version of did:webvh is unknown");
}

/// did:webvh 1.0, "DID URL Resolution".
#[test]
fn services_that_every_did_has_unless_the_document_has_its_own() {
    let a = key(1);
    let ids = |services: Option<Value>| {
        let mut state = json!({"id": "did:webvh:{SCID}:example.com"});
        if let Some(services) = services {
            state["service"] = services;
        }
        let writer = Writer::with_state(one(&a), state, &a);
        let document = writer.resolve().unwrap().document.unwrap();
        let services = document.services();
        services
            .iter()
            .map(|service| service.id.as_str().split_once('#').unwrap().1.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(None), ["files", "whois"]);
    let own = |name: &str| {
        json!([{
            "id": format!("did:webvh:{{SCID}}:example.com#{name}"),
            "type": "relativeRef", "serviceEndpoint": "https://elsewhere.example/",
        }])
    };
    assert_eq!(ids(Some(own("files"))), ["files", "whois"]);
    assert_eq!(ids(Some(own("whois"))), ["whois", "files"]);
    assert_eq!(ids(Some(own("shop"))), ["shop", "files", "whois"]);
}
