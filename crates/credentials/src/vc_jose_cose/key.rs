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
    /// The caller has the key from elsewhere and knows whose it is. That the document
    /// names the same issuer or holder is the caller's to compare.
    Key(&'a PublicKey),
}

impl fmt::Debug for KeySource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolver(_) => f.write_str("Resolver"),
            Self::Key(key) => f.debug_tuple("Key").field(key).finish(),
        }
    }
}

/// A key and, where it was resolved, who controls it.
pub(super) struct SignerKey {
    pub(super) key: PublicKey,
    pub(super) controller: Option<String>,
}

impl KeySource<'_> {
    pub(super) async fn find(
        self,
        kid: Option<&str>,
        purpose: ProofPurpose,
        now: UnixTime,
    ) -> Result<SignerKey, EnvelopeError> {
        let resolver = match self {
            Self::Key(key) => {
                return Ok(SignerKey {
                    key: key.clone(),
                    controller: None,
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
                controller: Some(did.as_str().to_owned()),
            }),
            _ => Err(EnvelopeError::Key),
        }
    }
}
