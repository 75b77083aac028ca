//! Claims of an ID token (OpenID Connect Core, sections 2 and 3.1.3.6).

use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha384, Sha512};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::time::UnixTime;

use super::acr::Acr;
use super::amr::Amr;

/// Members that extra claims can never overwrite.
const RESERVED: [&str; 15] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nbf",
    "nonce",
    "auth_time",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "c_hash",
    "sid",
    "jti",
];

/// What an ID token says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IdTokenClaims {
    /// Issuer identifier, exactly as in discovery.
    pub iss: String,
    /// Subject, pairwise or public.
    pub sub: String,
    /// The client.
    pub aud: String,
    /// End of validity.
    pub exp: UnixTime,
    /// Time of issue.
    pub iat: UnixTime,
    /// When the person authenticated.
    pub auth_time: UnixTime,
    /// `nonce` of the request, byte for byte (catalogue 362).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// Class that was reached; absent where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<Acr>,
    /// What was done.
    #[serde(skip_serializing_if = "no_methods")]
    pub amr: Amr,
    /// Hash of the access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// Session at the provider, for back-channel logout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Further claims the person agreed to.
    #[serde(flatten)]
    extra: Map<String, Value>,
}

fn no_methods(amr: &Amr) -> bool {
    amr.iter().next().is_none()
}

/// What every ID token needs.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    /// Issuer identifier.
    pub issuer: &'a str,
    /// Subject for this client.
    pub sub: &'a str,
    /// The client.
    pub client_id: &'a str,
    /// When the person authenticated.
    pub auth_time: UnixTime,
}

impl IdTokenClaims {
    /// A token of `lifetime` seconds.
    #[must_use]
    pub fn new(subject: &Subject<'_>, now: UnixTime, lifetime: u32) -> Self {
        Self {
            iss: subject.issuer.to_owned(),
            sub: subject.sub.to_owned(),
            aud: subject.client_id.to_owned(),
            exp: now.plus(i64::from(lifetime)),
            iat: now,
            auth_time: subject.auth_time,
            nonce: None,
            acr: None,
            amr: Amr::default(),
            at_hash: None,
            sid: None,
            extra: Map::new(),
        }
    }

    /// Echoes the request's `nonce`.
    #[must_use]
    pub fn nonce(mut self, nonce: Option<&str>) -> Self {
        self.nonce = nonce.map(str::to_owned);
        self
    }

    /// Says how the person authenticated.
    #[must_use]
    pub fn authenticated(mut self, acr: Option<Acr>, amr: Amr) -> Self {
        self.acr = acr;
        self.amr = amr;
        self
    }

    /// Binds the access token issued beside it; `alg` is the token's own algorithm.
    #[must_use]
    pub fn access_token(mut self, access_token: &str, alg: &str) -> Self {
        self.at_hash = at_hash(access_token, alg);
        self
    }

    /// Names the session.
    #[must_use]
    pub fn session(mut self, sid: &str) -> Self {
        self.sid = Some(sid.to_owned());
        self
    }

    /// Adds a claim. Members that the token itself defines are left as they are.
    #[must_use]
    pub fn claim(mut self, name: &str, value: Value) -> Self {
        if !RESERVED.contains(&name) {
            self.extra.insert(name.to_owned(), value);
        }
        self
    }
}

/// Left half of the hash that the signature algorithm uses (section 3.1.3.6); `None` for
/// an algorithm without a defined hash.
#[must_use]
pub fn at_hash(access_token: &str, alg: &str) -> Option<String> {
    let bytes = access_token.as_bytes();
    let half = |digest: &[u8]| b64url(&digest[..digest.len() / 2]);
    match alg {
        "RS256" | "PS256" | "ES256" => Some(half(&Sha256::digest(bytes))),
        "RS384" | "PS384" | "ES384" => Some(half(&Sha384::digest(bytes))),
        // Ed25519 uses SHA-512 inside; the half of that is what providers send.
        "RS512" | "PS512" | "ES512" | "EdDSA" => Some(half(&Sha512::digest(bytes))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn token() -> IdTokenClaims {
        let subject = Subject {
            issuer: "https://op.example.com",
            sub: "s",
            client_id: "shop",
            auth_time: UnixTime(990),
        };
        IdTokenClaims::new(&subject, UnixTime(1000), 300)
    }

    #[test]
    fn at_hash_of_the_core_example() {
        // OpenID Connect Core 1.0, appendix A.3.
        assert_eq!(
            at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", "RS256").as_deref(),
            Some("77QmUPtjPfzWtF2AnpK9RQ")
        );
        assert_eq!(at_hash("x", "HS256"), None);
    }

    #[test]
    fn cat_362_nonce_is_echoed_exactly() {
        let nonce = " n-0S6_\u{e9}\"\\ ";
        let json = serde_json::to_value(token().nonce(Some(nonce))).unwrap();
        assert_eq!(json["nonce"], nonce);
        assert!(
            serde_json::to_value(token())
                .unwrap()
                .get("nonce")
                .is_none()
        );
    }

    #[test]
    fn wire_form() {
        let claims = token()
            .authenticated(Some(Acr::Credential), Amr::compute(&[]))
            .session("sid-1")
            .claim("age_over_18", json!(true))
            .claim("sub", json!("other"));
        assert_eq!(
            serde_json::to_value(claims).unwrap(),
            json!({
                "iss": "https://op.example.com", "sub": "s", "aud": "shop", "exp": 1300, "iat": 1000,
                "auth_time": 990, "acr": "urn:vouchsafe:acr:vc", "sid": "sid-1", "age_over_18": true
            })
        );
    }
}
