//! Randomness as a parameter.

use zeroize::Zeroize;

use crate::encoding::b64url;

/// A cryptographically secure source of random bytes.
///
/// An implementation that cannot deliver must stop the process: there is no safe
/// way to go on with bytes an attacker might guess.
pub trait Rng: Send + Sync {
    /// Overwrites the whole buffer with random bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// `N` random bytes.
pub fn bytes<const N: usize>(rng: &dyn Rng) -> [u8; N] {
    let mut out = [0; N];
    rng.fill(&mut out);
    out
}

/// A fresh secret of 256 bits as base64url (43 characters).
pub fn token(rng: &dyn Rng) -> String {
    b64url(&bytes::<32>(rng))
}

/// Hands out random bytes that were drawn in larger portions: one call into
/// the system's generator costs as much as several hashes.
pub(crate) struct Entropy<'r> {
    rng: &'r dyn Rng,
    portion: [u8; 256],
    used: usize,
}

impl<'r> Entropy<'r> {
    /// Draws nothing yet.
    pub(crate) fn new(rng: &'r dyn Rng) -> Self {
        Self {
            rng,
            portion: [0; 256],
            used: 256,
        }
    }

    /// `N` random bytes, at most a portion.
    pub(crate) fn take<const N: usize>(&mut self) -> [u8; N] {
        if self.portion.len() - self.used < N {
            self.rng.fill(&mut self.portion);
            self.used = 0;
        }
        let mut out = [0; N];
        out.copy_from_slice(&self.portion[self.used..self.used + N]);
        self.used += N;
        out
    }

    /// A number below `bound`, each equally likely. `bound` is not 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        // Values from `limit` on would favour small results.
        let limit = u64::MAX - u64::MAX % bound;
        loop {
            let drawn = u64::from_le_bytes(self.take());
            if drawn < limit {
                let result = drawn % bound;
                return usize::try_from(result).expect("smaller than a usize");
            }
        }
    }

    /// Fisher-Yates.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }
}

impl Drop for Entropy<'_> {
    fn drop(&mut self) {
        self.portion.zeroize();
    }
}
