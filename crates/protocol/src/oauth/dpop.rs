//! Demonstrating proof of possession, RFC 9449: built by a client, verified by a server.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use url::Url;
use vouchsafe_credentials::crypto::{CryptoProvider, PublicKey, Signer};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::jws::{self, Header, JwsError, SignError, TokenType, Unverified};
use vouchsafe_credentials::random::{Rng, token};
use vouchsafe_credentials::time::UnixTime;

use super::error::{ErrorCode, OAuthError};
use super::server_nonce::{DPOP_LIFETIME, ServerNonces};
use crate::http::{Headers, Method};

/// Oldest accepted proof in seconds (the limit of this project).
pub const MAX_AGE: i64 = 300;
/// Clock difference accepted for proofs from the future, in seconds.
pub const MAX_SKEW: i64 = 60;

/// What a proof is made for.
#[derive(Debug, Clone, Copy)]
pub struct ProofFor<'a> {
    /// Method of the request.
    pub method: Method,
    /// Target of the request; query and fragment are left out (section 4.2).
    pub url: &'a Url,
    /// Access token sent along, `None` at the token endpoint.
    pub access_token: Option<&'a str>,
    /// Nonce of the server's last `DPoP-Nonce`.
    pub nonce: Option<&'a str>,
}

/// Builds a proof (section 4.2).
///
/// # Errors
/// [`SignError`] where the key cannot sign.
pub async fn build(
    request: &ProofFor<'_>,
    signer: &dyn Signer,
    now: UnixTime,
    rng: &dyn Rng,
) -> Result<String, SignError> {
    let mut claims = Map::new();
    claims.insert("jti".into(), json!(token(rng)));
    claims.insert("htm".into(), json!(request.method.as_str()));
    claims.insert("htu".into(), json!(target(request.url)));
    claims.insert("iat".into(), json!(now.seconds()));
    if let Some(access_token) = request.access_token {
        claims.insert("ath".into(), json!(token_hash(access_token)));
    }
    if let Some(nonce) = request.nonce {
        claims.insert("nonce".into(), json!(nonce));
    }
    let header = Header::new(TokenType::Dpop).with_jwk(signer.public_key());
    jws::sign(&header, &claims, signer).await
}

/// What the server expects of a proof.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Method of the request.
    pub method: Method,
    /// Public URL of the endpoint, from configuration, never from the Host header.
    pub url: &'a Url,
    /// The access token presented with it (`ath`), `None` at the token endpoint.
    pub access_token: Option<&'a str>,
    /// Thumbprint the token or code is bound to (`cnf.jkt`, `dpop_jkt`).
    pub bound_to: Option<&'a str>,
    /// Nonces of which the proof must carry one, `None` where the server asks for none.
    pub nonce: Option<&'a ServerNonces>,
    /// Time now.
    pub now: UnixTime,
}

/// What a good proof says. The replay store decides whether `jti` is new: key it by
/// thumbprint and `jti`, keep it until `valid_until` (catalogue 250).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedProof {
    /// Identifier of the proof.
    pub jti: String,
    /// RFC 7638 thumbprint of the key: `cnf.jkt`.
    pub thumbprint: String,
    /// The key.
    pub key: PublicKey,
    /// After this time the proof is refused as too old.
    pub valid_until: UnixTime,
}

/// Why a proof was refused. Catalogue 251, 253.
#[derive(Debug, thiserror::Error)]
pub enum DpopError {
    /// No DPoP header.
    #[error("no DPoP proof")]
    Missing,
    /// Two DPoP headers (section 4.3, check 1).
    #[error("more than one DPoP proof")]
    Repeated,
    /// Not a signed `dpop+jwt`: shape, typ, alg, private key in the header, signature.
    #[error("the DPoP proof is not a valid dpop+jwt")]
    Jws(#[from] JwsError),
    /// No `jwk` in the header.
    #[error("the DPoP proof carries no key")]
    NoKey,
    /// A claim is missing or of the wrong type; names which.
    #[error("claim missing or malformed in the DPoP proof: {0}")]
    Claim(&'static str),
    /// `htm` differs.
    #[error("the DPoP proof was made for another method")]
    Method,
    /// `htu` differs.
    #[error("the DPoP proof was made for another URL")]
    Url,
    /// `ath` missing or of another token.
    #[error("the DPoP proof was made for another access token")]
    AccessToken,
    /// Older than [`MAX_AGE`] or more than [`MAX_SKEW`] ahead, or not within its own `nbf` and `exp`.
    #[error("the DPoP proof is too old or from the future")]
    Time,
    /// The key is not the one the token or code is bound to.
    #[error("the DPoP proof was made with another key")]
    Key,
    /// The nonce is missing or old: answer with a fresh one (section 8).
    #[error("the DPoP proof needs the server's nonce")]
    Nonce,
}

impl DpopError {
    /// Error at the token endpoint. At a resource a wrong key or token is `invalid_token`.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Nonce => ErrorCode::UseDpopNonce,
            Self::Missing
            | Self::Repeated
            | Self::Jws(_)
            | Self::NoKey
            | Self::Claim(_)
            | Self::Method
            | Self::Url
            | Self::AccessToken
            | Self::Time
            | Self::Key => ErrorCode::InvalidDpopProof,
        }
    }
}

impl From<&DpopError> for OAuthError {
    fn from(error: &DpopError) -> Self {
        error.code().into()
    }
}

