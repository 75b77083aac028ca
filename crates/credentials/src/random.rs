//! Randomness as a parameter.

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
