//! Attestation-based client authentication (draft-ietf-oauth-attestation-based-client-auth, as
//! draft -07 and as draft -10 write it; OpenID4VCI 1.0, appendix E): the provider of a wallet
//! signs whose instance a key is, and the instance proves that it has the key.
//!
//! Draft -07 has `iss` in both tokens, draft -10 has none: it is compared where it is there. The
//! proof is a token of its own or, with `attest_jwt_client_auth_dpop`, the DPoP proof.

use serde_json::{Map, Value};
use vouchsafe_credentials::crypto::{Algorithm, CryptoProvider, KeyUse, PublicKey};
use vouchsafe_credentials::jws::{JwsError, TokenType, Unverified};
use vouchsafe_credentials::time::UnixTime;

use super::dpop::VerifiedProof;
use super::error::{ErrorCode, OAuthError};
use super::server_nonce::{CHALLENGE_LIFETIME, ServerNonces};
use super::values::ClientId;
use super::wallet_provider::{AttesterError, AttesterKey, WalletProviders};

/// Algorithms of attestations and proofs that are verified: all of ours.
pub const ALGORITHMS: [&str; 5] = Algorithm::ALL_NAMES;
/// Oldest accepted proof of possession in seconds (the limit of this project).
pub const MAX_AGE: i64 = 300;
/// Clock difference accepted for times in the future, in seconds.
pub const MAX_SKEW: i64 = 60;
/// How long after its end an attestation is still accepted, in seconds.
const LEEWAY: i64 = 10;

/// An attestation that a trusted provider signed and that is valid now. Proves nothing without
/// [`verify_pop`] or [`verify_combined`].
#[derive(Debug, Clone)]
pub struct Attestation {
    /// Whose instance the key is (`sub`).
    pub client_id: ClientId,
    /// Name of the provider that signed.
    pub provider: String,
    /// The key of the instance (`cnf.jwk`).
    pub instance: PublicKey,
}

/// What the server expects of a proof of possession.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The server's issuer identifier.
    pub issuer: &'a str,
    /// Challenges of which the proof must carry one, `None` where the server asks for none.
    pub challenges: Option<&'a ServerNonces>,
    /// Time now.
    pub now: UnixTime,
}

/// What a good proof says. The replay store decides whether `jti` is new: key it by the
/// thumbprint of the instance and `jti`, keep it until `valid_until` (catalogue 254).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedPop {
    /// Identifier of the proof.
    pub jti: String,
    /// After this time the proof is refused as too old.
    pub valid_until: UnixTime,
}

