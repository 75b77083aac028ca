//! Names to addresses, with the check in between: the client connects to what this returns, and
//! to nothing else.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolving};

use super::policy::{Policy, Refused};

/// Looks names up.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// All addresses of a name.
    async fn resolve(&self, name: &str) -> io::Result<Vec<SocketAddr>>;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        // RFC 6761, section 6.3: names below `localhost` are this machine and nobody is asked.
        // Whether this machine may be asked is the policy's to say.
        if name.ends_with(".localhost") {
            return Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]);
        }
        // Port 0: the client puts the port of the request there.
        Ok(tokio::net::lookup_host((name, 0)).await?.collect())
    }
}

pub(super) struct Checked {
    inner: Arc<dyn Resolve>,
    policy: Arc<Policy>,
}

impl Checked {
    pub(super) fn new(inner: Arc<dyn Resolve>, policy: Arc<Policy>) -> Self {
        Self { inner, policy }
    }
}

impl reqwest::dns::Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let inner = Arc::clone(&self.inner);
        let policy = Arc::clone(&self.policy);
        Box::pin(async move {
            let name = name.as_str();
            let found = inner.resolve(name).await.map_err(|_| Refused::Unresolved)?;
            if found.is_empty() {
                return Err(Refused::Unresolved.into());
            }
            // One private address among public ones: the whole answer is refused.
            for address in &found {
                policy.check_address(name, address.ip())?;
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}
