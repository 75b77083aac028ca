use vouchsafe_credentials::crypto::{Portable, SigningKey};
use vouchsafe_credentials::testing::SeededRng;

use super::*;
use crate::testing::sign_raw;

const NOW: UnixTime = UnixTime(1_700_000_000);
const ISSUER: &str = "https://issuer.example.com";

fn key(seed: u64) -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &SeededRng::new(seed))
}

fn nonces() -> NonceKeys {
    NonceKeys::new(ISSUER, 1, [1; 32])
}

fn expected(nonces: &NonceKeys) -> Expected<'_> {
    Expected {
        issuer: ISSUER,
        client_id: None,
        algorithms: &[Algorithm::Es256],
        nonces,
        now: NOW,
    }
}

/// Signs a changed proof and verifies it.
async fn run(change: impl FnOnce(&mut Value, &mut Value)) -> Result<VerifiedProof, ProofError> {
    run_with(change, &expected(&nonces())).await
}

async fn run_with(
    change: impl FnOnce(&mut Value, &mut Value),
    expected: &Expected<'_>,
) -> Result<VerifiedProof, ProofError> {
    let key = key(1);
    let nonce = nonces().issue(NOW, &SeededRng::new(4));
    let mut header =
        json!({"typ": "openid4vci-proof+jwt", "alg": "ES256", "jwk": key.public_key().to_jwk()});
    let mut claims = json!({"aud": ISSUER, "iat": NOW.seconds(), "nonce": nonce});
    change(&mut header, &mut claims);
    verify(&sign_raw(&header, &claims, &key).await, expected, &Portable)
}

fn remove(value: &mut Value, name: &str) {
    value.as_object_mut().unwrap().remove(name);
}

async fn built(seed: u64, nonce: &str) -> String {
    let request = ProofFor {
        issuer: ISSUER,
        client_id: None,
        nonce: Some(nonce),
    };
    build(&request, &key(seed), NOW).await.unwrap()
}

#[tokio::test]
async fn a_built_proof_verifies() {
    let nonces = nonces();
    let nonce = nonces.issue(NOW, &SeededRng::new(4));
    let proof = verify(&built(7, &nonce).await, &expected(&nonces), &Portable).unwrap();
    assert_eq!(&proof.key, key(7).public_key());
    for algorithm in Algorithm::ALL {
        let other = SigningKey::generate(algorithm, &SeededRng::new(8));
        let request = ProofFor {
            issuer: ISSUER,
            client_id: Some("wallet"),
            nonce: Some(&nonce),
        };
        let jwt = build(&request, &other, NOW).await.unwrap();
        let want = Expected {
            client_id: Some("wallet"),
            algorithms: &Algorithm::ALL,
            ..expected(&nonces)
        };
        let proof = verify(&jwt, &want, &Portable).unwrap();
        assert_eq!(&proof.key, other.public_key());
    }
}

#[tokio::test]
async fn kid_of_a_did_that_contains_its_key() {
    let public = key(1).public_key().clone();
    for did in [did::key::encode(&public), did::jwk::encode(&public)] {
        let (_, method) = did::resolve_local(&did).unwrap();
        let proof = run(|header, _| {
            remove(header, "jwk");
            header["kid"] = json!(method);
        })
        .await
        .unwrap();
        assert_eq!(proof.key, public);
        for kid in [did.clone(), format!("{did}#other"), format!("{did}#")] {
            let got = run(|header, _| {
                remove(header, "jwk");
                header["kid"] = json!(kid);
            })
            .await;
            assert!(matches!(got, Err(ProofError::KeyReference)), "{kid}");
        }
    }
    let other = did::key::encode(key(2).public_key());
    let (_, method) = did::resolve_local(&other).unwrap();
    let got = run(|header, _| {
        remove(header, "jwk");
        header["kid"] = json!(method);
    })
    .await;
    assert!(matches!(got, Err(ProofError::Jws(JwsError::Signature))));
    for kid in ["did:web:evil.example#k", "0", "did:key:zzz#zzz"] {
        let got = run(|header, _| {
            remove(header, "jwk");
            header["kid"] = json!(kid);
        })
        .await;
        assert!(
            matches!(got, Err(ProofError::KeyReference | ProofError::Did(_))),
            "{kid}"
        );
    }
}

#[tokio::test]
async fn cat_260_audience() {
    for aud in [
        json!("https://other.example.com"),
        json!([ISSUER]),
        json!("https://issuer.example.com/"),
        Value::Null,
    ] {
        let got = run(|_, claims| claims["aud"] = aud.clone()).await;
        assert!(matches!(got, Err(ProofError::Audience)), "{aud}");
    }
    assert!(matches!(
        run(|_, claims| remove(claims, "aud")).await,
        Err(ProofError::Audience)
    ));
}

#[tokio::test]
async fn cat_262_two_keys_or_none() {
    let got = run(|header, _| header["kid"] = json!("did:key:z#z")).await;
    assert!(matches!(got, Err(ProofError::TwoKeys)));
    let got = run(|header, _| header["x5c"] = json!(["AAAA"])).await;
    assert!(matches!(got, Err(ProofError::TwoKeys | ProofError::Jws(_))));
    let got = run(|header, _| remove(header, "jwk")).await;
    assert!(matches!(got, Err(ProofError::NoKey)));
}

