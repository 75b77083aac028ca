use serde_json::json;
use url::Url;
use vouchsafe_credentials::crypto::{Portable, Signer, SigningKey};
use vouchsafe_credentials::jwks::JwkSet;
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::x509::{Role, TrustAnchors};

use super::*;
use crate::http::Method;
use crate::oauth::dpop;
use crate::oauth::wallet_provider::WalletProvider;
use crate::testing::sign_raw;

const ISSUER: &str = "https://as.example.com";
const NOW: UnixTime = UnixTime(1_700_000_000);

fn key(seed: u64) -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &SeededRng::new(seed))
}

fn providers() -> WalletProviders {
    let mut jwk = key(1).public_key().to_jwk();
    jwk["kid"] = json!("1");
    let keys = JwkSet::from_value(&json!({ "keys": [jwk] })).unwrap();
    let anchors = TrustAnchors::new(Role::WalletProvider);
    let provider = WalletProvider::new("p", anchors, keys).unwrap();
    [provider].into_iter().collect()
}

fn remove(object: &mut Value, name: &str) {
    object.as_object_mut().unwrap().remove(name);
}

async fn attested(
    change: impl Fn(&mut Value, &mut Value),
) -> Result<Attestation, AttestationError> {
    let mut header = json!({ "alg": "ES256", "typ": "oauth-client-attestation+jwt", "kid": "1" });
    let mut claims = json!({
        "sub": "wallet",
        "exp": NOW.seconds() + 3600,
        "cnf": { "jwk": key(2).public_key().to_jwk() },
    });
    change(&mut header, &mut claims);
    let jwt = sign_raw(&header, &claims, &key(1)).await;
    verify(&jwt, &providers(), NOW, &Portable)
}

fn expected(challenges: Option<&ServerNonces>) -> Expected<'_> {
    Expected {
        issuer: ISSUER,
        challenges,
        now: NOW,
    }
}

async fn proved(
    signer: u64,
    challenges: Option<&ServerNonces>,
    change: impl Fn(&mut Value, &mut Value),
) -> Result<VerifiedPop, AttestationError> {
    let mut header = json!({ "alg": "ES256", "typ": "oauth-client-attestation-pop+jwt" });
    let mut claims = json!({ "aud": ISSUER, "jti": "j", "iat": NOW.seconds() });
    change(&mut header, &mut claims);
    let jwt = sign_raw(&header, &claims, &key(signer)).await;
    let attestation = attested(|_, _| {}).await.unwrap();
    verify_pop(&jwt, &attestation, &expected(challenges), &Portable)
}

#[tokio::test]
async fn an_attestation_as_either_draft_writes_it() {
    let new = attested(|_, _| {}).await.unwrap();
    assert_eq!(
        (new.client_id.as_str(), new.provider.as_str()),
        ("wallet", "p")
    );
    assert_eq!(new.instance, *Signer::public_key(&key(2)));
    let old = attested(|_, claims| {
        claims["iss"] = json!("https://provider.example.com");
        claims["iat"] = json!(NOW.seconds());
        claims["nbf"] = json!(NOW.seconds());
        claims["wallet_name"] = json!("Wallet");
    });
    assert!(old.await.is_ok());
}

