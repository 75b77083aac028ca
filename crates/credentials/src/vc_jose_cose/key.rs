//! Whose key signed an envelope.

use std::fmt;

use super::EnvelopeError;
use crate::crypto::PublicKey;
use crate::data_integrity::{ProofPurpose, method_key};
use crate::did::{Multikey, Resolver};
use crate::time::UnixTime;

/// Where the key of an envelope comes from.
#[derive(Clone, Copy)]
pub enum KeySource<'a> {
    /// `kid` is an absolute DID URL. The method must stand in the relationship
    /// (`assertionMethod`, `authentication`), and its controller must be the issuer or holder.
    Resolver(&'a dyn Resolver),
    /// The caller has the key from elsewhere and knows whose it is.
    Key {
        /// The key.
        key: &'a PublicKey,
        /// Whose it is; must be the issuer or holder that the document names.
        controller: &'a str,
    },
}

impl fmt::Debug for KeySource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolver(_) => f.write_str("Resolver"),
            Self::Key { key, controller } => f
                .debug_struct("Key")
                .field("key", key)
                .field("controller", controller)
                .finish(),
        }
    }
}

/// A key, who controls it, and its URL where it was resolved.
pub(super) struct SignerKey {
    pub(super) key: PublicKey,
    pub(super) controller: String,
    pub(super) method: Option<String>,
}

impl KeySource<'_> {
    pub(super) async fn find(
        self,
        kid: Option<&str>,
        purpose: ProofPurpose,
        now: UnixTime,
    ) -> Result<SignerKey, EnvelopeError> {
        let resolver = match self {
            Self::Key { key, controller } => {
                return Ok(SignerKey {
                    key: key.clone(),
                    controller: controller.to_owned(),
                    method: None,
                });
            }
            Self::Resolver(resolver) => resolver,
        };
        // VC-JOSE-COSE 1.0, section 4.2: an absolute URL of a verification method.
        let kid = kid.ok_or(EnvelopeError::KeyMissing)?;
        if !kid.starts_with("did:") {
            return Err(EnvelopeError::KeyMissing);
        }
        let (did, key) = method_key(kid, purpose, now, resolver)
            .await
            .map_err(EnvelopeError::Method)?;
        match key {
            Multikey::Signature(key) => Ok(SignerKey {
                key,
                controller: did.as_str().to_owned(),
                method: Some(kid.to_owned()),
            }),
            _ => Err(EnvelopeError::Key),
        }
    }
}
