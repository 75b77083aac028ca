//! What a provider, or somebody in its place, must not get away with.

use super::*;
use crate::jose::JoseError;

fn refusal(result: Result<Identity, UpstreamError>) -> UpstreamError {
    result.expect_err("the sign-in must not succeed")
}

/// OpenID Connect Core 1.0, section 3.1.3.7.
#[tokio::test]
async fn every_claim_of_the_list_is_checked() {
    let provider = Provider::start().await;
    let us = party(&provider, |_| {});
    let now = provider::NOW.0;
    let token = IdTokenError::Token;
    let cases: Vec<(&str, Value, IdTokenError)> = vec![
        (
            "iss",
            json!("https://other.example"),
            token(JoseError::Issuer),
        ),
        ("iss", Value::Null, token(JoseError::Claim)),
        ("aud", json!("somebody"), token(JoseError::Audience)),
        ("aud", Value::Null, token(JoseError::Claim)),
        (
            "aud",
            json!(["us here", "somebody"]),
            IdTokenError::Audience,
        ),
        ("azp", json!("somebody"), IdTokenError::AuthorizedParty),
        ("azp", json!(["us here"]), IdTokenError::AuthorizedParty),
        ("exp", json!(now - 61), token(JoseError::Time)),
        ("exp", Value::Null, token(JoseError::Claim)),
        ("iat", json!(now + 61), token(JoseError::Time)),
        ("iat", Value::Null, token(JoseError::Claim)),
        ("iat", json!(now - 61), IdTokenError::Old),
        ("nonce", json!("another"), IdTokenError::Nonce),
        ("nonce", Value::Null, IdTokenError::Nonce),
        (
            "at_hash",
            json!("AAAAAAAAAAAAAAAAAAAAAA"),
            IdTokenError::AccessToken,
        ),
        ("at_hash", json!(1), IdTokenError::AccessToken),
        ("sub", json!(""), IdTokenError::Subject),
        ("sub", json!(7), IdTokenError::Subject),
        ("sub", json!("x".repeat(256)), IdTokenError::Subject),
    ];
    for (name, value, expected) in cases {
        provider.change(|is| {
            let (name, value) = (name.to_owned(), value.clone());
            is.claims = Box::new(move |claims| {
                claims.insert(name.clone(), value.clone());
                if value.is_null() {
                    claims.remove(&name);
                }
            });
        });
        let error = refusal(sign_in(&us, &provider, &Ask::default()).await);
        assert!(
            matches!(error, UpstreamError::IdToken(found) if found == expected),
            "{name} {value}: {error:?}"
        );
    }
    for (name, value) in [
        ("aud", json!(["us here"])),
        ("azp", json!("us here")),
        ("exp", json!(now - 59)),
    ] {
        provider.change(|is| {
            is.claims = Box::new(move |claims| drop(claims.insert(name.to_owned(), value.clone())));
        });
        sign_in(&us, &provider, &Ask::default()).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_demanded_is_checked() {
    let provider = Provider::start().await;
    let us = party(&provider, |_| {});
    let acr = |values: &[&str]| Ask {
        acr_values: values.iter().map(|one| (*one).to_owned()).collect(),
        ..Ask::default()
    };
    let age = |seconds| Ask {
        max_age_s: Some(seconds),
        ..Ask::default()
    };
    sign_in(&us, &provider, &acr(&["gold", "silver"]))
        .await
        .unwrap();
    let error = refusal(sign_in(&us, &provider, &acr(&["gold"])).await);
    assert!(matches!(error, UpstreamError::IdToken(IdTokenError::Acr)));
    // The person authenticated 120 seconds ago; clocks may differ by 60.
    sign_in(&us, &provider, &age(60)).await.unwrap();
    let error = refusal(sign_in(&us, &provider, &age(59)).await);
    assert!(matches!(
        error,
        UpstreamError::IdToken(IdTokenError::AuthTime)
    ));
    // It counts from when we asked: who takes long on the provider's pages is not too old.
    let start = us.begin(&age(0)).await.unwrap();
    let asked = provider.clock.now();
    let query = provider.browser(&start.url).await;
    provider.clock.advance(300);
    let at = |seconds: i64| {
        let time = asked.plus(seconds).0;
        provider.change(|is| {
            is.claims =
                Box::new(move |claims| drop(claims.insert("auth_time".to_owned(), json!(time))));
        });
    };
    at(5);
    us.finish(start.pending, Callback::parse(REDIRECT, &query).unwrap())
        .await
        .unwrap();
    // A session from before that, and a time to come.
    for (seconds, began) in [(-61, 0), (361, 0)] {
        provider.clock.advance(began - 300);
        let start = us.begin(&age(0)).await.unwrap();
        let query = provider.browser(&start.url).await;
        provider.clock.advance(300);
        at(seconds);
        let answer = Callback::parse(REDIRECT, &query).unwrap();
        let error = refusal(us.finish(start.pending, answer).await);
        assert!(
            matches!(error, UpstreamError::IdToken(IdTokenError::AuthTime)),
            "{seconds}"
        );
    }
    provider.change(|is| is.claims = Box::new(|claims| drop(claims.remove("auth_time"))));
    let error = refusal(sign_in(&us, &provider, &age(600)).await);
    assert!(matches!(
        error,
        UpstreamError::IdToken(IdTokenError::AuthTime)
    ));
}

#[tokio::test]
async fn a_token_that_the_provider_did_not_sign_is_refused() {
    let provider = Provider::start().await;
    let us = party(&provider, |_| {});
    let claims = json!({"iss": provider.issuer, "sub": "mallory", "aud": "us here"});
    let none = |header: Value| {
        let part =
            |value: &Value| vouchsafe_credentials::encoding::b64url(value.to_string().as_bytes());
        format!("{}.{}.", part(&header), part(&claims))
    };
    let foreign = JwtKey::generate(SigningAlg::Es256).unwrap();
    let foreign = foreign.sign("JWT", claims.as_object().unwrap()).unwrap();
    for (token, expected) in [
        (none(json!({"alg": "none"})), JoseError::Algorithm),
        // A MAC under the client secret is not accepted, whatever the provider says.
        (none(json!({"alg": "HS256"})), JoseError::Algorithm),
        // Not one of this provider's algorithms.
        (none(json!({"alg": "RS256"})), JoseError::Algorithm),
        (
            none(json!({"alg": "ES256", "typ": "at+jwt"})),
            JoseError::Type,
        ),
        (foreign, JoseError::NoKey),
        ("x".to_owned(), JoseError::Malformed),
    ] {
        provider.change(|is| is.id_token = Some(token.clone()));
        let error = refusal(sign_in(&us, &provider, &Ask::default()).await);
        let expected = IdTokenError::Token(expected);
        assert!(
            matches!(error, UpstreamError::IdToken(found) if found == expected),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn new_keys_are_fetched_once() {
    let provider = Provider::start().await;
    let us = party(&provider, |_| {});
    sign_in(&us, &provider, &Ask::default()).await.unwrap();
    let new = JwtKey::generate(SigningAlg::Es256).unwrap();
    provider.change(|is| {
        is.published = vec![new.public_jwk().clone()];
        is.key = new;
    });
    // A key that is changed right after the first fetch is found.
    sign_in(&us, &provider, &Ask::default()).await.unwrap();
    assert_eq!(provider.fetched().1, 2);
    // A moment after new keys were looked for nobody makes us fetch again.
    let next = JwtKey::generate(SigningAlg::Es256).unwrap();
    provider.change(|is| {
        is.published = vec![next.public_jwk().clone()];
        is.key = next;
    });
    refusal(sign_in(&us, &provider, &Ask::default()).await);
    assert_eq!(provider.fetched().1, 2);
    provider.clock.advance(10);
    sign_in(&us, &provider, &Ask::default()).await.unwrap();
    assert_eq!(provider.fetched().1, 3);
    // A key that is never published costs one fetch and no more.
    provider.clock.advance(10);
    provider.change(|is| is.key = JwtKey::generate(SigningAlg::Es256).unwrap());
    for _ in 0..3 {
        refusal(sign_in(&us, &provider, &Ask::default()).await);
    }
    assert_eq!(provider.fetched().1, 4);
}

/// A provider that changes the key behind a `kid`, against all advice.
#[tokio::test]
async fn a_new_key_under_an_old_name_is_fetched() {
    let provider = Provider::start().await;
    let us = party(&provider, |_| {});
    let new = JwtKey::generate(SigningAlg::Es256).unwrap();
    let named = new.public_jwk().clone();
    let mut other = JwtKey::generate(SigningAlg::Es256)
        .unwrap()
        .public_jwk()
        .clone();
    other["kid"] = named["kid"].clone();
    assert!(other["kid"].is_string());
    provider.change(|is| is.published.push(other));
    sign_in(&us, &provider, &Ask::default()).await.unwrap();
    provider.exchange_key(new);
    let error = refusal(sign_in(&us, &provider, &Ask::default()).await);
    let expected = IdTokenError::Token(JoseError::NotAuthentic);
    assert!(matches!(error, UpstreamError::IdToken(found) if found == expected));
    provider.change(|is| is.published = vec![named]);
    provider.clock.advance(10);
    sign_in(&us, &provider, &Ask::default()).await.unwrap();
    assert_eq!(provider.fetched().1, 3);
}

/// RFC 7519, section 2; RFC 7517, section 5.
#[tokio::test]
async fn fractions_of_seconds_and_strange_keys_disturb_nobody() {
    let provider = Provider::start().await;
    let us = party(&provider, |_| {});
    provider.change(|is| {
        is.published.push(json!({"kty": "new", "kid": 7}));
        is.claims = Box::new(|claims| {
            for name in ["iat", "exp", "auth_time"] {
                let whole = claims[name].as_i64().unwrap();
                claims.insert(
                    name.to_owned(),
                    serde_json::from_str(&format!("{whole}.75")).unwrap(),
                );
            }
        });
    });
    let ask = Ask {
        max_age_s: Some(60),
        ..Ask::default()
    };
    let identity = sign_in(&us, &provider, &ask).await.unwrap();
    assert_eq!(identity.auth_time(), Some(provider::NOW.plus(-120)));
}

#[tokio::test]
async fn user_info_is_about_the_same_person() {
    let provider = Provider::start().await;
    let us = party(&provider, |settings| settings.user_info = true);
    for bad in [
        json!({"sub": "person 2"}),
        json!({"given_name": "Ada"}),
        json!({"sub": "Person 1"}),
    ] {
        provider.change(|is| is.user_info = bad.clone());
        let error = refusal(sign_in(&us, &provider, &Ask::default()).await);
        assert!(matches!(error, UpstreamError::OtherSubject));
    }
    // A token that is refused there is no provider that is away.
    provider.change(|is| is.user_info_status = 401);
    let error = refusal(sign_in(&us, &provider, &Ask::default()).await);
    assert_eq!(
        (error.code(), error.is_temporary()),
        ("provider_status", false)
    );
    provider.change(|is| is.user_info_status = 200);
    provider.change(|is| is.user_info = json!(["sub"]));
    let error = refusal(sign_in(&us, &provider, &Ask::default()).await);
    assert!(matches!(
        error,
        UpstreamError::Malformed("UserInfo response")
    ));
}

/// OpenID Connect Discovery 1.0, section 4.3.
#[tokio::test]
async fn metadata_are_checked() {
    let cases: Vec<(&str, Value, DiscoveryError)> = vec![
        ("issuer", json!("http://127.0.0.1"), DiscoveryError::Issuer),
        (
            "token_endpoint",
            Value::Null,
            DiscoveryError::Endpoint("token_endpoint"),
        ),
        (
            "jwks_uri",
            json!("javascript:1"),
            DiscoveryError::Endpoint("jwks_uri"),
        ),
        (
            "authorization_endpoint",
            json!("http://a.example/x#f"),
            DiscoveryError::Endpoint("authorization_endpoint"),
        ),
        (
            "authorization_endpoint",
            json!("http://u:p@a.example/"),
            DiscoveryError::Endpoint("authorization_endpoint"),
        ),
        (
            "id_token_signing_alg_values_supported",
            json!(["none", "HS256"]),
            DiscoveryError::NotSupported("ES256 or RS256"),
        ),
        (
            "id_token_signing_alg_values_supported",
            json!("ES256"),
            DiscoveryError::Member("id_token_signing_alg_values_supported"),
        ),
        (
            "code_challenge_methods_supported",
            json!(["plain"]),
            DiscoveryError::NotSupported("PKCE with S256"),
        ),
        (
            "response_types_supported",
            json!(["id_token"]),
            DiscoveryError::NotSupported("response_type=code"),
        ),
        (
            "authorization_response_iss_parameter_supported",
            json!("yes"),
            DiscoveryError::Member("authorization_response_iss_parameter_supported"),
        ),
        (
            "require_pushed_authorization_requests",
            json!(true),
            DiscoveryError::NotSupported("the endpoint that it demands"),
        ),
    ];
    for (name, value, expected) in cases {
        let provider = Provider::start().await;
        provider.change(|is| {
            let value = value.clone();
            is.metadata = Box::new(move |document| document[name] = value.clone());
        });
        let us = party(&provider, |_| {});
        let error = us.begin(&Ask::default()).await.unwrap_err();
        assert!(
            matches!(error, UpstreamError::Discovery(found) if found == expected),
            "{name}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_provider_that_is_away_is_a_temporary_fault() {
    let provider = Provider::start().await;
    let us = party(&provider, |_| {});
    for status in [500, 503, 429] {
        provider.change(|is| is.token_status = status);
        let error = refusal(sign_in(&us, &provider, &Ask::default()).await);
        assert!(
            error.is_temporary()
                && matches!(error, UpstreamError::Status(found) if found == status)
        );
    }
    let nobody = party(&provider, |settings| {
        settings.issuer = "http://127.0.0.1:1".to_owned()
    });
    let error = nobody.begin(&Ask::default()).await.unwrap_err();
    assert!(error.is_temporary());
    assert_eq!(error.code(), "provider_unreachable");
}
