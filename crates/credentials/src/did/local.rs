//! The methods that need no network.

use super::{Did, DidError, ErrorCode, Resolution, ResolutionError, ResolutionOptions, Resolver};

/// Resolves `did:key`, `did:jwk`, `did:peer` (2 and 4) and `did:pkh` from the DID alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalResolver;

impl LocalResolver {
    /// The methods it knows.
    pub const METHODS: [&'static str; 4] = ["key", "jwk", "peer", "pkh"];

    /// Resolves without waiting for anything.
    #[must_use]
    #[expect(clippy::unimplemented, reason = "the methods follow")]
    pub fn resolve_now(did: &str, _options: &ResolutionOptions) -> Resolution {
        let invalid = |_: DidError| ResolutionError::new(ErrorCode::InvalidDid, "not a DID");
        let result = Did::parse(did)
            .map_err(invalid)
            .map(|_| unimplemented!("local methods"));
        Resolution::from(result)
    }
}

#[async_trait::async_trait]
impl Resolver for LocalResolver {
    async fn resolve(&self, did: &str, options: &ResolutionOptions) -> Resolution {
        Self::resolve_now(did, options)
    }
}
