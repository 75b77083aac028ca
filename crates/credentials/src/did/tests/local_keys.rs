use proptest::prelude::*;
use serde_json::{Value, json};

use crate::crypto::{Algorithm, PublicKey, Signer as _, SigningKey};
use crate::did::{DidError, MAX_LENGTH, jwk, key, resolve_local};
use crate::encoding::b64url;
use crate::testing::SeededRng;

fn refused(did: &str) -> DidError {
    resolve_local(did).expect_err(did)
}

fn did_key(bytes: &[u8]) -> String {
    format!(
        "did:key:{}",
        multibase::encode(multibase::Base::Base58Btc, bytes)
    )
}

fn did_jwk(value: &Value) -> String {
    format!("did:jwk:{}", b64url(value.to_string().as_bytes()))
}

/// One file of the did:key vectors, or nothing where the folder is not given.
fn vectors(file: &str) -> Option<serde_json::Map<String, Value>> {
    let Some(folder) = std::env::var_os("VOUCHSAFE_VECTORS") else {
        println!("skipped: vectors, 1 files");
        return None;
    };
    let path = std::path::Path::new(&folder).join("did-key").join(file);
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let value: Value = serde_json::from_slice(&text).unwrap();
    Some(value.as_object().unwrap().clone())
}

#[test]
fn w3c_ccg_ed25519_vectors() {
    let Some(vectors) = vectors("ed25519-x25519.json") else {
        return;
    };
    assert!(!vectors.is_empty());
    for (did, vector) in vectors {
        let (resolved, kid) = resolve_local(&did).unwrap();
        assert_eq!(key::encode(&resolved), did);
        assert_eq!(vector["didDocument"]["verificationMethod"][0]["id"], kid);
        let seed: [u8; 32] = hex(vector["seed"].as_str().unwrap()).try_into().unwrap();
        let private = ed25519_dalek::SigningKey::from_bytes(&seed);
        let public = PublicKey::from_ed25519(private.verifying_key().as_bytes()).unwrap();
        assert_eq!(resolved, public);
    }
}

#[test]
fn w3c_ccg_nist_vectors() {
    let Some(vectors) = vectors("nist-curves.json") else {
        return;
    };
    assert!(!vectors.is_empty());
    for (did, vector) in vectors {
        let public = &vector["verificationMethod"]["publicKeyJwk"];
        let (resolved, kid) = resolve_local(&did).unwrap();
        assert_eq!(key::encode(&resolved), did);
        assert_eq!(vector["didDocument"]["verificationMethod"][0]["id"], kid);
        if public.is_object() {
            assert_eq!(PublicKey::from_jwk(public).unwrap(), resolved);
        }
    }
}

#[test]
fn cat_190_vectors_of_other_key_types() {
    for file in ["bls12381.json", "rsa.json", "secp256k1.json", "x25519.json"] {
        let Some(vectors) = vectors(file) else {
            continue;
        };
        assert!(!vectors.is_empty());
        for (name, vector) in &vectors {
            let nested = vector
                .as_object()
                .and_then(|documents| documents.keys().next());
            let did = if name == "didDocument" {
                nested.unwrap()
            } else {
                name
            };
            assert_eq!(refused(did), DidError::InvalidKey, "{did}");
        }
    }
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn both_methods_round_trip() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let key = SigningKey::generate(algorithm, &SeededRng::new(1));
        let public = key.public_key();
        let did = key::encode(public);
        let fragment = did.strip_prefix("did:key:").unwrap();
        assert_eq!(
            resolve_local(&did).unwrap(),
            (public.clone(), format!("{did}#{fragment}"))
        );
        let did = jwk::encode(public);
        assert_eq!(
            resolve_local(&did).unwrap(),
            (public.clone(), format!("{did}#0"))
        );
    }
}

