//! Keys that are asked for signatures, and are left alone for a while when they give none.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use vouchsafe_credentials::crypto::{PublicKey, Signer, SignerError};

use super::{Outcome, count, failed};

/// So many questions in a row without a signature, and nobody asks for a while.
const FAILURES: u32 = 5;
/// How long nobody asks; then one question tries it.
const REST: Duration = Duration::from_secs(5);

/// A key that is somewhere else.
#[async_trait::async_trait]
pub(super) trait Elsewhere: Send + Sync {
    /// What metrics call the kind of place.
    const PLACE: &'static str;

    fn public_key(&self) -> &PublicKey;

    /// Asks for a signature, and checks it.
    async fn ask(&self, message: &[u8]) -> Result<Vec<u8>, Outcome>;
}

/// The signer of a key elsewhere. There is no other key that would sign in its stead (catalogue 424).
pub(super) struct Asked<E> {
    pub(super) key: E,
    breaker: Breaker,
}

impl<E> Asked<E> {
    pub(super) fn new(key: E) -> Self {
        Self {
            key,
            breaker: Breaker::default(),
        }
    }
}

#[async_trait::async_trait]
impl<E: Elsewhere> Signer for Asked<E> {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let asked = match self.breaker.enter() {
            None => Err(Outcome::Resting),
            Some(visit) => {
                let asked = self.key.ask(message).await;
                visit.ended(asked.is_ok());
                asked
            }
        };
        count(
            E::PLACE,
            asked.as_ref().err().copied().unwrap_or(Outcome::Signed),
        );
        asked.map_err(|outcome| failed(E::PLACE, outcome))
    }
}

/// Whether it makes sense to ask.
#[derive(Default)]
struct Breaker(Mutex<State>);

#[derive(Default)]
struct State {
    failures: u32,
    /// Nobody asks before, and then one at a time.
    rest_until: Option<Instant>,
    trying: bool,
}

/// One question. Without an answer, because whoever asked went away, it says nothing.
struct Visit<'a> {
    breaker: &'a Breaker,
    is_try: bool,
    signed: Option<bool>,
}

impl Breaker {
    fn enter(&self) -> Option<Visit<'_>> {
        let mut state = self.state();
        let is_try = match state.rest_until {
            None => false,
            Some(until) if state.trying || Instant::now() < until => return None,
            Some(_) => true,
        };
        state.trying |= is_try;
        Some(Visit {
            breaker: self,
            is_try,
            signed: None,
        })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visit<'_> {
    fn ended(mut self, signed: bool) {
        self.signed = Some(signed);
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let mut state = self.breaker.state();
        if self.is_try {
            state.trying = false;
        }
        match self.signed {
            None => {}
            Some(true) => {
                state.failures = 0;
                state.rest_until = None;
            }
            Some(false) => {
                state.failures = state.failures.saturating_add(1);
                if state.failures >= FAILURES {
                    state.rest_until = Some(Instant::now() + REST);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(breaker: &Breaker, signed: bool) -> bool {
        let visit = breaker.enter();
        let entered = visit.is_some();
        if let Some(visit) = visit {
            visit.ended(signed);
        }
        entered
    }

    #[tokio::test(start_paused = true)]
    async fn cat_424_who_gives_no_signature_is_left_alone_for_a_while() {
        let breaker = Breaker::default();
        for _ in 0..3 {
            // A success between failures begins the count anew.
            for _ in 0..FAILURES - 1 {
                assert!(asked(&breaker, false));
            }
            assert!(asked(&breaker, true));
        }
        for _ in 0..FAILURES {
            assert!(asked(&breaker, false));
        }
        assert!(!asked(&breaker, true));
        tokio::time::advance(REST - Duration::from_millis(1)).await;
        assert!(!asked(&breaker, true));
        tokio::time::advance(Duration::from_millis(1)).await;
        // One tries; it fails, and the rest begins anew.
        let trying = breaker.enter().unwrap();
        assert!(breaker.enter().is_none());
        trying.ended(false);
        assert!(breaker.enter().is_none());
        tokio::time::advance(REST).await;
        assert!(asked(&breaker, true));
        let (one, other) = (breaker.enter().unwrap(), breaker.enter().unwrap());
        drop((one, other));
    }

    #[tokio::test(start_paused = true)]
    async fn cat_424_who_went_away_leaves_the_try_to_another() {
        let breaker = Breaker::default();
        for _ in 0..FAILURES {
            asked(&breaker, false);
        }
        tokio::time::advance(REST).await;
        drop(breaker.enter().unwrap());
        assert!(asked(&breaker, true));
        assert!(breaker.enter().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn cat_424_one_that_was_under_way_does_not_end_the_try_of_another() {
        let breaker = Breaker::default();
        let slow = breaker.enter().unwrap();
        for _ in 0..FAILURES {
            asked(&breaker, false);
        }
        tokio::time::advance(REST).await;
        let _trying = breaker.enter().unwrap();
        drop(slow);
        assert!(breaker.enter().is_none());
    }
}
