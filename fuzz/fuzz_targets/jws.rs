#![no_main]
//! A compact JWS at the consumer of every token type, and a header under a good signature, so that the fuzzer also
//! reaches what stands behind it. Both back ends give the same answer; only the signer's own header is accepted.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use vouchsafe_credentials::crypto::{Algorithm, AwsLc, Portable, Signer, SigningKey};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::jwks::JwkSet;
use vouchsafe_credentials::jws::{TokenType, Unverified};
use vouchsafe_credentials::testing::SeededRng;

struct Keys {
    keys: Vec<SigningKey>,
    set: JwkSet,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let keys: Vec<_> = Algorithm::ALL
        .map(|algorithm| SigningKey::generate(algorithm, &SeededRng::new(1)))
        .into();
    let jwks: Vec<_> = keys.iter().map(|key| key.public_key().to_jwk()).collect();
    let set = JwkSet::from_value(&json!({ "keys": jwks })).expect("four public keys are a set");
    Keys { keys, set }
});

/// Whether the token is accepted as this type, and by whom it says that it was signed.
fn accepted(compact: &str, token_type: TokenType) -> Option<Algorithm> {
    let portable = Unverified::parse(compact, token_type).ok()?;
    let algorithm = portable.algorithm();
    let aws_lc = Unverified::parse(compact, token_type).expect("parsed a moment ago");
    let portable = portable.verify_with(&Portable, &KEYS.set);
    let aws_lc = aws_lc.verify_with(&AwsLc, &KEYS.set);
    assert_eq!(portable.as_ref().err(), aws_lc.as_ref().err(), "back ends disagree");
    portable.ok().map(|_| algorithm)
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        for token_type in TokenType::ALL {
            accepted(text, token_type);
        }
    }
    let input = format!("{}.e30", b64url(bytes));
    for key in &KEYS.keys {
        let signature = futures::executor::block_on(key.sign(input.as_bytes()));
        let compact = format!("{input}.{}", b64url(&signature.expect("software keys sign")));
        let types = TokenType::ALL.into_iter();
        let accepted: Vec<_> = types.filter_map(|one| accepted(&compact, one)).collect();
        // RFC 8725, sections 3.1 and 3.11: one kind of token, and the algorithm of the key.
        assert!(accepted.len() <= 1 && accepted.iter().all(|one| *one == key.algorithm()));
    }
});
