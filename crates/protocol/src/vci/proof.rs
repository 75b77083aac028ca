//! The `jwt` key proof (appendix F.1): made by a wallet, verified by an issuer.

use serde_json::{Map, Value, json};
use vouchsafe_credentials::crypto::{Algorithm, CryptoProvider, PublicKey, Signer};
use vouchsafe_credentials::did::{self, DidError};
use vouchsafe_credentials::jws::{
    self, Header, JwsError, MAX_HEADER, SignError, TokenType, Unverified,
};
use vouchsafe_credentials::time::UnixTime;

use super::di_vp::DiVpError;
use super::error::{CredentialError, CredentialErrorCode};
use super::key_attestation::{KeyAttestationError, VerifiedAttestation};
use super::nonce::{CheckedNonce, NonceKeys};

/// Ways to name the key that [`verify`] accepts: values for
/// `cryptographic_binding_methods_supported`.
pub const BINDING_METHODS: [&str; 3] = ["jwk", "did:key", "did:jwk"];
/// Oldest accepted proof in seconds (the limit of this project).
pub const MAX_AGE: i64 = 300;
/// Clock difference accepted for proofs from the future, in seconds.
pub const MAX_SKEW: i64 = 60;

/// What a proof is made for.
#[derive(Debug, Clone, Copy)]
pub struct ProofFor<'a> {
    /// The credential issuer identifier (`aud`).
    pub issuer: &'a str,
    /// `client_id`; `None` after anonymous access (appendix F.1: `iss` MUST be omitted).
    pub client_id: Option<&'a str>,
    /// Nonce of the nonce endpoint, where the issuer has one.
    pub nonce: Option<&'a str>,
}

/// Builds a proof with the public key as `jwk` in the header.
///
/// # Errors
/// [`SignError`] where the key cannot sign.
pub async fn build(
    request: &ProofFor<'_>,
    signer: &dyn Signer,
    now: UnixTime,
) -> Result<String, SignError> {
    let header = Header::new(TokenType::VciProof).with_jwk(signer.public_key());
    sign(request, &header, signer, now).await
}

/// As [`build`], with an attestation of the key in the header (appendix D.1).
///
/// # Errors
/// [`SignError`] where the key cannot sign.
pub async fn build_attested(
    request: &ProofFor<'_>,
    attestation: &str,
    signer: &dyn Signer,
    now: UnixTime,
) -> Result<String, SignError> {
    let header = Header::new(TokenType::VciProof).with_jwk(signer.public_key());
    sign(
        request,
        &header.with("key_attestation", attestation),
        signer,
        now,
    )
    .await
}

async fn sign(
    request: &ProofFor<'_>,
    header: &Header,
    signer: &dyn Signer,
    now: UnixTime,
) -> Result<String, SignError> {
    let ProofFor {
        issuer,
        client_id,
        nonce,
    } = *request;
    let mut claims = Map::new();
    if let Some(client_id) = client_id {
        claims.insert("iss".into(), json!(client_id));
    }
    claims.insert("aud".into(), json!(issuer));
    claims.insert("iat".into(), json!(now.seconds()));
    if let Some(nonce) = nonce {
        claims.insert("nonce".into(), json!(nonce));
    }
    jws::sign(header, &claims, signer).await
}

/// What the issuer expects of every proof of a request.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Its own identifier.
    pub issuer: &'a str,
    /// `client_id` the access token was issued to, `None` after anonymous access.
    pub client_id: Option<&'a str>,
    /// Algorithms of `proof_signing_alg_values_supported`.
    pub algorithms: &'a [Algorithm],
    /// Keys of the nonce endpoint.
    pub nonces: &'a NonceKeys,
    /// Time now.
    pub now: UnixTime,
}

/// What a good proof says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedProof {
    /// The key the credential is bound to (`cnf`).
    pub key: PublicKey,
    /// The nonce: ours and alive. All proofs of a request share it; consume it once when
    /// the request is accepted.
    pub nonce: CheckedNonce,
}

