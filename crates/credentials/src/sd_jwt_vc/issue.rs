//! Issuing.

use serde_json::{Map, Value, json};
use thiserror::Error;

use super::claims::NEVER_HIDDEN;
use crate::crypto::{PublicKey, Signer};
use crate::jws::{self, Header, SignError, TokenType};
use crate::random::Rng;
use crate::sd_jwt::{Frame, HashAlg, SdJwtError, conceal};
use crate::status_list::StatusRef;
use crate::time::UnixTime;
use crate::x509::Chain;

/// How the credential names its issuer's key.
#[derive(Debug, Clone, Copy)]
pub enum IssuerKey<'a> {
    /// A certificate chain in `x5c`, without the anchor.
    X5c(&'a Chain),
    /// The absolute DID URL of the key in `kid`.
    Did(&'a str),
}

impl IssuerKey<'_> {
    pub(crate) fn header(self, token_type: TokenType) -> Header {
        let header = Header::new(token_type);
        match self {
            Self::X5c(chain) => header.with_x5c(chain),
            Self::Did(url) => header.with_kid(url),
        }
    }
}

/// What a credential says.
#[derive(Debug, Clone)]
pub struct IssueInput<'a> {
    /// `vct`
    pub vct: &'a str,
    /// `iss`
    pub issuer: Option<&'a str>,
    /// How the issuer's key is named.
    pub key: IssuerKey<'a>,
    /// `iat`
    pub issued_at: Option<UnixTime>,
    /// `nbf`
    pub not_before: Option<UnixTime>,
    /// `exp`
    pub expires_at: Option<UnixTime>,
    /// `cnf.jwk`
    pub holder_key: Option<&'a PublicKey>,
    /// `status.status_list`
    pub status: Option<&'a StatusRef>,
    /// All other claims.
    pub claims: Map<String, Value>,
    /// Which of them are hidden.
    pub frame: &'a Frame,
    /// Hash of the Disclosures.
    pub hash: HashAlg,
}

/// Why a credential was not issued.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The claims hold a registered claim that has its own field.
    #[error("the claim `{0}` may not be set here")]
    RegisteredClaim(&'static str),
    /// The claims and the frame do not fit the format.
    #[error("the claims cannot be hidden as wanted")]
    Conceal(#[from] SdJwtError),
    /// The signature could not be made.
    #[error("the credential could not be signed")]
    Sign(#[from] SignError),
}

impl IssueError {
    /// A stable code for logs and interfaces.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::RegisteredClaim(_) => "claim_registered",
            Self::Conceal(error) => error.code(),
            Self::Sign(_) => "signing_failed",
        }
    }
}

/// Issues a credential in the compact serialization.
///
/// # Errors
/// See [`IssueError`].
pub async fn issue(
    input: IssueInput<'_>,
    signer: &dyn Signer,
    rng: &dyn Rng,
) -> Result<String, IssueError> {
    issue_with(input, None, signer, rng).await
}

/// Issues a credential whose type has published metadata with the hash `vct_integrity`
/// (SD-JWT VC, "Document Integrity").
///
/// # Errors
/// See [`IssueError`].
pub async fn issue_with_type(
    input: IssueInput<'_>,
    vct_integrity: &str,
    signer: &dyn Signer,
    rng: &dyn Rng,
) -> Result<String, IssueError> {
    issue_with(input, Some(vct_integrity), signer, rng).await
}

async fn issue_with(
    input: IssueInput<'_>,
    vct_integrity: Option<&str>,
    signer: &dyn Signer,
    rng: &dyn Rng,
) -> Result<String, IssueError> {
    let IssueInput {
        vct,
        issuer,
        key,
        issued_at,
        not_before,
        expires_at,
        holder_key,
        status,
        claims,
        frame,
        hash,
    } = input;
    for name in NEVER_HIDDEN.into_iter().chain(["iat"]) {
        if claims.contains_key(name) {
            return Err(IssueError::RegisteredClaim(name));
        }
    }
    // The registered claims are added to what is left in the clear, so no
    // frame can hide one (SD-JWT VC, "Registered JWT Claims").
    let concealed = conceal(claims, frame, hash, rng)?;
    let mut payload = concealed.payload;
    payload.insert("vct".to_owned(), vct.into());
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            payload.insert(name.to_owned(), value);
        }
    };
    set("vct#integrity", vct_integrity.map(Value::from));
    set("iss", issuer.map(Value::from));
    set("iat", issued_at.map(|time| time.seconds().into()));
    set("nbf", not_before.map(|time| time.seconds().into()));
    set("exp", expires_at.map(|time| time.seconds().into()));
    set("cnf", holder_key.map(|key| json!({"jwk": key.to_jwk()})));
    set("status", status.map(StatusRef::to_claim));

    let jwt = jws::sign(&key.header(TokenType::SdJwtVc), &payload, signer).await?;
    Ok(join(jwt, &concealed.disclosures))
}

/// `<JWT>~<Disclosure>~…~` (RFC 9901, section 4).
fn join(jwt: String, disclosures: &[String]) -> String {
    let lengths = disclosures.iter().map(|d| d.len().saturating_add(1));
    let length = lengths.fold(1, usize::saturating_add);
    let mut compact = jwt;
    compact.reserve_exact(length);
    compact.push('~');
    for disclosure in disclosures {
        compact.push_str(disclosure);
        compact.push('~');
    }
    compact
}
