//! What was counted since it was last written: one number for each combination of labels and hour, in
//! memory. Whoever logs in waits for no counter.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use vouchsafe_credentials::time::UnixTime;

/// Seconds of an hour.
pub const HOUR_S: i64 = 3600;

/// What is counted, and of what. Every text comes from the configuration, from journeys or from this
/// program; what does not apply is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The hour, in seconds since 1970.
    pub hour: i64,
    /// One of [`crate::numbers::what`].
    pub what: String,
    /// The journey; `none` for a login without one.
    pub journey: String,
    /// Its stage.
    pub stage: String,
    /// The step.
    pub step: String,
    /// How it ended.
    pub outcome: String,
    /// How the wallet was reached.
    pub channel: String,
    /// With what.
    pub method: String,
    /// The application, where the configuration names it; `other` for the rest.
    pub client: String,
    /// How many seconds it took, where that is counted.
    pub seconds: i64,
}

/// The numbers that wait to be written.
#[derive(Debug, Default)]
pub struct Counts(Mutex<BTreeMap<Key, i64>>);

impl Counts {
    /// Counts one.
    pub fn add(&self, now: UnixTime, key: Key) {
        let hour = now.0 - now.0.rem_euclid(HOUR_S);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(Key { hour, ..key }).or_default() += 1;
    }

    /// Everything, to be written.
    #[must_use]
    pub fn take(&self) -> BTreeMap<Key, i64> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What could not be written, to be written with the next.
    pub fn give_back(&self, taken: BTreeMap<Key, i64>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, n) in taken {
            *counts.entry(key).or_default() += n;
        }
    }
}

/// Seconds as they are kept: to the second for a minute, to ten seconds for ten minutes, then to the
/// minute. So the rows of an hour are few, however many log in.
#[must_use]
pub fn coarse(seconds: i64) -> i64 {
    let step = match seconds {
        ..=60 => 1,
        61..=600 => 10,
        601.. => 60,
    };
    let seconds = seconds.clamp(0, 7200);
    seconds - seconds % step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_written_is_not_lost() {
        let counts = Counts::default();
        let key = |what: &str| Key {
            what: what.to_owned(),
            ..Key::default()
        };
        counts.add(UnixTime(3601), key("a"));
        counts.add(UnixTime(7199), key("a"));
        counts.add(UnixTime(7200), key("a"));
        let taken = counts.take();
        assert_eq!(taken.values().copied().collect::<Vec<_>>(), [2, 1]);
        assert!(counts.take().is_empty());
        counts.add(UnixTime(3602), key("a"));
        counts.give_back(taken);
        let hours: Vec<_> = counts
            .take()
            .into_iter()
            .map(|(k, n)| (k.hour, n))
            .collect();
        assert_eq!(hours, [(3600, 3), (7200, 1)]);
    }

    #[test]
    fn seconds_are_few() {
        let kept: std::collections::BTreeSet<i64> = (-5..100_000).map(coarse).collect();
        assert!(kept.len() < 250);
        assert_eq!((coarse(7), coarse(61), coarse(119)), (7, 60, 110));
    }
}
