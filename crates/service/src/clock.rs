//! The system clock as a [`Clock`].

use vouchsafe_credentials::time::{Clock, UnixTime};

/// Wall clock of the machine, in whole seconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        UnixTime(jiff_now())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this adapter is the one place that reads the wall clock"
)]
fn jiff_now() -> i64 {
    jiff::Timestamp::now().as_second()
}
