//! The vectors of the JSON Canonicalization Scheme (RFC 8785).

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
        // The reader of serde_json moves 333333333.33333329 by one unit in the last place; ours does not.
        let value = json::parse_strict(input.as_bytes()).unwrap();
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