#[test]
fn cat_190_did_key_codec_length_point() {
    let key = SigningKey::generate(Algorithm::Es256, &SeededRng::new(1));
    let point = key.public_key().compressed();
    let coded = |codec: [u8; 2], raw: &[u8]| did_key(&[&codec[..], raw].concat());
    assert!(resolve_local(&coded([0x80, 0x24], &point)).is_ok());
    let mut off_curve = [0xff; 33];
    off_curve[0] = 2;
    for did in [
        coded([0xec, 0x01], &[9; 32]),
        coded([0xe7, 0x01], &point),
        coded([0x12, 0x00], &point),
        coded([0xed, 0x01], &[9; 31]),
        coded([0xed, 0x01], &[9; 33]),
        coded([0xed, 0x01], &[0; 32]),
        coded([0x80, 0x24], &point[..32]),
        coded([0x80, 0x24], &off_curve),
        did_key(&[]),
        did_key(&[0xed]),
        format!("did:key:z{}", "1".repeat(1000)),
    ] {
        assert_eq!(refused(&did), DidError::InvalidKey, "{did}");
    }
}

#[test]
fn cat_190_did_key_only_base58btc_and_compressed() {
    use multibase::Base;
    let key = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(1));
    let bytes = [&[0xed, 0x01][..], &key.public_key().compressed()].concat();
    for base in [
        Base::Base64Url,
        Base::Base16Lower,
        Base::Base32Lower,
        Base::Base58Flickr,
        Base::Base36Lower,
    ] {
        let did = format!("did:key:{}", multibase::encode(base, &bytes));
        assert_eq!(refused(&did), DidError::InvalidKey, "{did}");
    }
    let p256 = SigningKey::generate(Algorithm::Es256, &SeededRng::new(1));
    let crate::crypto::KeyMaterial::P256(point) = p256.public_key().material() else {
        unreachable!()
    };
    let did = did_key(&[&[0x80, 0x24][..], point].concat());
    assert_eq!(refused(&did), DidError::InvalidKey);
}

#[test]
fn cat_190_did_jwk_private_symmetric_or_for_encryption() {
    let key = SigningKey::generate(Algorithm::Es256, &SeededRng::new(1));
    let with = |name: &str, value: Value| {
        let mut jwk = key.public_key().to_jwk();
        jwk[name] = value;
        did_jwk(&jwk)
    };
    assert!(resolve_local(&with("use", json!("sig"))).is_ok());
    for did in [
        with("d", json!("AAAA")),
        with("use", json!("enc")),
        with("use", json!(1)),
        with("crv", json!("P-384")),
        did_jwk(&json!({"kty": "oct", "k": "AAAA"})),
        did_jwk(&json!([])),
        "did:jwk:e30=".to_owned().replace('=', ""),
        format!("did:jwk:{}", b64url(br#"{"kty":"EC","kty":"OKP"}"#)),
        "did:jwk:_".to_owned(),
    ] {
        assert_eq!(refused(&did), DidError::InvalidKey, "{did}");
    }
}

#[test]
fn only_bare_dids_of_known_methods() {
    let did = key::encode(SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(1)).public_key());
    for text in [
        String::new(),
        "did".to_owned(),
        "did:".to_owned(),
        "did:key".to_owned(),
        "did:key:".to_owned(),
        did.to_uppercase(),
        format!("{did}#{did}"),
        format!("{did}?a=b"),
        format!("{did}/path"),
        format!("{did} "),
        format!(" {did}"),
        format!("did:jwk:{}", "A".repeat(MAX_LENGTH)),
    ] {
        assert_eq!(refused(&text), DidError::Malformed, "{text}");
    }
    for text in ["did:web:example", "did:Key:z6Mk", "did:webvh:abc"] {
        assert_eq!(refused(text), DidError::UnsupportedMethod, "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_refused_without_panic(text in "(did:(key|jwk):)?[zu]?.{0,80}") {
        if let Ok((key, kid)) = resolve_local(&text) {
            prop_assert!(kid.starts_with(&text));
            prop_assert!(key::encode(&key) == text || text.starts_with("did:jwk:"));
        }
    }
}
