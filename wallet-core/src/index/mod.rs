//! Which cards there may be for a question, without opening every card.
//!
//! Lists of cards by type and by issuer, in sealed pages, written in the commit that writes the
//! card. A list only says which cards to open: what a card says, whether it has ended and whom it
//! is from is read from the card. A missing or older index is made anew from the cards.
//!
//! Besides, the index remembers on disk whether there may be keys without a card (see
//! [`KeyWatch`](keys::KeyWatch)), so that opening a wallet looks through its keys only after it was
//! interrupted.

mod draft;
mod keys;
mod lists;
mod rebuild;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::vp::dcql::DcqlQuery;
use zeroize::Zeroizing;

use crate::WalletError;
use crate::backup::waiting;
use crate::credential::{CredentialId, CredentialStore, Record};
use crate::storage::{Collection, RecordId, RecordName, StorageError, Vault, VaultBatch};

use draft::Draft;
pub(crate) use keys::KeyWatch;
use keys::Keys;
pub(crate) use lists::{Entry, is_of};
use lists::{List, Listed};

/// The cards of a wallet by type and issuer.
pub(crate) struct Index {
    vault: Arc<Vault>,
    store: CredentialStore,
    // Held while pages are read, changed and committed.
    keys: Mutex<Keys>,
    // The lists are not whole: they are made anew before they are read.
    stale: AtomicBool,
    // Cards that could not be read when the lists were made.
    left_out: Mutex<Vec<CredentialId>>,
}

impl Index {
    /// The index of an open wallet, made anew where it is missing or of an older version.
    pub(crate) fn open(vault: Arc<Vault>, store: CredentialStore) -> Result<Self, WalletError> {
        let marked = match vault.get(&keys::marker()) {
            Err(StorageError::Damaged(_)) => true,
            read => read?.is_some(),
        };
        let left_out = rebuild::current(&vault)?;
        let current = left_out.is_some();
        let index = Self {
            vault,
            store,
            // A wallet of an older version has no marker whatever happened.
            keys: Mutex::new(Keys::found(marked, current)),
            stale: AtomicBool::new(!current),
            left_out: Mutex::new(left_out.unwrap_or_default()),
        };
        if !current {
            index.rebuild()?;
        }
        Ok(index)
    }

    /// Applies a batch together with what it changes in the index.
    pub(crate) fn commit(&self, batch: VaultBatch) -> Result<(), WalletError> {
        self.apply(batch, true)
    }

    /// As [`Index::commit`], with cards that come from no issuer.
    pub(crate) fn commit_restored(&self, batch: VaultBatch) -> Result<(), WalletError> {
        self.apply(batch, false)
    }

    fn apply(&self, batch: VaultBatch, issued: bool) -> Result<(), WalletError> {
        let mut keys = self.keys();
        let mut draft = Draft::new(&self.vault);
        let mut after = keys.clone();
        let (mut whole, mut arrived) = (true, Vec::new());
        for (name, plain) in batch.changes() {
            if name.collection != Collection::Credentials {
                continue;
            }
            match self.change(&mut draft, &mut after, name, plain.as_ref()) {
                Ok(card) => arrived.extend(card),
                Err(error) if is_repaired(&error, plain.is_none()) => whole = false,
                Err(error) => return Err(error),
            }
        }
        let batch = if whole {
            draft.write(batch)?
        } else {
            after.doubt();
            batch.delete(rebuild::head())
        };
        let batch = match issued {
            true => self.settle_waiting(batch, &arrived)?,
            false => batch,
        };
        self.vault.commit(after.write(batch, &keys))?;
        *keys = after;
        drop(keys);
        if !whole {
            self.stale.store(true, Ordering::Relaxed);
            // What was to be committed is. If this fails, it is tried again before the next look.
            let _ = self.rebuild();
        }
        Ok(())
    }

    /// The cards that may answer a query, the latest first: those of the types asked for.
    pub(crate) fn answering(&self, query: &DcqlQuery) -> Result<Vec<Entry>, WalletError> {
        let lists: Vec<List> = query.credentials().iter().flat_map(lists::asked).collect();
        self.on(&lists)
    }

    /// The cards of a type, by `vct` or document type, or of one that stands for it.
    pub(crate) fn of_type(&self, name: &str) -> Result<Vec<Entry>, WalletError> {
        self.on(&lists::of_type(name))
    }

    /// The cards of an issuer.
    pub(crate) fn of_issuer(&self, credential_issuer: &str) -> Result<Vec<Entry>, WalletError> {
        self.on(&[List::issuer(credential_issuer)])
    }

    /// Whether keys without a card may have stayed behind.
    pub(crate) fn may_have_orphans(&self) -> bool {
        self.keys().is_doubtful()
    }

    /// Every key without a card was destroyed.
    pub(crate) fn no_orphans(&self) -> Result<(), StorageError> {
        self.watch(Keys::settle)
    }

