//! Vectors, round trips, the `typ` matrix; refusals stand in their own file.

mod refusals;

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{Header, JwsError, TokenType, Unverified, sign};
use crate::crypto::tests::{providers, signers};
use crate::crypto::{Algorithm, Portable, PublicKey, Signer, SigningKey};
use crate::encoding::b64url;
use crate::testing::SeededRng;

/// The token of RFC 7515, appendix A.3.
const RFC_7515_A_3: &str = concat!(
    "eyJhbGciOiJFUzI1NiJ9",
    ".",
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
    ".",
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
);

fn rfc_7515_key() -> PublicKey {
    PublicKey::from_jwk(&json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }))
    .unwrap()
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &SeededRng::new(1))
}

/// A token signed by [`key`] with exactly this header text.
async fn signed_with(header: &[u8], payload: &[u8]) -> String {
    let input = format!("{}.{}", b64url(header), b64url(payload));
    let signature = key().sign(input.as_bytes()).await.unwrap();
    format!("{input}.{}", b64url(&signature))
}

/// A key-binding token of [`key`] whose header has one more member.
async fn with_member(name: &str, value: Value) -> String {
    let header = json!({"alg": "ES256", "typ": "kb+jwt", name: value});
    signed_with(header.to_string().as_bytes(), b"{}").await
}

fn refused(compact: &str, token_type: TokenType) -> JwsError {
    match Unverified::parse(compact, token_type) {
        Err(error) => error,
        Ok(token) => token
            .verify(&Portable, key().public_key())
            .expect_err(compact),
    }
}

#[test]
fn rfc_7515_appendix_a_3() {
    for provider in providers() {
        let token = Unverified::parse(RFC_7515_A_3, TokenType::IdToken).unwrap();
        let payload = token
            .verify(provider, &rfc_7515_key())
            .unwrap()
            .into_inner();
        let claims =
            json!({"iss": "joe", "exp": 1_300_819_380, "http://example.com/is_root": true});
        assert_eq!(Value::Object(payload.claims), claims);
    }
}

#[tokio::test]
async fn signs_and_verifies_with_every_back_end() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm, &SeededRng::new(7));
        for signer in signers(&key.to_pkcs8_der()) {
            let header = Header::new(TokenType::VciProof)
                .with_kid("key-1")
                .with_jwk(signer.public_key())
                .with("alg", "none")
                .with("extra", 1);
            let compact = sign(&header, &json!({"aud": "a"}), &*signer).await.unwrap();
            for provider in providers() {
                let token = Unverified::parse(&compact, TokenType::VciProof).unwrap();
                assert_eq!(token.kid(), Some("key-1"));
                assert_eq!(token.algorithm(), algorithm);
                assert_eq!(token.jwk(), Some(key.public_key()));
                let payload = token
                    .verify(provider, key.public_key())
                    .unwrap()
                    .into_inner();
                assert_eq!(payload.claims["aud"], "a");
                assert_eq!(payload.header["alg"], algorithm.name());
                assert_eq!(payload.header["extra"], 1);
            }
        }
    }
}

#[tokio::test]
async fn snapshot_of_a_header() {
    let header = Header::new(TokenType::RequestObject)
        .with_kid("k")
        .with("nonce", "n");
    let compact = sign(&header, &json!({}), &key()).await.unwrap();
    let text = crate::encoding::b64url_decode(compact.split('.').next().unwrap()).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert_snapshot!(text, @r#"{"alg":"ES256","typ":"oauth-authz-req+jwt","kid":"k","nonce":"n"}"#);
}

/// 20 × 19 rejections: a token of one type at the consumer of every other.
#[tokio::test]
async fn cat_100_typ_matrix() {
    let key = key();
    let mut rejections = 0;
    for sent in TokenType::ALL {
        let compact = sign(&Header::new(sent), &json!({}), &key).await.unwrap();
        for expected in TokenType::ALL {
            let parsed = Unverified::parse(&compact, expected);
            if sent == expected {
                assert!(parsed.unwrap().verify(&Portable, key.public_key()).is_ok());
            } else {
                assert_eq!(
                    parsed.unwrap_err(),
                    JwsError::WrongType,
                    "{sent:?} at {expected:?}"
                );
                rejections += 1;
            }
        }
    }
    assert_eq!(rejections, 380);
}

#[tokio::test]
async fn cat_100_typ_is_exact() {
    let untyped = signed_with(br#"{"alg":"ES256"}"#, b"{}").await;
    for expected in TokenType::ALL {
        let parsed = Unverified::parse(&untyped, expected);
        assert_eq!(
            parsed.is_ok(),
            expected == TokenType::IdToken,
            "{expected:?}"
        );
        let name = expected.typ();
        for typ in [
            name.to_uppercase(),
            format!("application/{name}"),
            format!("{name} "),
            String::new(),
        ] {
            if typ == name {
                continue;
            }
            let header = json!({"alg": "ES256", "typ": typ}).to_string();
            let compact = signed_with(header.as_bytes(), b"{}").await;
            assert_eq!(refused(&compact, expected), JwsError::WrongType, "{typ}");
        }
        let header = json!({"alg": "ES256", "typ": [name]}).to_string();
        let compact = signed_with(header.as_bytes(), b"{}").await;
        assert_eq!(refused(&compact, expected), JwsError::WrongType);
    }
}
