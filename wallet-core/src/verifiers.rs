//! Verifiers that the wallet has dealt with: whom a card was shown to, and who may not ask again.
//!
//! That somebody was shown a card before spares no question: it is told to the person, no more.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use vouchsafe_credentials::time::UnixTime;
use zeroize::Zeroizing;

use crate::WalletError;
use crate::consent::VerifierIdentity;
use crate::error::CredentialError;
use crate::storage::{Collection, RecordId, RecordName, StorageError, Vault};
use crate::text::PlainText;

/// Names a verifier in this wallet, by what is proven of it. Known to nobody else.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VerifierId(String);

impl VerifierId {
    /// The name of the verifier that `key` stands for.
    pub(crate) fn of(key: &str) -> Self {
        let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        Self(RecordId::from_bytes(&digest).as_str().to_owned())
    }

    /// Parses a name as [`VerifierId::as_str`] wrote it.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        RecordId::parse(text).map_err(|_| CredentialError::UnknownVerifier)?;
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A verifier that the wallet has dealt with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownVerifier {
    /// Its name in this wallet.
    pub id: VerifierId,
    /// What it was called, as far as that was verified.
    pub name: PlainText,
    /// The host that the answer went to, or whose page asked.
    pub host: String,
    /// When a card was shown to it last.
    pub last_shown_at: Option<UnixTime>,
    /// Since when it may not ask.
    pub blocked_at: Option<UnixTime>,
}

impl KnownVerifier {
    pub(crate) fn new(verifier: &VerifierIdentity) -> Self {
        Self {
            id: verifier.id.clone(),
            name: verifier.name.clone(),
            host: verifier.host.clone(),
            last_shown_at: None,
            blocked_at: None,
        }
    }
}

/// The verifiers of a wallet.
#[derive(Clone)]
pub(crate) struct Verifiers {
    vault: Arc<Vault>,
}

impl Verifiers {
    pub(crate) fn new(vault: Arc<Vault>) -> Self {
        Self { vault }
    }

    /// The record of a verifier, where there is one.
    pub(crate) fn get(&self, id: &VerifierId) -> Result<Option<KnownVerifier>, WalletError> {
        self.read(self.name_of(id))
    }

    /// One record, by its name in the vault.
    pub(crate) fn read(&self, name: RecordName) -> Result<Option<KnownVerifier>, WalletError> {
        let Some(bytes) = self.vault.get(&name)? else {
            return Ok(None);
        };
        let record = serde_json::from_slice(&bytes);
        Ok(Some(record.map_err(|_| StorageError::Damaged(name))?))
    }

    /// All of them, the one that was shown a card last comes first.
    pub(crate) fn list(&self) -> Result<Vec<KnownVerifier>, WalletError> {
        let mut all = Vec::new();
        for id in self.vault.list(Collection::Verifiers)? {
            all.extend(self.read(RecordName::new(Collection::Verifiers, id))?);
        }
        all.sort_by_key(|verifier: &KnownVerifier| std::cmp::Reverse(verifier.last_shown_at));
        Ok(all)
    }

    pub(crate) fn encode(
        &self,
        verifier: &KnownVerifier,
    ) -> Result<(RecordName, Zeroizing<Vec<u8>>), StorageError> {
        let name = self.name_of(&verifier.id);
        let json = serde_json::to_vec(verifier).map_err(|_| StorageError::Damaged(name.clone()))?;
        Ok((name, Zeroizing::new(json)))
    }

    pub(crate) fn save(&self, verifier: &KnownVerifier) -> Result<(), StorageError> {
        let (name, bytes) = self.encode(verifier)?;
        self.vault.put(name, bytes)
    }

    /// Sets since when a known verifier may not ask; `None`: it may again.
    pub(crate) fn set_blocked(
        &self,
        id: &VerifierId,
        since: Option<UnixTime>,
    ) -> Result<(), WalletError> {
        let known = self.get(id)?.ok_or(CredentialError::UnknownVerifier)?;
        Ok(self.save(&KnownVerifier {
            blocked_at: since,
            ..known
        })?)
    }

    /// Without the key of the wallet the name of a record does not tell whom it is about.
    pub(crate) fn name_of(&self, id: &VerifierId) -> RecordName {
        let record = self.vault.name_for(&["verifier", id.as_str()]);
        RecordName::new(Collection::Verifiers, record)
    }
}