/// Why an attestation or its proof was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttestationError {
    /// Shape, type, algorithm or signature of the attestation.
    #[error("the client attestation is not a valid oauth-client-attestation+jwt")]
    Jws(#[source] JwsError),
    /// No trusted provider signed it.
    #[error("the client attestation is not of a trusted wallet provider")]
    Attester(#[from] AttesterError),
    /// A claim of the attestation is missing or malformed; names which.
    #[error("claim missing or malformed in the client attestation: {0}")]
    Claim(&'static str),
    /// Expired or not yet valid.
    #[error("the client attestation is not valid at this time")]
    Time,
    /// Shape, type, algorithm or signature of the proof, or a key that is not the instance's.
    #[error("the proof of the client attestation is not signed by the attested key")]
    PopJws(#[source] JwsError),
    /// A claim of the proof is missing or malformed; names which.
    #[error("claim missing or malformed in the proof of the client attestation: {0}")]
    PopClaim(&'static str),
    /// `iss` of the proof is another client.
    #[error("the proof of the client attestation is of another client")]
    PopClient,
    /// `aud` is missing, an array, or another server.
    #[error("the proof of the client attestation was made for another server")]
    Audience,
    /// The proof is too old or from the future.
    #[error("the proof of the client attestation is too old or from the future")]
    PopTime,
    /// The challenge is missing or old: answer with a fresh one.
    #[error("the proof of the client attestation needs a challenge of the server")]
    Challenge,
    /// Neither a proof of its own nor a DPoP proof with the attested key.
    #[error("the client attestation comes without a proof of the attested key")]
    NoProof,
}

impl AttestationError {
    /// Code at the token and the pushed authorization request endpoint (draft -10, section 6.4).
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Challenge => ErrorCode::UseAttestationChallenge,
            Self::Jws(_)
            | Self::Attester(_)
            | Self::Claim(_)
            | Self::Time
            | Self::PopJws(_)
            | Self::PopClaim(_)
            | Self::PopClient
            | Self::Audience
            | Self::PopTime
            | Self::NoProof => ErrorCode::InvalidClient,
        }
    }
}

impl From<&AttestationError> for OAuthError {
    fn from(error: &AttestationError) -> Self {
        error.code().into()
    }
}

/// Verifies an attestation (draft -10, section 6.1). That the client is known, and attested by
/// this provider, is for the caller to check.
///
/// # Errors
/// [`AttestationError`] with the first check that failed.
pub fn verify(
    attestation: &str,
    providers: &WalletProviders,
    now: UnixTime,
    crypto: &dyn CryptoProvider,
) -> Result<Attestation, AttestationError> {
    let unverified = Unverified::parse(attestation, TokenType::ClientAttestation);
    let unverified = unverified.map_err(AttestationError::Jws)?;
    let AttesterKey { provider, key } = providers.key_of(&unverified, now, crypto)?;
    let payload = unverified.verify(crypto, &key);
    let payload = payload.map_err(AttestationError::Jws)?.into_inner();
    let claims = &payload.claims;
    let text = |name| {
        let text = claims.get(name).and_then(Value::as_str);
        text.ok_or(AttestationError::Claim(name))
    };
    let client_id = ClientId::parse(text("sub")?).map_err(|_| AttestationError::Claim("sub"))?;
    if claims.contains_key("iss") {
        text("iss")?;
    }
    let instance = instance(claims)?;
    let ends = time(claims, "exp").map_err(AttestationError::Claim)?;
    let ends = ends.ok_or(AttestationError::Claim("exp"))?;
    if now.since(ends) >= LEEWAY {
        return Err(AttestationError::Time);
    }
    for name in ["iat", "nbf"] {
        let starts = time(claims, name).map_err(AttestationError::Claim)?;
        if starts.is_some_and(|starts| starts.since(now) > MAX_SKEW) {
            return Err(AttestationError::Time);
        }
    }
    Ok(Attestation {
        client_id,
        provider: provider.name().to_owned(),
        instance,
    })
}

/// The `jwk` of `cnf`, public and of a kind that we verify.
fn instance(claims: &Map<String, Value>) -> Result<PublicKey, AttestationError> {
    let jwk = claims.get("cnf").and_then(|cnf| cnf.get("jwk"));
    let key = PublicKey::from_jwk_for(jwk.ok_or(AttestationError::Claim("cnf"))?, KeyUse::Verify);
    key.map_err(|_| AttestationError::Claim("cnf"))
}

/// Verifies the proof of possession that came with an attestation (draft -10, section 6.2).
/// Replay is left to the caller: see [`VerifiedPop`].
///
/// # Errors
/// [`AttestationError`] with the first check that failed.
pub fn verify_pop(
    pop: &str,
    attestation: &Attestation,
    expected: &Expected<'_>,
    crypto: &dyn CryptoProvider,
) -> Result<VerifiedPop, AttestationError> {
    let unverified = Unverified::parse(pop, TokenType::ClientAttestationPop);
    let unverified = unverified.map_err(AttestationError::PopJws)?;
    let payload = unverified.verify(crypto, &attestation.instance);
    let payload = payload.map_err(AttestationError::PopJws)?.into_inner();
    let claims = &payload.claims;
    let text = |name| claims.get(name).and_then(Value::as_str);
    // Draft -07, section 5.2, rule 4; draft -10 has no `iss`.
    if claims.contains_key("iss") && text("iss") != Some(attestation.client_id.as_str()) {
        return Err(AttestationError::PopClient);
    }
    // One audience, as a string.
    if text("aud") != Some(expected.issuer) {
        return Err(AttestationError::Audience);
    }
    let jti = text("jti").filter(|jti| (1..=256).contains(&jti.len()));
    let jti = jti.ok_or(AttestationError::PopClaim("jti"))?.to_owned();
    let iat = time(claims, "iat").map_err(AttestationError::PopClaim)?;
    let iat = iat.ok_or(AttestationError::PopClaim("iat"))?;
    let age = expected.now.since(iat);
    if !(-MAX_SKEW..=MAX_AGE).contains(&age) {
        return Err(AttestationError::PopTime);
    }
    let starts = time(claims, "nbf").map_err(AttestationError::PopClaim)?;
    let ends = time(claims, "exp").map_err(AttestationError::PopClaim)?;
    let early = starts.is_some_and(|starts| starts.since(expected.now) > MAX_SKEW);
    let late = ends.is_some_and(|ends| expected.now.since(ends) >= LEEWAY);
    if early || late {
        return Err(AttestationError::PopTime);
    }
    check_challenge(claims, expected)?;
    Ok(VerifiedPop {
        jti,
        valid_until: iat.plus(MAX_AGE + 1),
    })
}

/// `challenge`; drafts before -06 called it `nonce`.
fn check_challenge(
    claims: &Map<String, Value>,
    expected: &Expected<'_>,
) -> Result<(), AttestationError> {
    let value = claims.get("challenge").or_else(|| claims.get("nonce"));
    let Some(challenges) = expected.challenges else {
        return Ok(());
    };
    let challenge = value
        .and_then(Value::as_str)
        .ok_or(AttestationError::Challenge)?;
    let checked = challenges.check(challenge, expected.now, CHALLENGE_LIFETIME);
    checked.map(drop).map_err(|_| AttestationError::Challenge)
}

/// Whether the DPoP proof of the request is the proof of the attested key (draft -10, section
/// 6.3). Its nonce is checked with the proof itself.
///
/// # Errors
/// [`AttestationError::NoProof`].
pub fn verify_combined(
    attestation: &Attestation,
    proof: Option<&VerifiedProof>,
) -> Result<(), AttestationError> {
    match proof {
        Some(proof) if proof.key == attestation.instance => Ok(()),
        Some(_) | None => Err(AttestationError::NoProof),
    }
}

/// A time that is there but is no number is an error, never "absent".
fn time(claims: &Map<String, Value>, name: &'static str) -> Result<Option<UnixTime>, &'static str> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    UnixTime::from_numeric_date(value).map(Some).ok_or(name)
}

#[cfg(test)]
#[path = "attestation_tests.rs"]
mod tests;
