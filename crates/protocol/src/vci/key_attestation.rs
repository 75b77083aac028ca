//! Key attestations in JWT format (appendix D.1), verified by an issuer: who keeps the keys of a
//! wallet says how they are kept.

use serde_json::{Map, Value};
use vouchsafe_credentials::crypto::{CryptoProvider, KeyError, KeyUse, PublicKey};
use vouchsafe_credentials::jws::{JwsError, TokenType, Unverified};
use vouchsafe_credentials::time::UnixTime;

use super::error::CredentialErrorCode;
use super::nonce::CheckedNonce;
use super::proof::{Expected, MAX_SKEW};
use crate::oauth::wallet_provider::{AttesterError, WalletProviders};

/// Most keys of one attestation (the limit of this project).
pub const MAX_KEYS: usize = 100;
/// Values of `key_storage` and `user_authentication` that appendix D.2 defines, the strongest
/// first. Ecosystems define others.
pub const LEVELS: [&str; 4] = [
    "iso_18045_high",
    "iso_18045_moderate",
    "iso_18045_enhanced-basic",
    "iso_18045_basic",
];

/// What attestations for one credential configuration must say.
#[derive(Debug, Clone, Copy)]
pub struct AttestationPolicy<'a> {
    /// Who may sign them.
    pub providers: &'a WalletProviders,
    /// Accepted values of `key_storage`, one of which must be there; empty: no demand.
    pub key_storage: &'a [String],
    /// Accepted values of `user_authentication`, likewise.
    pub user_authentication: &'a [String],
}

/// Where an attestation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// In the header of a `jwt` proof.
    JwtProof,
    /// It is the proof (`attestation`).
    Alone,
}

/// Keys that a trusted party vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedAttestation {
    keys: Vec<AttestedKey>,
    nonce: CheckedNonce,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct AttestedKey {
    key: PublicKey,
    kid: Option<String>,
}