    /// Makes the index anew. Cards that cannot be read are on no list.
    pub(crate) fn rebuild(&self) -> Result<(), WalletError> {
        let _keys = self.keys();
        self.stale.store(true, Ordering::Relaxed);
        let left_out = rebuild::rebuild(&self.vault, &self.store)?;
        *self.left_out() = left_out;
        self.stale.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Whether a card that was left out can be read by now.
    fn is_incomplete(&self) -> bool {
        let left_out = self.left_out().clone();
        let mut left_out = left_out.iter();
        left_out.any(|id| rebuild::listed(&self.store, id).is_ok())
    }

    fn left_out(&self) -> MutexGuard<'_, Vec<CredentialId>> {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn on(&self, lists: &[List]) -> Result<Vec<Entry>, WalletError> {
        if self.stale.load(Ordering::Relaxed) || self.is_incomplete() {
            self.rebuild()?;
        }
        match self.read(lists) {
            Err(StorageError::Damaged(name)) if name.collection == Collection::Index => {
                self.rebuild()?;
                Ok(self.read(lists)?)
            }
            read => Ok(read?),
        }
    }

    fn read(&self, lists: &[List]) -> Result<Vec<Entry>, StorageError> {
        // No page may change between two of one list.
        let _keys = self.keys();
        let mut draft = Draft::new(&self.vault);
        let mut found = Vec::new();
        for list in lists.iter().collect::<BTreeSet<_>>() {
            draft.collect(list, &mut found)?;
        }
        found.sort_by(|a, b| (b.added_at, &a.id).cmp(&(a.added_at, &b.id)));
        found.dedup_by(|a, b| a.id == b.id);
        Ok(found)
    }

    /// Changes pages and keys for one card, and returns it where it is new.
    fn change(
        &self,
        draft: &mut Draft<'_>,
        keys: &mut Keys,
        name: &RecordName,
        plain: Option<&Zeroizing<Vec<u8>>>,
    ) -> Result<Option<Record>, WalletError> {
        let new = plain.map(|bytes| read_card(name, bytes)).transpose()?;
        // The keys of the new record first: they are bound even where the old one does not read.
        if let Some((record, _)) = &new {
            keys.bind(record);
        }
        let stored = self.vault.get(name)?;
        let old = stored.map(|bytes| read_card(name, &bytes)).transpose()?;
        if let Some((record, _)) = &old {
            keys.unbind(record, new.as_ref().map(|(record, _)| record));
        }
        let old = old.map(|(_, listed)| listed);
        let (new, listed) = new.unzip();
        if old != listed {
            if let Some(old) = &old {
                draft.remove(old)?;
            }
            if let Some(listed) = &listed {
                draft.add(listed)?;
            }
        }
        Ok(new.filter(|_| old.is_none()))
    }

    /// A card that came ends the wait for one of its type and issuer.
    fn settle_waiting(
        &self,
        mut batch: VaultBatch,
        arrived: &[Record],
    ) -> Result<VaultBatch, WalletError> {
        let mut left = BTreeMap::new();
        for card in arrived {
            let name = waiting::name_for(&self.vault, &card.credential_issuer, &card.vct);
            if !left.contains_key(&name) {
                let cards = match waiting::read(&self.vault, &name) {
                    // No reason not to take the card.
                    Err(StorageError::Damaged(_)) => Some(Vec::new()),
                    read => Some(read?).filter(|cards| !cards.is_empty()),
                };
                left.insert(name.clone(), cards);
            }
            if let Some(Some(cards)) = left.get_mut(&name)
                && !cards.is_empty()
            {
                cards.remove(0);
            }
        }
        for (name, cards) in left {
            if let Some(cards) = cards {
                batch = waiting::write(batch, name, &cards)?;
            }
        }
        Ok(batch)
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the commit goes on and the index is made anew after it: a page of the index is damaged,
/// or the card that is deleted.
fn is_repaired(error: &WalletError, deletes: bool) -> bool {
    match error {
        WalletError::Storage(StorageError::Damaged(name)) => {
            deletes || name.collection == Collection::Index
        }
        WalletError::Credential(_) => deletes,
        _ => false,
    }
}

/// A card and where it is listed.
fn read_card(name: &RecordName, bytes: &[u8]) -> Result<(Record, Listed), WalletError> {
    let record: Record =
        serde_json::from_slice(bytes).map_err(|_| StorageError::Damaged(name.clone()))?;
    let listed = Listed::of(&record)?;
    Ok((record, listed))
}

/// A record of the index with a fixed name of letters.
fn fixed(id: &'static str) -> RecordName {
    let id = RecordId::parse(id).unwrap_or_else(|_| RecordId::from_bytes(&[0]));
    RecordName::new(Collection::Index, id)
}

impl Entry {
    /// Whether the card has ended, as far as the index knows.
    pub(crate) fn has_ended(&self, now: UnixTime) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// The card's name.
    pub(crate) fn id(&self) -> &CredentialId {
        &self.id
    }
}
