//! The time.

use std::sync::Arc;

use vouchsafe_credentials::time::{Clock as CoreClock, UnixTime};

/// Tells the time.
#[uniffi::export(with_foreign)]
pub trait Clock: Send + Sync {
    /// Seconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> i64;
}

pub(crate) struct ClockAdapter(pub(crate) Arc<dyn Clock>);

impl CoreClock for ClockAdapter {
    fn now(&self) -> UnixTime {
        UnixTime(self.0.now())
    }
}

/// The clock of the device.
pub(crate) struct SystemClock;

impl CoreClock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this adapter is where the clock is read"
    )]
    fn now(&self) -> UnixTime {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        // A clock before 1970 counts as 1970: everything is then not yet valid.
        UnixTime(now.map_or(0, |since| {
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        }))
    }
}
