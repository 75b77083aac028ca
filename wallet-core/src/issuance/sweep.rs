//! What is left of dealings with issuers that nothing needs any more.

use std::collections::BTreeSet;

use super::records::{self, Access, AccessId, InstanceKey, Notice, Origin, Waiting, all};
use crate::WalletError;
use crate::secure_area::KeyId;
use crate::storage::{Vault, VaultBatch};
use crate::wallet::Wallet;

/// Keys that belong to no card and are needed. The key of the wallet at a server is needed as long as
/// there is access there.
pub(crate) fn keys_in_use(vault: &Vault) -> Result<Vec<KeyId>, WalletError> {
    let mut keys = Vec::new();
    for (_, waiting) in all::<Waiting>(vault)? {
        keys.extend(waiting.key_ids().cloned());
    }
    let idle: BTreeSet<String> = idle(vault)?.into_iter().map(|(id, _)| id).collect();
    let instances = all::<InstanceKey>(vault)?.into_iter();
    let needed = instances.filter(|(id, _)| !idle.contains(id));
    keys.extend(needed.map(|(_, instance)| instance.id().clone()));
    Ok(keys)
}

/// Removes access that nothing refers to. The key at a server without access goes at the next
/// opening: somebody may be asking there just now.
pub(crate) fn sweep(wallet: &Wallet) -> Result<(), WalletError> {
    drop_access(wallet.vault())?;
    let idle = idle(wallet.vault())?;
    if !idle.is_empty() {
        let keys = idle.iter().map(|(_, instance)| instance.id());
        wallet.index().give_up_keys(keys)?;
    }
    Ok(())
}

/// Removes what nothing refers to while the wallet opens, and nobody asks an issuer: access, and the
/// names of keys without access. The keys themselves are destroyed after it, as no longer needed.
pub(crate) fn sweep_at_opening(vault: &Vault) -> Result<(), WalletError> {
    drop_access(vault)?;
    let idle = idle(vault)?;
    if idle.is_empty() {
        return Ok(());
    }
    let batch = idle.iter().fold(VaultBatch::new(), |batch, (id, _)| {
        records::remove::<InstanceKey>(batch, id)
    });
    Ok(vault.commit(batch)?)
}

/// Keys at servers without access.
fn idle(vault: &Vault) -> Result<Vec<(String, InstanceKey)>, WalletError> {
    let mut instances = all::<InstanceKey>(vault)?;
    if instances.is_empty() {
        return Ok(instances);
    }
    let accesses = all::<Access>(vault)?;
    let servers: BTreeSet<&str> = accesses
        .iter()
        .map(|(_, access)| access.server.as_str())
        .collect();
    instances.retain(|(_, instance)| !servers.contains(instance.server.as_str()));
    Ok(instances)
}

fn drop_access(vault: &Vault) -> Result<(), WalletError> {
    // Read first: an access comes in one commit with what refers to it.
    let accesses = all::<Access>(vault)?;
    let mut used: Vec<AccessId> = Vec::new();
    used.extend(all::<Origin>(vault)?.into_iter().map(|(_, o)| o.access));
    used.extend(all::<Waiting>(vault)?.into_iter().map(|(_, w)| w.access));
    used.extend(all::<Notice>(vault)?.into_iter().map(|(_, n)| n.access));
    let mut batch = VaultBatch::new();
    let mut any = false;
    for (id, _) in accesses {
        if !used.iter().any(|used| used.as_str() == id) {
            batch = records::remove::<Access>(batch, &id);
            any = true;
        }
    }
    if any {
        vault.commit(batch)?;
    }
    Ok(())
}
