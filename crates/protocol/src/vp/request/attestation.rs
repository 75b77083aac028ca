//! Verifier attestations (OpenID4VP 1.0, section 12): a party that the wallet believes says whose key
//! a request is signed with.

use serde_json::{Map, Value};
use url::Url;
use vouchsafe_credentials::crypto::{CryptoProvider, KeyUse, PublicKey};
use vouchsafe_credentials::jwks::JwkSet;
use vouchsafe_credentials::jws::{JwsError, TokenType, Unverified};
use vouchsafe_credentials::time::UnixTime;

use super::CLOCK_SKEW_S;
use super::party::claims_unverified;

/// Most entries of `redirect_uris`.
const MAX_ADDRESSES: usize = 64;

/// A party whose attestations are believed.
#[derive(Clone, Debug)]
pub struct Attester {
    /// `iss` of its attestations.
    pub issuer: String,
    /// The keys it signs them with.
    pub keys: JwkSet,
}

/// Why an attestation is refused.
#[derive(Debug, thiserror::Error)]
pub enum AttestationError {
    /// No `jwt` in the header of the request object.
    #[error("the request object has no attestation")]
    Missing,
    /// Not an acceptable JWS: `typ`, algorithm, shape or signature.
    #[error("the attestation is not acceptable")]
    Jws(#[source] JwsError),
    /// `iss` is nobody whom the wallet believes.
    #[error("the issuer of the attestation is not trusted")]
    Issuer,
    /// `sub` is another client.
    #[error("the attestation is for another client")]
    Subject,
    /// It has ended, or has not begun.
    #[error("the attestation is not valid now")]
    Time,
    /// No usable key in `cnf`.
    #[error("the attestation names no key")]
    Key,
    /// The response would go to an address that is not attested.
    #[error("the address of the response is not attested")]
    Address,
}

impl AttestationError {
    /// A stable code for logs and interfaces.
    pub fn code(&self) -> &'static str {
        match self {
            AttestationError::Missing => "verifier_attestation_missing",
            AttestationError::Jws(_) => "verifier_attestation_malformed",
            AttestationError::Issuer => "verifier_attestation_issuer",
            AttestationError::Subject => "verifier_attestation_subject",
            AttestationError::Time => "verifier_attestation_time",
            AttestationError::Key => "verifier_attestation_key",
            AttestationError::Address => "verifier_attestation_address",
        }
    }
}

/// What an attester said of a verifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attested {
    issuer: String,
    subject: String,
    addresses: Option<Vec<String>>,
}

impl Attested {
    /// Who attests.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Who is attested.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Section 5.9.3: the address of the response "exactly matches one of the `redirect_uris` claim
    /// entries", where there are some.
    pub(super) fn may_receive_at(&self, address: &Url) -> Result<(), AttestationError> {
        let listed = |addresses: &Vec<String>| addresses.iter().any(|own| own == address.as_str());
        if self.addresses.as_ref().is_none_or(listed) {
            Ok(())
        } else {
            Err(AttestationError::Address)
        }
    }
}

/// Checks the attestation of the client `subject`; gives also the key that the request must be signed
/// with.
pub(super) fn verify(
    jwt: &str,
    subject: &str,
    attesters: &[Attester],
    now: UnixTime,
    crypto: &dyn CryptoProvider,
) -> Result<(Attested, PublicKey), AttestationError> {
    let unverified =
        Unverified::parse(jwt, TokenType::VerifierAttestation).map_err(AttestationError::Jws)?;
    // Names whose keys are tried, and proves nothing.
    let claimed = claims_unverified(jwt).unwrap_or_default();
    let issuer = claimed.get("iss").and_then(Value::as_str);
    let attester = attesters
        .iter()
        .find(|attester| Some(attester.issuer.as_str()) == issuer)
        .ok_or(AttestationError::Issuer)?;
    let verified = unverified.verify_with(crypto, &attester.keys);
    let claims = verified.map_err(AttestationError::Jws)?.into_inner().claims;
    if claims.get("sub").and_then(Value::as_str) != Some(subject) {
        return Err(AttestationError::Subject);
    }
    check_times(&claims, now)?;
    let jwk = claims.get("cnf").and_then(|cnf| cnf.get("jwk"));
    let key = PublicKey::from_jwk_for(jwk.ok_or(AttestationError::Key)?, KeyUse::Verify);
    let attested = Attested {
        issuer: attester.issuer.clone(),
        subject: subject.to_owned(),
        addresses: addresses(&claims)?,
    };
    Ok((attested, key.map_err(|_| AttestationError::Key)?))
}

/// Section 12: `exp` is required; `iat` and `nbf` count where they are there.
fn check_times(claims: &Map<String, Value>, now: UnixTime) -> Result<(), AttestationError> {
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => {
            let time = UnixTime::from_numeric_date(value);
            Ok(Some(time.ok_or(AttestationError::Time)?))
        }
    };
    let ends = time("exp")?.ok_or(AttestationError::Time)?;
    let mut current = now < ends.plus(CLOCK_SKEW_S);
    for name in ["iat", "nbf"] {
        current &= time(name)?.is_none_or(|start| start <= now.plus(CLOCK_SKEW_S));
    }
    if current {
        Ok(())
    } else {
        Err(AttestationError::Time)
    }
}

fn addresses(claims: &Map<String, Value>) -> Result<Option<Vec<String>>, AttestationError> {
    let Some(listed) = claims.get("redirect_uris") else {
        return Ok(None);
    };
    let text = |entry: &Value| entry.as_str().map(str::to_owned);
    let listed = listed.as_array().filter(|list| list.len() <= MAX_ADDRESSES);
    let listed: Option<Vec<String>> = listed.and_then(|list| list.iter().map(text).collect());
    listed.map(Some).ok_or(AttestationError::Address)
}
