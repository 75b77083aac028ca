//! The outside world, as far as tests replace it.

use std::sync::Arc;

use vouchsafe_credentials::crypto::{AwsLc, CryptoProvider};
use vouchsafe_credentials::random::Rng;
use vouchsafe_credentials::time::Clock;
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::random::OsRandom;

/// The outside world, as far as tests replace it.
#[derive(Clone)]
pub struct Ports {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Verifies what wallets signed.
    pub crypto: Arc<dyn CryptoProvider>,
}

impl Ports {
    /// The real ones.
    pub fn system() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            rng: Arc::new(OsRandom),
            crypto: Arc::new(AwsLc),
        }
    }
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ports")
    }
}
