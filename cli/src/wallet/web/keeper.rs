//! Who makes and opens a wallet, and an open wallet that knows its passphrase again.

use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use sha2::{Digest, Sha256};
use vouchsafe_credentials::random;
use vouchsafe_service::random::OsRandom;
use vouchsafe_wallet_core::WalletError;
use vouchsafe_wallet_core::storage::StorageError;

use crate::wallet::handle::WalletHandle;

/// Makes and opens one wallet.
#[async_trait]
pub trait Keeper: Send + Sync {
    /// Whether a wallet was made.
    fn exists(&self) -> bool;
    /// Makes it.
    async fn create(&self, passphrase: &str) -> anyhow::Result<WalletHandle>;
    /// Opens it.
    async fn open(&self, passphrase: &str) -> anyhow::Result<WalletHandle>;
}

/// An open wallet, and how to know its passphrase again: opening the records a second time would
/// disturb what is under way in the first.
pub(super) struct Opened {
    pub(super) wallet: WalletHandle,
    pub(super) pages: Router,
    salt: [u8; 32],
    digest: [u8; 32],
}

impl Opened {
    pub(super) fn new(wallet: WalletHandle, pages: Router, passphrase: &str) -> Self {
        let salt = random::bytes::<32>(&OsRandom);
        Self {
            wallet,
            pages,
            salt,
            digest: digest(&salt, passphrase),
        }
    }

    pub(super) fn knows(&self, passphrase: &str) -> bool {
        // Nobody knows the salt, so how long the comparison takes teaches nothing.
        digest(&self.salt, passphrase) == self.digest
    }
}

fn digest(salt: &[u8; 32], passphrase: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(salt)
        .chain_update(passphrase.as_bytes())
        .finalize()
        .into()
}

/// Whether it is the passphrase that did not fit.
pub(super) fn why(error: &anyhow::Error) -> Shut {
    let wallet = error.downcast_ref::<WalletError>();
    match wallet {
        Some(WalletError::Storage(StorageError::TooManyAttempts { wait_s })) => {
            Shut::Wait(Duration::from_secs(*wait_s))
        }
        Some(WalletError::Storage(
            StorageError::WrongPassphrase | StorageError::WeakPassphrase,
        )) => Shut::Wrong,
        _ => {
            tracing::error!(%error, "the wallet cannot be made or opened");
            Shut::Broken
        }
    }
}

/// Why the door stays shut.
#[derive(Debug)]
pub(super) enum Shut {
    Wrong,
    Wait(Duration),
    Broken,
}
