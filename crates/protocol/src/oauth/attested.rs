//! The client's half of attestation-based client authentication
//! (draft-ietf-oauth-attestation-based-client-auth-07): what a wallet provider signs, what an
//! instance of the wallet proves, and the challenges that a server gives.
//!
//! [`super::attestation`] is the server's half.

use serde_json::{Map, Value, json};
use vouchsafe_credentials::crypto::{PublicKey, Signer};
use vouchsafe_credentials::json as strict;
use vouchsafe_credentials::jws::{self, Header, SignError, TokenType};
use vouchsafe_credentials::random::{Rng, token};
use vouchsafe_credentials::time::UnixTime;

use crate::http::{Headers, HttpResponse};

/// Header of a request that carries the attestation (section 6.1).
pub const ATTESTATION_HEADER: &str = "oauth-client-attestation";
/// Header of a request that carries its proof of possession.
pub const POP_HEADER: &str = "oauth-client-attestation-pop";
/// Header of an answer that carries a fresh challenge (section 8).
pub const CHALLENGE_HEADER: &str = "oauth-client-attestation-challenge";
/// Name of the method in `token_endpoint_auth_methods_supported` (section 10.1).
pub const METHOD: &str = "attest_jwt_client_auth";
/// Longest answer of a challenge endpoint that is read, in bytes.
const MAX_BYTES: usize = 8 * 1024;
/// Longest challenge, in bytes.
const MAX_CHALLENGE: usize = 1024;

/// What a provider attests.
#[derive(Debug, Clone, Copy)]
pub struct Attests<'a> {
    /// Identifier of the provider (`iss`).
    pub provider: &'a str,
    /// The client that the wallet is (`sub`).
    pub client_id: &'a str,
    /// Key of the instance (`cnf.jwk`).
    pub instance: &'a PublicKey,
    /// When it is signed.
    pub issued_at: UnixTime,
    /// When it ends.
    pub expires_at: UnixTime,
}

/// Signs an attestation (section 5.1). `header` names the key, by `x5c` or `kid`, and is of the
/// type [`TokenType::ClientAttestation`].
///
/// # Errors
/// [`SignError`] where the key cannot sign.
pub async fn attest(
    attests: &Attests<'_>,
    header: &Header,
    signer: &dyn Signer,
) -> Result<String, SignError> {
    let Attests {
        provider,
        client_id,
        instance,
        issued_at,
        expires_at,
    } = *attests;
    let claims = json!({
        "iss": provider,
        "sub": client_id,
        "iat": issued_at.seconds(),
        "exp": expires_at.seconds(),
        "cnf": { "jwk": instance.to_jwk() },
    });
    jws::sign(header, &claims, signer).await
}

/// What a proof of possession is made for.
#[derive(Debug, Clone, Copy)]
pub struct PopFor<'a> {
    /// The client (`iss`).
    pub client_id: &'a str,
    /// Issuer identifier of the server (`aud`).
    pub server: &'a str,
    /// The server's latest challenge.
    pub challenge: Option<&'a str>,
}

/// Signs a proof of possession with the key of the instance (section 5.2).
///
/// # Errors
/// [`SignError`] where the key cannot sign.
pub async fn prove(
    request: &PopFor<'_>,
    instance: &dyn Signer,
    now: UnixTime,
    rng: &dyn Rng,
) -> Result<String, SignError> {
    let PopFor {
        client_id,
        server,
        challenge,
    } = *request;
    let mut claims = Map::new();
    claims.insert("iss".into(), json!(client_id));
    claims.insert("aud".into(), json!(server));
    claims.insert("jti".into(), json!(token(rng)));
    claims.insert("iat".into(), json!(now.seconds()));
    if let Some(challenge) = challenge {
        claims.insert("challenge".into(), json!(challenge));
    }
    let header = Header::new(TokenType::ClientAttestationPop);
    jws::sign(&header, &claims, instance).await
}

/// The challenge in the answer of a challenge endpoint (section 8).
#[must_use]
pub fn challenge(response: &HttpResponse) -> Option<String> {
    if response.status != 200 || response.body.len() > MAX_BYTES {
        return None;
    }
    let members = strict::parse_object(&response.body).ok()?;
    let challenge = members.get("attestation_challenge")?;
    challenge
        .as_str()
        .filter(|text| fits(text))
        .map(str::to_owned)
}

