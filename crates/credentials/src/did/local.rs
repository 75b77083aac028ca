//! The methods that need no network.

use super::{
    Did, ErrorCode, Resolution, ResolutionError, ResolutionOptions, Resolver, jwk, key, peer, pkh,
};

/// Resolves `did:key`, `did:jwk`, `did:peer` (2 and 4) and `did:pkh` from the DID alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalResolver;

impl LocalResolver {
    /// The methods it knows.
    pub const METHODS: [&'static str; 4] = ["key", "jwk", "peer", "pkh"];

    /// Resolves without waiting for anything.
    #[must_use]
    pub fn resolve_now(did: &str, options: &ResolutionOptions) -> Resolution {
        Resolution::from(parse(did).and_then(|did| local(&did, options)))
    }
}

/// DID Resolution v0.3, section 4.4, step 1.
pub(super) fn parse(did: &str) -> Result<Did, ResolutionError> {
    Did::parse(did).map_err(|_| ResolutionError::new(ErrorCode::InvalidDid, "not a DID"))
}

/// DID Resolution v0.3, section 4.4, steps 2 to 5.
pub(super) fn local(did: &Did, options: &ResolutionOptions) -> Result<Resolution, ResolutionError> {
    if !LocalResolver::METHODS.contains(&did.method()) {
        let detail = "this resolver does not know the method";
        return Err(ResolutionError::new(ErrorCode::MethodNotSupported, detail));
    }
    if options.version_id.is_some()
        || options.version_time.is_some()
        || options.version_number.is_some()
    {
        let detail = "the method has no versions";
        return Err(ResolutionError::new(ErrorCode::FeatureNotSupported, detail));
    }
    match did.method() {
        "key" => key::resolve(did, options),
        "jwk" => jwk::resolve(did),
        "peer" => peer::resolve(did),
        _ => pkh::resolve(did),
    }
}

#[async_trait::async_trait]
impl Resolver for LocalResolver {
    async fn resolve(&self, did: &str, options: &ResolutionOptions) -> Resolution {
        Self::resolve_now(did, options)
    }
}
