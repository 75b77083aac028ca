//! Making, opening and locking a wallet.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use vouchsafe_credentials::random::{self, Rng};

use super::{Config, Inner, Ports, Wallet};
use crate::WalletError;
use crate::credential::{CredentialId, CredentialStore};
use crate::history::History;
use crate::index::{Index, KeyWatch};
use crate::issuance;
use crate::secure_area::KeyId;
use crate::secure_area::software::SoftwareSecureArea;
use crate::storage::{Collection, KdfParams, Lock, StorageError, Vault, VaultKey};
use crate::verifiers::Verifiers;

impl Wallet {
    /// Makes a new wallet under a passphrase, or a PIN. Deriving the key takes a good
    /// part of a second; see [`KdfParams`].
    pub fn create<'a>(
        config: Config,
        ports: Ports,
        lock: impl Into<Lock<'a>>,
        params: KdfParams,
    ) -> Result<Self, WalletError> {
        check_rng(ports.rng.as_ref())?;
        let storage = Arc::clone(&ports.storage);
        let vault = Vault::create(storage, lock, params, Arc::clone(&ports.rng))?;
        let wallet = Self::assemble(config, ports, vault)?;
        // There was no wallet that could have been interrupted.
        wallet.0.index.no_orphans()?;
        Ok(wallet)
    }

    /// Opens a wallet, and destroys keys that an interrupted issuance or
    /// deletion left without a card.
    pub async fn open(config: Config, ports: Ports, passphrase: &str) -> Result<Self, WalletError> {
        check_rng(ports.rng.as_ref())?;
        let key = Self::unlock(&ports, passphrase)?;
        Self::open_with_key(config, ports, &key).await
    }

    /// The key of a wallet, for a host that keeps it in a keystore of the device. Each attempt counts;
    /// after a few wrong ones each next one has to wait.
    pub fn unlock(ports: &Ports, passphrase: &str) -> Result<VaultKey, WalletError> {
        let (storage, rng) = (ports.storage.as_ref(), ports.rng.as_ref());
        Ok(Vault::unlock(
            storage,
            passphrase,
            rng,
            ports.clock.as_ref(),
        )?)
    }

    /// As [`Wallet::open`], with the key that [`Wallet::unlock`] gave.
    pub async fn open_with_key(
        config: Config,
        ports: Ports,
        key: &VaultKey,
    ) -> Result<Self, WalletError> {
        check_rng(ports.rng.as_ref())?;
        let storage = Arc::clone(&ports.storage);
        let vault = Vault::open_with_key(storage, key, Arc::clone(&ports.rng))?;
        let wallet = Self::assemble(config, ports, vault)?;
        if wallet.0.index.may_have_orphans() {
            wallet.destroy_orphaned_keys().await?;
        }
        Ok(wallet)
    }

    /// Locks the wallet with another passphrase or a PIN. What somebody copied before opens with the
    /// old one.
    pub fn change_passphrase<'a>(
        &self,
        old: &str,
        new: impl Into<Lock<'a>>,
        params: KdfParams,
    ) -> Result<(), WalletError> {
        let clock = self.0.ports.clock.as_ref();
        Ok(self.0.vault.change_lock(old, new, params, clock)?)
    }

    fn assemble(config: Config, ports: Ports, vault: Vault) -> Result<Self, WalletError> {
        let vault = Arc::new(vault);
        let area = ports.secure_area.clone().unwrap_or_else(|| {
            let area = SoftwareSecureArea::new(Arc::clone(&vault), Arc::clone(&ports.rng));
            Arc::new(area.attested_by(ports.attestations.keys.clone()))
        });
        let store = CredentialStore::new(Arc::clone(&vault));
        let index = Arc::new(Index::open(Arc::clone(&vault), store.clone())?);
        let history = History::new(Arc::clone(&vault));
        let verifiers = Verifiers::new(Arc::clone(&vault));
        Ok(Self(Arc::new(Inner {
            area: Arc::new(KeyWatch::new(area, Arc::clone(&index))),
            config,
            ports,
            vault,
            index,
            store,
            history,
            verifiers,
            changing: Mutex::default(),
        })))
    }

    /// What the cards name is read from the cards: a list that is wrong destroys no key.
    async fn destroy_orphaned_keys(&self) -> Result<(), WalletError> {
        match issuance::sweep_at_opening(&self.0.vault) {
            Err(WalletError::Storage(StorageError::Damaged(_))) => return Ok(()),
            swept => swept?,
        }
        // Which keys a card has that cannot be read, nobody knows: none is destroyed before that card
        // is deleted.
        let used = match self.keys_in_use() {
            Err(WalletError::Storage(StorageError::Damaged(_))) => return Ok(()),
            used => used?,
        };
        for key in self.0.area.keys().await? {
            if !used.contains(&key) {
                self.0.area.delete_key(&key).await?;
            }
        }
        Ok(self.0.index.no_orphans()?)
    }

    fn keys_in_use(&self) -> Result<BTreeSet<KeyId>, WalletError> {
        let mut used = BTreeSet::new();
        for id in self.0.vault.list(Collection::Credentials)? {
            let record = self.0.store.record(&CredentialId::from(id))?;
            used.extend(record.copies.into_iter().map(|copy| copy.key));
        }
        used.extend(issuance::keys_in_use(&self.0.vault)?);
        Ok(used)
    }
}

/// A source that repeats itself or gives only zeros would give away every key.
fn check_rng(rng: &dyn Rng) -> Result<(), WalletError> {
    let (first, second) = (random::bytes::<32>(rng), random::bytes::<32>(rng));
    if first == second || first == [0; 32] || second == [0; 32] {
        return Err(WalletError::BrokenRng);
    }
    Ok(())
}
