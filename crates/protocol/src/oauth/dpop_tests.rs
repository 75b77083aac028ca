use serde_json::json;
use vouchsafe_credentials::crypto::{Algorithm, Portable, SigningKey};
use vouchsafe_credentials::testing::SeededRng;

use super::*;
use crate::testing::sign_raw;

/// RFC 9449, figures 2 and 12: made with one key.
const RFC_TOKEN_PROOF: &str = concat!(
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik",
    "VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR",
    "nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE",
    "QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIj",
    "oiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwia",
    "WF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg",
    "4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg",
);
const RFC_RESOURCE_PROOF: &str = concat!(
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik",
    "VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR",
    "nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE",
    "QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIj",
    "oiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0Z",
    "WRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNF",
    "c05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71E",
    "OptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA",
);
const RFC_ACCESS_TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const RFC_THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

const NOW: UnixTime = UnixTime(1_700_000_000);

fn key(seed: u64) -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &SeededRng::new(seed))
}

fn url() -> Url {
    Url::parse("https://issuer.example.com/token").unwrap()
}

fn expected(url: &Url) -> Expected<'_> {
    Expected {
        method: Method::Post,
        url,
        access_token: None,
        bound_to: None,
        nonce: None,
        now: NOW,
    }
}

fn claims() -> Value {
    json!({"jti": "j-1", "htm": "POST", "htu": url().as_str(), "iat": NOW.seconds()})
}

/// Signs a changed proof and verifies it.
async fn run(
    change: impl FnOnce(&mut Value, &mut Value),
    expected: &Expected<'_>,
) -> Result<VerifiedProof, DpopError> {
    let key = key(1);
    let mut header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": key.public_key().to_jwk()});
    let mut claims = claims();
    change(&mut header, &mut claims);
    verify(&sign_raw(&header, &claims, &key).await, expected, &Portable)
}

#[test]
fn rfc_9449_vectors() {
    let url = Url::parse("https://server.example.com/token").unwrap();
    let at = UnixTime(1_562_262_616);
    let token = Expected {
        url: &url,
        now: at,
        ..expected(&url)
    };
    let proof = verify(RFC_TOKEN_PROOF, &token, &Portable).unwrap();
    assert_eq!(proof.jti, "-BwC3ESc6acc2lTc");
    assert_eq!(proof.thumbprint, RFC_THUMBPRINT);

    let url = Url::parse("https://resource.example.org/protectedresource").unwrap();
    let resource = Expected {
        method: Method::Get,
        url: &url,
        access_token: Some(RFC_ACCESS_TOKEN),
        bound_to: Some(RFC_THUMBPRINT),
        nonce: None,
        now: at,
    };
    let proof = verify(RFC_RESOURCE_PROOF, &resource, &Portable).unwrap();
    assert_eq!(proof.jti, "e1j3V_bKic8-LAEB");
    let other = Expected {
        access_token: Some("other"),
        ..resource
    };
    assert!(matches!(
        verify(RFC_RESOURCE_PROOF, &other, &Portable),
        Err(DpopError::AccessToken)
    ));
}

#[tokio::test]
async fn a_built_proof_verifies() {
    for algorithm in Algorithm::ALL {
        let rng = SeededRng::new(9);
        let key = SigningKey::generate(algorithm, &rng);
        let target = Url::parse("https://issuer.example.com/credential?x=1#y").unwrap();
        let request = ProofFor {
            method: Method::Post,
            url: &target,
            access_token: Some("token"),
            nonce: Some("n"),
        };
        let proof = build(&request, &key, NOW, &rng).await.unwrap();
        let jkt = key.public_key().thumbprint();
        let want = Expected {
            access_token: Some("token"),
            bound_to: Some(&jkt),
            ..expected(&target)
        };
        let verified = verify(&proof, &want, &Portable).unwrap();
        assert_eq!(verified.thumbprint, jkt);
        assert_eq!(verified.valid_until, NOW.plus(MAX_AGE + 1));
        let again = build(&request, &key, NOW, &rng).await.unwrap();
        assert_ne!(verify(&again, &want, &Portable).unwrap().jti, verified.jti);
    }
}

