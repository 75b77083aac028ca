//! Logout tokens (OpenID Connect Back-Channel Logout 1.0, section 2.6).

use serde_json::Value;
use vouchsafe_credentials::time::Clock;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::jose::{
    Expected, Expiry, JoseError, Jwks, SigningAlg, TypeRule, verify as verify_jwt,
};

use crate::Config;

/// The member of `events` that makes a token a logout token.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What a logout token names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The session.
    pub sid: Option<String>,
    /// The subject.
    pub sub: Option<String>,
}

/// Why a logout token was refused.
#[derive(Debug, thiserror::Error)]
pub enum LogoutTokenError {
    /// Not a good token of our provider for us.
    #[error("not a good token")]
    Token(#[from] JoseError),
    /// Not a logout token.
    #[error("not a logout token")]
    NotLogout,
}

/// Verifies a logout token against the provider's keys.
pub fn verify(token: &str, keys: &Value, config: &Config) -> Result<Named, LogoutTokenError> {
    let expected = Expected {
        algorithms: &[SigningAlg::Rs256, SigningAlg::Es256],
        typ: TypeRule::Exactly("logout+jwt"),
        issuer: config.provider.as_str().trim_end_matches('/'),
        audience: &config.client_id,
        expiry: Expiry::Enforced,
        now: SystemClock.now(),
        leeway: 60,
    };
    let token = verify_jwt(token, &Jwks::from_value(keys)?, &expected)?;
    // Section 2.6, steps 5 to 7: the event is there, a nonce is not, somebody is named.
    let event = token
        .claims()
        .get("events")
        .and_then(|events| events.get(EVENT));
    let named = Named {
        sid: token.text("sid").map(str::to_owned),
        sub: token.text("sub").map(str::to_owned),
    };
    let names_nobody = named
        == Named {
            sid: None,
            sub: None,
        };
    if !event.is_some_and(Value::is_object) || token.claims().contains_key("nonce") || names_nobody
    {
        return Err(LogoutTokenError::NotLogout);
    }
    Ok(named)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};
    use url::Url;
    use vouchsafe_service::jose::{JwtKey, KeySet};

    use super::*;
    use crate::Secret;

    fn config() -> Config {
        Config {
            name: "Shop".into(),
            public_url: Url::parse("https://shop.example").unwrap(),
            provider: Url::parse("https://login.example").unwrap(),
            client_id: "shop".into(),
            client_secret: Secret::new("secret"),
            club: None,
            wallet: None,
            pretends: false,
        }
    }

    fn claims(change: impl FnOnce(&mut Map<String, Value>)) -> Map<String, Value> {
        let now = SystemClock.now().0;
        let claims = json!({
            "iss": "https://login.example", "aud": "shop", "iat": now, "exp": now + 120,
            "jti": "1", "sid": "s1", "events": { EVENT: {} },
        });
        let Value::Object(mut claims) = claims else {
            unreachable!()
        };
        change(&mut claims);
        claims
    }

    #[test]
    fn only_a_logout_token_for_us_ends_a_session() {
        let key = JwtKey::generate(SigningAlg::Es256).unwrap();
        let keys = KeySet::new(vec![key.clone()]).jwks();
        let check = |typ: &str, claims: &Map<String, Value>| {
            verify(&key.sign(typ, claims).unwrap(), &keys, &config())
        };

        let named = check("logout+jwt", &claims(|_| {})).unwrap();
        assert_eq!(named.sid.as_deref(), Some("s1"));

        assert!(
            check("JWT", &claims(|_| {})).is_err(),
            "an ID token is no logout token"
        );
        for broken in [
            claims(|c| drop(c.insert("aud".into(), "other".into()))),
            claims(|c| drop(c.insert("nonce".into(), "n".into()))),
            claims(|c| drop(c.remove("events"))),
            claims(|c| drop(c.insert("events".into(), json!({ "other": {} })))),
            claims(|c| drop(c.remove("sid"))),
            claims(|c| drop(c.insert("exp".into(), 1.into()))),
        ] {
            assert!(check("logout+jwt", &broken).is_err());
        }
    }
}
