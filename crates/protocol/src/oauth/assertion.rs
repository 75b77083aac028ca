//! `private_key_jwt`: a client proves with a signed assertion who it is (RFC 7523, sections 2.2
//! and 3), as FAPI 2.0 narrows it (Security Profile, section 5.3.2.1).

use serde_json::{Map, Value};
use vouchsafe_credentials::crypto::{Algorithm, CryptoProvider};
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::json::parse_object;
use vouchsafe_credentials::jwks::JwkSet;
use vouchsafe_credentials::jws::{JwsError, TokenType, Unverified};
use vouchsafe_credentials::time::UnixTime;

use super::values::ClientId;

/// The only `client_assertion_type`.
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Clock difference accepted for times in the future, in seconds. FAPI 2.0 demands 10 at least
/// and 60 at most.
pub const MAX_SKEW: i64 = 60;
/// How long after its end an assertion is still accepted, in seconds.
const LEEWAY: i64 = 10;
/// Longest time an assertion may still live, in seconds: so long its identifier is remembered.
pub const MAX_LIFETIME: i64 = 3600;

/// What a good assertion says. The replay store decides whether `jti` is new: key it by client
/// and `jti`, keep it until `valid_until` (catalogue 256).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedAssertion {
    /// Identifier of the assertion.
    pub jti: String,
    /// After this time the assertion is refused as too old.
    pub valid_until: UnixTime,
}

/// Why an assertion was refused: `invalid_client` for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    /// Shape, type, algorithm, signature, or a key that is not the client's.
    #[error("the client assertion is not signed by the client")]
    Jws(#[from] JwsError),
    /// `iss` or `sub` is missing or not the client.
    #[error("iss and sub of the client assertion must be the client_id")]
    Client,
    /// `aud` is missing, an array, an endpoint, or another server.
    #[error("aud of the client assertion must be the issuer identifier alone")]
    Audience,
    /// `jti` is missing, empty or longer than 256 bytes.
    #[error("jti of the client assertion is missing or malformed")]
    Id,
    /// Expired, not yet valid, without an end, or with one too far away.
    #[error("the client assertion is not valid at this time")]
    Time,
}

/// The client that an assertion names, unverified: only to look the client up.
///
/// # Errors
/// [`AssertionError`] when it names none.
pub fn named_client(assertion: &str) -> Result<ClientId, AssertionError> {
    parse(assertion)?;
    let payload = assertion.split('.').nth(1).unwrap_or_default();
    let payload = b64url_decode(payload).map_err(|_| AssertionError::Client)?;
    let claims = parse_object(&payload).map_err(|_| AssertionError::Client)?;
    let subject = claims.get("sub").and_then(Value::as_str);
    ClientId::parse(subject.unwrap_or_default()).map_err(|_| AssertionError::Client)
}

/// Verifies an assertion with the keys of the client, made with one of its `algorithms`. Replay is
/// left to the caller: see [`VerifiedAssertion`].
///
/// # Errors
/// [`AssertionError`] with the first check that failed.
pub fn verify(
    assertion: &str,
    client_id: &ClientId,
    (keys, algorithms): (&JwkSet, &[Algorithm]),
    issuer: &str,
    now: UnixTime,
    crypto: &dyn CryptoProvider,
) -> Result<VerifiedAssertion, AssertionError> {
    let unverified = parse(assertion)?;
    if !algorithms.contains(&unverified.algorithm()) {
        return Err(JwsError::Algorithm.into());
    }
    let payload = unverified.verify_with(crypto, keys)?.into_inner();
    let claims = &payload.claims;
    let text = |name| claims.get(name).and_then(Value::as_str);
    // RFC 7523, section 3, rules 1 and 2.
    for name in ["iss", "sub"] {
        if text(name) != Some(client_id.as_str()) {
            return Err(AssertionError::Client);
        }
    }
    // FAPI 2.0, section 5.3.2.1, clause 8: the issuer identifier as a string, nothing else.
    if text("aud") != Some(issuer) {
        return Err(AssertionError::Audience);
    }
    let jti = text("jti").filter(|jti| (1..=256).contains(&jti.len()));
    let jti = jti.ok_or(AssertionError::Id)?.to_owned();
    let ends = time(claims, "exp")?.ok_or(AssertionError::Time)?;
    let remaining = ends.since(now);
    if remaining <= -LEEWAY || remaining > MAX_LIFETIME {
        return Err(AssertionError::Time);
    }
    for name in ["iat", "nbf"] {
        let starts = time(claims, name)?;
        if starts.is_some_and(|starts| starts.since(now) > MAX_SKEW) {
            return Err(AssertionError::Time);
        }
    }
    Ok(VerifiedAssertion {
        jti,
        valid_until: ends.plus(LEEWAY),
    })
}

