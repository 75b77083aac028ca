//! Claims of a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.4).
//! It is sent with `typ: logout+jwt` and never carries a `nonce`.

use serde::Serialize;
use serde_json::{Value, json};
use vouchsafe_credentials::random::{Rng, token};
use vouchsafe_credentials::time::UnixTime;

/// Member of `events` that makes a token a logout token.
pub const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// Validity in seconds (section 2.4: two minutes or less is recommended).
pub const LIFETIME: i64 = 120;

/// What a logout token says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogoutTokenClaims {
    /// Issuer identifier.
    pub iss: String,
    /// Subject, as this client knows it.
    pub sub: String,
    /// The client.
    pub aud: String,
    /// Time of issue.
    pub iat: UnixTime,
    /// End of validity.
    pub exp: UnixTime,
    /// Unique identifier.
    pub jti: String,
    /// The session that ended.
    pub sid: String,
    events: Value,
}

impl LogoutTokenClaims {
    /// A token that ends the session `sid` of `sub` at the client.
    #[must_use]
    pub fn new(
        issuer: &str,
        client_id: &str,
        sub: &str,
        sid: &str,
        now: UnixTime,
        rng: &dyn Rng,
    ) -> Self {
        Self {
            iss: issuer.to_owned(),
            sub: sub.to_owned(),
            aud: client_id.to_owned(),
            iat: now,
            exp: now.plus(LIFETIME),
            jti: token(rng),
            sid: sid.to_owned(),
            events: json!({ EVENT: {} }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vouchsafe_credentials::testing::SeededRng;

    #[test]
    fn wire_form() {
        let rng = SeededRng::new(1);
        let claims = LogoutTokenClaims::new(
            "https://op.example.com",
            "shop",
            "s",
            "sid-1",
            UnixTime(1000),
            &rng,
        );
        let other = LogoutTokenClaims::new(
            "https://op.example.com",
            "shop",
            "s",
            "sid-1",
            UnixTime(1000),
            &rng,
        );
        assert_ne!(claims.jti, other.jti);
        let json = serde_json::to_value(&claims).unwrap();
        assert_eq!(json["events"], json!({ EVENT: {} }));
        assert_eq!(json["exp"], 1120);
        assert!(json.get("nonce").is_none());
    }
}
