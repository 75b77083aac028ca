//! The outer layer: whose request it is, and whether there were too many of them.

use std::{net::IpAddr, num::NonZeroU32};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue},
    middleware::{Next, from_fn_with_state},
    response::Response,
};

use super::{client_address::ClientAddress, rate_limit::RateLimit};
use crate::config::{ConfigError, HttpConfig};

/// Proxies of ours that one request may pass.
const MAX_HOPS: usize = 8;

/// A network, such as `10.0.0.0/8` or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// Parses `address` or `address/prefix`. `None` if it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            None => (text.parse::<IpAddr>().ok()?, None),
            Some((address, prefix)) => (address.parse::<IpAddr>().ok()?, Some(prefix)),
        };
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => width,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().filter(|prefix| *prefix <= width)?
            }
            Some(_) => return None,
        };
        Some(Self { address, prefix })
    }

    /// Whether the address is in the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differ = u32::from(own) ^ u32::from(other);
                differ.checked_shr(32 - self.prefix).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differ = u128::from(own) ^ u128::from(other);
                differ.checked_shr(128 - self.prefix).unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// What `[http]` says about clients: proxies that are believed, and the limit per network.
#[derive(Debug, Clone)]
pub struct Edge {
    trusted: Vec<Network>,
    limit: Option<RateLimit>,
}

impl Edge {
    /// Reads `http.trusted_proxies`, `http.requests_per_minute` and `http.burst`.
    ///
    /// # Errors
    /// A proxy that is no network, or a limit without a burst.
    pub fn new(config: &HttpConfig) -> Result<Self, ConfigError> {
        let trusted = config.trusted_proxies.iter().map(|text| {
            let wrong = "must be addresses or networks such as 10.0.0.0/8";
            Network::parse(text).ok_or_else(|| ConfigError::setting("http.trusted_proxies", wrong))
        });
        let limit = match NonZeroU32::new(config.requests_per_minute) {
            None => None,
            Some(per_minute) => {
                let burst = NonZeroU32::new(config.burst)
                    .ok_or_else(|| ConfigError::setting("http.burst", "must be 1 at least"))?;
                Some(RateLimit::per_minute(per_minute, burst))
            }
        };
        Ok(Self {
            trusted: trusted.collect::<Result<_, _>>()?,
            limit,
        })
    }