/// RFC 7523 says nothing of `typ`, so it is `JWT` or absent; its successor has a type.
fn parse(assertion: &str) -> Result<Unverified<'_>, JwsError> {
    match Unverified::parse(assertion, TokenType::ClientAssertion) {
        Err(JwsError::WrongType) => Unverified::parse(assertion, TokenType::IdToken),
        other => other,
    }
}

/// A time that is there but is no number is an error, never "absent".
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<UnixTime>, AssertionError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let time = UnixTime::from_numeric_date(value);
    Ok(Some(time.ok_or(AssertionError::Time)?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vouchsafe_credentials::crypto::{Portable, Signer, SigningKey};
    use vouchsafe_credentials::testing::SeededRng;

    use super::*;
    use crate::testing::sign_raw;

    const ISSUER: &str = "https://as.example.com";
    const NOW: UnixTime = UnixTime(1_700_000_000);

    fn key() -> SigningKey {
        SigningKey::generate(Algorithm::Es256, &SeededRng::new(1))
    }

    fn keys() -> JwkSet {
        JwkSet::from_value(&json!({ "keys": [key().public_key().to_jwk()] })).unwrap()
    }

    async fn run(
        change: impl Fn(&mut Value, &mut Value),
    ) -> Result<VerifiedAssertion, AssertionError> {
        let mut header = json!({ "alg": "ES256" });
        let mut claims = json!({
            "iss": "c", "sub": "c", "aud": ISSUER, "jti": "1", "exp": NOW.seconds() + 60,
        });
        change(&mut header, &mut claims);
        let jwt = sign_raw(&header, &claims, &key()).await;
        let client = ClientId::parse("c").unwrap();
        verify(
            &jwt,
            &client,
            (&keys(), &Algorithm::ALL),
            ISSUER,
            NOW,
            &Portable,
        )
    }

    #[tokio::test]
    async fn a_good_assertion() {
        for typ in [None, Some("JWT"), Some("client-authentication+jwt")] {
            let good = run(|header, _| {
                if let Some(typ) = typ {
                    header["typ"] = json!(typ);
                }
            });
            let good = good.await.unwrap();
            assert_eq!((good.jti.as_str(), good.valid_until), ("1", NOW.plus(70)));
        }
    }

    #[tokio::test]
    async fn who_it_is_about_and_for_whom_it_is() {
        for (name, value, why) in [
            ("iss", json!("d"), AssertionError::Client),
            ("iss", Value::Null, AssertionError::Client),
            ("sub", json!("d"), AssertionError::Client),
            ("sub", Value::Null, AssertionError::Client),
            ("aud", json!([ISSUER]), AssertionError::Audience),
            (
                "aud",
                json!("https://as.example.com/"),
                AssertionError::Audience,
            ),
            (
                "aud",
                json!("https://as.example.com/par"),
                AssertionError::Audience,
            ),
            (
                "aud",
                json!("https://as.example.com/token"),
                AssertionError::Audience,
            ),
            ("aud", Value::Null, AssertionError::Audience),
            ("jti", Value::Null, AssertionError::Id),
            ("jti", json!(1), AssertionError::Id),
            ("jti", json!(""), AssertionError::Id),
            ("jti", json!("j".repeat(257)), AssertionError::Id),
        ] {
            let got = run(|_, claims| claims[name] = value.clone()).await;
            assert_eq!(got, Err(why), "{name} {value}");
        }
        let got = run(|_, claims| drop(claims.as_object_mut().unwrap().remove("sub"))).await;
        assert_eq!(got, Err(AssertionError::Client));
    }

    #[tokio::test]
    async fn times_of_an_assertion() {
        let now = NOW.seconds();
        for (name, value, good) in [
            ("exp", json!(now - 9), true),
            ("exp", json!(now - 10), false),
            ("exp", json!(now - 300), false),
            ("exp", json!(now + MAX_LIFETIME + 1), false),
            ("exp", json!("1700000060"), false),
            ("exp", Value::Null, false),
            ("nbf", json!(now + 8), true),
            ("iat", json!(now + 8), true),
            ("nbf", json!(now + 61), false),
            ("iat", json!(now + 61), false),
            ("iat", json!(0), true),
            // RFC 7519, section 2: a fraction is cut off.
            ("nbf", json!(1.5), true),
            ("exp", json!(1.5), false),
        ] {
            let got = run(|_, claims| claims[name] = value.clone()).await;
            assert_eq!(got.is_ok(), good, "{name} {value}: {got:?}");
        }
    }

    #[tokio::test]
    async fn fapi_2_section_5_4_1_only_the_algorithms_of_the_client_count() {
        for algorithm in Algorithm::ALL {
            let key = SigningKey::generate(algorithm, &SeededRng::new(1));
            let keys = json!({ "keys": [key.public_key().to_jwk()] });
            let keys = JwkSet::from_value(&keys).unwrap();
            let claims = json!({
                "iss": "c", "sub": "c", "aud": ISSUER, "jti": "1", "exp": NOW.seconds() + 60,
            });
            let jwt = sign_raw(&json!({ "alg": algorithm.name() }), &claims, &key).await;
            let client = ClientId::parse("c").unwrap();
            let allowed = [Algorithm::Es256, Algorithm::EdDsa];
            let got = verify(&jwt, &client, (&keys, &allowed), ISSUER, NOW, &Portable);
            assert_eq!(got.is_ok(), allowed.contains(&algorithm), "{algorithm:?}");
            let got = verify(
                &jwt,
                &client,
                (&keys, &Algorithm::ALL),
                ISSUER,
                NOW,
                &Portable,
            );
            assert!(got.is_ok(), "{algorithm:?}");
        }
    }

    #[tokio::test]
    async fn only_a_signature_of_the_client_with_our_algorithms() {
        for alg in ["RS256", "none", "HS256", "PS256"] {
            let got = run(|header, _| header["alg"] = json!(alg)).await;
            assert_eq!(got, Err(AssertionError::Jws(JwsError::Algorithm)), "{alg}");
        }
        let got = run(|header, _| header["typ"] = json!("dpop+jwt")).await;
        assert_eq!(got, Err(AssertionError::Jws(JwsError::WrongType)));
        let other = SigningKey::generate(Algorithm::Es256, &SeededRng::new(2));
        let claims = json!({
            "iss": "c", "sub": "c", "aud": ISSUER, "jti": "1", "exp": NOW.seconds() + 60,
        });
        let jwt = sign_raw(&json!({ "alg": "ES256" }), &claims, &other).await;
        let client = ClientId::parse("c").unwrap();
        let got = verify(
            &jwt,
            &client,
            (&keys(), &Algorithm::ALL),
            ISSUER,
            NOW,
            &Portable,
        );
        assert_eq!(got, Err(AssertionError::Jws(JwsError::Signature)));
        // A key in the header is not the client's.
        let own = json!({ "alg": "ES256", "jwk": other.public_key().to_jwk() });
        let jwt = sign_raw(&own, &claims, &other).await;
        let got = verify(
            &jwt,
            &client,
            (&keys(), &Algorithm::ALL),
            ISSUER,
            NOW,
            &Portable,
        );
        assert_eq!(got, Err(AssertionError::Jws(JwsError::Signature)));
        assert_eq!(named_client(&jwt).unwrap(), client);
        for bad in ["", "a.b.c", "..", "x"] {
            assert!(named_client(bad).is_err(), "{bad}");
        }
    }
}
