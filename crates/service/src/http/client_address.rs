//! Where a request came from.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{Extensions, request::Parts},
};

/// Address of the client: the peer of the connection or, behind a proxy that
/// `http.trusted_proxies` names, the address that this proxy reports (see [`super::Edge`]).
/// Without that setting `X-Forwarded-For` is never read: anybody can write it.
///
/// Without a connection (a router called directly in a test) it is `0.0.0.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(
    /// The address.
    pub IpAddr,
);

impl ClientAddress {
    pub(crate) fn of(extensions: &Extensions) -> Self {
        if let Some(known) = extensions.get::<Self>() {
            return *known;
        }
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        let unknown = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Self(peer.map_or(unknown, |peer| peer.0.ip().to_canonical()))
    }

    /// The network that is counted as one client: an IPv4 address, or a /64 of IPv6.
    pub fn network(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}
