//! Documents for the oracles of JSON-LD: what every implementation reads alike, and what must be refused.

use serde_json::{Value, json};

const V2: &str = "https://www.w3.org/ns/credentials/v2";

/// Credentials with named and with blank nodes.
pub(crate) fn credentials() -> Vec<Value> {
    vec![
        json!({
            "@context": [V2, "https://www.w3.org/ns/credentials/examples/v2"],
            "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
            "type": ["VerifiableCredential", "AlumniCredential"],
            "name": "Alumni Credential",
            "issuer": "did:example:issuer",
            "validFrom": "2023-01-01T00:00:00Z",
            "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"},
        }),
        json!({
            "@context": [V2, "https://w3id.org/citizenship/v4rc1", {"Evidence": "https://e.com/Evidence", "Terms": "https://e.com/Terms"}],
            "type": ["VerifiableCredential", "EmploymentAuthorizationDocumentCredential"],
            "issuer": {"id": "did:example:issuer", "name": [{"@value": "Office", "@language": "en"}, {"@value": "مكتب", "@language": "ar", "@direction": "rtl"}]},
            "credentialSubject": {
                "type": ["Person", "EmployablePerson"],
                "givenName": "JOHN", "familyName": "SMITH", "birthDate": "1999-07-17",
                "employmentAuthorizationDocument": {
                    "type": "EmploymentAuthorizationDocument", "identifier": "83627465", "lprCategory": "C09",
                },
            },
            "credentialStatus": {
                "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "94567",
                "statusListCredential": "https://example.com/credentials/status/3",
            },
            "evidence": [{"type": "Evidence"}, {"id": "https://example.com/evidence", "type": "Evidence"}],
            "credentialSchema": {"id": "https://example.com/schema", "type": "JsonSchema", "digestSRI": "sha384-x"},
            "termsOfUse": {"type": "Terms"},
        }),
        json!({
            "@context": [V2, {"@vocab": "https://windsurf.example/vocab#"}],
            "type": ["VerifiableCredential"],
            "issuer": "did:example:issuer",
            "credentialSubject": {
                "sailNumber": "Earth101",
                "sails": [{"size": 5.5, "year": 2023}, {"size": 6, "year": 2023}, {"size": 6, "year": 2023}],
                "boards": [{"brand": "Wailea"}, {"brand": "Kihei"}], "count": -12, "large": 123456789, "done": true,
            },
        }),
    ]
}

