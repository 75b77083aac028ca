//! A settable clock and repeatable randomness for tests (feature `testing`).

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::random::Rng;
use crate::time::{Clock, UnixTime};

/// A clock that stands still until it is told otherwise.
#[derive(Debug)]
pub struct FixedClock(AtomicI64);

impl FixedClock {
    /// A clock that shows `now`.
    #[must_use]
    pub const fn new(now: UnixTime) -> Self {
        Self(AtomicI64::new(now.0))
    }

    /// Sets the time.
    pub fn set(&self, now: UnixTime) {
        self.0.store(now.0, Ordering::SeqCst);
    }

    /// Moves the time by `seconds`.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> UnixTime {
        UnixTime(self.0.load(Ordering::SeqCst))
    }
}

/// Repeatable bytes: SHA-256 over a seed and a counter. Never for anything but tests.
#[derive(Debug)]
pub struct SeededRng {
    seed: u64,
    counter: Mutex<u64>,
}

impl SeededRng {
    /// The sequence that belongs to `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            counter: Mutex::new(0),
        }
    }
}

impl Rng for SeededRng {
    fn fill(&self, buffer: &mut [u8]) {
        let mut counter = self.counter.lock().expect("no holder of this lock panics");
        for chunk in buffer.chunks_mut(32) {
            let mut input = [0; 16];
            input[..8].copy_from_slice(&self.seed.to_be_bytes());
            input[8..].copy_from_slice(&counter.to_be_bytes());
            chunk.copy_from_slice(&crate::crypto::sha256(&input)[..chunk.len()]);
            *counter += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FixedClock, SeededRng};
    use crate::random::{bytes, token};
    use crate::time::{Clock as _, UnixTime};

    #[test]
    fn the_clock_stands_until_it_is_moved() {
        let clock = FixedClock::new(UnixTime(100));
        assert_eq!(clock.now(), UnixTime(100));
        clock.advance(-30);
        assert_eq!(clock.now().seconds(), 70);
        clock.set(UnixTime(5));
        assert_eq!(UnixTime(9).since(clock.now()), 4);
        assert_eq!(UnixTime(i64::MAX).plus(1), UnixTime(i64::MAX));
        assert_eq!(UnixTime(i64::MIN).since(UnixTime(1)), i64::MIN);
    }

    #[test]
    fn equal_seeds_give_equal_bytes_and_never_the_same_twice() {
        let (a, b, c) = (SeededRng::new(1), SeededRng::new(1), SeededRng::new(2));
        let first = bytes::<70>(&a);
        assert_eq!(first, bytes::<70>(&b));
        assert_ne!(first, bytes::<70>(&c));
        assert_ne!(first, bytes::<70>(&a));
        assert_ne!(first[..32], first[32..64]);
        assert_eq!(token(&a).len(), 43);
    }
}