#[tokio::test]
async fn cat_251_wrong_method_url_or_token() {
    let url = url();
    let want = expected(&url);
    let set = |name: &'static str, value: Value| {
        move |_: &mut Value, claims: &mut Value| claims[name] = value
    };
    assert!(run(|_, _| {}, &want).await.is_ok());
    for htm in ["GET", "post"] {
        assert!(matches!(
            run(set("htm", json!(htm)), &want).await,
            Err(DpopError::Method)
        ));
    }
    for htu in [
        "https://issuer.example.com/credential",
        "https://evil.example/token",
        "http://issuer.example.com/token",
        "https://issuer.example.com/token/",
        "https://issuer.example.com:8443/token",
    ] {
        assert!(
            matches!(
                run(set("htu", json!(htu)), &want).await,
                Err(DpopError::Url)
            ),
            "{htu}"
        );
    }
    // Section 4.3: compared after syntax and scheme normalisation, without query and fragment.
    for htu in [
        "HTTPS://ISSUER.example.com:443/token",
        "https://issuer.example.com/token?a#b",
    ] {
        assert!(run(set("htu", json!(htu)), &want).await.is_ok(), "{htu}");
    }
    let with_token = Expected {
        access_token: Some("t"),
        ..want
    };
    assert!(matches!(
        run(|_, _| {}, &with_token).await,
        Err(DpopError::AccessToken)
    ));
    assert!(matches!(
        run(set("ath", json!("x")), &with_token).await,
        Err(DpopError::AccessToken)
    ));
}

#[tokio::test]
async fn cat_251_two_headers_or_wrong_type() {
    let two: Headers = [("DPoP", "a"), ("dpop", "b")].into_iter().collect();
    assert!(matches!(from_headers(&two), Err(DpopError::Repeated)));
    assert!(matches!(from_headers(&Headers::new()), Ok(None)));
    let url = url();
    for typ in [
        json!("jwt"),
        json!("openid4vci-proof+jwt"),
        json!("DPOP+JWT"),
        Value::Null,
    ] {
        let got = run(move |header, _| header["typ"] = typ, &expected(&url)).await;
        assert!(matches!(got, Err(DpopError::Jws(_))));
    }
}

#[tokio::test]
async fn cat_251_claims_missing_or_of_the_wrong_type() {
    let url = url();
    for name in ["jti", "htm", "htu", "iat"] {
        for value in [None, Some(json!(["x"])), Some(json!({}))] {
            let got = run(
                move |_, claims| match value {
                    None => _ = claims.as_object_mut().unwrap().remove(name),
                    Some(value) => claims[name] = value,
                },
                &expected(&url),
            )
            .await;
            assert!(
                matches!(got, Err(DpopError::Claim(n)) if n == name),
                "{name}"
            );
        }
    }
    let got = run(|_, claims| claims["nonce"] = json!(1), &expected(&url)).await;
    assert!(matches!(got, Err(DpopError::Claim("nonce"))));
    let got = run(
        |_, claims| claims["iat"] = json!(NOW.seconds().to_string()),
        &expected(&url),
    )
    .await;
    assert!(matches!(got, Err(DpopError::Claim("iat"))));
}

#[tokio::test]
async fn cat_250_the_window_and_the_replay_key() {
    let url = url();
    let at =
        |offset: i64| move |_: &mut Value, c: &mut Value| c["iat"] = json!(NOW.seconds() + offset);
    for offset in [-MAX_AGE - 1, MAX_SKEW + 1, 10 * 365 * 86_400] {
        assert!(
            matches!(run(at(offset), &expected(&url)).await, Err(DpopError::Time)),
            "{offset}"
        );
    }
    let got = run(|_, c| c["iat"] = json!(i64::MIN), &expected(&url)).await;
    assert!(got.is_err());
    for offset in [-MAX_AGE, 0, MAX_SKEW] {
        let proof = run(at(offset), &expected(&url)).await.unwrap();
        assert_eq!(proof.jti, "j-1");
        // The store must remember it at least as long as the proof is good.
        let later = Expected {
            now: proof.valid_until,
            ..expected(&url)
        };
        assert!(matches!(
            run(at(offset), &later).await,
            Err(DpopError::Time)
        ));
    }
}

