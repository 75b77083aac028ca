//! Pages of the index as they are changed for one commit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::lists::{Entry, List, Listed};
use crate::storage::{Collection, RecordName, StorageError, Vault, VaultBatch};

/// Entries of a page: adding a card to a list writes one page, however long the list is.
const PAGE: usize = if cfg!(test) { 4 } else { 256 };

/// A page. All pages of a list but the last are full.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Page {
    /// How many pages the list has; on the first page only.
    #[serde(default)]
    pages: usize,
    entries: Vec<Entry>,
}

/// A page, and whether it was changed.
#[derive(Default)]
struct Loaded {
    page: Page,
    changed: bool,
}

/// Pages that were read, and those that are to be written.
pub(super) struct Draft<'v> {
    vault: &'v Vault,
    pages: BTreeMap<RecordName, Loaded>,
}

impl<'v> Draft<'v> {
    /// Begins with what is stored.
    pub(super) fn new(vault: &'v Vault) -> Self {
        Self {
            vault,
            pages: BTreeMap::new(),
        }
    }

    /// Adds the entries of a list to `found`.
    pub(super) fn collect(
        &mut self,
        list: &List,
        found: &mut Vec<Entry>,
    ) -> Result<(), StorageError> {
        for number in 0..self.count(list)? {
            found.extend_from_slice(&self.page(list, number)?.entries);
        }
        Ok(())
    }

    /// Puts a card on its lists.
    pub(super) fn add(&mut self, card: &Listed) -> Result<(), StorageError> {
        for list in &card.lists {
            let count = self.count(list)?;
            let last = count.saturating_sub(1);
            let full = self.page(list, last)?.entries.len() >= PAGE;
            let target = if full { last + 1 } else { last };
            self.change(list, target)?.entries.push(card.entry.clone());
            if target + 1 != count {
                self.change(list, 0)?.pages = target + 1;
            }
        }
        Ok(())
    }

    /// Takes a card off its lists.
    pub(super) fn remove(&mut self, card: &Listed) -> Result<(), StorageError> {
        for list in &card.lists {
            let count = self.count(list)?;
            for number in 0..count {
                let entries = &self.page(list, number)?.entries;
                if let Some(place) = entries.iter().position(|e| e.id == card.entry.id) {
                    self.take(list, (number, place), count - 1)?;
                    break;
                }
            }
        }
        Ok(())
    }

    /// The last entry of the last page takes the place.
    fn take(
        &mut self,
        list: &List,
        (number, place): (usize, usize),
        last: usize,
    ) -> Result<(), StorageError> {
        let moved = self.change(list, last)?.entries.pop();
        let entries = &mut self.change(list, number)?.entries;
        // Where the card itself was the last one it is gone already.
        if let (Some(moved), Some(hole)) = (moved, entries.get_mut(place)) {
            *hole = moved;
        }
        if self.page(list, last)?.entries.is_empty() {
            self.change(list, 0)?.pages = last;
        }
        Ok(())
    }

    /// Adds the changed pages to a batch; a page without entries is removed.
    pub(super) fn write(self, mut batch: VaultBatch) -> Result<VaultBatch, StorageError> {
        for (name, Loaded { page, changed }) in self.pages {
            if !changed {
                continue;
            }
            batch = if page.entries.is_empty() {
                batch.delete(name)
            } else {
                let bytes = encode(&name, &page)?;
                batch.put(name, bytes)
            };
        }
        Ok(batch)
    }

    /// How many pages a list has.
    pub(super) fn count(&mut self, list: &List) -> Result<usize, StorageError> {
        Ok(self.page(list, 0)?.pages)
    }

    fn page(&mut self, list: &List, number: usize) -> Result<&Page, StorageError> {
        Ok(&self.load(list, number)?.page)
    }

    fn change(&mut self, list: &List, number: usize) -> Result<&mut Page, StorageError> {
        let loaded = self.load(list, number)?;
        loaded.changed = true;
        Ok(&mut loaded.page)
    }

    fn load(&mut self, list: &List, number: usize) -> Result<&mut Loaded, StorageError> {
        let name = RecordName::new(Collection::Index, list.page(self.vault, number));
        if !self.pages.contains_key(&name) {
            let damaged = |_| StorageError::Damaged(name.clone());
            let page = match self.vault.get(&name)? {
                Some(bytes) => serde_json::from_slice(&bytes).map_err(damaged)?,
                None => Page::default(),
            };
            let loaded = Loaded {
                page,
                changed: false,
            };
            self.pages.insert(name.clone(), loaded);
        }
        self.pages.get_mut(&name).ok_or(StorageError::Damaged(name))
    }
}

fn encode(name: &RecordName, page: &Page) -> Result<Zeroizing<Vec<u8>>, StorageError> {
    let json = serde_json::to_vec(page).map_err(|_| StorageError::Damaged(name.clone()))?;
    Ok(Zeroizing::new(json))
}
