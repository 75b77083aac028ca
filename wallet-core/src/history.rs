//! What happened, for the person: who, when, which kinds of facts, with what
//! result. Never the value of a claim (EUDI ARF, topic 19).

mod requests;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use url::Url;
use vouchsafe_credentials::time::UnixTime;
use zeroize::Zeroizing;

use crate::WalletError;
use crate::error::CredentialError;
use crate::storage::{Collection, RecordId, RecordName, StorageError, Vault, VaultBatch};
use crate::text::PlainText;

pub use requests::{PersonRequest, RequestKind, Way};

/// Names an entry; entries sort by it in the order of time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HistoryId(String);

impl HistoryId {
    /// Parses a name as [`HistoryId::as_str`] wrote it.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        RecordId::parse(text).map_err(|_| CredentialError::UnknownEntry)?;
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl HistoryId {
    /// When it happened, to the second; `None`: no wallet gave this name.
    fn at(&self) -> Option<UnixTime> {
        let (seconds, _) = self.0.split_once('-')?;
        i64::from_str_radix(seconds, 16).ok().map(UnixTime)
    }
}

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A card was added.
    Issued,
    /// A card was shown.
    Presented,
    /// A card was deleted.
    Deleted,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "result")]
pub enum Outcome {
    /// It was under way when the wallet last heard of it: it may have arrived.
    Unknown,
    /// It worked.
    Completed,
    /// The person said no.
    Declined,
    /// It failed.
    Failed {
        /// Stable code of the error.
        code: String,
    },
}

/// Who was on the other side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// The verified name, where there was one.
    pub name: Option<PlainText>,
    /// The host that was talked to, with its port where that is unusual.
    pub host: String,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// Its name.
    pub id: HistoryId,
    /// When it happened.
    pub at: UnixTime,
    /// What happened.
    pub kind: EventKind,
    /// Who was on the other side.
    pub party: Party,
    /// Why they asked, in their words.
    pub purpose: Option<PlainText>,
    /// Names of the cards.
    pub cards: Vec<PlainText>,
    /// Names of the facts that left, never their values.
    pub facts: Vec<PlainText>,
    /// How it ended.
    pub outcome: Outcome,
    /// Where the consent can be withdrawn.
    pub consent_uri: Option<Url>,
    /// When it was withdrawn.
    pub withdrawn_at: Option<UnixTime>,
}

impl HistoryEntry {
    /// Whether a consent is still in force that can be withdrawn.
    #[must_use]
    pub fn can_withdraw(&self) -> bool {
        self.consent_uri.is_some() && self.withdrawn_at.is_none()
    }
}

/// Everything that happened, to be kept elsewhere or given to somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryExport {
    /// `vouchsafe-wallet-history`
    pub format: &'static str,
    /// Rises with every change that a reader must know.
    pub version: u32,
    /// When it was made.
    pub exported_at: UnixTime,
    /// The party that was looked for, where not all are in it.
    pub party: Option<String>,
    /// The entries, the latest first.
    pub entries: Vec<HistoryEntry>,
    /// How many entries are missing because they cannot be read; whose they are, nobody knows.
    pub unreadable: usize,
}

impl HistoryExport {
    pub(crate) fn new(
        at: UnixTime,
        party: Option<&str>,
        entries: Vec<HistoryEntry>,
        unreadable: usize,
    ) -> Self {
        Self {
            format: "vouchsafe-wallet-history",
            version: 1,
            exported_at: at,
            party: party.map(str::to_owned),
            entries,
            unreadable,
        }
    }
}

impl Party {
    /// Whether a person who types `text` means this party: its host, or a part of its name.
    #[must_use]
    pub fn is_meant_by(&self, text: &str) -> bool {
        let text = text.trim().to_lowercase();
        let host = self.host.to_lowercase();
        let below = host
            .strip_suffix(&text)
            .is_some_and(|rest| rest.ends_with('.'));
        let named = |name: &PlainText| name.as_str().to_lowercase().contains(&text);
        !text.is_empty() && (host == text || below || self.name.as_ref().is_some_and(named))
    }
}

/// Noes are looked up this long after they were said.
const NOES_LAST_S: i64 = 3600;
/// So many noes are looked up at most: a person says no more often in no hour.
const MOST_NOES: usize = 256;

/// A request that the person declined lately.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct No {
    party: Party,
    at: UnixTime,
}

/// The entries of a wallet.
#[derive(Clone)]
pub(crate) struct History {
    vault: Arc<Vault>,
    // Keeps the order of entries of the same second.
    sequence: Arc<AtomicU32>,
    // Held while the list of noes is read, changed and written.
    noes: Arc<Mutex<()>>,
}

impl History {
    pub(crate) fn new(vault: Arc<Vault>) -> Self {
        Self {
            vault,
            sequence: Arc::default(),
            noes: Arc::default(),
        }
    }

    pub(crate) fn new_id(&self, at: UnixTime) -> HistoryId {
        let seconds = u64::try_from(at.seconds()).unwrap_or(0);
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        // 16 digits of time, 8 of order and 32 of chance stay below the 64 an id may have.
        HistoryId(format!(
            "{seconds:016x}-{sequence:08x}-{}",
            self.vault.new_id()
        ))
    }

