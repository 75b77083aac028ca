#![no_main]
//! Octets of a stranger as BBS keys, signatures, proofs and proof values: never a
//! panic, and a value that is accepted has one encoding.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vouchsafe_credentials_jsonld::bbs::{PublicKey, SecretKey, Signature, proof_verify};
use vouchsafe_credentials_jsonld::{bbs_2023, ecdsa_sd};

static KEY: LazyLock<PublicKey> = LazyLock::new(|| {
    let key = SecretKey::key_gen(&[1; 32], b"fuzz").expect("32 bytes are enough");
    key.public_key()
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok(signature) = Signature::from_bytes(bytes) {
        assert_eq!(signature.to_bytes(), bytes);
    }
    if let Some(key) = bytes.first_chunk()
        && let Ok(parsed) = PublicKey::from_bytes(key)
    {
        assert_eq!(parsed.as_bytes(), key);
    }
    assert!(proof_verify(&KEY, bytes, b"header", b"", &[(0, b"message")]).is_err());
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(value) = ecdsa_sd::BaseProof::parse(text) {
        assert_eq!(ecdsa_sd::BaseProof::parse(&value.encode()).ok(), Some(value));
    }
    if let Ok(value) = bbs_2023::BaseProof::parse(text) {
        assert_eq!(bbs_2023::BaseProof::parse(&value.encode()).ok(), Some(value));
    }
    let _ = ecdsa_sd::DerivedProof::parse(text);
    let _ = bbs_2023::DerivedProof::parse(text);
});
