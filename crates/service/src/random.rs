//! The operating system's randomness as an [`Rng`].

use vouchsafe_credentials::random::Rng;

/// Random bytes from the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsRandom;

impl Rng for OsRandom {
    #[expect(
        clippy::disallowed_methods,
        reason = "this adapter is the one place that asks the system for random bytes"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        // A machine without randomness cannot issue or log in anybody: stopping is the only
        // safe answer, and no input from outside leads here.
        getrandom::fill(bytes).expect("the operating system always supplies random bytes");
    }
}