/// The one proof of a request.
///
/// # Errors
/// [`DpopError::Repeated`]; `Ok(None)` where none was sent.
pub fn from_headers(headers: &Headers) -> Result<Option<&str>, DpopError> {
    headers.at_most_one("dpop").map_err(|_| DpopError::Repeated)
}

/// Verifies a proof (section 4.3). Replay is left to the caller: see [`VerifiedProof`].
///
/// # Errors
/// [`DpopError`] with the first check that failed.
pub fn verify(
    proof: &str,
    expected: &Expected<'_>,
    crypto: &dyn CryptoProvider,
) -> Result<VerifiedProof, DpopError> {
    let unverified = Unverified::parse(proof, TokenType::Dpop)?;
    let key = unverified.jwk().ok_or(DpopError::NoKey)?.clone();
    let payload = unverified.verify(crypto, &key)?.into_inner();
    let claims = Claims::read(&payload.claims)?;
    if claims.htm != expected.method.as_str() {
        return Err(DpopError::Method);
    }
    check_target(claims.htu, expected.url)?;
    check_token(claims.ath, expected.access_token)?;
    check_registered(&claims, expected.now)?;
    let valid_until = check_age(&claims, expected)?;
    let thumbprint = key.thumbprint();
    if expected.bound_to.is_some_and(|jkt| jkt != thumbprint) {
        return Err(DpopError::Key);
    }
    Ok(VerifiedProof {
        jti: claims.jti.to_owned(),
        thumbprint,
        key,
        valid_until,
    })
}

/// Section 4.3, checks 10 and 11: the time of a proof is that of its nonce where the server gives
/// nonces, so a wallet with a wrong clock can go on; otherwise it is `iat`. Returns when the
/// proof ends.
fn check_age(claims: &Claims<'_>, expected: &Expected<'_>) -> Result<UnixTime, DpopError> {
    if let Some(nonces) = expected.nonce {
        let nonce = claims.nonce.ok_or(DpopError::Nonce)?;
        let ends = nonces.check(nonce, expected.now, DPOP_LIFETIME);
        return ends.map_err(|_| DpopError::Nonce);
    }
    let age = expected.now.since(claims.iat);
    if !(-MAX_SKEW..=MAX_AGE).contains(&age) {
        return Err(DpopError::Time);
    }
    Ok(claims.iat.plus(MAX_AGE + 1))
}

/// RFC 7519, sections 4.1.4 and 4.1.5: RFC 9449 asks for neither; one that is there holds.
fn check_registered(claims: &Claims<'_>, now: UnixTime) -> Result<(), DpopError> {
    let ended = claims.exp.is_some_and(|end| now.since(end) >= MAX_SKEW);
    let early = (claims.nbf).is_some_and(|begin| begin.since(now) > MAX_SKEW);
    (!ended && !early).then_some(()).ok_or(DpopError::Time)
}

struct Claims<'a> {
    jti: &'a str,
    htm: &'a str,
    htu: &'a str,
    iat: UnixTime,
    exp: Option<UnixTime>,
    nbf: Option<UnixTime>,
    ath: Option<&'a str>,
    nonce: Option<&'a str>,
}

impl<'a> Claims<'a> {
    fn read(claims: &'a Map<String, Value>) -> Result<Self, DpopError> {
        let text = |name| {
            claims
                .get(name)
                .and_then(Value::as_str)
                .ok_or(DpopError::Claim(name))
        };
        // A claim of the wrong type is an error, never absent.
        let optional = |name| claims.contains_key(name).then(|| text(name)).transpose();
        let jti = text("jti")?;
        if jti.is_empty() || jti.len() > 256 {
            return Err(DpopError::Claim("jti"));
        }
        let iat = claims
            .get("iat")
            .and_then(UnixTime::from_numeric_date)
            .ok_or(DpopError::Claim("iat"))?;
        let time = |name| {
            let time = claims.get(name).map(UnixTime::from_numeric_date);
            time.map(|time| time.ok_or(DpopError::Claim(name)))
                .transpose()
        };
        Ok(Self {
            jti,
            htm: text("htm")?,
            htu: text("htu")?,
            iat,
            exp: time("exp")?,
            nbf: time("nbf")?,
            ath: optional("ath")?,
            nonce: optional("nonce")?,
        })
    }
}

/// Section 4.3, check 9: without query and fragment, after scheme and host normalisation.
fn check_target(htu: &str, expected: &Url) -> Result<(), DpopError> {
    let got = Url::parse(htu).map_err(|_| DpopError::Claim("htu"))?;
    if target(&got) == target(expected) {
        Ok(())
    } else {
        Err(DpopError::Url)
    }
}

fn target(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

fn check_token(ath: Option<&str>, access_token: Option<&str>) -> Result<(), DpopError> {
    match (ath, access_token) {
        (Some(ath), Some(token)) if ath == token_hash(token) => Ok(()),
        // At the token endpoint no token is presented; an `ath` there is not ours to judge.
        (_, None) => Ok(()),
        (_, Some(_)) => Err(DpopError::AccessToken),
    }
}

/// base64url(SHA-256(token)): the `ath` claim.
fn token_hash(access_token: &str) -> String {
    b64url(&Sha256::digest(access_token.as_bytes()))
}

#[cfg(test)]
#[path = "dpop_tests.rs"]
mod tests;
