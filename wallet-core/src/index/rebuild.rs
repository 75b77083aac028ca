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
}

/// The record that says that the index is whole, and of which version.
pub(super) fn head() -> RecordName {
    fixed("head")
}

pub(super) fn is_current(vault: &Vault) -> Result<bool, StorageError> {
    let head = match vault.get(&head()) {
        Err(StorageError::Damaged(_)) => None,
        read => read?,
    };
    let head = head.and_then(|bytes| serde_json::from_slice::<Head>(&bytes).ok());
    Ok(head.is_some_and(|head| head.version == VERSION))
}

/// Reads every card and writes the lists. Stopped half-way it leaves no head, and begins anew.
pub(super) fn rebuild(vault: &Vault, store: &CredentialStore) -> Result<(), WalletError> {
    let mut cards = Vec::new();
    for id in vault.list(Collection::Credentials)? {
        cards.push(Listed::of(&store.record(&CredentialId::from(id))?)?);
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
    let bytes = serde_json::to_vec(&Head { version: VERSION });
    let bytes = bytes.map_err(|_| StorageError::Damaged(head()))?;
    Ok(vault.put(head(), Zeroizing::new(bytes))?)
}
