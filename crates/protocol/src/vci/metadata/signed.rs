//! Signed metadata (section 12.2.3).

use serde_json::{Map, Value, json};
use vouchsafe_credentials::crypto::Signer;
use vouchsafe_credentials::jws::{self, Header, SignError};
use vouchsafe_credentials::time::UnixTime;

use super::CredentialIssuerMetadata;

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
