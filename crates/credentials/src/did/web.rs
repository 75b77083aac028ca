//! Methods whose documents are fetched: `did:web` and `did:webvh`.

use std::sync::Arc;

use super::{DidFetch, Resolution, ResolutionOptions, Resolver};
use crate::crypto::CryptoProvider;
use crate::time::Clock;

/// Resolves the local methods, `did:web` and `did:webvh`.
pub struct WebResolver<F> {
    fetch: F,
    crypto: Arc<dyn CryptoProvider>,
    clock: Arc<dyn Clock>,
}

impl<F: DidFetch> WebResolver<F> {
    /// A resolver that fetches through `fetch`.
    pub fn new(fetch: F, crypto: Arc<dyn CryptoProvider>, clock: Arc<dyn Clock>) -> Self {
        Self {
            fetch,
            crypto,
            clock,
        }
    }
}

#[async_trait::async_trait]
impl<F: DidFetch> Resolver for WebResolver<F> {
    #[expect(clippy::unimplemented, reason = "the methods follow")]
    async fn resolve(&self, _did: &str, _options: &ResolutionOptions) -> Resolution {
        let _ = (&self.fetch, &self.crypto, &self.clock);
        unimplemented!("methods on the web")
    }
}