#[tokio::test]
async fn cat_254_attestations_that_are_refused() {
    let now = NOW.seconds();
    for (name, value) in [
        ("sub", json!(1)),
        ("sub", json!("")),
        ("iss", json!(1)),
        ("exp", json!("1700003600")),
        ("exp", Value::Null),
        ("cnf", json!({})),
        ("cnf", json!({ "jwk": { "kty": "oct", "k": "AAAA" } })),
        ("cnf", json!({ "kid": "1" })),
        ("nbf", json!("x")),
    ] {
        let got = attested(|_, claims| claims[name] = value.clone()).await;
        let got = got.unwrap_err();
        assert_eq!(got, AttestationError::Claim(name), "{value}");
        assert_eq!(got.code(), ErrorCode::InvalidClient);
    }
    for name in ["sub", "exp", "cnf"] {
        let got = attested(|_, claims| remove(claims, name)).await;
        assert_eq!(got.unwrap_err(), AttestationError::Claim(name));
    }
    let mut private = key(2).public_key().to_jwk();
    private["d"] = json!("AAAA");
    let got = attested(|_, claims| claims["cnf"]["jwk"] = private.clone()).await;
    assert_eq!(got.unwrap_err(), AttestationError::Claim("cnf"));
    for (name, value) in [
        ("exp", now - 10),
        ("exp", now - 600),
        ("nbf", now + 61),
        ("iat", now + 61),
    ] {
        let got = attested(|_, claims| claims[name] = json!(value)).await;
        assert_eq!(got.unwrap_err(), AttestationError::Time, "{name}");
    }
    assert!(attested(|_, c| c["exp"] = json!(now - 9)).await.is_ok());
    for (name, value, why) in [
        ("typ", "JWT", JwsError::WrongType),
        (
            "typ",
            "oauth-client-attestation-pop+jwt",
            JwsError::WrongType,
        ),
        ("alg", "none", JwsError::Algorithm),
        ("alg", "HS256", JwsError::Algorithm),
        ("alg", "ES384", JwsError::Signature),
    ] {
        let got = attested(|header, _| header[name] = json!(value)).await;
        assert_eq!(got.unwrap_err(), AttestationError::Jws(why), "{value}");
    }
    let got = attested(|header, _| header["kid"] = json!("2")).await;
    let unknown = AttestationError::Attester(AttesterError::UnknownKey);
    assert_eq!(got.unwrap_err(), unknown);
    // Signed by somebody else under the name of a known key.
    let header = json!({ "alg": "ES256", "typ": "oauth-client-attestation+jwt", "kid": "1" });
    let jwt = sign_raw(&header, &json!({}), &key(2)).await;
    let got = verify(&jwt, &providers(), NOW, &Portable).unwrap_err();
    assert_eq!(got, AttestationError::Jws(JwsError::Signature));
}

#[tokio::test]
async fn a_proof_as_either_draft_writes_it() {
    let new = proved(2, None, |_, _| {}).await.unwrap();
    assert_eq!((new.jti.as_str(), new.valid_until), ("j", NOW.plus(301)));
    let old = proved(2, None, |_, claims| {
        claims["iss"] = json!("wallet");
        claims["nbf"] = json!(NOW.seconds());
        claims["exp"] = json!(NOW.seconds() + 300);
    });
    assert!(old.await.is_ok());
}

#[tokio::test]
async fn cat_254_proofs_that_are_refused() {
    let now = NOW.seconds();
    for (name, value, why) in [
        (
            "aud",
            json!("https://other.example.com"),
            AttestationError::Audience,
        ),
        ("aud", json!([ISSUER]), AttestationError::Audience),
        (
            "aud",
            json!("https://as.example.com/token"),
            AttestationError::Audience,
        ),
        ("aud", Value::Null, AttestationError::Audience),
        ("iss", json!("other"), AttestationError::PopClient),
        ("iss", json!(1), AttestationError::PopClient),
        ("jti", json!(""), AttestationError::PopClaim("jti")),
        ("jti", json!(7), AttestationError::PopClaim("jti")),
        (
            "jti",
            json!("j".repeat(257)),
            AttestationError::PopClaim("jti"),
        ),
        ("iat", json!("now"), AttestationError::PopClaim("iat")),
        ("iat", json!(now - MAX_AGE - 1), AttestationError::PopTime),
        ("iat", json!(now + MAX_SKEW + 1), AttestationError::PopTime),
        ("nbf", json!(now + MAX_SKEW + 1), AttestationError::PopTime),
        ("exp", json!(now - 10), AttestationError::PopTime),
        ("exp", json!(1.5), AttestationError::PopTime),
    ] {
        let got = proved(2, None, |_, claims| claims[name] = value.clone()).await;
        assert_eq!(got, Err(why), "{name} {value}");
        assert_eq!(why.code(), ErrorCode::InvalidClient);
    }
    for (name, why) in [
        ("aud", AttestationError::Audience),
        ("jti", AttestationError::PopClaim("jti")),
        ("iat", AttestationError::PopClaim("iat")),
    ] {
        let got = proved(2, None, |_, claims| remove(claims, name)).await;
        assert_eq!(got, Err(why));
    }
    let signature = AttestationError::PopJws(JwsError::Signature);
    let got = proved(3, None, |_, _| {}).await;
    assert_eq!(got, Err(signature));
    // The key of the header is not the attested one.
    let own = key(3).public_key().to_jwk();
    let got = proved(3, None, |header, _| header["jwk"] = own.clone()).await;
    assert_eq!(got, Err(signature));
    let got = proved(2, None, |header, _| header["typ"] = json!("dpop+jwt")).await;
    assert_eq!(got, Err(AttestationError::PopJws(JwsError::WrongType)));
}

