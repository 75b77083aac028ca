//! A key that an application proves (DPoP), and proofs that are a little wrong.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use vouchsafe_credentials::crypto::{Algorithm, Signer as _, SigningKey};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::random::token;
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::time::Clock as _;

use super::{OP, World};

pub struct ProofKey(SigningKey);

impl ProofKey {
    pub fn new(seed: u64) -> Self {
        Self::of(Algorithm::Es256, seed)
    }

    pub fn of(algorithm: Algorithm, seed: u64) -> Self {
        Self(SigningKey::generate(algorithm, &SeededRng::new(seed)))
    }

    pub fn jkt(&self) -> String {
        self.0.public_key().thumbprint()
    }

    pub fn jwk(&self) -> Value {
        self.0.public_key().to_jwk()
    }

    /// An assertion of a client that has this key.
    pub async fn sign(&self, claims: &Value) -> String {
        let alg = self.0.public_key().algorithm().name();
        self.jws(&json!({ "alg": alg }), claims).await
    }

    /// A proof for a POST to an endpoint.
    pub async fn post(&self, world: &World, path: &str) -> String {
        self.changed(world, path, |_, _| {}).await
    }

    /// A proof for UserInfo with a token.
    pub async fn userinfo(&self, world: &World, access_token: &str) -> String {
        let ath = ath(access_token);
        self.changed(world, "/userinfo", |_, claims| {
            claims["htm"] = json!("GET");
            claims["ath"] = json!(ath);
        })
        .await
    }

    /// A proof for a POST with a header or claims that were changed.
    pub async fn changed(
        &self,
        world: &World,
        path: &str,
        change: impl FnOnce(&mut Value, &mut Value),
    ) -> String {
        let key = self.0.public_key();
        let alg = key.algorithm().name();
        let mut header = json!({ "typ": "dpop+jwt", "alg": alg, "jwk": key.to_jwk() });
        let mut claims = json!({
            "jti": token(world.rng.as_ref()),
            "htm": "POST",
            "htu": format!("{OP}{path}"),
            "iat": world.clock.now().seconds(),
        });
        change(&mut header, &mut claims);
        self.jws(&header, &claims).await
    }

    async fn jws(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| b64url(value.to_string().as_bytes());
        let input = format!("{}.{}", part(header), part(claims));
        let signature = self.0.sign(input.as_bytes()).await.unwrap();
        format!("{input}.{}", b64url(&signature))
    }
}

/// RFC 9449, section 4.2: the hash of an access token.
pub fn ath(access_token: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(access_token))
}
