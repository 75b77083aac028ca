use proptest::prelude::*;
use serde_json::{Value, json};

use super::{JwkSet, JwksError, MAX_KEYS, MAX_LENGTH, MAX_TRIED};
use crate::crypto::tests::providers;
use crate::crypto::{Algorithm, KeyError, PublicKey, Signer as _, SigningKey};
use crate::jws::{Header, JwsError, TokenType, Unverified, sign};
use crate::testing::SeededRng;

fn signer(algorithm: Algorithm, seed: u64) -> SigningKey {
    SigningKey::generate(algorithm, &SeededRng::new(seed))
}

fn jwk(key: &SigningKey, more: &Value) -> Value {
    let mut jwk = key.public_key().to_jwk();
    let members = jwk.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    jwk
}

fn set(keys: &[Value]) -> JwkSet {
    JwkSet::from_value(&json!({ "keys": keys })).unwrap()
}

async fn token(key: &SigningKey, kid: Option<&str>) -> String {
    let header = Header::new(TokenType::KeyBinding);
    let header = match kid {
        Some(kid) => header.with_kid(kid),
        None => header,
    };
    sign(&header, &json!({"iss": "a"}), key).await.unwrap()
}

fn verify(compact: &str, set: &JwkSet) -> Result<(), JwsError> {
    let mut answers: Vec<_> = providers()
        .into_iter()
        .map(|provider| {
            let token = Unverified::parse(compact, TokenType::KeyBinding).unwrap();
            token.verify_with(provider, set).map(drop)
        })
        .collect();
    answers.dedup();
    assert_eq!(answers.len(), 1, "back ends disagree");
    answers.remove(0)
}

#[tokio::test]
async fn every_algorithm_finds_its_key() {
    let keys: Vec<_> = Algorithm::ALL.map(|algorithm| signer(algorithm, 1)).into();
    let jwks: Vec<_> = keys.iter().map(|key| jwk(key, &json!({}))).collect();
    let all = set(&jwks);
    for (position, key) in keys.iter().enumerate() {
        let compact = token(key, None).await;
        assert_eq!(verify(&compact, &all), Ok(()));
        let mut others = jwks.clone();
        others.remove(position);
        assert_eq!(verify(&compact, &set(&others)), Err(JwsError::NoKey));
    }
}

#[tokio::test]
async fn cat_073_the_same_kid_in_the_sets_of_two_issuers() {
    let (alice, mallory) = (signer(Algorithm::Es256, 1), signer(Algorithm::Es256, 2));
    let same = json!({"kid": "key-1"});
    let (of_alice, of_mallory) = (set(&[jwk(&alice, &same)]), set(&[jwk(&mallory, &same)]));
    let by_mallory = token(&mallory, Some("key-1")).await;
    assert_eq!(verify(&by_mallory, &of_mallory), Ok(()));
    assert_eq!(verify(&by_mallory, &of_alice), Err(JwsError::Signature));
    // A good signature under a `kid` that the issuer's set does not have.
    let renamed = token(&mallory, Some("key-2")).await;
    assert_eq!(verify(&renamed, &of_mallory), Err(JwsError::NoKey));
}

#[tokio::test]
async fn cat_074_a_thousand_keys_and_eight_tries() {
    let good = signer(Algorithm::Es256, 0);
    let other = jwk(&signer(Algorithm::Es256, 1), &json!({}));
    let compact = token(&good, None).await;
    for (position, answer) in [
        (0, Ok(())),
        (MAX_TRIED - 1, Ok(())),
        (MAX_TRIED, Err(JwsError::Signature)),
        (MAX_KEYS - 1, Err(JwsError::Signature)),
    ] {
        let mut keys = vec![other.clone(); MAX_KEYS];
        keys[position] = jwk(&good, &json!({}));
        assert_eq!(verify(&compact, &set(&keys)), answer, "{position}");
    }
    // Keys that do not fit are not tried.
    let mut keys = vec![jwk(&signer(Algorithm::Es384, 1), &json!({})); MAX_KEYS];
    keys[MAX_KEYS - 1] = jwk(&good, &json!({}));
    assert_eq!(verify(&compact, &set(&keys)), Ok(()));
    let mut named = vec![jwk(&signer(Algorithm::Es256, 1), &json!({"kid": "x"})); MAX_KEYS];
    named[MAX_KEYS - 1] = jwk(&good, &json!({"kid": "good"}));
    assert_eq!(
        verify(&token(&good, Some("good")).await, &set(&named)),
        Ok(())
    );
    // Points that are no points count as tried.
    let mut broken = vec![json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}); MAX_KEYS];
    broken[MAX_KEYS - 1] = jwk(&good, &json!({}));
    assert_eq!(verify(&compact, &set(&broken)), Err(JwsError::NoKey));
    let many = json!({ "keys": vec![other; MAX_KEYS + 1] });
    assert_eq!(JwkSet::from_value(&many).unwrap_err(), JwksError::TooLarge);
}

