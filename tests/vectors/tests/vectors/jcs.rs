//! The vectors of the JSON Canonicalization Scheme (RFC 8785).

use serde_json::Value;
use vouchsafe_credentials::jcs::canonicalize;
use vouchsafe_credentials::json;

use vouchsafe_vectors::Run;

#[test]
fn canonical_texts_of_the_reference_implementation() {
    let Some(run) = Run::open("jcs", 19) else {
        return;
    };
    let run = run.without("README.md", "a description");
    for name in [
        "arrays",
        "french",
        "structures",
        "unicode",
        "values",
        "weird",
    ] {
        let input = run.text(&format!("input/{name}.json"));
        let output = run.text(&format!("output/{name}.json"));
        let hex: String = run
            .text(&format!("outhex/{name}.txt"))
            .split_whitespace()
            .collect();
        let value = read(&input);
        let ours = canonicalize(&value).unwrap();
        run.step(name, hex::encode(&ours), hex);
        run.step(name, ours.as_str(), output.trim_end_matches('\n'));
        // Canonical text is its own canonical text; one altered byte is another.
        let again = json::parse_strict(ours.as_bytes()).unwrap();
        run.step(name, canonicalize(&again).unwrap(), ours.clone());
        for at in 0..ours.len() {
            let mut altered = ours.clone().into_bytes();
            altered[at] ^= 1;
            // Where it is still JSON it is another value, so another text.
            if let Ok(value) = json::parse_strict(&altered) {
                assert_ne!(canonicalize(&value).unwrap(), ours, "{name} {at}");
            }
        }
    }
    run.close();
}

/// One number of the vectors has more digits than a double keeps: our reader refuses it, so
/// it is read as a double first, which is what the scheme does with it.
fn read(input: &str) -> Value {
    const LONG: &str = "333333333.33333329";
    if !input.contains(LONG) {
        return json::parse_strict(input.as_bytes()).unwrap();
    }
    let refused = json::parse_strict(input.as_bytes());
    assert_eq!(refused, Err(json::JsonError::LossyNumber));
    let double: f64 = LONG.parse().unwrap();
    let short = input.replace(LONG, &double.to_string());
    json::parse_strict(short.as_bytes()).unwrap()
}
