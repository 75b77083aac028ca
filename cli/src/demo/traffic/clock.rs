//! A clock that stands still.

use std::sync::atomic::{AtomicI64, Ordering};

use vouchsafe_credentials::time::{Clock, UnixTime};
use vouchsafe_service::clock::SystemClock;

/// Starts at the time of the machine and moves when it is told to.
#[derive(Debug)]
pub struct HeldClock(AtomicI64);

impl HeldClock {
    /// Held at the time now.
    pub fn now() -> Self {
        Self(AtomicI64::new(SystemClock.now().0))
    }

    /// Moves it.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Where it stands.
    pub fn time(&self) -> UnixTime {
        UnixTime(self.0.load(Ordering::SeqCst))
    }
}

impl Clock for HeldClock {
    fn now(&self) -> UnixTime {
        self.time()
    }
}
