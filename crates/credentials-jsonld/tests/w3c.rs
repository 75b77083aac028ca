//! The test suites of RDFC-1.0 and JSON-LD 1.1, where their folders are at hand: copies of
//! w3c/rdf-canon `tests` in `VOUCHSAFE_RDF_CANON` and of w3c/json-ld-api `tests` in `VOUCHSAFE_JSON_LD_API`.
//!
//! What safe mode refuses on purpose is counted apart: a refusal is never a wrong result.

#![expect(
    clippy::print_stdout,
    reason = "all of this binary is tests; they count aloud"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use vouchsafe_credentials::crypto::sha256;
use vouchsafe_credentials_jsonld::contexts::Contexts;
use vouchsafe_credentials_jsonld::jsonld::{Options, to_quads};
use vouchsafe_credentials_jsonld::rdf::{
    HashAlgorithm, RdfError, WorkLimits, canonicalize, parse_nquads,
};

fn folder(variable: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable).map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: {variable} is not set");
    }
    folder
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn rdf_canon() {
    let Some(folder) = folder("VOUCHSAFE_RDF_CANON") else {
        return;
    };
    let manifest = json(&folder.join("manifest.jsonld"));
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let limits = WorkLimits {
        steps_per_quad: 1 << 14,
        ..WorkLimits::default()
    };
    for entry in manifest["entries"].as_array().expect("entries") {
        let text = |name: &str| entry[name].as_str().unwrap_or_default();
        let hash = match text("hashAlgorithm") {
            "" | "SHA256" => HashAlgorithm::Sha256,
            "SHA384" => HashAlgorithm::Sha384,
            other => panic!("hash {other}"),
        };
        let quads = parse_nquads(&read(&folder.join(text("action"))), 10_000).expect("N-Quads");
        let result = canonicalize(&quads, hash, &limits);
        let kind = match text("type") {
            "rdfc:RDFC10EvalTest" => {
                let canonical = result.unwrap_or_else(|error| panic!("{}: {error}", text("id")));
                assert_eq!(
                    canonical.text(),
                    read(&folder.join(text("result"))),
                    "{}",
                    text("id")
                );
                "canonical form"
            }
            "rdfc:RDFC10MapTest" => {
                let canonical = result.unwrap_or_else(|error| panic!("{}: {error}", text("id")));
                let expected: BTreeMap<String, String> =
                    serde_json::from_value(json(&folder.join(text("result")))).expect("map");
                assert_eq!(canonical.labels, expected, "{}", text("id"));
                "map"
            }
            "rdfc:RDFC10NegativeEvalTest" => {
                assert_eq!(result.err(), Some(RdfError::TooMuchWork), "{}", text("id"));
                "poisoned"
            }
            other => panic!("kind {other}"),
        };
        *counts.entry(kind).or_default() += 1;
    }
    println!("rdf-canon: {counts:?}");
    assert!(counts.values().sum::<usize>() >= 80, "{counts:?}");
}

/// The contexts that the tests name by URL are those in their folder.
fn test_contexts(folder: &Path) -> Contexts {
    let mut contexts = Contexts::none();
    let base = "https://w3c.github.io/json-ld-api/tests/";
    let entries = std::fs::read_dir(folder.join("toRdf")).expect("folder");
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".jsonld") {
            let text = std::fs::read(entry.path()).expect("file");
            // Most of the files are documents without a context of their own.
            let _ = contexts.add(&format!("{base}toRdf/{name}"), &text, &sha256(&text));
            let _ = contexts.add(&name, &text, &sha256(&text));
        }
    }
    contexts
}

#[test]
fn json_ld_to_rdf() {
    let Some(folder) = folder("VOUCHSAFE_JSON_LD_API") else {
        return;
    };
    let manifest = json(&folder.join("toRdf-manifest.jsonld"));
    let base = manifest["baseIri"].as_str().expect("base");
    let contexts = test_contexts(&folder);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for entry in manifest["sequence"].as_array().expect("sequence") {
        let id = entry["@id"].as_str().expect("id");
        let option = |name: &str| entry["option"][name].as_str();
        if option("specVersion") == Some("json-ld-1.0")
            || option("processingMode") == Some("json-ld-1.0")
        {
            *counts
                .entry("JSON-LD 1.0, out by design".into())
                .or_default() += 1;
            continue;
        }
        if id == "#tjs12" {
            // Its numbers have more digits than a double: our reader refuses them.
            *counts
                .entry("lossy number, out by design".into())
                .or_default() += 1;
            continue;
        }
        if id.starts_with("#tdi") && option("rdfDirection") != Some("i18n-datatype") {
            *counts
                .entry("direction other than i18n-datatype, out by design".into())
                .or_default() += 1;
            continue;
        }
        let input = entry["input"].as_str().expect("input");
        let base = option("base").map_or_else(|| format!("{base}{input}"), str::to_owned);
        let options = Options {
            inline_contexts: true,
            any_form: true,
            inline_vocab: true,
            inline_directives: true,
            base: Some(base),
            ..Options::default()
        };
        let ours = to_quads(&json(&folder.join(input)), &contexts, &options);
        let positive = entry["@type"].to_string().contains("Positive");
        let outcome = match (positive, ours) {
            (false, Err(_)) => "refused as expected".to_owned(),
            (false, Ok(_)) => {
                wrong.push(format!(
                    "{id} accepted, expected {}",
                    entry["expectErrorCode"]
                ));
                "wrongly accepted".to_owned()
            }
            (true, Err(error)) => {
                format!("strict: {}", error.code())
            }
            (true, Ok(_)) if entry["expect"].is_null() => "accepted".to_owned(),
            (true, Ok(quads)) => {
                let expected = read(&folder.join(entry["expect"].as_str().expect("expect")));
                match parse_nquads(&expected, 1_000) {
                    Err(_) => "expected result is no strict N-Quads".to_owned(),
                    Ok(expected) => {
                        let canonical = |quads: &[_]| {
                            canonicalize(quads, HashAlgorithm::Sha256, &WorkLimits::default())
                                .expect("canonical")
                                .nquads
                        };
                        if canonical(&quads) == canonical(&expected) {
                            "same".to_owned()
                        } else {
                            wrong.push(format!(
                                "{id} {}\n{}\n---\n{}",
                                entry["name"],
                                canonical(&quads).concat(),
                                canonical(&expected).concat()
                            ));
                            "other result".to_owned()
                        }
                    }
                }
            }
        };
        *counts.entry(outcome).or_default() += 1;
    }
    println!("json-ld toRdf: {counts:#?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(counts["same"] >= 264, "{counts:?}");
}
