//! Tokens for applications: ID tokens and logout tokens, and ID tokens that come back as hints.

use serde::Serialize;
use serde_json::{Map, Value};
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::json::parse_object;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oidc::id_token::IdTokenClaims;
use vouchsafe_protocol::oidc::logout::LogoutTokenClaims;
use vouchsafe_protocol::ssf::set::SetClaims;
use vouchsafe_service::jose::{
    Expected, Expiry, JoseError, Jwks, JwtKey, KeySet, SigningAlg, TypeRule, verify,
};

use crate::config::{ConfigError, IdTokenAlg, Keys};

/// Why a token could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The claims do not serialise.
    #[error("the claims of a token do not serialise")]
    Claims(#[source] serde_json::Error),
    /// The signature failed.
    #[error("a token could not be signed")]
    Sign(#[from] JoseError),
}

/// The keys that sign for applications.
#[derive(Debug)]
pub struct TokenKeys {
    keys: KeySet,
    public: Jwks,
    document: Value,
}

/// What an ID token of ours says when it comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The client it was made for.
    pub client: String,
    /// The person, as that client knows them.
    pub sub: String,
    /// The session.
    pub sid: Option<String>,
}

impl TokenKeys {
    /// Reads the keys of the configuration.
    pub fn new(keys: &Keys) -> Result<Self, ConfigError> {
        let read = |name: &'static str, alg: SigningAlg, pem: &str| {
            JwtKey::from_pem(alg, pem).map_err(|error| ConfigError::Key {
                name,
                reason: error.to_string(),
            })
        };
        let keys = KeySet::new(vec![
            read("id_token_rs256", SigningAlg::Rs256, &keys.id_token_rs256)?,
            read("id_token_es256", SigningAlg::Es256, &keys.id_token_es256)?,
        ]);
        let document = keys.jwks();
        let public = Jwks::from_value(&document).map_err(|error| ConfigError::Key {
            name: "id_token",
            reason: error.to_string(),
        })?;
        Ok(Self {
            keys,
            public,
            document,
        })
    }

    /// The document at `/jwks`.
    pub fn jwks(&self) -> &Value {
        &self.document
    }

    /// The keys of that document, one after another.
    pub fn public_keys(&self) -> impl Iterator<Item = &Map<String, Value>> {
        let keys = self.document.get("keys").and_then(Value::as_array);
        keys.into_iter().flatten().filter_map(Value::as_object)
    }

    /// Signs an ID token.
    pub fn id_token(&self, alg: IdTokenAlg, claims: &IdTokenClaims) -> Result<String, TokenError> {
        self.sign(alg, "JWT", claims)
    }

    /// Signs a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.4).
    pub fn logout_token(
        &self,
        alg: IdTokenAlg,
        claims: &LogoutTokenClaims,
    ) -> Result<String, TokenError> {
        self.sign(alg, "logout+jwt", claims)
    }

    /// Signs a security event (Shared Signals Framework 1.0, section 4.1.1).
    pub fn security_event(
        &self,
        alg: IdTokenAlg,
        claims: &SetClaims,
    ) -> Result<String, TokenError> {
        self.sign(alg, "secevent+jwt", claims)
    }

    /// Signs a receipt of a consent.
    pub fn consent_receipt(&self, claims: &Value) -> Result<String, TokenError> {
        self.sign(IdTokenAlg::ES256, "consent-receipt+jwt", claims)
    }

    fn sign(
        &self,
        alg: IdTokenAlg,
        typ: &str,
        claims: &impl Serialize,
    ) -> Result<String, TokenError> {
        let claims = match serde_json::to_value(claims).map_err(TokenError::Claims)? {
            Value::Object(claims) => claims,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Map::new(),
        };
        let key = self.keys.signer(signing_alg(alg)).ok_or(JoseError::NoKey)?;
        Ok(key.sign(typ, &claims)?)
    }

    /// Reads an ID token that we made, expired or not; `None` for everything else: another
    /// signature, another type, `alg: none`.
    pub fn read_hint(&self, token: &str, issuer: &str, now: UnixTime) -> Option<Hint> {
        // The audience is what the token is looked up by; it counts only once the signature holds.
        let payload = b64url_decode(token.split('.').nth(1)?).ok()?;
        let client = parse_object(&payload)
            .ok()?
            .get("aud")?
            .as_str()?
            .to_owned();
        let expected = Expected {
            algorithms: &[SigningAlg::Rs256, SigningAlg::Es256],
            typ: TypeRule::Exactly("JWT"),
            issuer,
            audience: &client,
            expiry: Expiry::Ignored,
            now,
            leeway: 60,
        };
        let verified = verify(token, &self.public, &expected).ok()?;
        let sub = verified.text("sub")?.to_owned();
        let sid = verified.text("sid").map(str::to_owned);
        Some(Hint { client, sub, sid })
    }
}

/// Name of the algorithm, for `at_hash`.
pub fn alg_name(alg: IdTokenAlg) -> &'static str {
    signing_alg(alg).as_str()
}

fn signing_alg(alg: IdTokenAlg) -> SigningAlg {
    match alg {
        IdTokenAlg::RS256 => SigningAlg::Rs256,
        IdTokenAlg::ES256 => SigningAlg::Es256,
    }
}