#[tokio::test]
async fn cat_254_the_challenge_of_the_server() {
    let challenges = ServerNonces::new(ISSUER, [1; 32]);
    let rng = SeededRng::new(9);
    let fresh = challenges.issue(NOW, &rng);
    let old = challenges.issue(NOW.plus(-CHALLENGE_LIFETIME), &rng);
    for name in ["challenge", "nonce"] {
        let good = proved(2, Some(&challenges), |_, c| c[name] = json!(fresh));
        assert!(good.await.is_ok(), "{name}");
        for bad in [json!(old), json!("x"), json!(1), Value::Null] {
            let got = proved(2, Some(&challenges), |_, c| c[name] = bad.clone()).await;
            assert_eq!(got, Err(AttestationError::Challenge), "{name} {bad}");
        }
    }
    let got = proved(2, Some(&challenges), |_, _| {}).await;
    let error = got.unwrap_err();
    assert_eq!(error.code(), ErrorCode::UseAttestationChallenge);
    // `challenge` decides where both are there.
    let both = proved(2, Some(&challenges), |_, claims| {
        claims["challenge"] = json!("x");
        claims["nonce"] = json!(fresh);
    });
    assert_eq!(both.await, Err(AttestationError::Challenge));
}

#[tokio::test]
async fn the_dpop_proof_is_the_proof_with_the_attested_key_alone() {
    let attestation = attested(|_, _| {}).await.unwrap();
    let url = Url::parse("https://as.example.com/token").unwrap();
    for (seed, good) in [(2, true), (3, false)] {
        let request = dpop::ProofFor {
            method: Method::Post,
            url: &url,
            access_token: None,
            nonce: None,
        };
        let proof = dpop::build(&request, &key(seed), NOW, &SeededRng::new(4)).await;
        let expected = dpop::Expected {
            method: Method::Post,
            url: &url,
            access_token: None,
            bound_to: None,
            nonce: None,
            now: NOW,
        };
        let proof = dpop::verify(&proof.unwrap(), &expected, &Portable).unwrap();
        let got = verify_combined(&attestation, Some(&proof));
        assert_eq!(got.is_ok(), good);
    }
    let got = verify_combined(&attestation, None);
    assert_eq!(got, Err(AttestationError::NoProof));
}

proptest::proptest! {
    #[test]
    fn tokens_of_any_text_are_refused(text in proptest::prelude::any::<String>(), parts in "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}") {
        for text in [&text, &parts] {
            proptest::prop_assert!(verify(text, &providers(), NOW, &Portable).is_err());
            let named = crate::oauth::assertion::named_client(text);
            proptest::prop_assert!(named.is_err());
        }
    }
}
