//! What an app supplies. An adapter qualifies if and only if the contract suite of its port passes
//! (`mobile-bindings/kotlin/…/contract`, `mobile-bindings/swift/…/Contract`).

pub(crate) mod clock;
pub(crate) mod http;
pub(crate) mod random;
pub(crate) mod secure_area;
pub(crate) mod storage;

use std::sync::Arc;

use vouchsafe_credentials::crypto::Portable;
use vouchsafe_wallet_core::attestation::Attestations;
use vouchsafe_wallet_core::storage::MemoryStorage;
use vouchsafe_wallet_core::wallet::Ports as CorePorts;

use crate::config::KeyPolicy;
use crate::error::WalletError;
use clock::{Clock, ClockAdapter, SystemClock};
use http::HttpTransport;
use random::{Rng, RngAdapter, SystemRandom};
use secure_area::{HardwarePolicy, SecureArea, SecureAreaAdapter, UserAuthentication};
use storage::{StorageAdapter, StorageDriver};

/// What an app supplies.
#[derive(Clone, uniffi::Record)]
pub struct Ports {
    /// Where the sealed records go; see [`crate::file_storage`].
    pub storage: Arc<dyn StorageDriver>,
    /// Who sends requests.
    pub http: Arc<dyn HttpTransport>,
    /// Where private keys live; none: in software, sealed in the store.
    pub secure_area: Option<Arc<dyn SecureArea>>,
    /// The time; none: that of the device.
    pub clock: Option<Arc<dyn Clock>>,
    /// Randomness; none: that of the operating system.
    pub rng: Option<Arc<dyn Rng>>,
}

impl Ports {
    pub(crate) fn to_core(&self, keys: KeyPolicy) -> Result<CorePorts, WalletError> {
        Ok(CorePorts {
            storage: Arc::new(StorageAdapter(Arc::clone(&self.storage))),
            clock: match &self.clock {
                Some(clock) => Arc::new(ClockAdapter(Arc::clone(clock))),
                None => Arc::new(SystemClock),
            },
            rng: match &self.rng {
                Some(rng) => Arc::new(RngAdapter(Arc::clone(rng))),
                None => Arc::new(SystemRandom),
            },
            crypto: Arc::new(Portable),
            attestations: Attestations::default(),
            secure_area: match &self.secure_area {
                Some(area) => Some(Arc::new(SecureAreaAdapter::new(Arc::clone(area), keys)?)),
                // A policy that nothing enforces would be a promise to nobody.
                None if keys.hardware == HardwarePolicy::Required
                    || keys.user_authentication != UserAuthentication::NotRequired =>
                {
                    return Err(secure_area::not_capable());
                }
                None => None,
            },
        })
    }
}

/// A store that forgets everything when it is dropped: for tests and previews.
#[uniffi::export]
#[must_use]
pub fn memory_storage() -> Arc<dyn StorageDriver> {
    Arc::new(storage::CoreStorage(MemoryStorage::new()))
}
