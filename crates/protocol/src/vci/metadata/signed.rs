//! Signed metadata (section 12.2.3).

use serde_json::{Map, Value, json};
use vouchsafe_credentials::crypto::{CryptoProvider, PublicKey, Signer};
use vouchsafe_credentials::did;
use vouchsafe_credentials::jws::{self, Header, SignError, TokenType, Unverified};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::{Role, TrustAnchors, verify_chain};

use super::{CredentialIssuerMetadata, IssuerMetadata, MetadataError};
use crate::http::{HttpResponse, UrlRule};
use crate::vci::CredentialIssuerId;

/// Media type of signed metadata.
pub const MEDIA_TYPE: &str = "application/jwt";

/// Signs a document: its members as claims, with `sub`, `iat` and `exp`. The header names the key
/// and is of the type [`jws::TokenType::IssuerMetadata`].
///
/// # Errors
/// [`SignError`] where the key cannot sign.
pub async fn sign(
    document: &CredentialIssuerMetadata,
    header: &Header,
    signer: &dyn Signer,
    issued_at: UnixTime,
    expires_at: UnixTime,
) -> Result<String, SignError> {
    let mut claims: Map<String, Value> = match serde_json::to_value(document) {
        Ok(Value::Object(members)) => members,
        Ok(_) => Map::new(),
        Err(error) => return Err(SignError::Payload(error)),
    };
    claims.insert("sub".into(), json!(document.credential_issuer));
    claims.insert("iat".into(), json!(issued_at.seconds()));
    claims.insert("exp".into(), json!(expires_at.seconds()));
    jws::sign(header, &claims, signer).await
}

/// Clock difference accepted for a time of issuance in the future, in seconds.
const MAX_SKEW: i64 = 60;

/// Whose signature counts.
#[derive(Debug, Clone, Copy)]
pub enum SignedBy<'a> {
    /// A certificate of these authorities, of the role [`Role::Issuer`], in `x5c`.
    Authorities(&'a TrustAnchors),
    /// A key of this DID, `did:key` or `did:jwk`, in `kid`.
    Did(&'a str),
    /// Nobody's: signed metadata cannot be trusted.
    Nobody,
}

/// Reads the answer to the GET of an issuer's metadata, signed or plain. What is signed is
/// verified, or refused (section 12.2.3); `demanded` refuses what is not.
///
/// # Errors
/// [`MetadataError`].
pub fn from_response(
    response: &HttpResponse,
    issuer: &CredentialIssuerId,
    rule: UrlRule,
    demanded: bool,
    by: SignedBy<'_>,
    now: UnixTime,
    crypto: &dyn CryptoProvider,
) -> Result<IssuerMetadata, MetadataError> {
    if response.status == 200 && response.is_media_type(MEDIA_TYPE) {
        return verify(&response.body, issuer, rule, by, now, crypto);
    }
    if demanded && response.status == 200 {
        return Err(MetadataError::Unsigned);
    }
    IssuerMetadata::from_response(response, issuer, rule)
}

fn verify(
    body: &[u8],
    issuer: &CredentialIssuerId,
    rule: UrlRule,
    by: SignedBy<'_>,
    now: UnixTime,
    crypto: &dyn CryptoProvider,
) -> Result<IssuerMetadata, MetadataError> {
    let refused = MetadataError::Signature;
    let compact = std::str::from_utf8(body).map_err(|_| refused)?;
    // The type has neither `none` nor symmetric algorithms.
    let unverified = Unverified::parse(compact.trim_ascii(), TokenType::IssuerMetadata);
    let unverified = unverified.map_err(|_| refused)?;
    let key = key(&unverified, by, now, crypto).ok_or(refused)?;
    let verified = unverified.verify(crypto, &key).map_err(|_| refused)?;
    let claims = verified.into_inner().claims;
    // `sub` REQUIRED: the identifier of the issuer; `iat` REQUIRED, `exp` OPTIONAL.
    if claims.get("sub").and_then(Value::as_str) != Some(issuer.as_str()) {
        return Err(MetadataError::IssuerMismatch);
    }
    let issued_at = claims.get("iat").and_then(UnixTime::from_numeric_date);
    let early = issued_at.ok_or(refused)?.since(now) > MAX_SKEW;
    let over = match claims.get("exp") {
        None => false,
        Some(exp) => UnixTime::from_numeric_date(exp).ok_or(refused)? <= now,
    };
    if early || over {
        return Err(refused);
    }
    IssuerMetadata::read(Value::Object(claims), issuer, rule)
}

fn key(
    unverified: &Unverified<'_>,
    by: SignedBy<'_>,
    now: UnixTime,
    crypto: &dyn CryptoProvider,
) -> Option<PublicKey> {
    match by {
        SignedBy::Authorities(anchors) => {
            let chain = unverified.x5c()?;
            let leaf = verify_chain(chain, anchors, Role::Issuer, now, crypto).ok()?;
            Some(leaf.public_key().clone())
        }
        SignedBy::Did(did) => {
            let (key, method) = did::resolve_local(did).ok()?;
            (unverified.kid()? == method).then_some(key)
        }
        SignedBy::Nobody => None,
    }
}
