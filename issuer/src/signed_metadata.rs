//! Signed metadata (OpenID4VCI 1.0, section 12.2.3), kept for a while: anybody may ask for them,
//! and a key may be slow.

use std::sync::{Mutex, PoisonError};

use vouchsafe_credentials::jws::{Header, SignError, TokenType};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::vci::metadata::signed;

use crate::core::Core;
use crate::metadata;
use crate::signing::{KeyName, NoKey};

/// How long a signature is handed out, in seconds: as long as caches keep the document.
const KEPT_S: i64 = 300;
/// How long it is good, in seconds.
const LIFETIME_S: i64 = 86_400;

/// The last signature.
#[derive(Debug, Default)]
pub struct LastSigned(Mutex<Option<Kept>>);

#[derive(Debug, Clone)]
struct Kept {
    document: String,
    signed_at: UnixTime,
    token: String,
}

impl LastSigned {
    fn get(&self, document: &str, now: UnixTime) -> Option<String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.as_ref()?;
        let fresh = (0..KEPT_S).contains(&now.since(kept.signed_at));
        (fresh && kept.document == document).then(|| kept.token.clone())
    }

    fn put(&self, kept: Kept) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
    }
}

/// Why there are no signed metadata.
#[derive(Debug, thiserror::Error)]
pub enum SignedMetadataError {
    /// Every key is retired, or not in use yet.
    #[error(transparent)]
    NoKey(#[from] NoKey),
    /// The key failed.
    #[error("the metadata could not be signed")]
    Sign(#[from] SignError),
}

/// The signed metadata, in all languages.
pub async fn token(core: &Core) -> Result<String, SignedMetadataError> {
    let now = core.clock.now();
    let document = metadata::issuer(core);
    let text = serde_json::to_string(&document).map_err(SignError::Payload)?;
    if let Some(token) = core.signed_metadata.get(&text, now) {
        return Ok(token);
    }
    let key = core.signing.metadata.at(now)?;
    let header = Header::new(TokenType::IssuerMetadata);
    let header = match &key.name {
        KeyName::X5c(chain) => header.with_x5c(chain),
        KeyName::Did(url) => header.with_kid(url),
    };
    let expires_at = now.plus(LIFETIME_S);
    let token = signed::sign(&document, &header, &*key.signer, now, expires_at).await?;
    core.signed_metadata.put(Kept {
        document: text,
        signed_at: now,
        token: token.clone(),
    });
    Ok(token)
}