/// The challenge that an answer of another endpoint carries.
#[must_use]
pub fn carried_challenge(headers: &Headers) -> Option<&str> {
    let challenge = headers.at_most_one(CHALLENGE_HEADER).ok().flatten();
    challenge.filter(|text| fits(text))
}

fn fits(challenge: &str) -> bool {
    (1..=MAX_CHALLENGE).contains(&challenge.len())
}

/// Claims of a key attestation (OpenID4VCI 1.0, appendix D.1).
#[derive(Debug, Clone, Copy)]
pub struct AttestsKeys<'a> {
    /// Identifier of the provider (`iss`).
    pub provider: &'a str,
    /// The keys, at least one.
    pub keys: &'a [PublicKey],
    /// The issuer's nonce, where it has a nonce endpoint.
    pub nonce: Option<&'a str>,
    /// How the keys are kept; empty: nothing is said.
    pub key_storage: &'a [String],
    /// How their owner is known; empty: nothing is said.
    pub user_authentication: &'a [String],
    /// When it is signed.
    pub issued_at: UnixTime,
    /// When it ends.
    pub expires_at: UnixTime,
}

/// Signs a key attestation. `header` names the key, by `x5c` or `kid`, and is of the type
/// [`TokenType::KeyAttestation`].
///
/// # Errors
/// [`SignError`] where the key cannot sign.
pub async fn attest_keys(
    attests: &AttestsKeys<'_>,
    header: &Header,
    signer: &dyn Signer,
) -> Result<String, SignError> {
    let AttestsKeys {
        provider,
        keys,
        nonce,
        key_storage,
        user_authentication,
        issued_at,
        expires_at,
    } = *attests;
    let keys: Vec<Value> = keys.iter().map(PublicKey::to_jwk).collect();
    let mut claims = Map::new();
    claims.insert("iss".into(), json!(provider));
    claims.insert("iat".into(), json!(issued_at.seconds()));
    // Appendix D.1: MUST be there in the header of a `jwt` proof.
    claims.insert("exp".into(), json!(expires_at.seconds()));
    claims.insert("attested_keys".into(), Value::Array(keys));
    if let Some(nonce) = nonce {
        claims.insert("nonce".into(), json!(nonce));
    }
    for (name, values) in [
        ("key_storage", key_storage),
        ("user_authentication", user_authentication),
    ] {
        if !values.is_empty() {
            claims.insert(name.into(), json!(values));
        }
    }
    jws::sign(header, &claims, signer).await
}

#[cfg(test)]
mod tests {
    use vouchsafe_credentials::crypto::{Algorithm, Portable, SigningKey};
    use vouchsafe_credentials::jwks::JwkSet;
    use vouchsafe_credentials::testing::SeededRng;
    use vouchsafe_credentials::x509::{Role, TrustAnchors};

    use super::*;
    use crate::oauth::attestation::{self, AttestationError, Expected};
    use crate::oauth::server_nonce::ServerNonces;
    use crate::oauth::wallet_provider::{WalletProvider, WalletProviders};
    use crate::vci::key_attestation::{self, AttestationPolicy, Carrier, KeyAttestationError};
    use crate::vci::nonce::NonceKeys;
    use crate::vci::proof;

    const NOW: UnixTime = UnixTime(1_800_000_000);
    const SERVER: &str = "https://as.example.com";

    fn key(seed: u64) -> SigningKey {
        SigningKey::generate(Algorithm::Es256, &SeededRng::new(seed))
    }

    fn providers(key: &SigningKey) -> WalletProviders {
        let mut jwk = key.public_key().to_jwk();
        jwk["kid"] = "1".into();
        let keys = JwkSet::from_value(&json!({ "keys": [jwk] })).unwrap();
        let anchors = TrustAnchors::new(Role::WalletProvider);
        [WalletProvider::new("wallets", anchors, keys).unwrap()]
            .into_iter()
            .collect()
    }