    /// Puts the layer around a whole service.
    pub fn around(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), Self::layer))
    }

    async fn layer(State(edge): State<Self>, mut request: Request, next: Next) -> Response {
        let peer = ClientAddress::of(request.extensions());
        let client = edge.client(peer, request.headers());
        request.extensions_mut().insert(client);
        match &edge.limit {
            Some(limit) if edge.is_counted(peer) => match limit.check(client) {
                Ok(()) => next.run(request).await,
                Err(wait) => super::rate_limit::too_many(wait),
            },
            Some(_) | None => next.run(request).await,
        }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }

    /// The last address in `X-Forwarded-For` that is not one of our proxies. Without a proxy of
    /// ours in front, the header is not read: anybody can write it. What stands left of the
    /// address was written by others and is never looked at, however long or broken it is.
    fn client(&self, peer: ClientAddress, headers: &HeaderMap) -> ClientAddress {
        let mut client = peer.0;
        let lists: Vec<&[u8]> = headers
            .get_all("x-forwarded-for")
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        let from_the_right = lists
            .iter()
            .rev()
            .flat_map(|list| list.rsplit(|b| *b == b','));
        for text in from_the_right.take(MAX_HOPS) {
            if !self.trusts(client) {
                break;
            }
            let address = std::str::from_utf8(text).ok();
            match address.and_then(|text| text.trim().parse::<IpAddr>().ok()) {
                Some(address) => client = address.to_canonical(),
                // Our proxy says something that is no address.
                None => break,
            }
        }
        ClientAddress(client)
    }

    /// The machine itself is not limited: its own jobs, and a proxy beside the service that is not
    /// named in `trusted_proxies`, behind which everybody would count as one. What a header says
    /// makes nobody part of the machine.
    fn is_counted(&self, peer: ClientAddress) -> bool {
        let own = peer.0.is_loopback() || peer.0.is_unspecified();
        !own || self.trusts(peer.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{body::Body, extract::ConnectInfo, routing::get};
    use std::net::SocketAddr;
    use tower::ServiceExt;

    fn config(extra: &str) -> HttpConfig {
        let text =
            format!("listen = \"127.0.0.1:0\"\npublic_url = \"https://issuer.example\"\n{extra}");
        crate::config::parse(&text).unwrap()
    }

    async fn ask(edge: &Edge, peer: &str, forwarded: &[&str]) -> (u16, String) {
        let router =
            Router::new().route("/", get(async |client: ClientAddress| client.0.to_string()));
        let mut request = Request::get("/");
        for value in forwarded {
            request = request.header("x-forwarded-for", *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        let peer = SocketAddr::new(peer.parse().unwrap(), 1);
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = edge.around(router).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 4096)
            .await
            .unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[test]
    fn networks() {
        let inside = |network: &str, address: &str| {
            let network = Network::parse(network).unwrap();
            network.contains(address.parse().unwrap())
        };
        for (network, address, expected) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.2", false),
            ("0.0.0.0/0", "198.51.100.1", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db8::1", true),
            ("::1", "::1", true),
        ] {
            assert_eq!(inside(network, address), expected, "{network} {address}");
        }
        for bad in [
            "",
            "10",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "a/8",
            "10.0.0.0/",
        ] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn only_a_proxy_of_ours_says_who_asks() {
        let edge = Edge::new(&config("trusted_proxies = [\"10.0.0.0/8\", \"::1\"]")).unwrap();
        for (peer, forwarded, client) in [
            ("198.51.100.7", &["192.0.2.1"][..], "198.51.100.7"),
            ("10.0.0.1", &["192.0.2.1"], "192.0.2.1"),
            ("10.0.0.1", &["192.0.2.9, 192.0.2.1"], "192.0.2.1"),
            (
                "10.0.0.1",
                &["192.0.2.9", "192.0.2.1, 10.0.0.2"],
                "192.0.2.1",
            ),
            ("10.0.0.1", &["192.0.2.9, nonsense"], "10.0.0.1"),
            ("10.0.0.1", &["unknown, 192.0.2.1"], "192.0.2.1"),
            ("10.0.0.1", &["10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("::1", &["::ffff:192.0.2.1"], "192.0.2.1"),
        ] {
            let (status, seen) = ask(&edge, peer, forwarded).await;
            assert_eq!(
                (status, seen.as_str()),
                (200, client),
                "{peer} {forwarded:?}"
            );
        }
        // What a client writes in front hides nobody, however much it is.
        let many = ",".repeat(10_000) + "192.0.2.1";
        for forged in [many.as_str(), "\u{e9}, 192.0.2.1", "127.0.0.1, 192.0.2.1"] {
            assert_eq!(ask(&edge, "10.0.0.1", &[forged]).await.1, "192.0.2.1");
        }
        assert_eq!(
            ask(&edge, "10.0.0.1", &["\u{e9}", "192.0.2.1"]).await.1,
            "192.0.2.1"
        );
        let hops = "198.51.100.7".to_owned() + &", 10.0.0.2".repeat(MAX_HOPS);
        assert_eq!(ask(&edge, "10.0.0.1", &[&hops]).await.1, "10.0.0.2");
    }

    #[tokio::test]
    async fn a_network_that_asks_too_much_waits_and_no_other() {
        let text = "requests_per_minute = 1\nburst = 2\ntrusted_proxies = [\"10.0.0.1\"]";
        let edge = Edge::new(&config(text)).unwrap();
        for expected in [200, 200, 429, 429] {
            assert_eq!(ask(&edge, "198.51.100.7", &[]).await.0, expected);
        }
        assert_eq!(ask(&edge, "198.51.100.8", &[]).await.0, 200);
        // Behind the proxy each client counts for itself, whatever it writes into the header.
        for n in 0..3 {
            let forged = format!("203.0.113.{n}, 192.0.2.1");
            let expected = if n < 2 { 200 } else { 429 };
            assert_eq!(ask(&edge, "10.0.0.1", &[&forged]).await.0, expected);
        }
        assert_eq!(ask(&edge, "10.0.0.1", &["192.0.2.2"]).await.0, 200);
        // The machine itself, but nobody who only says so.
        for _ in 0..5 {
            assert_eq!(ask(&edge, "127.0.0.1", &[]).await.0, 200);
        }
        for expected in [200, 200, 429] {
            assert_eq!(ask(&edge, "10.0.0.1", &["127.0.0.1"]).await.0, expected);
        }
        // A proxy on the same machine, by its name.
        let text = "requests_per_minute = 1\nburst = 1\ntrusted_proxies = [\"127.0.0.1\"]";
        let edge = Edge::new(&config(text)).unwrap();
        let junk = ",".repeat(40);
        for (forged, expected) in [(junk.as_str(), 200), ("", 429), ("\u{e9}, ", 429)] {
            let forwarded = format!("{forged}192.0.2.1");
            assert_eq!(ask(&edge, "127.0.0.1", &[&forwarded]).await.0, expected);
        }
        let off = Edge::new(&config("requests_per_minute = 0")).unwrap();
        for _ in 0..5 {
            assert_eq!(ask(&off, "198.51.100.7", &[]).await.0, 200);
        }
    }

    #[test]
    fn wrong_settings_are_refused() {
        for bad in ["trusted_proxies = [\"proxy.example\"]", "burst = 0"] {
            assert!(Edge::new(&config(bad)).is_err(), "{bad}");
        }
    }
}