#[tokio::test]
async fn cat_263_algorithms() {
    for alg in ["none", "HS256", "RS256", "ES384"] {
        let got = run(|header, _| header["alg"] = json!(alg)).await;
        assert!(matches!(got, Err(ProofError::Jws(_))), "{alg}");
    }
    let keys = nonces();
    let only_ed = Expected {
        algorithms: &[Algorithm::EdDsa],
        ..expected(&keys)
    };
    assert!(matches!(
        run_with(|_, _| {}, &only_ed).await,
        Err(ProofError::Algorithm)
    ));
}

#[tokio::test]
async fn cat_253_private_key_in_the_header_or_wrong_type() {
    let got = run(|header, _| header["jwk"]["d"] = json!("AAAA")).await;
    assert!(matches!(got, Err(ProofError::Jws(_))));
    for typ in ["JWT", "dpop+jwt", "kb+jwt"] {
        let got = run(|header, _| header["typ"] = json!(typ)).await;
        assert!(matches!(got, Err(ProofError::Jws(_))), "{typ}");
    }
}

#[tokio::test]
async fn cat_272_an_unchecked_attestation_is_not_accepted() {
    for member in ["key_attestation", "trust_chain"] {
        let got = run(|header, _| header[member] = json!("x.y.z")).await;
        assert!(matches!(got, Err(ProofError::HeaderMember)), "{member}");
    }
}

#[tokio::test]
async fn cat_265_time() {
    let at = |iat: Value| move |_: &mut Value, claims: &mut Value| claims["iat"] = iat;
    let now = NOW.seconds();
    for iat in [
        json!(now + 10 * 365 * 86_400),
        json!(now + MAX_SKEW + 1),
        json!(now - MAX_AGE - 1),
        json!(now.to_string()),
        json!((1_i64 << 53) - 1),
        json!(-(1_i64 << 53) + 1),
        Value::Null,
    ] {
        assert!(
            matches!(run(at(iat.clone())).await, Err(ProofError::Time)),
            "{iat}"
        );
    }
    assert!(matches!(
        run(|_, claims| remove(claims, "iat")).await,
        Err(ProofError::Time)
    ));
    for offset in [-MAX_AGE, 0, MAX_SKEW] {
        assert!(run(at(json!(now + offset))).await.is_ok(), "{offset}");
    }
}

#[tokio::test]
async fn cat_265_a_proof_that_has_ended_or_not_begun() {
    let now = NOW.seconds();
    for (name, value, good) in [
        ("exp", json!(now - 1000), false),
        ("exp", json!(now - MAX_SKEW), false),
        ("exp", json!(now - MAX_SKEW + 1), true),
        ("exp", json!("later"), false),
        ("exp", Value::Null, false),
        ("nbf", json!(now + MAX_SKEW + 1), false),
        ("nbf", json!(now + MAX_SKEW), true),
        ("nbf", json!(now.to_string()), false),
        ("nbf", Value::Null, false),
    ] {
        let got = run(|_, claims| claims[name] = value.clone()).await;
        match good {
            true => assert!(got.is_ok(), "{name} {value}"),
            false => assert!(matches!(got, Err(ProofError::Time)), "{name} {value}"),
        }
    }
}

#[tokio::test]
async fn cat_079_a_long_header_is_for_attestations_alone() {
    let with = |length: usize| {
        move |header: &mut Value, _: &mut Value| header["x"] = json!("a".repeat(length))
    };
    assert!(run(with(6000)).await.is_ok());
    for length in [MAX_HEADER, 9000, 30_000] {
        let error = run(with(length)).await.unwrap_err();
        assert!(
            matches!(error, ProofError::Jws(JwsError::TooLarge)),
            "{length}"
        );
        assert_eq!(error.code(), CredentialErrorCode::InvalidProof);
    }
}

#[tokio::test]
async fn cat_266_issuer_of_the_proof() {
    let iss = |iss: Value| move |_: &mut Value, claims: &mut Value| claims["iss"] = iss;
    assert!(matches!(
        run(iss(json!("wallet"))).await,
        Err(ProofError::Issuer)
    ));
    let nonces = nonces();
    let want = Expected {
        client_id: Some("wallet"),
        ..expected(&nonces)
    };
    assert!(run_with(iss(json!("wallet")), &want).await.is_ok());
    for wrong in [json!("other"), json!(["wallet"]), Value::Null] {
        assert!(matches!(
            run_with(iss(wrong), &want).await,
            Err(ProofError::Issuer)
        ));
    }
}

#[tokio::test]
async fn cat_259_nonce_unknown_or_expired() {
    let nonce = |nonce: Value| move |_: &mut Value, claims: &mut Value| claims["nonce"] = nonce;
    let other =
        NonceKeys::new("https://other.example.com", 1, [1; 32]).issue(NOW, &SeededRng::new(1));
    let old = nonces().issue(NOW.plus(-super::super::nonce::LIFETIME), &SeededRng::new(1));
    for wrong in ["x", &other, &old] {
        let error = run(nonce(json!(wrong))).await.unwrap_err();
        assert_eq!(error.code(), CredentialErrorCode::InvalidNonce);
    }
    for missing in [json!(["x"]), json!(1), Value::Null] {
        let error = run(nonce(missing)).await.unwrap_err();
        assert!(matches!(error, ProofError::NonceMissing));
        assert_eq!(error.code(), CredentialErrorCode::InvalidProof);
    }
}