/// Why a proof was refused.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// Not a signed `openid4vci-proof+jwt`: shape, typ, alg, private key, signature.
    #[error("the proof is not a valid openid4vci-proof+jwt")]
    Jws(#[from] JwsError),
    /// None of `jwk`, `kid`, `x5c`.
    #[error("the proof names no key")]
    NoKey,
    /// Two of `jwk`, `kid`, `x5c` (catalogue 262).
    #[error("the proof names more than one key")]
    TwoKeys,
    /// `x5c`, or a `kid` that is not a did:key or did:jwk URL.
    #[error("the proof names its key in a way that is not supported")]
    KeyReference,
    /// The DID or its fragment is malformed.
    #[error("the proof names a malformed DID")]
    Did(#[from] DidError),
    /// An algorithm that is not in `proof_signing_alg_values_supported` (catalogue 263).
    #[error("the algorithm of the proof is not supported")]
    Algorithm,
    /// A header member this issuer does not support (`trust_chain`, `key_attestation` where none
    /// is asked for).
    #[error("the proof carries a header member that is not supported")]
    HeaderMember,
    /// A proof type that the configuration does not list.
    #[error("the proof type is not supported")]
    Type,
    /// A key attestation is required (`key_attestations_required`) and there is none.
    #[error("the proof has no key attestation")]
    AttestationMissing,
    /// The key attestation is not acceptable (catalogue 272).
    #[error("the key attestation is not acceptable")]
    Attestation(#[from] KeyAttestationError),
    /// The key of the proof is not among the attested ones (catalogue 272).
    #[error("the key of the proof is not attested")]
    NotAttested,
    /// The presentation of a `di_vp` proof is not acceptable.
    #[error("the presentation is not acceptable")]
    DiVp(#[from] DiVpError),
    /// `iss` in an anonymous flow, or not the client (catalogue 266).
    #[error("the proof has the wrong issuer")]
    Issuer,
    /// `aud` missing, an array, or of another issuer (catalogue 260).
    #[error("the proof was made for another issuer")]
    Audience,
    /// `iat` missing, of the wrong type, too old, or in the future (catalogue 265).
    #[error("the proof is too old or from the future")]
    Time,
    /// `nonce` missing or not a string.
    #[error("the proof has no nonce")]
    NonceMissing,
    /// The nonce is not one of ours that still lives (catalogue 259, 281).
    #[error("the nonce of the proof is not valid")]
    Nonce,
    /// Proofs of one request must share their nonce (catalogue 268).
    #[error("the proofs of the request carry different nonces")]
    NoncesDiffer,
    /// The same key twice in one request (catalogue 268).
    #[error("two proofs of the request name the same key")]
    KeyTwice,
    /// More proofs than `batch_size` (catalogue 268).
    #[error("too many proofs")]
    TooMany,
}

impl ProofError {
    /// Code of section 8.3.1.2.
    #[must_use]
    pub fn code(&self) -> CredentialErrorCode {
        match self {
            Self::Nonce => CredentialErrorCode::InvalidNonce,
            Self::Attestation(error) => error.code(),
            Self::DiVp(error) => error.code(),
            Self::Jws(_)
            | Self::Type
            | Self::AttestationMissing
            | Self::NotAttested
            | Self::NoKey
            | Self::TwoKeys
            | Self::KeyReference
            | Self::Did(_)
            | Self::Algorithm
            | Self::HeaderMember
            | Self::Issuer
            | Self::Audience
            | Self::Time
            | Self::NonceMissing
            | Self::NoncesDiffer
            | Self::KeyTwice
            | Self::TooMany => CredentialErrorCode::InvalidProof,
        }
    }
}

impl ProofError {
    /// What the developer of a wallet is told (section 8.3.1.2, `error_description`). Which check of an
    /// attestation failed stands in the log of the issuer.
    #[must_use]
    pub fn description(&self) -> &'static str {
        match self {
            Self::Jws(_) => "the proof is no valid JWT of type openid4vci-proof+jwt",
            Self::NoKey => "the proof names no key: jwk or kid",
            Self::TwoKeys => "the proof names more than one key",
            Self::KeyReference => {
                "the key of the proof must be a jwk, or a did:key or did:jwk in kid"
            }
            Self::Did(_) => "the DID in kid is malformed",
            Self::Algorithm => {
                "the algorithm of the proof is not in proof_signing_alg_values_supported"
            }
            Self::HeaderMember => "the proof has a header member that is not supported here",
            Self::Type => "the proof type is not in proof_types_supported",
            Self::AttestationMissing => "a key attestation is required",
            Self::Attestation(_) => "the key attestation is not acceptable",
            Self::NotAttested => "the key of the proof is not among the attested keys",
            Self::DiVp(_) => "the presentation of the proof is not acceptable",
            Self::Issuer => {
                "iss of the proof must be the client_id, and absent where the client is anonymous"
            }
            Self::Audience => {
                "aud of the proof must be the credential issuer identifier, as a string"
            }
            Self::Time => {
                "iat of the proof is missing, too old or in the future, or its exp or nbf forbids it"
            }
            Self::NonceMissing => "the proof has no nonce: ask the nonce endpoint",
            Self::Nonce => "the nonce is not valid any more: ask the nonce endpoint",
            Self::NoncesDiffer => "the proofs of one request must carry the same nonce",
            Self::KeyTwice => "two proofs of the request name the same key",
            Self::TooMany => "more proofs than batch_size allows",
        }
    }
}

impl From<&ProofError> for CredentialError {
    fn from(error: &ProofError) -> Self {
        Self::new(error.code(), error.description())
    }
}

/// Verifies one proof without a key attestation (appendix F.4). That the nonce is used once is the
/// caller's part; [`super::proofs::verify`] verifies all proofs of a request.
///
/// # Errors
/// [`ProofError`] with the first check that failed.
pub fn verify(
    jwt: &str,
    expected: &Expected<'_>,
    crypto: &dyn CryptoProvider,
) -> Result<VerifiedProof, ProofError> {
    let proof = read(jwt)?;
    // Accepting an attestation without checking it would claim a check we do not make.
    if proof.key_attestation().is_some() {
        return Err(ProofError::HeaderMember);
    }
    check(proof, None, expected, crypto)
}

/// Checks the shape of a proof.
pub(super) fn read(jwt: &str) -> Result<Unverified<'_>, ProofError> {
    let proof = Unverified::parse(jwt, TokenType::VciProof)?;
    // Catalogue 79: only a key attestation with the keys of a batch (appendix F.1) takes more room.
    let longest = MAX_HEADER.saturating_mul(4).div_ceil(3);
    let header = jwt.split('.').next().unwrap_or_default();
    if proof.key_attestation().is_none() && header.len() > longest {
        return Err(JwsError::TooLarge.into());
    }
    Ok(proof)
}

/// Verifies a proof whose key attestation, if it has one, is verified already.
pub(super) fn check(
    proof: Unverified<'_>,
    attestation: Option<&VerifiedAttestation>,
    expected: &Expected<'_>,
    crypto: &dyn CryptoProvider,
) -> Result<VerifiedProof, ProofError> {
    let key = key_of(&proof, attestation)?;
    // Appendix D.1: signed by a key contained in the attestation.
    if attestation.is_some_and(|attestation| !attestation.attests(&key)) {
        return Err(ProofError::NotAttested);
    }
    if !expected.algorithms.contains(&key.algorithm()) {
        return Err(ProofError::Algorithm);
    }
    let payload = proof.verify(crypto, &key)?.into_inner();
    if payload.header.contains_key("trust_chain") {
        return Err(ProofError::HeaderMember);
    }
    check_claims(&payload.claims, expected)?;
    let nonce = match payload.claims.get("nonce") {
        Some(Value::String(nonce)) => nonce,
        _ => return Err(ProofError::NonceMissing),
    };
    let nonce = expected
        .nonces
        .verify(nonce, expected.now)
        .map_err(|_| ProofError::Nonce)?;
    Ok(VerifiedProof { key, nonce })
}

fn key_of(
    proof: &Unverified<'_>,
    attestation: Option<&VerifiedAttestation>,
) -> Result<PublicKey, ProofError> {
    // Appendix F.1: kid MUST NOT be present if jwk or x5c is, and so on.
    match (proof.jwk(), proof.kid(), proof.x5c(), attestation) {
        (Some(key), None, None, _) => Ok(key.clone()),
        // With an attestation the key may be named by its place there.
        (None, kid, None, Some(attestation)) if kid.is_none_or(|k| !k.starts_with("did:")) => {
            let key = attestation.key_of_proof(kid);
            key.cloned().ok_or(ProofError::KeyReference)
        }
        (None, Some(kid), None, _) => key_of_did(kid),
        (None, None, Some(_), _) => Err(ProofError::KeyReference),
        (None, None, None, _) => Err(ProofError::NoKey),
        _ => Err(ProofError::TwoKeys),
    }
}

/// `kid` is a DID URL that names a key of the DID document.
fn key_of_did(kid: &str) -> Result<PublicKey, ProofError> {
    let (did, _) = kid.split_once('#').ok_or(ProofError::KeyReference)?;
    if !(did.starts_with("did:key:") || did.starts_with("did:jwk:")) {
        return Err(ProofError::KeyReference);
    }
    let (key, method) = did::resolve_local(did)?;
    if method == kid {
        Ok(key)
    } else {
        Err(ProofError::KeyReference)
    }
}

fn check_claims(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), ProofError> {
    match (claims.get("iss"), expected.client_id) {
        (None, _) => {}
        (Some(Value::String(iss)), Some(client_id)) if iss == client_id => {}
        (Some(_), _) => return Err(ProofError::Issuer),
    }
    // A string, never an array.
    if claims.get("aud").and_then(Value::as_str) != Some(expected.issuer) {
        return Err(ProofError::Audience);
    }
    let iat = claims
        .get("iat")
        .and_then(UnixTime::from_numeric_date)
        .ok_or(ProofError::Time)?;
    let age = expected.now.since(iat);
    if !(-MAX_SKEW..=MAX_AGE).contains(&age) {
        return Err(ProofError::Time);
    }
    // RFC 7519, sections 4.1.4 and 4.1.5: appendix F.1 asks for neither; what is there counts.
    let ends = time(claims, "exp")?;
    let starts = time(claims, "nbf")?;
    let over = ends.is_some_and(|exp| expected.now.since(exp) >= MAX_SKEW);
    let early = starts.is_some_and(|nbf| expected.now.since(nbf) < -MAX_SKEW);
    if over || early {
        return Err(ProofError::Time);
    }
    Ok(())
}

/// A time that is there but is no number is an error, never "absent".
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<UnixTime>, ProofError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let time = UnixTime::from_numeric_date(value);
    Ok(Some(time.ok_or(ProofError::Time)?))
}

#[cfg(test)]
#[path = "proof_tests.rs"]
mod tests;