#[tokio::test]
async fn cat_250_a_proof_that_says_how_long_it_is_good() {
    let url = url();
    let nonces = ServerNonces::new("https://as.example.com", [1; 32]);
    let nonce = nonces.issue(NOW, &SeededRng::new(5));
    let with_nonce = Expected {
        nonce: Some(&nonces),
        ..expected(&url)
    };
    let with = |name: &'static str, value: Value| {
        let nonce = nonce.clone();
        move |_: &mut Value, claims: &mut Value| {
            claims["nonce"] = json!(nonce);
            claims[name] = value;
        }
    };
    let at = |seconds: i64| json!(NOW.seconds() + seconds);
    for want in [expected(&url), with_nonce] {
        for (name, offset) in [("exp", -MAX_SKEW), ("exp", -9_999), ("nbf", MAX_SKEW + 1)] {
            let got = run(with(name, at(offset)), &want).await;
            assert!(matches!(got, Err(DpopError::Time)), "{name} {offset}");
        }
        for (name, offset) in [("exp", 1 - MAX_SKEW), ("exp", 9_999), ("nbf", MAX_SKEW)] {
            let got = run(with(name, at(offset)), &want).await;
            assert!(got.is_ok(), "{name} {offset}");
        }
        for name in ["exp", "nbf"] {
            for value in [json!(null), json!("1"), json!([1])] {
                let got = run(with(name, value), &want).await;
                assert!(matches!(got, Err(DpopError::Claim(claim)) if claim == name));
            }
        }
    }
}

/// RFC 7517, sections 4.2 to 4.4.
#[tokio::test]
async fn cat_253_a_key_that_is_meant_for_something_else() {
    let url = url();
    let with = |name: &'static str, value: Value| {
        move |header: &mut Value, _: &mut Value| header["jwk"][name] = value
    };
    for (name, value) in [
        ("use", json!("enc")),
        ("key_ops", json!(["encrypt"])),
        ("key_ops", json!(["deriveBits"])),
        ("alg", json!("ES384")),
        ("alg", json!(null)),
    ] {
        let got = run(with(name, value), &expected(&url)).await;
        assert!(matches!(got, Err(DpopError::Jws(_))), "{name}");
    }
    for (name, value) in [
        ("use", json!("sig")),
        ("key_ops", json!(["verify"])),
        ("alg", json!("ES256")),
        ("kid", json!("1")),
    ] {
        assert!(run(with(name, value), &expected(&url)).await.is_ok());
    }
}

#[tokio::test]
async fn cat_253_other_key_private_key_or_weak_algorithm() {
    let url = url();
    let bound = Expected {
        bound_to: Some(RFC_THUMBPRINT),
        ..expected(&url)
    };
    assert!(matches!(run(|_, _| {}, &bound).await, Err(DpopError::Key)));
    let got = run(
        |header, _| header["jwk"]["d"] = json!("AAAA"),
        &expected(&url),
    )
    .await;
    assert!(matches!(got, Err(DpopError::Jws(_))));
    for alg in ["none", "HS256", "RS256", "ES384", "es256"] {
        let got = run(|header, _| header["alg"] = json!(alg), &expected(&url)).await;
        assert!(matches!(got, Err(DpopError::Jws(_))), "{alg}");
    }
    let other = key(2).public_key().to_jwk();
    let got = run(|header, _| header["jwk"] = other, &expected(&url)).await;
    assert!(matches!(got, Err(DpopError::Jws(JwsError::Signature))));
    let got = run(
        |h, _| _ = h.as_object_mut().unwrap().remove("jwk"),
        &expected(&url),
    )
    .await;
    assert!(matches!(got, Err(DpopError::NoKey)));
    let symmetric = json!({"kty": "oct", "k": "AAAA"});
    let got = run(|header, _| header["jwk"] = symmetric, &expected(&url)).await;
    assert!(matches!(got, Err(DpopError::Jws(_))));
}

#[tokio::test]
async fn the_nonce_of_the_server() {
    let url = url();
    let nonces = ServerNonces::new("https://as.example.com", [1; 32]);
    let want = Expected {
        nonce: Some(&nonces),
        ..expected(&url)
    };
    let rng = SeededRng::new(5);
    let (good, old) = (
        nonces.issue(NOW, &rng),
        nonces.issue(NOW.plus(-DPOP_LIFETIME), &rng),
    );
    for nonce in [None, Some("n0"), Some(old.as_str())] {
        let got = run(
            |_, c| {
                c.as_object_mut()
                    .unwrap()
                    .extend(nonce.map(|n| ("nonce".to_owned(), json!(n))))
            },
            &want,
        )
        .await;
        let error = got.unwrap_err();
        assert_eq!(error.code(), ErrorCode::UseDpopNonce);
    }
    // Section 4.3, check 11: the nonce says when the proof was made.
    for iat in [NOW.seconds(), 0, NOW.seconds() + 3600] {
        let got = run(
            |_, c| {
                c["nonce"] = json!(good);
                c["iat"] = json!(iat);
            },
            &want,
        );
        assert_eq!(got.await.unwrap().valid_until, NOW.plus(DPOP_LIFETIME));
    }
}