    #[tokio::test]
    async fn cat_254_what_a_wallet_shows_is_what_a_server_wants() {
        let (provider, instance) = (key(1), key(2));
        let header = Header::new(TokenType::ClientAttestation).with_kid("1");
        let attests = Attests {
            provider: "https://wallets.example",
            client_id: "wallet",
            instance: instance.public_key(),
            issued_at: NOW,
            expires_at: NOW.plus(300),
        };
        let jwt = attest(&attests, &header, &provider).await.unwrap();
        let verified = attestation::verify(&jwt, &providers(&provider), NOW, &Portable).unwrap();
        assert_eq!(verified.client_id.as_str(), "wallet");
        let over = NOW.plus(400);
        let late = attestation::verify(&jwt, &providers(&provider), over, &Portable);
        assert_eq!(late.unwrap_err(), AttestationError::Time);

        let challenges = ServerNonces::new(SERVER, [1; 32]);
        let fresh = challenges.issue(NOW, &SeededRng::new(3));
        let expected = Expected {
            issuer: SERVER,
            challenges: Some(&challenges),
            now: NOW,
        };
        let good = PopFor {
            client_id: "wallet",
            server: SERVER,
            challenge: Some(&fresh),
        };
        let none = PopFor {
            challenge: None,
            ..good
        };
        let elsewhere = PopFor {
            server: "https://other.example",
            ..good
        };
        let other = PopFor {
            client_id: "other",
            ..good
        };
        for (request, result) in [
            (good, None),
            (none, Some(AttestationError::Challenge)),
            (elsewhere, Some(AttestationError::Audience)),
            (other, Some(AttestationError::PopClient)),
        ] {
            let pop = prove(&request, &instance, NOW, &SeededRng::new(4)).await;
            let checked = attestation::verify_pop(&pop.unwrap(), &verified, &expected, &Portable);
            assert_eq!(checked.err(), result);
        }
    }

    #[tokio::test]
    async fn cat_272_keys_are_attested_with_the_nonce_of_the_issuer() {
        let provider = key(1);
        let nonces = NonceKeys::new(SERVER, 1, [1; 32]);
        let nonce = nonces.issue(NOW, &SeededRng::new(5));
        let keys = [key(6).public_key().clone(), key(7).public_key().clone()];
        let levels = ["iso_18045_basic".to_owned()];
        let header = Header::new(TokenType::KeyAttestation).with_kid("1");
        let attests = AttestsKeys {
            provider: "https://wallets.example",
            keys: &keys,
            nonce: Some(&nonce),
            key_storage: &levels,
            user_authentication: &[],
            issued_at: NOW,
            expires_at: NOW.plus(60),
        };
        let providers = providers(&provider);
        let expected = proof::Expected {
            issuer: SERVER,
            client_id: None,
            algorithms: &[Algorithm::Es256],
            nonces: &nonces,
            now: NOW,
        };
        let policy = AttestationPolicy {
            providers: &providers,
            key_storage: &levels,
            user_authentication: &[],
        };
        let jwt = attest_keys(&attests, &header, &provider).await.unwrap();
        let check = |policy: &AttestationPolicy<'_>| {
            key_attestation::verify(&jwt, Carrier::JwtProof, policy, &expected, &Portable)
        };
        let verified = check(&policy).unwrap();
        assert!(verified.keys().eq(keys.iter()));
        let demanding = AttestationPolicy {
            user_authentication: &levels,
            ..policy
        };
        let refused = check(&demanding).unwrap_err();
        assert!(matches!(refused, KeyAttestationError::UserAuthentication));
    }

    #[test]
    fn challenges_of_answers() {
        let read = |status: u16, body: &str| {
            challenge(&HttpResponse {
                status,
                headers: Headers::new(),
                body: body.as_bytes().to_vec(),
            })
        };
        let good = r#"{"attestation_challenge":"c","x":1}"#;
        assert_eq!(read(200, good).as_deref(), Some("c"));
        assert_eq!(read(201, good), None);
        let long = format!(r#"{{"attestation_challenge":"{}"}}"#, "c".repeat(2000));
        for bad in [
            "",
            "{}",
            r#"{"attestation_challenge":""}"#,
            r#"{"attestation_challenge":1}"#,
            &long,
        ] {
            assert_eq!(read(200, bad), None, "{bad}");
        }
        let one = [("OAuth-Client-Attestation-Challenge", "c")];
        assert_eq!(carried_challenge(&one.into_iter().collect()), Some("c"));
        let two = [(CHALLENGE_HEADER, "c"), (CHALLENGE_HEADER, "d")];
        assert_eq!(carried_challenge(&two.into_iter().collect()), None);
    }
}
