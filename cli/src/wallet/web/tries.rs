//! Guessing a passphrase gets slower.

use std::time::Duration;

use tokio::time::Instant;

/// So many wrong ones in a row are free.
const FREE: u32 = 5;
/// The first wait; each further wrong one doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(30);
/// Doublings at most: a little more than an hour.
const MOST_DOUBLINGS: u32 = 7;

/// Wrong passphrases since the last right one.
#[derive(Debug, Default)]
pub(super) struct Tries {
    wrong: u32,
    until: Option<Instant>,
}

impl Tries {
    /// How long nobody may try; a right passphrase does not count in that time either.
    pub(super) fn wait(&self) -> Option<Duration> {
        let left = self.until?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// Counts a try.
    pub(super) fn count(&mut self, right: bool) {
        if right {
            *self = Self::default();
            return;
        }
        self.wrong = self.wrong.saturating_add(1);
        if let Some(beyond) = self.wrong.checked_sub(FREE) {
            let factor = 1 << beyond.min(MOST_DOUBLINGS);
            self.until = Some(Instant::now() + FIRST_WAIT * factor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn guesses_get_slower_and_a_right_one_ends_that() {
        let mut tries = Tries::default();
        for _ in 1..FREE {
            tries.count(false);
            assert_eq!(tries.wait(), None);
        }
        for expected in [30, 60, 120] {
            tries.count(false);
            assert_eq!(tries.wait(), Some(Duration::from_secs(expected)));
        }
        for _ in 0..50 {
            tries.count(false);
        }
        assert_eq!(tries.wait(), Some(FIRST_WAIT * 128));
        tokio::time::advance(FIRST_WAIT * 128).await;
        assert_eq!(tries.wait(), None);
        tries.count(true);
        tries.count(false);
        assert_eq!(tries.wait(), None);
    }
}