/// Why an attestation was refused.
#[derive(Debug, thiserror::Error)]
pub enum KeyAttestationError {
    /// Not a string in the header of the proof.
    #[error("the key attestation is not a token")]
    Form,
    /// Not a signed `key-attestation+jwt` of the trusted key.
    #[error("the key attestation is not a valid key-attestation+jwt")]
    Jws(#[from] JwsError),
    /// Signed by nobody who is trusted.
    #[error("the key attestation is of nobody who is trusted")]
    Untrusted(#[from] AttesterError),
    /// An algorithm that is not in `proof_signing_alg_values_supported`.
    #[error("the algorithm of the key attestation is not supported")]
    Algorithm,
    /// `iat` missing, of the wrong type or in the future.
    #[error("the key attestation has no time of issuance, or one in the future")]
    IssuedAt,
    /// `nbf` has not come or is of the wrong type.
    #[error("the key attestation is not valid yet")]
    NotYetValid,
    /// `exp` missing where it must be there, of the wrong type or over.
    #[error("the key attestation has expired, or does not say when it will")]
    Expired,
    /// `attested_keys` missing, empty or too long, or a key is not acceptable.
    #[error("the attested keys are not acceptable")]
    Keys,
    /// One of the keys is not a public key of a supported kind.
    #[error("an attested key is not acceptable")]
    Key(#[from] KeyError),
    /// One key twice.
    #[error("a key is attested twice")]
    KeyTwice,
    /// `key_storage` does not name an accepted value.
    #[error("the keys are not stored as well as is demanded")]
    KeyStorage,
    /// `user_authentication` does not name an accepted value.
    #[error("the keys are not guarded as well as is demanded")]
    UserAuthentication,
    /// `nonce` missing or not a string.
    #[error("the key attestation has no nonce")]
    NonceMissing,
    /// The nonce is not one of ours that still lives.
    #[error("the nonce of the key attestation is not valid")]
    Nonce,
}

impl KeyAttestationError {
    /// Code of section 8.3.1.2.
    #[must_use]
    pub const fn code(&self) -> CredentialErrorCode {
        match self {
            Self::Nonce => CredentialErrorCode::InvalidNonce,
            Self::Form
            | Self::Jws(_)
            | Self::Untrusted(_)
            | Self::Algorithm
            | Self::IssuedAt
            | Self::NotYetValid
            | Self::Expired
            | Self::Keys
            | Self::Key(_)
            | Self::KeyTwice
            | Self::KeyStorage
            | Self::UserAuthentication
            | Self::NonceMissing => CredentialErrorCode::InvalidProof,
        }
    }
}

impl VerifiedAttestation {
    /// The attested keys in their order, all different, at least one.
    pub fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.keys.iter().map(|attested| &attested.key)
    }

    /// Its nonce: ours and alive. It is used up with the request, so an attestation serves once.
    #[must_use]
    pub const fn nonce(&self) -> &CheckedNonce {
        &self.nonce
    }

    /// Whether it vouches for this key.
    #[must_use]
    pub fn attests(&self, key: &PublicKey) -> bool {
        self.keys().any(|attested| attested == key)
    }

    /// The key that the `kid` of a proof means: the one with this `kid`, else the one at this place,
    /// `0` being the first (the example of appendix F.1). A proof that names no key is signed with
    /// the first (EUDI TS3).
    #[must_use]
    pub fn key_of_proof(&self, kid: Option<&str>) -> Option<&PublicKey> {
        let Some(kid) = kid else {
            return self.keys().next();
        };
        let named = |attested: &&AttestedKey| attested.kid.as_deref() == Some(kid);
        let placed = || {
            let place: usize = kid.parse().ok()?;
            self.keys.get(place).filter(|_| place.to_string() == kid)
        };
        let attested = self.keys.iter().find(named).or_else(placed);
        attested.map(|attested| &attested.key)
    }
}

/// Verifies an attestation. That its nonce is used once is the caller's part.
///
/// # Errors
/// [`KeyAttestationError`] with the first check that failed.
pub fn verify(
    jwt: &str,
    carrier: Carrier,
    policy: &AttestationPolicy<'_>,
    expected: &Expected<'_>,
    crypto: &dyn CryptoProvider,
) -> Result<VerifiedAttestation, KeyAttestationError> {
    let unverified = Unverified::parse(jwt, TokenType::KeyAttestation)?;
    // Appendix F.1 and F.3: `alg` MUST be one of proof_signing_alg_values_supported.
    if !expected.algorithms.contains(&unverified.algorithm()) {
        return Err(KeyAttestationError::Algorithm);
    }
    let signer = policy.providers.key_of(&unverified, expected.now, crypto)?;
    let claims = unverified.verify(crypto, &signer.key)?.into_inner().claims;
    check_time(&claims, carrier, expected.now)?;
    let keys = keys(&claims)?;
    if !accepted(&claims, "key_storage", policy.key_storage) {
        return Err(KeyAttestationError::KeyStorage);
    }
    if !accepted(&claims, "user_authentication", policy.user_authentication) {
        return Err(KeyAttestationError::UserAuthentication);
    }
    // Appendix F.1 and F.3: with a nonce endpoint the attestation carries a nonce of it.
    let nonce = match claims.get("nonce") {
        Some(Value::String(nonce)) => nonce,
        _ => return Err(KeyAttestationError::NonceMissing),
    };
    let nonce = expected
        .nonces
        .verify(nonce, expected.now)
        .map_err(|_| KeyAttestationError::Nonce)?;
    Ok(VerifiedAttestation { keys, nonce })
}

/// Appendix D.1: `iat` REQUIRED; `exp` MUST be present in a `jwt` proof. `status` is OPTIONAL there,
/// and no clause makes an issuer ask for it: it is not looked at. Its nonce says that the provider
/// signed the attestation minutes ago.
fn check_time(
    claims: &Map<String, Value>,
    carrier: Carrier,
    now: UnixTime,
) -> Result<(), KeyAttestationError> {
    let issued = claims.get("iat").and_then(UnixTime::from_numeric_date);
    // How old it may be the nonce says, which lives for minutes.
    if issued.is_none_or(|iat| now.since(iat) < -MAX_SKEW) {
        return Err(KeyAttestationError::IssuedAt);
    }
    // RFC 7519, section 4.1.5: MUST NOT be accepted before `nbf`.
    if let Some(starts) = claims.get("nbf") {
        let starts = UnixTime::from_numeric_date(starts);
        if starts.is_none_or(|nbf| now.since(nbf) < -MAX_SKEW) {
            return Err(KeyAttestationError::NotYetValid);
        }
    }
    match (claims.get("exp"), carrier) {
        (None, Carrier::Alone) => Ok(()),
        (None, Carrier::JwtProof) => Err(KeyAttestationError::Expired),
        (Some(exp), Carrier::JwtProof | Carrier::Alone) => match UnixTime::from_numeric_date(exp) {
            Some(exp) if exp > now => Ok(()),
            Some(_) | None => Err(KeyAttestationError::Expired),
        },
    }
}

/// Appendix D.1: `attested_keys`, a non-empty array of JWKs.
fn keys(claims: &Map<String, Value>) -> Result<Vec<AttestedKey>, KeyAttestationError> {
    let jwks = claims.get("attested_keys").and_then(Value::as_array);
    let jwks = jwks.ok_or(KeyAttestationError::Keys)?;
    if jwks.is_empty() || jwks.len() > MAX_KEYS {
        return Err(KeyAttestationError::Keys);
    }
    let mut keys: Vec<AttestedKey> = Vec::with_capacity(jwks.len());
    for jwk in jwks {
        let key = PublicKey::from_jwk_for(jwk, KeyUse::Verify)?;
        if keys.iter().any(|attested| attested.key == key) {
            return Err(KeyAttestationError::KeyTwice);
        }
        let kid = match jwk.get("kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid.clone()),
            Some(_) => return Err(KeyAttestationError::Keys),
        };
        keys.push(AttestedKey { key, kid });
    }
    Ok(keys)
}

/// Appendix D.1: a non-empty array of case sensitive strings, where it is present.
fn accepted(claims: &Map<String, Value>, name: &str, demanded: &[String]) -> bool {
    let Some(claim) = claims.get(name) else {
        return demanded.is_empty();
    };
    let texts: Option<Vec<&str>> = claim
        .as_array()
        .filter(|values| !values.is_empty())
        .and_then(|values| values.iter().map(Value::as_str).collect());
    match texts {
        None => false,
        Some(texts) => {
            demanded.is_empty() || texts.iter().any(|text| demanded.iter().any(|d| d == text))
        }
    }
}
