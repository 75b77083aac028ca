//! Making the index anew from the cards.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::draft::Draft;
use super::fixed;
use super::keys::marker;
use super::lists::Listed;
use crate::WalletError;
use crate::credential::{CredentialId, CredentialStore};
use crate::history::History;
use crate::storage::{Collection, RecordName, StorageError, Vault, VaultBatch};

/// Rises with every change of what is listed, or how.
const VERSION: u32 = 2;
/// Changes in one commit.
const CHUNK: usize = 256;

#[derive(Serialize, Deserialize)]
struct Head {
    version: u32,
    /// Cards that could not be read, and are on no list.
    #[serde(default)]
    left_out: Vec<CredentialId>,
}

/// The record that says that the index is whole, and of which version.
pub(super) fn head() -> RecordName {
    fixed("head")
}

/// Whether there is an index of this version, and which cards are not on it.
pub(super) fn current(vault: &Vault) -> Result<Option<Vec<CredentialId>>, StorageError> {
    let head = match vault.get(&head()) {
        Err(StorageError::Damaged(_)) => None,
        read => read?,
    };
    let head = head.and_then(|bytes| serde_json::from_slice::<Head>(&bytes).ok());
    let head = head.filter(|head| head.version == VERSION);
    Ok(head.map(|head| head.left_out))
}

/// Reads every card and writes the lists, and returns the cards that cannot be read. Stopped half-way
/// it leaves no head, and begins anew.
pub(super) fn rebuild(
    vault: &Vault,
    store: &CredentialStore,
) -> Result<Vec<CredentialId>, WalletError> {
    let (mut cards, mut left_out) = (Vec::new(), Vec::new());
    for id in vault.list(Collection::Credentials)? {
        let id = CredentialId::from(id);
        match listed(store, &id) {
            Err(error) if error.is_unreadable_card() => left_out.push(id),
            read => cards.push(read?),
        }
    }
    vault.delete(head())?;
    let keep = [marker(), History::declined_name()];
    let old = vault.list(Collection::Index)?.into_iter();
    let old = old.map(|id| RecordName::new(Collection::Index, id));
    let old: Vec<RecordName> = old.filter(|name| !keep.contains(name)).collect();
    for some in old.chunks(CHUNK) {
        let batch = some.iter().cloned();
        vault.commit(batch.fold(VaultBatch::new(), VaultBatch::delete))?;
    }
    let mut draft = Draft::new(vault);
    for card in &cards {
        draft.add(card)?;
    }
    for batch in draft.write(VaultBatch::new())?.split(CHUNK) {
        vault.commit(batch)?;
    }
    let whole = Head {
        version: VERSION,
        left_out,
    };
    let bytes = serde_json::to_vec(&whole).map_err(|_| StorageError::Damaged(head()))?;
    vault.put(head(), Zeroizing::new(bytes))?;
    Ok(whole.left_out)
}

/// Where a card belongs.
pub(super) fn listed(store: &CredentialStore, id: &CredentialId) -> Result<Listed, WalletError> {
    Ok(Listed::of(&store.record(id)?)?)
}
