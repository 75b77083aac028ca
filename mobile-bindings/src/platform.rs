//! Clock and randomness of the phone.

use vouchsafe_credentials::random::Rng;
use vouchsafe_credentials::time::{Clock, UnixTime};

/// The clock of the phone.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
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

/// The random source of the operating system.
pub(crate) struct SystemRandom;

impl Rng for SystemRandom {
    #[expect(
        clippy::disallowed_methods,
        reason = "this adapter is where random bytes come from"
    )]
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("the operating system always supplies random bytes");
    }
}