#[tokio::test]
async fn keys_for_other_things_are_not_tried() {
    let key = signer(Algorithm::Es256, 1);
    let compact = token(&key, None).await;
    for (more, fits) in [
        (json!({}), true),
        (
            json!({"use": "sig", "alg": "ES256", "key_ops": ["verify"]}),
            true,
        ),
        (json!({"use": "enc"}), false),
        (json!({"use": ""}), false),
        (json!({"alg": "ES384"}), false),
        (json!({"alg": "ECDH-ES"}), false),
        (json!({"alg": "es256"}), false),
        (json!({"key_ops": []}), false),
        (json!({"key_ops": ["deriveKey"]}), false),
    ] {
        let answer = verify(&compact, &set(&[jwk(&key, &more)]));
        assert_eq!(answer.is_ok(), fits, "{more}");
    }
    let ed25519 = signer(Algorithm::EdDsa, 1);
    let compact = token(&ed25519, None).await;
    for alg in ["EdDSA", "Ed25519"] {
        let keys = set(&[jwk(&ed25519, &json!({"alg": alg}))]);
        assert_eq!(verify(&compact, &keys), Ok(()), "{alg}");
    }
}

#[test]
fn cat_095_private_keys_in_a_set() {
    let key = signer(Algorithm::Es256, 1);
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] {
        let keys = json!({"keys": [jwk(&key, &json!({})), jwk(&key, &json!({name: "AA"}))]});
        assert_eq!(
            JwkSet::from_value(&keys).unwrap_err(),
            JwksError::PrivateMaterial,
            "{name}"
        );
    }
    let symmetric = json!({"keys": [{"kty": "oct", "k": "AAAA"}]});
    assert_eq!(
        JwkSet::from_value(&symmetric).unwrap_err(),
        JwksError::PrivateMaterial
    );
}

#[test]
fn malformed_sets() {
    for value in [
        json!([]),
        json!({}),
        json!({"keys": {}}),
        json!({"keys": ["x"]}),
        json!({"keys": [{}]}),
        json!({"keys": [{"kty": 1}]}),
        json!({"keys": [{"kty": "EC", "kid": 1}]}),
        json!({"keys": [{"kty": "EC", "use": null}]}),
        json!({"keys": [{"kty": "EC", "alg": ["ES256"]}]}),
        json!({"keys": [{"kty": "EC", "key_ops": "verify"}]}),
        json!({"keys": [{"kty": "EC", "key_ops": [1]}]}),
    ] {
        assert_eq!(
            JwkSet::from_value(&value).unwrap_err(),
            JwksError::Malformed,
            "{value}"
        );
    }
    for bytes in [
        &br#"{"keys":[],"keys":[]}"#[..],
        br#"{"keys":[{"kty":"EC","kty":"OKP"}]}"#,
        b"\xef\xbb\xbf{\"keys\":[]}",
        b"",
    ] {
        assert_eq!(JwkSet::parse(bytes).unwrap_err(), JwksError::Malformed);
    }
    let long = format!("{{\"keys\":[]{}}}", " ".repeat(MAX_LENGTH));
    assert_eq!(
        JwkSet::parse(long.as_bytes()).unwrap_err(),
        JwksError::TooLarge
    );
    assert!(JwkSet::parse(br#"{"keys":[]}"#).unwrap().keys().is_empty());
}

#[test]
fn rfc_7517_section_5_keys_that_are_not_well_formed_are_passed_over() {
    let key = signer(Algorithm::EdDsa, 1);
    let mut keys = vec![
        json!("x"),
        json!({}),
        json!({"kty": 1}),
        json!({"kty": "EC", "kid": 1}),
        jwk(&key, &json!({})),
    ];
    let bytes = |keys: &[Value]| json!({"keys": keys}).to_string().into_bytes();
    let usable = JwkSet::parse_usable(&bytes(&keys)).unwrap();
    assert_eq!(usable.keys().len(), 1);
    let found: Vec<&PublicKey> = usable.verification_keys(Algorithm::EdDsa, None).collect();
    assert_eq!(found, [key.public_key()]);
    assert_eq!(
        JwkSet::parse(&bytes(&keys)).unwrap_err(),
        JwksError::Malformed
    );
    // A private key refuses the set, well-formed or not.
    keys.push(json!({"kty": 1, "d": "AA"}));
    assert_eq!(
        JwkSet::parse_usable(&bytes(&keys)).unwrap_err(),
        JwksError::PrivateMaterial
    );
    assert_eq!(
        JwkSet::parse_usable(b"{}").unwrap_err(),
        JwksError::Malformed
    );
}

#[test]
fn rfc_7517_section_5_unknown_kinds_are_passed_over() {
    let key = signer(Algorithm::EdDsa, 1);
    let keys = set(&[
        json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"}),
        json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
        jwk(&key, &json!({})),
    ]);
    assert_eq!(keys.keys()[0].public_key(), Err(KeyError::Unsupported));
    let found: Vec<&PublicKey> = keys.verification_keys(Algorithm::EdDsa, None).collect();
    assert_eq!(found, [key.public_key()]);
}

proptest! {
    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = JwkSet::parse(&bytes);
    }

    #[test]
    fn arbitrary_members_never_panic(
        members in prop::collection::btree_map("kty|crv|x|y|use|alg|kid|d|key_ops", "EC|OKP|P-256|P-384|P-521|Ed25519|sig|[A-Za-z0-9_-]{0,90}", 0..7),
    ) {
        let Ok(set) = JwkSet::from_value(&json!({"keys": [members]})) else { return Ok(()) };
        for key in set.keys() {
            if let Ok(public) = key.public_key() {
                let written = public.to_jwk();
                let same = written.as_object().unwrap().iter().all(|(name, value)| key.members().get(name) == Some(value));
                prop_assert!(same, "what is read is what is written");
            }
        }
    }
}