    pub(crate) fn record(
        entry: &HistoryEntry,
    ) -> Result<(RecordName, Zeroizing<Vec<u8>>), StorageError> {
        let name = name_of(&entry.id)?;
        let json = serde_json::to_vec(entry).map_err(|_| StorageError::Damaged(name.clone()))?;
        Ok((name, Zeroizing::new(json)))
    }

    pub(crate) fn save(&self, entry: &HistoryEntry) -> Result<(), StorageError> {
        let (name, bytes) = Self::record(entry)?;
        let batch = VaultBatch::new().put(name, bytes);
        if entry.kind != EventKind::Presented || entry.outcome != Outcome::Declined {
            return self.vault.commit(batch);
        }
        let _noes = self.noes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut noes = self.noes()?;
        noes.retain(|no| entry.at.since(no.at) <= NOES_LAST_S);
        noes.push(No {
            party: entry.party.clone(),
            at: entry.at,
        });
        let excess = noes.len().saturating_sub(MOST_NOES);
        noes.drain(..excess);
        let name = Self::declined_name();
        let json = serde_json::to_vec(&noes).map_err(|_| StorageError::Damaged(name.clone()))?;
        self.vault.commit(batch.put(name, Zeroizing::new(json)))
    }

    /// How often the person said no to this party from a moment on, as far as the last hour.
    pub(crate) fn declined_since(
        &self,
        party: &Party,
        start: UnixTime,
    ) -> Result<usize, StorageError> {
        let noes = self.noes()?;
        let of_party = noes
            .iter()
            .filter(|no| no.at >= start && no.party == *party);
        Ok(of_party.count())
    }

    /// The record with the noes of late: looking for them in the whole history would take longer
    /// with every entry.
    pub(crate) fn declined_name() -> RecordName {
        let id = RecordId::parse("declined").unwrap_or_else(|_| RecordId::from_bytes(&[1]));
        RecordName::new(Collection::Index, id)
    }

    fn noes(&self) -> Result<Vec<No>, StorageError> {
        match self.vault.get(&Self::declined_name()) {
            // A list that does not read is begun anew with the next no.
            Ok(None) | Err(StorageError::Damaged(_)) => Ok(Vec::new()),
            Ok(Some(bytes)) => Ok(serde_json::from_slice(&bytes).unwrap_or_default()),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn get(&self, id: &HistoryId) -> Result<HistoryEntry, WalletError> {
        let name = name_of(id)?;
        let bytes = self
            .vault
            .get(&name)?
            .ok_or(CredentialError::UnknownEntry)?;
        Ok(serde_json::from_slice(&bytes).map_err(|_| StorageError::Damaged(name))?)
    }

    /// All entries that can be read, the latest first, and the names of the others: one must not keep
    /// the rest away.
    pub(crate) fn list(&self) -> Result<(Vec<HistoryEntry>, Vec<HistoryId>), WalletError> {
        let (mut entries, mut unreadable) = (Vec::new(), Vec::new());
        for id in self.vault.list(Collection::History)?.iter().rev() {
            let id = HistoryId(id.as_str().to_owned());
            match self.get(&id) {
                Ok(entry) => entries.push(entry),
                Err(error) if is_unreadable(&error) => unreadable.push(id),
                // It was deleted meanwhile.
                Err(WalletError::Credential(CredentialError::UnknownEntry)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok((entries, unreadable))
    }

    /// Whether a verifier was answered from a moment on until now, also with a no or an error. Reads
    /// the entries of that time alone.
    pub(crate) fn answered_since(
        &self,
        start: UnixTime,
        now: UnixTime,
    ) -> Result<bool, WalletError> {
        let ids = self.vault.list(Collection::History)?;
        let ids = ids.iter().rev().map(|id| HistoryId(id.as_str().to_owned()));
        let latest = ids.take_while(|id| id.at().is_some_and(|at| at >= start));
        // Of a clock that was wrong: they would be the latest for long.
        for id in latest.filter(|id| id.at().is_some_and(|at| at <= now)) {
            match self.get(&id) {
                Ok(entry) if entry.kind == EventKind::Presented => return Ok(true),
                Ok(_) | Err(WalletError::Credential(CredentialError::UnknownEntry)) => {}
                Err(error) if is_unreadable(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Deletes an entry that cannot be read. What can be read stays: it is the person's record of what
    /// happened.
    pub(crate) fn delete_unreadable(&self, id: &HistoryId) -> Result<(), WalletError> {
        match self.get(id) {
            Err(error) if is_unreadable(&error) => Ok(self.vault.delete(name_of(id)?)?),
            Err(error) => Err(error),
            Ok(_) => Err(CredentialError::EntryReadable.into()),
        }
    }
}

/// Whether an entry is damaged, or of a format that this version does not know; not so where the store
/// itself fails.
pub(crate) fn is_unreadable(error: &WalletError) -> bool {
    match error {
        WalletError::Storage(StorageError::Damaged(name)) => name.collection == Collection::History,
        WalletError::Storage(StorageError::UnknownFormat) => true,
        _ => false,
    }
}

fn name_of(id: &HistoryId) -> Result<RecordName, StorageError> {
    Ok(RecordName::new(
        Collection::History,
        RecordId::parse(&id.0)?,
    ))
}
