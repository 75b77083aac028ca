use serde_json::json;

use super::*;
use crate::rdf::{HashAlgorithm, WorkLimits, canonicalize};

fn canonical(document: &Value) -> Result<String, JsonLdError> {
    let quads = to_quads(document, &Contexts::bundled(), &Options::default())?;
    Ok(
        canonicalize(&quads, HashAlgorithm::Sha256, &WorkLimits::default())
            .expect("canonical")
            .text(),
    )
}

#[test]
fn a_credential() {
    let document = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "type": ["VerifiableCredential", "AlumniCredential"],
        "issuer": "https://vc.example/issuers/5678",
        "credentialSubject": {"alumniOf": "x"},
    });
    println!("{}", canonical(&document).expect("expands"));
}
