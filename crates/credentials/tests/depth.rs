//! The deepest credential that passes every limit fits the stack of a server's thread.

use serde_json::Value;
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::json::parse_object;
use vouchsafe_credentials::sd_jwt::{HashAlg, MAX_DEPTH, process};

/// `innermost` inside `levels` objects.
fn nested(levels: usize, innermost: &str) -> String {
    let open = r#"{"a":"#.repeat(levels);
    format!("{open}{innermost}{}", "}".repeat(levels))
}

/// RFC 9901, section 4.2.6; catalogue 14. Each of the sixteen Disclosures that may hold one
/// another is as deep as JSON may be.
#[test]
fn cat_014_the_deepest_credential_fits_the_stack() {
    let run = || {
        let mut disclosures: Vec<String> = Vec::new();
        let mut inner = "1".to_owned();
        for _ in 0..MAX_DEPTH {
            let text = b64url(format!(r#"["s","n",{}]"#, nested(29, &inner)).as_bytes());
            inner = format!(r#"{{"_sd":["{}"]}}"#, HashAlg::default().digest(&text));
            disclosures.push(text);
        }
        let payload = nested(29, &inner);
        let refs: Vec<&str> = disclosures.iter().map(String::as_str).collect();
        let payload = parse_object(payload.as_bytes());
        let processed = process(payload.unwrap(), &refs).unwrap();
        let claims = Value::Object(processed.claims);
        assert!(claims.clone() == claims);
        assert!(claims.to_string().len() > 16 * 28 * 5);
    };
    let thread = std::thread::Builder::new().stack_size(1024 * 1024);
    thread.spawn(run).unwrap().join().unwrap();
}
