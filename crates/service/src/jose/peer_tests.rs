//! josekit and the JOSE of `vouchsafe_credentials` read each other's tokens.

use std::sync::LazyLock;

use josekit::{
    jwk::Jwk as Josekit,
    jws::{self, JwsHeader, JwsSigner, JwsVerifier},
};
use serde_json::{Value, json};
use vouchsafe_credentials::{
    crypto::{Algorithm, AwsLc, CryptoProvider, Portable, PublicKey, SigningKey},
    encoding::b64url,
    jwks::JwkSet,
    jws::{Header, JwsError, TokenType, Unverified, sign},
};

use crate::random::OsRandom;

const PROVIDERS: [&dyn CryptoProvider; 2] = [&Portable, &AwsLc];

static CLAIMS: LazyLock<Value> = LazyLock::new(|| json!({"iss": "a", "n": [1, "ü"]}));

fn signer(algorithm: Algorithm, pem: &str) -> Box<dyn JwsSigner> {
    match algorithm {
        Algorithm::Es256 => Box::new(jws::ES256.signer_from_pem(pem).unwrap()),
        Algorithm::Es384 => Box::new(jws::ES384.signer_from_pem(pem).unwrap()),
        Algorithm::Es512 => Box::new(jws::ES512.signer_from_pem(pem).unwrap()),
        Algorithm::EdDsa => Box::new(jws::EdDSA.signer_from_pem(pem).unwrap()),
    }
}

fn verifier(key: &PublicKey) -> Box<dyn JwsVerifier> {
    let jwk = Josekit::from_map(key.to_jwk().as_object().unwrap().clone()).unwrap();
    match key.algorithm() {
        Algorithm::Es256 => Box::new(jws::ES256.verifier_from_jwk(&jwk).unwrap()),
        Algorithm::Es384 => Box::new(jws::ES384.verifier_from_jwk(&jwk).unwrap()),
        Algorithm::Es512 => Box::new(jws::ES512.verifier_from_jwk(&jwk).unwrap()),
        Algorithm::EdDsa => Box::new(jws::EdDSA.verifier_from_jwk(&jwk).unwrap()),
    }
}

fn ours_reads(compact: &str, key: &PublicKey) -> Result<Value, JwsError> {
    let mut answers: Vec<_> = PROVIDERS
        .iter()
        .map(|provider| {
            let token = Unverified::parse(compact, TokenType::KeyBinding)?;
            let payload = token.verify(*provider, key)?.into_inner();
            Ok(Value::Object(payload.claims))
        })
        .collect();
    answers.dedup();
    assert_eq!(answers.len(), 1, "back ends disagree");
    answers.remove(0)
}

fn flipped(compact: &str) -> String {
    let (input, signature) = compact.rsplit_once('.').unwrap();
    let mut bytes = vouchsafe_credentials::encoding::b64url_decode(signature).unwrap();
    bytes[7] ^= 1;
    format!("{input}.{}", b64url(&bytes))
}

#[tokio::test]
async fn each_verifies_what_the_other_signs() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm, &OsRandom);
        let public = vouchsafe_credentials::crypto::Signer::public_key(&key);

        let header = Header::new(TokenType::KeyBinding);
        let ours = sign(&header, &*CLAIMS, &key).await.unwrap();
        let verifier = verifier(public);
        let (payload, header) = jws::deserialize_compact(&ours, verifier.as_ref()).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&payload).unwrap(), *CLAIMS);
        assert_eq!(header.claim("alg"), Some(&json!(algorithm.name())));
        assert!(jws::deserialize_compact(flipped(&ours), verifier.as_ref()).is_err());

        let mut header = JwsHeader::new();
        header.set_token_type("kb+jwt");
        let signer = signer(algorithm, &key.to_pkcs8_pem());
        let theirs = CLAIMS.to_string();
        let theirs = jws::serialize_compact(theirs.as_bytes(), &header, signer.as_ref()).unwrap();
        assert_eq!(ours_reads(&theirs, public).as_ref(), Ok(&*CLAIMS));
        assert_eq!(
            ours_reads(&flipped(&theirs), public),
            Err(JwsError::Signature)
        );
        let set = JwkSet::from_value(&json!({"keys": [public.to_jwk()]})).unwrap();
        for provider in PROVIDERS {
            let token = Unverified::parse(&theirs, TokenType::KeyBinding).unwrap();
            assert!(token.verify_with(provider, &set).is_ok());
        }
        // The other keys of this system.
        for other in Algorithm::ALL {
            let other = SigningKey::generate(other, &OsRandom);
            let other = vouchsafe_credentials::crypto::Signer::public_key(&other);
            assert_eq!(ours_reads(&theirs, other), Err(JwsError::Signature));
        }
    }
}

/// Keys there and back: PKCS #8, JWK and thumbprint.
#[test]
fn both_write_the_same_keys() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm, &OsRandom);
        let public = vouchsafe_credentials::crypto::Signer::public_key(&key);
        let signer = signer(algorithm, &key.to_pkcs8_pem());
        let message = b"a message";
        let signature = signer.sign(message).unwrap();
        assert_eq!(signature.len(), algorithm.signature_length());
        for provider in PROVIDERS {
            assert_eq!(provider.verify(public, message, &signature), Ok(()));
        }
        let jwk = Josekit::from_map(public.to_jwk().as_object().unwrap().clone()).unwrap();
        assert_eq!(jwk.key_type(), public.to_jwk()["kty"]);
        assert_eq!(
            PublicKey::from_jwk(&Value::Object(jwk.into())).unwrap(),
            *public
        );
    }
}
