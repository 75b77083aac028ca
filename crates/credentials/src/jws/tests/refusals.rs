use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{RFC_7515_A_3, key, refused, rfc_7515_key, signed_with, with_member};
use crate::crypto::{Algorithm, Portable, Signer as _, SigningKey, hmac_sha256};
use crate::encoding::b64url;
use crate::json::JsonError;
use crate::jws::{Header, JwsError, MAX_HEADER, TokenType, Unverified, sign, sign_bytes};
use crate::testing::SeededRng;
use crate::x509::X509Error;

#[tokio::test]
async fn cat_067_alg_none_in_every_spelling() {
    for alg in [
        json!("none"),
        json!("None"),
        json!("nOnE"),
        json!(""),
        json!(null),
        json!(["ES256"]),
    ] {
        for token_type in TokenType::ALL {
            let header = json!({"alg": alg, "typ": token_type.typ()}).to_string();
            let unsigned = format!("{}.{}.", b64url(header.as_bytes()), b64url(b"{}"));
            assert_eq!(refused(&unsigned, token_type), JwsError::Algorithm, "{alg}");
            let signed = signed_with(header.as_bytes(), b"{}").await;
            assert_eq!(refused(&signed, token_type), JwsError::Algorithm, "{alg}");
        }
    }
    let missing = signed_with(br#"{"typ":"kb+jwt"}"#, b"{}").await;
    assert_eq!(
        refused(&missing, TokenType::KeyBinding),
        JwsError::Algorithm
    );
}

#[test]
fn cat_068_mac_with_the_public_key_as_secret() {
    let key = key();
    let jwk = key.public_key().to_jwk().to_string();
    let header = b64url(br#"{"alg":"HS256","typ":"kb+jwt"}"#);
    let input = format!("{header}.{}", b64url(b"{}"));
    let secrets = [jwk.into_bytes(), key.public_key().compressed()];
    for secret in secrets {
        let compact = format!(
            "{input}.{}",
            b64url(&hmac_sha256(&secret, input.as_bytes()))
        );
        assert_eq!(
            refused(&compact, TokenType::KeyBinding),
            JwsError::Algorithm
        );
    }
    for alg in [
        "HS384", "HS512", "RS256", "PS256", "ES256K", "Ed448", "ESP256", "es256",
    ] {
        let header = format!(r#"{{"alg":"{alg}","typ":"kb+jwt"}}"#);
        let compact = format!("{}.e30.AAAA", b64url(header.as_bytes()));
        assert_eq!(
            refused(&compact, TokenType::KeyBinding),
            JwsError::Algorithm,
            "{alg}"
        );
    }
}

/// Every signature under every name, at every key.
#[tokio::test]
async fn cat_061_cat_068_the_key_decides_the_algorithm() {
    let keys = Algorithm::ALL.map(|algorithm| SigningKey::generate(algorithm, &SeededRng::new(1)));
    let mut accepted = 0;
    for signer in &keys {
        for name in Algorithm::ALL_NAMES {
            let header = json!({"alg": name, "typ": "kb+jwt"}).to_string();
            let input = format!("{}.{}", b64url(header.as_bytes()), b64url(b"{}"));
            let signature = signer.sign(input.as_bytes()).await.unwrap();
            // As it is, and in the length of the algorithm that the header names.
            let mut fitting = signature.clone();
            fitting.resize(Algorithm::from_name(name).unwrap().signature_length(), 0);
            for signature in [signature, fitting] {
                let compact = format!("{input}.{}", b64url(&signature));
                for key in &keys {
                    let verified = Unverified::parse(&compact, TokenType::KeyBinding)
                        .and_then(|token| token.verify(&Portable, key.public_key()));
                    let same = signer.public_key() == key.public_key();
                    let right = Algorithm::from_name(name) == Some(key.algorithm());
                    match verified {
                        Ok(_) => {
                            assert!(same && right, "{name}");
                            accepted += 1;
                        }
                        Err(error) => {
                            assert!(!(same && right), "{name}");
                            assert_eq!(error, JwsError::Signature);
                        }
                    }
                }
            }
        }
    }
    // Five names for four keys, each signature twice.
    assert_eq!(accepted, 10);
}

#[tokio::test]
async fn cat_070_embedded_keys_are_ignored_where_they_prove_nothing() {
    let key = key();
    for token_type in TokenType::ALL {
        let header = Header::new(token_type).with_jwk(key.public_key());
        let compact = sign(&header, &json!({}), &key).await.unwrap();
        let token = Unverified::parse(&compact, token_type).unwrap();
        let may_carry = matches!(token_type, TokenType::VciProof | TokenType::Dpop);
        assert_eq!(token.jwk().is_some(), may_carry, "{token_type:?}");
    }
}

#[tokio::test]
async fn cat_071_cat_076_cat_077_unsupported_parameters() {
    for (name, value) in [
        ("jku", json!("http://127.0.0.1/keys")),
        ("x5u", json!("https://attacker.example/chain")),
        ("crit", json!([])),
        ("crit", json!(["exp"])),
        ("crit", json!(["alg", "alg"])),
        ("crit", json!(["exp", "exp"])),
        ("crit", json!(["b64"])),
        ("crit", json!(["absent"])),
        ("crit", json!("exp")),
        ("crit", json!([1])),
        ("crit", json!(null)),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("enc", json!("A128GCM")),
    ] {
        let compact = with_member(name, value).await;
        assert_eq!(
            refused(&compact, TokenType::KeyBinding),
            JwsError::UnsupportedHeader,
            "{name}"
        );
    }
    for token_type in TokenType::ALL {
        let header = json!({"alg": "ES256", "typ": token_type.typ(), "b64": false, "crit": ["b64"], "exp": 1});
        let compact = signed_with(header.to_string().as_bytes(), b"{}").await;
        assert_eq!(refused(&compact, token_type), JwsError::UnsupportedHeader);
    }
}

/// The JSON serialisations have headers that nothing protects; they are not read at all.
#[tokio::test]
async fn cat_076_there_is_no_unprotected_header() {
    let good = with_member("x", json!(1)).await;
    let parts: Vec<&str> = good.split('.').collect();
    let [protected, payload, signature] = parts[..] else {
        panic!("three parts")
    };
    let one = json!({"protected": protected, "header": {"crit": ["exp"]}, "signature": signature});
    let mut flattened = one.clone();
    flattened["payload"] = json!(payload);
    for text in [
        flattened.to_string(),
        json!({"payload": payload, "signatures": [one]}).to_string(),
    ] {
        for token_type in TokenType::ALL {
            assert_eq!(refused(&text, token_type), JwsError::Malformed);
        }
    }
}

#[tokio::test]
async fn cat_079_header_must_be_one_small_json_object() {
    let json_errors: [(&[u8], JsonError); 7] = [
        (b"[]", JsonError::NotAnObject),
        (b"\"ES256\"", JsonError::NotAnObject),
        (
            b"\xef\xbb\xbf{\"alg\":\"ES256\",\"typ\":\"kb+jwt\"}",
            JsonError::Syntax,
        ),
        (
            b"{\"alg\":\"ES256\",\"typ\":\"kb+jwt\"}x",
            JsonError::Syntax,
        ),
        (
            b"{\"alg\":\"ES256\",/**/\"typ\":\"kb+jwt\"}",
            JsonError::Syntax,
        ),
        (
            b"{\"alg\":\"none\",\"alg\":\"ES256\",\"typ\":\"kb+jwt\"}",
            JsonError::DuplicateKey,
        ),
        (
            b"{\"alg\":\"ES256\",\"typ\":\"kb+jwt\",\"x\":\"\xff\"}",
            JsonError::Unicode,
        ),
    ];
    for (header, error) in json_errors {
        let compact = signed_with(header, b"{}").await;
        assert_eq!(
            refused(&compact, TokenType::KeyBinding),
            JwsError::HeaderJson(error)
        );
    }
    let long = with_member("x", json!("a".repeat(MAX_HEADER))).await;
    assert_eq!(refused(&long, TokenType::KeyBinding), JwsError::TooLarge);
    for (length, expected) in [(8192, None), (8193, Some(JwsError::TooLarge))] {
        let mut header = br#"{"alg":"ES256","typ":"kb+jwt"}"#.to_vec();
        header.resize(length, b' ');
        let compact = signed_with(&header, b"{}").await;
        let parsed = Unverified::parse(&compact, TokenType::KeyBinding);
        assert_eq!(parsed.err(), expected, "{length}");
    }
    for (length, expected) in [(65_536, JwsError::Malformed), (65_537, JwsError::TooLarge)] {
        let huge = "a".repeat(length);
        assert_eq!(refused(&huge, TokenType::KeyBinding), expected, "{length}");
    }
}

#[tokio::test]
async fn cat_080_signatures_of_other_lengths() {
    let good = with_member("x", json!(1)).await;
    let (input, _) = good.rsplit_once('.').unwrap();
    for length in [0, 32, 63, 65, 70, 72, 128] {
        let compact = format!("{input}.{}", b64url(&vec![1; length]));
        assert_eq!(
            refused(&compact, TokenType::KeyBinding),
            JwsError::Signature,
            "{length}"
        );
    }
    let zeros = format!("{input}.{}", b64url(&[0; 64]));
    assert_eq!(refused(&zeros, TokenType::KeyBinding), JwsError::Signature);
}

#[tokio::test]
async fn cat_088_a_jwe_is_no_jws() {
    let token = with_member("x", json!(1)).await;
    for compact in [
        "",
        ".",
        "a.b",
        "a.b.c.d",
        "a.b.c.d.e",
        &format!("{token}."),
        &format!(".{token}"),
    ] {
        assert_eq!(
            refused(compact, TokenType::KeyBinding),
            JwsError::Malformed,
            "{compact}"
        );
    }
}

#[tokio::test]
async fn cat_095_private_key_in_a_proof() {
    let mut jwk = key().public_key().to_jwk();
    jwk["d"] = json!("AAAA");
    for (token_type, typ) in [
        (TokenType::Dpop, "dpop+jwt"),
        (TokenType::VciProof, "openid4vci-proof+jwt"),
    ] {
        let header = json!({"alg": "ES256", "typ": typ, "jwk": jwk}).to_string();
        let compact = signed_with(header.as_bytes(), b"{}").await;
        assert_eq!(refused(&compact, token_type), JwsError::InvalidHeader);
    }
}

#[tokio::test]
async fn invalid_members() {
    let kid = with_member("kid", json!(1)).await;
    assert_eq!(
        refused(&kid, TokenType::KeyBinding),
        JwsError::InvalidHeader
    );
    for (x5c, error) in [
        (json!("AAAA"), JwsError::InvalidHeader),
        (json!([1]), JwsError::InvalidHeader),
        (json!([]), JwsError::Chain(X509Error::Empty)),
        (json!(["*"]), JwsError::Chain(X509Error::Malformed)),
        (json!(vec!["AAAA"; 7]), JwsError::Chain(X509Error::TooLong)),
    ] {
        let header = json!({"alg": "ES256", "typ": "dc+sd-jwt", "x5c": x5c}).to_string();
        let compact = signed_with(header.as_bytes(), b"{}").await;
        assert_eq!(refused(&compact, TokenType::SdJwtVc), error);
        let ignored = with_member("x5c", x5c).await;
        assert!(
            Unverified::parse(&ignored, TokenType::KeyBinding)
                .unwrap()
                .x5c()
                .is_none()
        );
    }
}

#[tokio::test]
async fn cat_101_no_character_may_be_inserted() {
    let good = with_member("x", json!(1)).await;
    for position in 0..=good.len() {
        for inserted in [' ', '\n', '\t', '=', '\0', 'é'] {
            let mut compact = good.clone();
            compact.insert(position, inserted);
            refused(&compact, TokenType::KeyBinding);
        }
    }
}

#[tokio::test]
async fn cat_104_cat_106_payload_is_strict_json() {
    for (payload, error) in [
        (&br#"{"aud":"a","aud":"b"}"#[..], JsonError::DuplicateKey),
        (br#"{"iat":9007199254740993}"#, JsonError::LossyNumber),
        (br#"["aud"]"#, JsonError::NotAnObject),
        (b"", JsonError::Syntax),
        (b"\xff", JsonError::Unicode),
    ] {
        let compact = sign_bytes(&Header::new(TokenType::KeyBinding), payload, &key())
            .await
            .unwrap();
        assert_eq!(
            refused(&compact, TokenType::KeyBinding),
            JwsError::PayloadJson(error)
        );
    }
}

proptest! {
    #[test]
    fn any_text_is_refused_without_panic(text in ".{0,200}") {
        for token_type in TokenType::ALL {
            prop_assert!(Unverified::parse(&text, token_type).is_err());
        }
    }

    #[test]
    fn any_changed_byte_is_refused(position in 0_usize..RFC_7515_A_3.len(), byte in any::<u8>()) {
        let mut bytes = RFC_7515_A_3.as_bytes().to_vec();
        prop_assume!(bytes[position] != byte);
        bytes[position] = byte;
        let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
        let verified = Unverified::parse(&text, TokenType::IdToken)
            .and_then(|token| token.verify(&Portable, &rfc_7515_key()));
        prop_assert!(verified.is_err());
    }

    #[test]
    fn arbitrary_headers_never_panic(members in prop::collection::btree_map("alg|typ|kid|jwk|x5c|crit|[a-z]{1,4}", ".{0,8}", 0..6)) {
        let header: Map<String, Value> = members.into_iter().map(|(name, value)| (name, value.into())).collect();
        let header = Value::Object(header).to_string();
        let compact = format!("{}.e30.{}", b64url(header.as_bytes()), b64url(&[1; 64]));
        for token_type in TokenType::ALL {
            prop_assert!(Unverified::parse(&compact, token_type).is_err());
        }
    }
}
