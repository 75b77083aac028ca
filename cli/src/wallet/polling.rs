//! Asking again for cards that come later, for as long as the person waits.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use vouchsafe_wallet_core::WalletError;
use vouchsafe_wallet_core::issuance::{Added, IssuanceError, PendingId};

/// Shortest pause between two rounds.
const SHORTEST: Duration = Duration::from_secs(1);

/// Asks for cards until they are there, or until the next question would come after the time is
/// up. `ahead` says for how many seconds an issuer does not want to be asked for one yet.
///
/// OpenID4VCI 1.0, section 9.2: the issuer says how long to wait (`interval`). The pause is here and
/// not in a session, so that neither a long `interval` nor one that no session waits for outlasts
/// the patience of the person or is answered with a round at once.
pub async fn until_there(
    patience: Duration,
    mut ids: Vec<PendingId>,
    ahead: impl AsyncFn(&PendingId) -> Result<Duration, WalletError>,
    resume: impl AsyncFn(&PendingId) -> Result<Added, WalletError>,
) -> Result<Added, WalletError> {
    let until = Instant::now() + patience;
    let mut cards = Vec::new();
    loop {
        let mut left = Vec::new();
        for id in ids {
            if !ahead(&id).await?.is_zero() {
                left.push(id);
                continue;
            }
            match resume(&id).await {
                Ok(added) => {
                    cards.extend(added.cards);
                    left.extend(added.pending);
                }
                Err(WalletError::Issuance(IssuanceError::Busy { .. })) => left.push(id),
                Err(error) => return Err(error),
            }
        }
        ids = left;
        let mut pause = None;
        for id in &ids {
            let wait = ahead(id).await?.max(SHORTEST);
            pause = Some(pause.map_or(wait, |shortest: Duration| shortest.min(wait)));
        }
        let rest = until.saturating_duration_since(Instant::now());
        match pause.filter(|pause| *pause <= rest) {
            Some(pause) => sleep(pause).await,
            None => {
                return Ok(Added {
                    cards,
                    pending: ids,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// An issuer that says after each question how long to wait; nothing more to say: nothing comes.
    struct Issuer {
        intervals: Vec<u64>,
        asked: Mutex<usize>,
        not_before: Mutex<Instant>,
        busy: bool,
    }

    impl Issuer {
        fn new(intervals: &[u64]) -> Self {
            Self {
                intervals: intervals.to_vec(),
                asked: Mutex::new(0),
                not_before: Mutex::new(Instant::now()),
                busy: false,
            }
        }

        /// Questions, seconds that went by, and cards that are still to come.
        async fn wait(&self, seconds: u64) -> (usize, u64, usize) {
            let began = Instant::now();
            let id = PendingId::parse("01").unwrap();
            let ahead = async |_: &PendingId| {
                let due = *self.not_before.lock().unwrap();
                Ok::<_, WalletError>(due.saturating_duration_since(Instant::now()))
            };
            let resume = async |id: &PendingId| {
                let mut asked = self.asked.lock().unwrap();
                let interval = self.intervals.get(*asked).copied();
                *asked += 1;
                if self.busy {
                    return Err(IssuanceError::Busy { seconds: 1 }.into());
                }
                let pending = match interval {
                    Some(seconds) => {
                        let due = Instant::now() + Duration::from_secs(seconds);
                        *self.not_before.lock().unwrap() = due;
                        vec![id.clone()]
                    }
                    None => Vec::new(),
                };
                let cards = Vec::new();
                Ok::<_, WalletError>(Added { cards, pending })
            };
            let patience = Duration::from_secs(seconds);
            let added = until_there(patience, vec![id], ahead, resume)
                .await
                .unwrap();
            let asked = *self.asked.lock().unwrap();
            (asked, began.elapsed().as_secs(), added.pending.len())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn cat_293_no_interval_outlasts_the_patience_or_spins() {
        for interval in [11, 30, 60, 120, 3600, 86_400] {
            assert_eq!(Issuer::new(&[interval; 9]).wait(10).await, (1, 0, 1));
        }
        // Not due yet: nobody is asked.
        let later = Issuer::new(&[]);
        *later.not_before.lock().unwrap() += Duration::from_secs(3600);
        assert_eq!(later.wait(10).await, (0, 0, 1));
        // Busy without a word, or "at once" for ever: a question a second.
        let busy = Issuer {
            busy: true,
            ..Issuer::new(&[])
        };
        assert_eq!(busy.wait(10).await, (11, 10, 1));
        assert_eq!(Issuer::new(&[0; 99]).wait(10).await, (11, 10, 1));
        assert_eq!(Issuer::new(&[5; 9]).wait(0).await, (1, 0, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn cards_that_come_in_time_are_waited_for() {
        assert_eq!(Issuer::new(&[5, 5]).wait(10).await, (3, 10, 0));
        assert_eq!(Issuer::new(&[600]).wait(3600).await, (2, 600, 0));
        assert_eq!(Issuer::new(&[]).wait(0).await, (1, 0, 0));
    }
}
