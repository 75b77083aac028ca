//! The vectors of the did:webvh test suite: logs of five implementations, and what must be refused.

use std::path::Path;

use serde_json::{Map, Value};
use vouchsafe_credentials::crypto::Portable;
use vouchsafe_credentials::did::webvh::{Log, Place};
use vouchsafe_credentials::did::{Did, ErrorCode, Resolution, ResolutionError, ResolutionOptions};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_vectors::Run;

/// 23 November 2026: after every version that should be accepted.
const NOW: UnixTime = UnixTime(1_795_392_000);

fn resolve(
    did: &str,
    log: &[u8],
    witness: Option<&[u8]>,
    options: &ResolutionOptions,
) -> Result<Resolution, ResolutionError> {
    let place = Place::parse(&Did::parse(did).unwrap())?;
    Log::verify(log, &place, NOW, &Portable)?.resolve(witness, options, &Portable)
}

/// The folders below `case`, one for each implementation.
fn implementations(folder: &Path, case: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join(case)).unwrap();
    let folders = entries
        .map(Result::unwrap)
        .filter(|entry| entry.path().is_dir());
    let mut names: Vec<_> = folders
        .map(|e| e.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn cases(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let folders = entries
        .map(Result::unwrap)
        .filter(|entry| entry.path().is_dir());
    let mut names: Vec<_> = folders
        .map(|e| e.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Implementations write the implicit services with relative or absolute ids, and `https://host` with or
/// without `/` at its end.
fn normal(document: &Value) -> Value {
    let mut document = document.clone();
    let did = document["id"].as_str().unwrap().to_owned();
    if let Some(services) = document.get_mut("service").and_then(Value::as_array_mut) {
        for service in services.iter_mut() {
            let id = service["id"].as_str().unwrap();
            if id.starts_with('#') {
                service["id"] = format!("{did}{id}").into();
            }
            if let Some(endpoint) = service["serviceEndpoint"].as_str() {
                service["serviceEndpoint"] = endpoint.trim_end_matches('/').into();
            }
        }
        services.sort_by_key(|service| service["id"].to_string());
    }
    document
}

/// Our document without the implicit services where the implementation does not show them.
fn like(theirs: &Value, mut ours: Value) -> Value {
    let ids: Vec<_> = theirs["service"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|s| &s["id"])
        .collect();
    let services = ours["service"].as_array_mut().unwrap();
    let implicit =
        |s: &Value| s["type"] == "relativeRef" || s["type"] == "LinkedVerifiablePresentation";
    services.retain(|service| ids.contains(&&service["id"]) || !implicit(service));
    if services.is_empty() && theirs.get("service").is_none() {
        ours.as_object_mut().unwrap().remove("service");
    }
    ours
}

/// What both say about the document; implementations leave out what they do not track.
fn compare_metadata(run: &Run, what: &str, ours: &Map<String, Value>, theirs: &Value) {
    for (name, theirs) in theirs.as_object().unwrap() {
        if theirs.is_null() {
            continue;
        }
        let what = format!("{what}: {name}");
        match name.as_str() {
            // Not in the specification; the number stands before the dash of versionId.
            "versionNumber" => {
                let own = ours["versionId"]
                    .as_str()
                    .unwrap()
                    .split_once('-')
                    .unwrap()
                    .0;
                run.step(&what, own.to_owned(), theirs.to_string());
            }
            // "Read": the threshold is a text here; one implementation writes keys instead of DIDs.
            "witness" => {
                let ids = |value: &Value| -> Vec<String> {
                    let list = value.get("witnesses").and_then(Value::as_array).cloned();
                    let id = |w: &Value| w["id"].as_str().unwrap().replace("did:key:", "");
                    list.unwrap_or_default().iter().map(id).collect()
                };
                let threshold = |value: &Value| {
                    value
                        .get("threshold")
                        .map(|t| t.to_string().replace('"', ""))
                };
                run.step(&what, ids(&ours["witness"]), ids(theirs));
                run.step(&what, threshold(&ours["witness"]), threshold(theirs));
            }
            // Some say the time of the version that is shown instead of the last one's.
            "updated" if theirs != &ours["updated"] => {
                run.step(&what, &ours["versionTime"], theirs)
            }
            name => run.step(&what, &ours[name], theirs),
        }
    }
}

#[test]
fn cat_197_logs_of_five_implementations() {
    let Some(run) = Run::open("did-webvh", 227) else {
        return;
    };
    let run = run.without("NEGATIVE_VECTORS.md", "text that describes the set");
    let folder = vouchsafe_vectors::folder("did-webvh", 227).unwrap();
    let mut refused = 0;
    for case in cases(&folder) {
        let _ = run.text(&format!("{case}/script.yaml"));
        if case.starts_with("negative-") {
            let _ = run.text(&format!("{case}/README.md"));
        }
        for implementation in implementations(&folder, &case) {
            let base = format!("{case}/{implementation}");
            let log = run.bytes(&format!("{base}/did.jsonl"));
            let witness = format!("{base}/did-witness.json");
            let witness = folder.join(&witness).exists().then(|| run.bytes(&witness));
            for file in [
                "resolutionResult.json",
                "resolutionResult.1.json",
                "resolutionResult.2.json",
            ] {
                let file = format!("{base}/{file}");
                if !folder.join(&file).exists() {
                    continue;
                }
                let expected: Value = serde_json::from_str(&run.text(&file)).unwrap();
                if case.starts_with("negative-") {
                    negative(&run, &case, &log, witness.as_deref(), &expected);
                    refused += 1;
                } else {
                    positive(&run, &file, &log, witness.as_deref(), &expected);
                }
            }
        }
    }
    assert_eq!(refused, 16);
    run.close();
}

/// Two implementations count the new witnesses for the entry that brings them. did:webvh 1.0, "Witness
/// Lists": the new list becomes active after that entry, so the old witnesses must approve it, and only one
/// of the two did. The other implementations refuse these logs, as we do.
const TOO_FEW_WITNESSES: [&str; 2] = ["witness-update/java/", "witness-update/ts/"];

fn positive(run: &Run, file: &str, log: &[u8], witness: Option<&[u8]>, expected: &Value) {
    let mut options = ResolutionOptions::default();
    if let Some(number) = file
        .strip_suffix(".json")
        .and_then(|f| f.rsplit_once('.'))
        .map(|(_, n)| n)
    {
        options.version_number = number.parse().ok();
    }
    if file.contains("/python/") {
        // This implementation shows the last version whatever number is asked for.
        options.version_number = None;
    }
    let text = std::str::from_utf8(log).unwrap();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let error = &expected["didResolutionMetadata"]["error"];
    let did = expected["didDocument"]["id"]
        .as_str()
        .or(last["state"]["id"].as_str())
        .unwrap();
    let result = resolve(did, log, witness, &options);
    // One implementation gives neither a document nor an error where the witnesses are too few.
    if error.is_string() || expected["didDocument"].is_null() {
        let code = result.err().map(|error| error.code.legacy().to_owned());
        run.step(file, code.as_deref(), error.as_str().or(Some("invalidDid")));
        return;
    }
    if TOO_FEW_WITNESSES.iter().any(|case| file.starts_with(case)) {
        let error = result.expect_err(file);
        run.step(file, error.detail, "too few witnesses approved an entry");
        options.version_number = Some(1);
        let first = resolve(did, log, witness, &options).unwrap();
        run.step(file, first.document.is_some(), true);
        return;
    }
    let result = result.unwrap_or_else(|error| panic!("{file}: {error}"));
    compare_metadata(
        run,
        file,
        &result.document_metadata.0,
        &expected["didDocumentMetadata"],
    );
    // "Deactivate": no document of a deactivated DID, unless a version is named.
    let result = if result.document_metadata.deactivated() {
        assert!(
            result.document.is_none() && result.active().is_err(),
            "{file}"
        );
        options.version_id = result.document_metadata.version_id().map(str::to_owned);
        resolve(did, log, witness, &options).unwrap()
    } else {
        result
    };
    let ours = result.document.unwrap();
    let theirs = normal(&expected["didDocument"]);
    run.step(file, like(&theirs, normal(ours.as_json())), theirs);
    twins(run, file, did, log, witness, &options);
}

/// One altered character, one entry less, another DID: all refused.
fn twins(
    run: &Run,
    file: &str,
    did: &str,
    log: &[u8],
    witness: Option<&[u8]>,
    options: &ResolutionOptions,
) {
    let text = std::str::from_utf8(log).unwrap();
    let altered = |from: &str, to: &str| {
        assert!(text.contains(from), "{file}: {from}");
        resolve(did, text.replacen(from, to, 1).as_bytes(), witness, options)
    };
    let code = |result: Result<Resolution, ResolutionError>| result.map(|_| ()).map_err(|e| e.code);
    let first = &text[text.find("\"proofValue\"").unwrap() + 12..];
    let value = first.split('"').nth(1).unwrap();
    let swapped = format!(
        "{}{}",
        &value[..value.len() - 1],
        if value.ends_with('A') { 'B' } else { 'A' }
    );
    run.step(
        file,
        code(altered(value, &swapped)),
        Err(ErrorCode::InvalidDid),
    );
    run.step(
        file,
        code(altered("\"authentication\"", "\"capabilityDelegation2\"")),
        Err(ErrorCode::InvalidDid),
    );
    let moved = did.replace(":example.", ":evil.");
    run.step(
        file,
        code(resolve(&moved, log, witness, options)),
        Err(ErrorCode::InvalidDid),
    );
    if text.lines().count() > 1 {
        let (_, tail) = text.split_once('\n').unwrap();
        run.step(
            file,
            code(resolve(did, tail.as_bytes(), witness, options)),
            Err(ErrorCode::InvalidDid),
        );
    }
    if let Some(witness) = witness {
        run.step(
            file,
            code(resolve(did, log, None, options)),
            Err(ErrorCode::InvalidDid),
        );
        run.step(
            file,
            code(resolve(did, log, Some(b"[]"), options)),
            Err(ErrorCode::InvalidDid),
        );
        let mut forged: Value = serde_json::from_slice(witness).unwrap();
        for item in forged.as_array_mut().unwrap() {
            // Genuine proofs of another version.
            item["versionId"] = format!("1{}", item["versionId"].as_str().unwrap()).into();
        }
        let forged = forged.to_string();
        run.step(
            file,
            code(resolve(did, log, Some(forged.as_bytes()), options)),
            Err(ErrorCode::InvalidDid),
        );
    }
}

/// What each negative case is about, in the words of our refusal.
const REASONS: [(&str, &str); 16] = [
    (
        "cross-did-witness-replay",
        "too few witnesses approved an entry",
    ),
    (
        "did-key-body-fragment-mismatch",
        "a proof of an entry is invalid",
    ),
    ("duplicate-witness-ids", "a witness is listed twice"),
    ("fragment-leaks-into-domain", "not a DID"),
    ("lowercase-pct-port-ip", "the domain is an address"),
    (
        "path-traversal-did",
        "a path segment is empty, a dot segment or holds a separator",
    ),
    ("pct-encoded-ip-host", "the domain is an address"),
    (
        "pct-encoded-traversal",
        "a path segment is empty, a dot segment or holds a separator",
    ),
    (
        "portable-scid-swap",
        "the SCID is not 46 characters of base58btc",
    ),
    (
        "pre-rotation-omit-updatekeys",
        "pre-rotation: the entry has no updateKeys",
    ),
    (
        "scid-mismatch-genesis",
        "the SCID is not the hash of the first entry",
    ),
    (
        "unknown-method-version",
        "the version of did:webvh is unknown",
    ),
    ("versiontime-future", "a versionTime is in the future"),
    (
        "versiontime-non-monotonic",
        "a versionTime is not after the one before",
    ),
    ("wrong-cryptosuite", "a proof of an entry is invalid"),
    (
        "zero-witness-threshold",
        "the witness threshold is out of range",
    ),
];

fn negative(run: &Run, case: &str, log: &[u8], witness: Option<&[u8]>, expected: &Value) {
    let reason = REASONS
        .iter()
        .find(|(name, _)| case == format!("negative-{name}"))
        .unwrap()
        .1;
    let script = run.text(&format!("{case}/script.yaml"));
    let literal: Vec<_> = script
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.trim().strip_prefix("did: \"")?.strip_suffix('"'))
        .collect();
    // Finer codes of the suite (`invalidProof`, `invalidParameters`) are `invalidDid` in the specification.
    assert!(
        expected["didResolutionMetadata"]["error"]
            .as_str()
            .unwrap()
            .starts_with("invalid")
    );
    let check = |what: &str, result: Result<Resolution, ResolutionError>| {
        let error = result.expect_err(what);
        run.step(what, error.code, ErrorCode::InvalidDid);
        run.step(what, error.detail, reason);
    };
    if !literal.is_empty() {
        for did in literal {
            match Did::parse(did) {
                Err(_) => run.step(did, "not a DID", reason),
                // The SCID of the suite has the right length but a `0`; the rest must be refused by itself.
                Ok(_) => check(
                    did,
                    resolve(
                        &did.replace(
                            "Qm0000000000000000000000000000000000000000000000",
                            "QmVVo7PVBXzxBAvYrSLaauyoRK1tHUe81J8TxCYyuRe8Vy",
                        ),
                        log,
                        witness,
                        &ResolutionOptions::default(),
                    ),
                ),
            }
        }
        return;
    }
    let first: Value = serde_json::from_slice(log.split(|b| *b == b'\n').next().unwrap()).unwrap();
    let scid = first["parameters"]["scid"].as_str().unwrap();
    let did = format!("did:webvh:{scid}:example.com");
    check(
        case,
        resolve(&did, log, witness, &ResolutionOptions::default()),
    );
}