/// One document for each part of JSON-LD. Two mistakes of jsonld 9.0.0 are kept out: a number
/// like `1e-7` becomes the integer 0, and in a map by type the context of one key stays for the next.
pub(crate) fn accepted() -> Vec<Value> {
    let with = |context: Value, members: Value| {
        let mut document = json!({"@context": context});
        for (key, value) in members.as_object().unwrap() {
            document[key] = value.clone();
        }
        document
    };
    let a = json!("https://e.com/a");
    vec![
        with(
            json!({"a": a}),
            json!({"a": ["x", 1, 1.5, -0.25, 1e21, 1.5e-7, true, {"@value": "t", "@type": "https://e.com/T"}]}),
        ),
        with(
            json!({"a": {"@id": a, "@container": "@list"}}),
            json!({"a": ["x", "y", {"a": []}, ["z", ["w"]]]}),
        ),
        with(
            json!({"a": {"@id": a, "@type": "@json"}}),
            json!({"a": {"z": [1, {"b": null, "a": 1.0e10}], "é": "\u{1}"}}),
        ),
        with(
            json!({"a": {"@id": a, "@container": "@language"}}),
            json!({"a": {"de": ["x", "y"], "EN-us": "z", "@none": "n"}}),
        ),
        with(
            json!({"a": {"@id": a, "@container": "@id"}, "b": "https://e.com/b"}),
            json!({"a": {"urn:x": {"b": 1}, "urn:y": {"b": 2}, "@none": {"b": 3}}}),
        ),
        with(
            json!({"@vocab": "https://e.com/", "a": {"@id": a, "@container": "@type"}, "T": {"@context": {"b": "https://e.com/other"}}}),
            json!({"a": {"T": [{"b": 1}, {"b": 2}]}}),
        ),
        with(
            json!({"a": {"@id": a, "@container": "@index", "@index": "https://e.com/i"}, "b": "https://e.com/b"}),
            json!({"a": {"one": {"b": 1}, "two": {"b": 2}}}),
        ),
        with(
            json!({"a": {"@id": a, "@container": "@graph"}, "b": "https://e.com/b"}),
            json!({"@id": "urn:s", "a": [{"b": 1}, {"@id": "urn:o", "b": 2}]}),
        ),
        with(
            json!({"a": {"@id": a, "@container": ["@graph", "@id"]}, "b": "https://e.com/b"}),
            json!({"@id": "urn:s", "a": {"urn:g": {"b": 1}}}),
        ),
        with(
            json!({"a": {"@reverse": "https://e.com/a"}, "b": "https://e.com/b"}),
            json!({"@id": "urn:s", "b": 0, "a": [{"b": 1}, {"@id": "urn:o"}]}),
        ),
        with(
            json!({"b": "https://e.com/b"}),
            json!({"@id": "urn:s", "@reverse": {"b": {"@id": "urn:o", "b": 1}}}),
        ),
        with(
            json!({"n": "@nest", "a": {"@id": a, "@nest": "n"}, "b": "https://e.com/b"}),
            json!({"n": {"a": 1, "n": {"b": 2}}}),
        ),
        with(
            json!({"i": "@included", "b": "https://e.com/b"}),
            json!({"b": 1, "i": [{"@id": "urn:x", "b": 2}, {"b": 3}]}),
        ),
        with(
            json!({"b": "https://e.com/b", "T": {"@id": "https://e.com/T", "@context": {"b": "https://e.com/typed"}}}),
            json!({"@type": "T", "b": {"b": 1}}),
        ),
        with(
            json!({"b": "https://e.com/b", "T": {"@id": "https://e.com/T", "@context": {"@propagate": true, "b": "https://e.com/typed"}}}),
            json!({"@type": "T", "b": {"b": 1}}),
        ),
        with(
            json!({"a": {"@id": a, "@context": {"b": "https://e.com/scoped"}}, "b": "https://e.com/b"}),
            json!({"b": 1, "a": {"b": {"b": 2}}}),
        ),
        with(
            json!({"a": {"@id": a, "@type": "@vocab", "@context": {"red": "https://e.com/red"}}}),
            json!({"a": "red"}),
        ),
        with(
            json!({"@language": "De", "@direction": "rtl", "a": a, "n": {"@id": "https://e.com/n", "@language": null, "@direction": null}}),
            json!({"a": "x", "n": "y"}),
        ),
        with(
            json!({"ex": "https://e.com/", "ex:p": {"@type": "@id"}}),
            json!({"@type": "ex:T", "ex:p": "ex:o", "ex:q": "ex:literal"}),
        ),
        with(
            json!({"ex": {"@id": "https://e.com/x", "@prefix": true}}),
            json!({"ex:p": 1}),
        ),
        with(
            json!({"@base": "https://e.com/base/dir/", "a": {"@id": a, "@type": "@id"}}),
            json!({"@id": "../x?q#f", "a": ["", "#f", "?q", "./a/../b", "//host/p"]}),
        ),
        with(
            json!({"a": a}),
            json!({"@id": "_:b0", "a": [{"@id": "_:b1", "a": {"@id": "_:b0"}}, {"a": "x"}]}),
        ),
        json!({"@context": [{"a": a}, null, {"a": "https://e.com/other"}], "a": 1}),
        json!([{"https://e.com/a": 1}, {"https://e.com/a": {"@set": [2, [3]]}}]),
        json!({"@graph": [{"@id": "urn:1", "https://e.com/a": 1}, {"@id": "urn:2", "https://e.com/a": {"@list": []}}]}),
        json!({"@context": V2, "type": "VerifiablePresentation", "holder": "did:example:h", "verifiableCredential": [
            {"@context": V2, "type": "VerifiableCredential", "issuer": "did:example:i", "credentialSubject": {"id": "did:example:s"}},
            {"@context": V2, "id": "data:application/vc+jwt,x", "type": "EnvelopedVerifiableCredential"},
        ]}),
        json!({"@context": ["https://www.w3.org/2018/credentials/v1", "https://w3id.org/security/data-integrity/v2"],
            "type": "VerifiableCredential", "issuer": "did:example:i", "issuanceDate": "2020-01-01T00:00:00Z",
            "credentialSubject": {"id": "did:example:s"},
            "proof": {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "proofPurpose": "assertionMethod",
                "verificationMethod": "did:example:i#k", "proofValue": "zabc"}}),
    ]
}

/// What safe mode refuses in every implementation.
pub(crate) fn refused_by_both() -> Vec<Value> {
    vec![
        json!({"undefined": 1}),
        json!({"@context": V2, "type": "VerifiableCredential", "undefined": 1}),
        json!({"@context": V2, "type": "Undefined"}),
        json!({"@context": V2, "type": "VerifiableCredential", "issuer": "relative"}),
        json!({"@context": V2, "id": "relative", "type": "VerifiableCredential"}),
        json!({"@context": [V2, {"name": "https://e.com/name"}], "type": "VerifiableCredential"}),
        json!({"@context": [V2, null], "type": "VerifiableCredential"}),
        json!({"@context": "https://attacker.example/", "a": 1}),
        json!({"https://e.com/a": {"@value": null}}),
        json!({"https://e.com/a": {"@value": "x", "@language": "not a tag"}}),
        json!({"https://e.com/a": {"@list": [1], "@id": "urn:x"}}),
        json!({"@context": {"a": "a"}, "a": 1}),
    ]
}

/// What we refuse beyond that, because a signature would not cover it.
pub(crate) fn refused_by_us() -> Vec<Value> {
    vec![
        json!({"@context": {"@protected": "yes"}, "https://e.com/a": 1}),
        json!({"https://e.com/a": [1, null]}),
        json!({"@context": {"a": "https://e.com/a"}, "@id": "urn:x", "a": [1, {"@id": "urn:y", "@index": "lost"}]}),
        json!({"@context": {"a": {"@id": "https://e.com/a", "@container": "@index"}}, "a": {"lost": "x"}}),
    ]
}
