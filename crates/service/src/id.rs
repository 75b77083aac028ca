//! Time-ordered identifiers, shaped like UUID version 7.
//!
//! Rows with ordered keys are written 1.5 to 6 times faster than rows with random keys. Ids are
//! names, not secrets: whatever must not be guessed is a token of
//! [`vouchsafe_credentials::random::token`].

use std::sync::{Arc, Mutex, PoisonError};

use uuid::{Builder, Uuid};
use vouchsafe_credentials::{random::Rng, time::Clock};

/// Makes time-ordered ids that increase strictly within one process.
#[derive(Clone)]
pub struct Ids {
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    last: Arc<Mutex<Slot>>,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    milliseconds: u64,
    counter: u16,
}

/// RFC 9562, section 6.2, method 1: a counter in the 12 bits of `rand_a`.
const COUNTER_LIMIT: u16 = 1 << 12;

impl Ids {
    /// Ids from this clock and this randomness.
    pub fn new(clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Self {
        Self {
            clock,
            rng,
            last: Arc::default(),
        }
    }

    /// The next id. Ids of one process never repeat and never go back, even when the clock does.
    pub fn next(&self) -> Uuid {
        let slot = self.next_slot();
        let mut random = [0u8; 10];
        self.rng.fill(&mut random);
        let [high, low] = slot.counter.to_be_bytes();
        random[0] = high;
        random[1] = low;
        Builder::from_unix_timestamp_millis(slot.milliseconds, &random).into_uuid()
    }

    /// The next id as lower-case hyphenated text, which sorts like the id itself.
    pub fn next_text(&self) -> String {
        self.next().to_string()
    }

    fn next_slot(&self) -> Slot {
        let now = u64::try_from(self.clock.now().0)
            .unwrap_or(0)
            .saturating_mul(1000);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let same = now <= last.milliseconds;
        *last = match (same, last.counter + 1 < COUNTER_LIMIT) {
            (false, _) => Slot {
                milliseconds: now,
                counter: 0,
            },
            (true, true) => Slot {
                counter: last.counter + 1,
                ..*last
            },
            (true, false) => Slot {
                milliseconds: last.milliseconds + 1,
                counter: 0,
            },
        };
        *last
    }
}

impl std::fmt::Debug for Ids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ids")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vouchsafe_credentials::time::UnixTime;

    struct At(std::sync::atomic::AtomicI64);
    impl Clock for At {
        fn now(&self) -> UnixTime {
            UnixTime(self.0.load(std::sync::atomic::Ordering::SeqCst))
        }
    }

    #[test]
    fn cat_421_ids_increase_when_the_clock_goes_back() {
        let clock = Arc::new(At(1_800_000_000.into()));
        let ids = Ids::new(clock.clone(), Arc::new(crate::random::OsRandom));
        let mut seen: Vec<String> = (0..10_000).map(|_| ids.next_text()).collect();
        clock
            .0
            .store(1_700_000_000, std::sync::atomic::Ordering::SeqCst);
        seen.extend((0..10_000).map(|_| ids.next_text()));
        assert!(seen.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn id_is_a_version_7_uuid() {
        let ids = Ids::new(
            Arc::new(At(1_800_000_000.into())),
            Arc::new(crate::random::OsRandom),
        );
        assert_eq!(ids.next().get_version_num(), 7);
        assert_eq!(ids.next().get_variant(), uuid::Variant::RFC4122);
    }
}
