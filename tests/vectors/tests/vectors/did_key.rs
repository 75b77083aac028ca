//! The vectors of did:key: every key of every file resolves to what the vector says.
//!
//! The vectors use types of keys that are out of use; the keys, the relationships and the ids are compared.

use serde_json::{Map, Value};
use vouchsafe_credentials::did::{ErrorCode, LocalResolver, Relationship, ResolutionOptions};
use vouchsafe_vectors::Run;

const FILES: [(&str, usize); 6] = [
    ("bls12381.json", 6),
    ("ed25519-x25519.json", 5),
    ("nist-curves.json", 7),
    ("rsa.json", 2),
    ("secp256k1.json", 6),
    ("x25519.json", 4),
];

/// DIDs and their documents.
fn entries(file: &Value) -> Vec<(String, Value)> {
    let members = file.as_object().unwrap();
    if let Some(documents) = members.get("didDocument") {
        let documents = documents.as_object().unwrap();
        return documents
            .iter()
            .map(|(did, document)| (did.clone(), document.clone()))
            .collect();
    }
    members
        .iter()
        .map(|(did, entry)| (did.clone(), entry["didDocument"].clone()))
        .collect()
}

fn options(format: &str) -> ResolutionOptions {
    let mut options = ResolutionOptions::default();
    options.enable_encryption_key_derivation = true;
    options.public_key_format = Some(format.to_owned());
    options
}

fn base58(bytes: &[u8]) -> String {
    vouchsafe_credentials::multibase::base58btc(bytes)
}

/// The key after its multicodec, in base58btc.
fn raw(multikey: &str) -> String {
    let bytes = multibase_bytes(multikey);
    base58(&bytes[2..])
}

fn multibase_bytes(text: &str) -> Vec<u8> {
    (1..=1024)
        .find_map(|length| vouchsafe_credentials::multibase::base58btc_decode(text, length))
        .unwrap()
}

fn compare(run: &Run, did: &str, theirs: &Value, methods: &Map<String, Value>) {
    for method in theirs["verificationMethod"].as_array().unwrap() {
        let id = method["id"].as_str().unwrap();
        let multikey = methods[id]["publicKeyMultibase"].as_str().unwrap();
        assert_eq!(id.split_once('#').unwrap().1, multikey, "{did}");
        run.step(id, &methods[id]["controller"], &method["controller"]);
        if let Some(text) = method["publicKeyBase58"].as_str() {
            run.step(id, raw(multikey), format!("z{text}"));
        } else {
            // A JWK: the same key written as a JWK by us, where we write that kind.
            let resolved = LocalResolver::resolve_now(did, &options("JsonWebKey2020"));
            match resolved.document {
                Some(document) => {
                    let same_id = |m: &&Value| m["id"].as_str() == Some(id);
                    let list = document.as_json()["verificationMethod"].as_array().unwrap();
                    let ours = &list.iter().find(same_id).unwrap()["publicKeyJwk"];
                    run.step(id, ours, &method["publicKeyJwk"]);
                }
                None => {
                    // secp256k1: x alone is in the compressed key.
                    let error = resolved.resolution_metadata.error.unwrap();
                    run.step(id, error.code, ErrorCode::InvalidPublicKeyType);
                    let x = method["publicKeyJwk"]["x"].as_str().unwrap();
                    let x = vouchsafe_credentials::encoding::b64url_decode(x).unwrap();
                    let bytes = multibase_bytes(multikey);
                    run.step(id, &bytes[3..], x.as_slice());
                }
            }
        }
    }
}

#[test]
fn cat_190_every_entry_resolves_and_no_neighbour_does() {
    let Some(run) = Run::open("did-key", FILES.len()) else {
        return;
    };
    for (file, count) in FILES {
        let vectors: Value = serde_json::from_str(&run.text(file)).unwrap();
        let entries = entries(&vectors);
        assert_eq!(entries.len(), count, "{file}");
        for (did, theirs) in entries {
            let resolved = LocalResolver::resolve_now(&did, &options("Multikey"));
            let ours = resolved
                .active()
                .unwrap_or_else(|e| panic!("{did}: {e}"))
                .as_json()
                .clone();
            run.step(&did, &ours["id"], &theirs["id"]);
            for relationship in Relationship::ALL {
                let name = relationship.name();
                run.step(&format!("{did}: {name}"), ours.get(name), theirs.get(name));
            }
            let list = ours["verificationMethod"].as_array().unwrap();
            let by_id = list
                .iter()
                .map(|m| (m["id"].as_str().unwrap().to_owned(), m.clone()))
                .collect();
            run.step(
                &did,
                list.len(),
                theirs["verificationMethod"].as_array().unwrap().len(),
            );
            compare(&run, &did, &theirs, &by_id);
            refuse_neighbours(&run, &did);
        }
    }
    run.close();
}

/// The same text with one byte more, one less, another prefix, and an uppercase method.
fn refuse_neighbours(run: &Run, did: &str) {
    let text = did.strip_prefix("did:key:").unwrap();
    let bytes = multibase_bytes(text);
    let spelled = |bytes: &[u8]| format!("did:key:{}", base58(bytes));
    let mut other = bytes.clone();
    other[0] ^= 0x10;
    for neighbour in [
        spelled(&bytes[..bytes.len() - 1]),
        spelled(&[&bytes[..], &[0]].concat()),
        spelled(&other),
        format!("did:key:u{}", &text[1..]),
        format!("did:key:{}", &text[1..]),
        format!("did:key:2:{text}"),
        format!("did:key:z1{}", &text[1..]),
    ] {
        let resolved = LocalResolver::resolve_now(&neighbour, &ResolutionOptions::default());
        let code = resolved.resolution_metadata.error.map(|error| error.code);
        let refused = matches!(
            code,
            Some(
                ErrorCode::InvalidDid
                    | ErrorCode::InvalidPublicKeyLength
                    | ErrorCode::InvalidPublicKey
            )
        );
        run.step(
            &neighbour,
            (refused, resolved.document.is_none()),
            (true, true),
        );
    }
}
