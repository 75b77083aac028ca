//! Randomness.

use std::sync::Arc;

use vouchsafe_credentials::random::Rng as CoreRng;

/// Gives random bytes. Few apps need one of their own: without it the wallet asks the operating
/// system.
#[uniffi::export(with_foreign)]
pub trait Rng: Send + Sync {
    /// Exactly `count` bytes that nobody can guess.
    fn bytes(&self, count: u32) -> Vec<u8>;
}

pub(crate) struct RngAdapter(pub(crate) Arc<dyn Rng>);

impl CoreRng for RngAdapter {
    fn fill(&self, buffer: &mut [u8]) {
        let count = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
        let bytes = self.0.bytes(count);
        if bytes.len() == buffer.len() {
            buffer.copy_from_slice(&bytes);
        } else {
            // The port broke its promise. There is no way to say so here, and no key may come from
            // a buffer of zeros: the operating system's bytes are never worse.
            SystemRandom.fill(buffer);
        }
    }
}

/// The random source of the operating system.
pub(crate) struct SystemRandom;

impl CoreRng for SystemRandom {
    #[expect(
        clippy::disallowed_methods,
        reason = "this adapter is where random bytes come from"
    )]
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("the operating system always supplies random bytes");
    }
}
