//! What the service takes from the machine.

use std::sync::Arc;

use vouchsafe_credentials::crypto::{AwsLc, CryptoProvider};
use vouchsafe_credentials::random::Rng;
use vouchsafe_credentials::time::Clock;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::random::OsRandom;

use crate::outbound::Outbound;

/// What the service takes from the machine; tests bring their own.
#[derive(Clone)]
pub struct Ports {
    /// Wall clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Verification and key agreement.
    pub crypto: Arc<dyn CryptoProvider>,
    /// Network; `None` stands for the guarded fetcher with the configuration's exceptions.
    pub outbound: Option<Arc<dyn Outbound>>,
}

impl Ports {
    /// The real ones.
    #[must_use]
    pub fn system() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            rng: Arc::new(OsRandom),
            crypto: Arc::new(AwsLc),
            outbound: None,
        }
    }
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ports")
    }
}
